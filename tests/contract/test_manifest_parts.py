"""What the production overlay stands on: certificates, another ingress, a registry, nodes."""

import os
import re
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from dev.generate import ROOT
from services.matcher.api.import_people import MAX_BYTES
from tests.contract.test_manifest_pods import bytes_of, pods
from tests.contract.test_manifests import environment, secrets
from tests.manifests import OVERLAYS, VERSIONS, Object, of_kind, problems, render, templates

PRODUCTION = OVERLAYS / "production"
COMPONENTS = OVERLAYS.parent / "components"
DOCUMENT = (ROOT / "docs" / "kubernetes.md").read_text()
NGINX_PATHS = re.compile(r"/[\w./-]*", re.ASCII)
"""What its admission takes for Exact and Prefix: kubernetes/ingress-nginx,
internal/ingress/inspector/rules.go."""


def of_ours(folder: Path, *components: str) -> list[Object]:
    """Render a copy of the production overlay, in a folder of its own, with these components."""
    around = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(PRODUCTION, folder)],
        "components": [os.path.relpath(COMPONENTS / name, folder) for name in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(around))
    return render(folder)


def test_every_certificate_has_an_authority_and_a_name_that_is_asked_for() -> None:
    objects = render(PRODUCTION)
    certificates = of_kind(objects, "Certificate")
    for name, one in certificates.items():
        issuer = one["spec"]["issuerRef"]
        assert one["spec"]["secretName"] == name
        assert issuer["kind"] == "ClusterIssuer" or issuer["name"] in of_kind(objects, "Issuer")
    authority = of_kind(objects, "Issuer")["internal"]["spec"]["ca"]["secretName"]
    assert certificates[authority]["spec"]["isCA"] is True
    (broker,) = of_kind(objects, "RabbitmqCluster").values()
    (database,) = of_kind(objects, "MongoDBCommunity").values()
    served = {
        "AMQP_URL": broker["spec"]["tls"]["secretName"],
        "MONGODB_URL": database["spec"]["security"]["tls"]["certificateKeySecretRef"]["name"],
    }
    for template in templates(objects).values():
        (container,) = template["spec"]["containers"]
        told = environment("production", container)
        for variable, secret in served.items():
            if variable in told:
                host = urlsplit(told[variable]).hostname or ""
                names = certificates[secret]["spec"]["dnsNames"]
                assert any(fnmatch(host, pattern) for pattern in names), (host, names)


def test_every_secret_that_is_mounted_or_referred_to_is_made_by_somebody() -> None:
    made = secrets("production")
    text = yaml.safe_dump(render(PRODUCTION))
    named = set(re.findall(r"(?:secretName|SecretRef:\n +name): ([\w-]+)", text))
    assert {"smtp-tls", "broker-tls", "internal-ca"} <= named
    scram = {"matcher-database", "timeline-database", "backup-database"}
    assert named <= made.keys() | scram
    (scaler,) = of_kind(render(PRODUCTION), "TriggerAuthentication").values()
    for one in scaler["spec"]["secretTargetRef"]:
        assert one["key"] in made[one["name"]]
    for one in scaler["spec"]["configMapTargetRef"]:
        assert one["key"] in of_kind(render(PRODUCTION), "ConfigMap")[one["name"]]["data"]


def test_the_name_of_smtp_is_proved_by_dns() -> None:
    """Its load balancer has port 25 alone: no answer by HTTP can come from there."""
    (name,) = of_kind(render(PRODUCTION), "Certificate")["smtp-tls"]["spec"]["dnsNames"]
    ports = of_kind(render(PRODUCTION), "Service")["smtp"]["spec"]["ports"]
    assert {port["port"] for port in ports} == {25}
    issuers = [one for one in yaml_blocks() if one["kind"] == "ClusterIssuer"]
    (issuer,) = issuers
    (solver,) = (
        one
        for one in issuer["spec"]["acme"]["solvers"]
        if name in one.get("selector", {}).get("dnsNames", [])
    )
    assert "dns01" in solver


def yaml_blocks(text: str = DOCUMENT) -> list[Object]:
    """The objects that a page has its readers write."""
    blocks = re.findall(r"(?ms)^ *```yaml\n(.*?)^ *```", text)
    return [one for block in blocks for one in yaml.safe_load_all(block) if "kind" in one]


@pytest.mark.parametrize("page", ["blob-store", "chores", "kubernetes"])
def test_a_cluster_takes_what_a_page_writes(page: str) -> None:
    written = yaml_blocks((ROOT / "docs" / f"{page}.md").read_text())
    assert written
    for one in written:
        assert list(problems(one, VERSIONS[-1])) == []


