"""Who reaches whom in the cluster: policies, ingress, Services and monitors."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from fastapi import APIRouter

import services.matcher.api
import services.timeline.api
from dev.generate import SETTINGS
from services.ingest import upload
from tests.manifests import OVERLAYS, Object, matches, of_kind, render, templates

NAMES = sorted(path.name for path in OVERLAYS.iterdir())


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, or an address outside."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = "satchel"
    address: str = ""
    port_names: dict[str, int] = field(default_factory=dict)


INGEST, MATCHER, TIMELINE = (
    End(
        {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "service"},
        port_names=ports,
    )
    for name, ports in (
        ("ingest", {"http": 8001, "smtp": 2525}),
        ("matcher", {"http": 8002}),
        ("timeline", {"http": 8003}),
    )
)
MIGRATION = End({"app.kubernetes.io/name": "matcher", "app.kubernetes.io/component": "indexes"})
BROKER = End({"app.kubernetes.io/name": "broker"})
DATABASE = End({"app": "database-svc"})
DNS = End({"k8s-app": "kube-dns"}, namespace="kube-system")
WORLD = End(namespace="", address="203.0.113.9")
METADATA = End(namespace="", address="169.254.169.254")
CHORE = End({"app.kubernetes.io/name": "timeline", "app.kubernetes.io/component": "chore"})
BACKFILL = End({"app.kubernetes.io/name": "ingest", "app.kubernetes.io/component": "chore"})
BACKUP = End({"app.kubernetes.io/name": "backup", "app.kubernetes.io/component": "chore"})
NODE_DNS = End(namespace="", address="169.254.20.10")
POD_IDENTITY = End(namespace="", address="169.254.170.23")
SOLVER = End({"acme.cert-manager.io/http01-solver": "true"})
PROXY, PROMETHEUS, KEDA, OPERATOR, OTHER = (
    End({"app": name}, namespace=name)
    for name in ("traefik", "monitoring", "keda", "rabbitmq-system", "default")
)


def _is(peer: Object, end: End) -> bool:
    if "ipBlock" in peer:
        if not end.address:
            return False
        address, block = ip_address(end.address), peer["ipBlock"]
        outside = any(address in ip_network(net) for net in block.get("except", []))
        return address in ip_network(block["cidr"]) and not outside
    if end.address:
        return False
    names = {"kubernetes.io/metadata.name": end.namespace}
    if "namespaceSelector" in peer:
        if not matches(peer["namespaceSelector"], names):
            return False
    elif end.namespace != "satchel":
        return False
    return matches(peer.get("podSelector", {}), end.labels)


def _opens(policies: list[Object], way: str, of: End, other: End, port: int, names: Any) -> bool:
    if of.namespace != "satchel":
        return True  # not ours to close
    side = "to" if way == "egress" else "from"
    for policy in policies:
        spec = policy["spec"]
        if way.capitalize() not in spec["policyTypes"] or not matches(
            spec["podSelector"], of.labels
        ):
            continue
        for rule in spec.get(way, []):
            if side in rule and not any(_is(peer, other) for peer in rule[side]):
                continue
            for one in rule["ports"]:
                first = names.get(one["port"], one["port"])
                if isinstance(first, int) and first <= port <= one.get("endPort", first):
                    return True
    return False


def reaches(overlay: str, source: End, target: End, port: int) -> bool:
    """Return whether the policies of both ends let a connection through."""
    policies = list(of_kind(render(OVERLAYS / overlay), "NetworkPolicy").values())
    names = target.port_names
    return _opens(policies, "egress", source, target, port, names) and _opens(
        policies, "ingress", target, source, port, names
    )


@pytest.mark.parametrize("overlay", NAMES)
def test_the_needed_connections_are_open_and_no_others(overlay: str) -> None:
    everybody: tuple[End, ...] = (INGEST, MATCHER, TIMELINE, MIGRATION, BROKER, DATABASE, SOLVER)
    if overlay == "production":
        everybody += (CHORE, BACKFILL, BACKUP)
    amqp = 5671 if overlay == "production" else 5672
    needed = {
        "ingest to broker": (INGEST, BROKER, amqp),
        "matcher to broker": (MATCHER, BROKER, amqp),
        "timeline to broker": (TIMELINE, BROKER, amqp),
        "matcher to database": (MATCHER, DATABASE, 27017),
        "timeline to database": (TIMELINE, DATABASE, 27017),
        "migration to database": (MIGRATION, DATABASE, 27017),
        "database to itself": (DATABASE, DATABASE, 27017),
        "world to SMTP": (WORLD, INGEST, 2525),
        **{f"DNS of {n}": (one, DNS, 53) for n, one in enumerate(everybody)},
        **{f"DNS on the node of {n}": (one, NODE_DNS, 53) for n, one in enumerate(everybody)},
        **{
            f"{who} to {one.labels['app.kubernetes.io/name']}": (end, one, one.port_names["http"])
            for one in (INGEST, MATCHER, TIMELINE)
            for who, end in (("proxy", PROXY), ("prometheus", PROMETHEUS))
        },
    }
    if overlay == "production":
        needed |= {
            "broker to broker": (BROKER, BROKER, 25672),
            "broker's names": (BROKER, BROKER, 4369),
            "broker's tools": (BROKER, BROKER, 35675),
            "operator to users": (OPERATOR, BROKER, 15671),
            "autoscaler to queue lengths": (KEDA, BROKER, 15671),
            "prometheus to broker": (PROMETHEUS, BROKER, 15691),
            **{
                f"{way} of {name}": (end, target, port)
                for name, end in (("audit", CHORE), ("backfill", BACKFILL), ("backup", BACKUP))
                for way, target, port in (
                    ("broker", BROKER, 5671),
                    ("bucket", WORLD, 443),
                    ("credentials", POD_IDENTITY, 80),
                )
            },
            "audit to database": (CHORE, DATABASE, 27017),
            "backup to database": (BACKUP, DATABASE, 27017),
            "proof of the API's name": (PROXY, SOLVER, 8089),
            "ingest to its credentials": (INGEST, POD_IDENTITY, 80),
            "matcher to its credentials": (MATCHER, POD_IDENTITY, 80),
            "timeline to its credentials": (TIMELINE, POD_IDENTITY, 80),
            "ingest to bucket": (INGEST, WORLD, 443),
            "matcher to bucket": (MATCHER, WORLD, 443),
            "timeline to bucket": (TIMELINE, WORLD, 443),
            "ingest to relay by TLS": (INGEST, WORLD, 465),
            "ingest to relay by STARTTLS": (INGEST, WORLD, 587),
            "matcher to relay by TLS": (MATCHER, WORLD, 465),
            "matcher to relay by STARTTLS": (MATCHER, WORLD, 587),
        }
    closed = [name for name, way in needed.items() if not reaches(overlay, *way)]
    assert not closed
    ports = (
        53,
        80,
        443,
        465,
        587,
        2525,
        4369,
        5671,
        5672,
        8001,
        8002,
        8003,
        8089,
        15671,
        15672,
        15691,
        15692,
        25672,
        27017,
        35675,
    )
    outside = (DNS, NODE_DNS, WORLD, METADATA, POD_IDENTITY, PROXY, PROMETHEUS, KEDA, OTHER)
    ends = (*everybody, *outside)
    wanted = [(source, target, port) for source, target, port in needed.values()]
    for source in ends:
        for target in ends:
            for port in ports:
                if "satchel" not in (source.namespace, target.namespace):
                    continue
                if overlay == "production" and source in (BROKER, DATABASE, BACKUP) and port == 443:
                    continue  # the API server, which has no address here
                expected = (source, target, port) in wanted or (
                    target == INGEST and port == 2525 and source.namespace != "satchel"
                )
                assert reaches(overlay, source, target, port) == expected, (source, target, port)


def routes(service: str) -> set[str]:
    """Return the paths of a service's API, from the functions that make its routes."""
    modules: list[ModuleType] = [upload]
    if service != "ingest":
        package = services.matcher.api if service == "matcher" else services.timeline.api
        modules = [
            importlib.import_module(f"{package.__name__}.{found.name}")
            for found in pkgutil.iter_modules(package.__path__)
        ]
    makers = {
        make
        for module in modules
        for name, make in inspect.getmembers(module, inspect.isfunction)
        if name.endswith("_routes") and make.__module__ == module.__name__
    }
    made = [make(*(MagicMock() for _ in inspect.signature(make).parameters)) for make in makers]
    assert all(isinstance(router, APIRouter) for router in made)
    return {route.path for router in made for route in router.routes}