def test_the_pod_of_a_page_is_restricted_and_mounts_what_is_there() -> None:
    """Its namespace takes no other: pod-security.kubernetes.io/enforce."""
    (pod,) = yaml_blocks((ROOT / "docs" / "chores.md").read_text())
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,), (volume,) = spec["containers"], spec["volumes"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    objects = render(PRODUCTION)
    claim = volume["persistentVolumeClaim"]["claimName"]
    assert claim in of_kind(objects, "PersistentVolumeClaim")
    job = templates(objects)["CronJob backfill"]["spec"]
    assert container["image"] == job["containers"][0]["image"]
    assert spec["securityContext"] == {
        key: value for key, value in job["securityContext"].items() if key != "fsGroupChangePolicy"
    }


def test_another_ingress_needs_no_change_of_the_base(tmp_path: Path) -> None:
    objects = of_ours(tmp_path, "ingress-nginx")
    assert not [text for one in objects for text in problems(one, VERSIONS[-1])]
    (ingress,) = of_kind(objects, "Ingress").values()
    assert ingress["spec"]["ingressClassName"] == "nginx"
    body = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(body.removesuffix("m")) * 2**20 == MAX_BYTES, "the longest body, an import"
    for path in ingress["spec"]["rules"][0]["http"]["paths"]:
        strict = path["pathType"] in ("Exact", "Prefix")
        assert not strict or NGINX_PATHS.fullmatch(path["path"]), path
    before, after = (
        yaml.safe_dump([one["spec"] for one in of_kind(found, "NetworkPolicy").values()])
        for found in (render(PRODUCTION), objects)
    )
    assert before.replace("traefik", "ingress-nginx") == after
    assert "traefik" not in yaml.safe_dump(objects)


def test_a_registry_is_named_once_and_may_ask_who_pulls(tmp_path: Path) -> None:
    objects = of_ours(tmp_path, "pull-secret")
    for one in of_kind(objects, "ServiceAccount").values():
        assert one["imagePullSecrets"] == [{"name": "registry"}]
    text = (PRODUCTION / "kustomization.yaml").read_text()
    images = [
        container["image"]
        for template in templates(objects).values()
        for container in template["spec"]["containers"]
    ]
    (registry,) = {image.rpartition("/")[0] for image in images}
    assert text.count(registry) == 1


CPU = {"m": 0.001, "": 1.0}


def asked(resources: Object, of: str) -> tuple[float, float]:
    """Return cores and GiB."""
    number, unit = re.fullmatch(r"([\d.]+)(m?)", str(resources[of]["cpu"])).groups()  # type: ignore[union-attr] # a failure is a finding
    return float(number) * CPU[unit], bytes_of(resources[of]["memory"]) / 2**30


def requests_of(replicas: dict[str, int]) -> tuple[float, float]:
    """Return what so many pods of each ask for together, in cores and GiB."""
    objects = render(PRODUCTION)
    cores = memory = 0.0
    for name, count in replicas.items():
        if name == "broker":
            (broker,) = of_kind(objects, "RabbitmqCluster").values()
            parts = [broker["spec"]["resources"]]
        else:
            pod = pods("production")[name if name == "database" else f"Deployment {name}"]
            parts = [container["resources"] for container in pod["containers"]]
        for part in parts:
            one = asked(part, "requests")
            cores, memory = cores + count * one[0], memory + count * one[1]
    return round(cores, 2), round(memory, 1)


def replicas(which: str) -> dict[str, int]:
    objects = render(PRODUCTION)
    found = {
        name: one["spec"][f"{which}ReplicaCount"]
        for name, one in of_kind(objects, "ScaledObject").items()
    }
    found |= {
        name: one["spec"][f"{which}Replicas"]
        for name, one in of_kind(objects, "HorizontalPodAutoscaler").items()
    }
    (broker,) = of_kind(objects, "RabbitmqCluster").values()
    (database,) = of_kind(objects, "MongoDBCommunity").values()
    return found | {"broker": broker["spec"]["replicas"], "database": database["spec"]["members"]}


@pytest.mark.parametrize("which", ["min", "max"])
def test_the_document_says_what_the_nodes_must_have(which: str) -> None:
    cores, memory = requests_of(replicas(which))
    assert f"{cores:g} cores and {memory:g} GiB" in DOCUMENT, (which, cores, memory)


def test_the_document_names_a_version_of_all_that_the_cluster_must_have() -> None:
    wanted = {one["apiVersion"].rpartition("/")[0] for one in render(PRODUCTION)}
    rows = re.findall(r"^\| [^|]+ \| (?:≥ )?[\d.]+ \|.*", DOCUMENT, re.MULTILINE)
    for group in sorted(one for one in wanted if re.fullmatch(r"[\w.]+\.\w+\.\w+|\w+\.\w+", one)):
        if not group.endswith("k8s.io"):
            assert any(f"`{group}`" in row for row in rows), group