def backends(overlay: str, path: str) -> list[str]:
    """Return the services that the ingress may send a path to; the longest rule comes first."""
    (ingress,) = of_kind(render(OVERLAYS / overlay), "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    found = []
    for one in rule["http"]["paths"]:
        exact = path == one["path"]
        if exact or (one["pathType"] == "Prefix" and path.startswith(one["path"] + "/")):
            assert one["backend"]["service"]["port"] == {"name": "http"}
            found.append((len(one["path"]), one["backend"]["service"]["name"], one["path"]))
    return [name for _, name, _ in sorted(found, reverse=True)]


@pytest.mark.parametrize("overlay", NAMES)
def test_every_route_has_one_way_to_its_service(overlay: str) -> None:
    counts = {service: len(routes(service)) for service in SETTINGS}
    assert counts["ingest"] >= 1
    assert counts["matcher"] >= 5
    assert counts["timeline"] >= 10
    used = set()
    (ingress,) = of_kind(render(OVERLAYS / overlay), "Ingress").values()
    for service in SETTINGS:
        for route in routes(service):
            path = re.sub(r"\{\w+(:\w+)?\}", "x", route)
            assert backends(overlay, path) == [service], route
            used |= {
                one["path"]
                for one in ingress["spec"]["rules"][0]["http"]["paths"]
                if path == one["path"]
                or (one["pathType"] == "Prefix" and path.startswith(one["path"] + "/"))
            }
    assert used == {one["path"] for one in ingress["spec"]["rules"][0]["http"]["paths"]}
    for hidden in ("/x", "/metrics", "/healthz", "/readyz", "/openapi.json", "/v1", "/v1/people:x"):
        assert backends(overlay, hidden) == [], hidden


@pytest.mark.parametrize("overlay", NAMES)
def test_services_lead_to_pods_that_listen(overlay: str) -> None:
    objects = render(OVERLAYS / overlay)
    for name, one in of_kind(objects, "Service").items():
        found = [
            template
            for template in templates(objects).values()
            if matches({"matchLabels": one["spec"]["selector"]}, template["metadata"]["labels"])
        ]
        assert len(found) == 1, name
        (container,) = found[0]["spec"]["containers"]
        listening = {port["name"] for port in container["ports"]}
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= listening, name


def test_what_is_watched_has_the_port() -> None:
    objects = render(OVERLAYS / "production")
    monitors = of_kind(objects, "ServiceMonitor")
    assert monitors.keys() == {"satchel", "broker"}
    watched = {
        name
        for name, one in of_kind(objects, "Service").items()
        if matches(monitors["satchel"]["spec"]["selector"], one["metadata"]["labels"])
        and {port["name"] for port in one["spec"]["ports"]} >= {"http"}
    }
    assert watched == SETTINGS.keys()
    # The operator names the Service after the cluster, and labels it so.
    assert matches(monitors["broker"]["spec"]["selector"], BROKER.labels)
    assert "broker" in of_kind(objects, "RabbitmqCluster")
