"""How the pods of the manifests live: probes, endings, what they may do, what they get."""

import re

import pytest

from chaos.pods import Probe, manifest
from dev.generate import ROOT, SETTINGS
from services.ingest.settings import IngestSettings
from services.matcher.api.import_people import MAX_BYTES
from tests.manifests import OVERLAYS, Object, matches, of_kind, render, templates

NAMES = sorted(path.name for path in OVERLAYS.iterdir())
STOPS_WITHIN = 10
"""Seconds that a service takes at most from SIGTERM to its end."""
PORTS = {
    service: {
        name.removeprefix(f"{service}_").removesuffix("_port"): field.default
        for name, field in settings.model_fields.items()
        if name.startswith(service) and name.endswith("_port")
    }
    for service, settings in SETTINGS.items()
}


def bytes_of(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi|k|M|G)?", quantity).groups()  # type: ignore[union-attr] # a failure is a finding
    powers = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    return int(number) * powers[unit]


def deployments(overlay: str) -> dict[str, Object]:
    found = of_kind(render(OVERLAYS / overlay), "Deployment")
    assert found.keys() == SETTINGS.keys()
    return found


def container_of(deployment: Object) -> Object:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


@pytest.mark.parametrize("overlay", NAMES)
def test_liveness_is_the_process_alone_and_readiness_is_the_work(overlay: str) -> None:
    for service, deployment in deployments(overlay).items():
        container = container_of(deployment)
        for probe, path in (
            ("startupProbe", "/healthz"),
            ("livenessProbe", "/healthz"),
            ("readinessProbe", "/readyz"),
        ):
            assert container[probe]["httpGet"] == {"path": path, "port": "http"}, service
        assert {port["name"]: port["containerPort"] for port in container["ports"]} == PORTS[
            service
        ]


@pytest.mark.parametrize("overlay", NAMES)
def test_a_pod_that_leaves_is_first_forgotten_then_given_time(overlay: str) -> None:
    for service, deployment in deployments(overlay).items():
        pause = container_of(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert pause >= 5, service
        assert grace >= pause + 2 * STOPS_WITHIN, service
        rolling = deployment["spec"]["strategy"]["rollingUpdate"]
        assert rolling == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize("overlay", NAMES)
def test_the_life_that_is_played_is_that_of_every_overlay(overlay: str) -> None:
    for service, deployment in deployments(overlay).items():
        container, played = container_of(deployment), manifest(service)
        assert played.startup == Probe.of(container["startupProbe"])
        assert played.liveness == Probe.of(container["livenessProbe"])
        assert played.readiness == Probe.of(container["readinessProbe"])
        assert played.pre_stop == container["lifecycle"]["preStop"]["sleep"]["seconds"]
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert played.pre_stop + played.to_end == grace


def test_the_load_balancer_lets_go_before_the_service_stops() -> None:
    smtp = of_kind(render(OVERLAYS / "production"), "Service")["smtp"]
    assert smtp["spec"]["type"] == "LoadBalancer"
    annotations = smtp["metadata"]["annotations"]
    prefix = "service.beta.kubernetes.io/aws-load-balancer-"
    attributes = dict(
        pair.split("=") for pair in annotations[f"{prefix}target-group-attributes"].split(",")
    )
    pause = container_of(deployments("production")["ingest"])["lifecycle"]["preStop"]["sleep"]
    assert int(attributes["deregistration_delay.timeout_seconds"]) <= pause["seconds"]
    # What one side says and the other believes: both or none.
    assert annotations[f"{prefix}proxy-protocol"] == "*"
    config = next(
        one["data"]
        for name, one in of_kind(render(OVERLAYS / "production"), "ConfigMap").items()
        if name.startswith("ingest")
    )
    assert config["SMTP_PROXY_NETWORKS"]


def pods(overlay: str) -> dict[str, Object]:
    """Return the specification of every pod, and what is laid over those that operators make."""
    objects = render(OVERLAYS / overlay)
    found = {name: template["spec"] for name, template in templates(objects).items()}
    for one in of_kind(objects, "RabbitmqCluster").values():
        found["broker"] = one["spec"]["override"]["statefulSet"]["spec"]["template"]["spec"]
    for one in of_kind(objects, "MongoDBCommunity").values():
        found["database"] = one["spec"]["statefulSet"]["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("overlay", NAMES)
def test_every_pod_is_restricted(overlay: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    (namespace,) = of_kind(render(OVERLAYS / overlay), "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods(overlay).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"].get("runAsUser") != 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name
        allowed = {"name", "emptyDir", "secret", "configMap", "projected", "persistentVolumeClaim"}
        for volume in pod.get("volumes", []):
            assert volume.keys() <= allowed, f"{name}: {volume}"
        for container in pod["containers"] + pod.get("initContainers", []):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False, name
            assert own["capabilities"] == {"drop": ["ALL"]}, name
            assert not {"privileged", "runAsUser", "runAsNonRoot"} & own.keys(), name
            assert not any("hostPort" in port for port in container.get("ports", [])), name


@pytest.mark.parametrize("overlay", NAMES)
def test_what_is_ours_writes_to_no_image_and_asks_no_api(overlay: str) -> None:
    objects = render(OVERLAYS / overlay)
    for name, template in templates(objects).items():
        if name.startswith("StatefulSet"):
            continue
        (container,) = template["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        asks = name == "CronJob backup"
        assert template["spec"]["automountServiceAccountToken"] is asks, name
        assert template["spec"]["serviceAccountName"] in of_kind(objects, "ServiceAccount")
        assert "command" not in container, f"{name}: the image knows how it starts"
        if not name.startswith("CronJob"):
            assert container.get("args", []) == (["--migrate"] if name.startswith("Job") else [])
    assert not {one["kind"] for one in objects} & {"ClusterRole", "ClusterRoleBinding"}
    roles = of_kind(objects, "Role") | of_kind(objects, "RoleBinding")
    assert roles.keys() <= {"backup"}


def test_a_backup_may_pause_two_autoscalers_and_see_pods_and_no_more() -> None:
    objects = render(OVERLAYS / "production")
    assert of_kind(objects, "ScaledObject").keys() == {"matcher", "timeline"}
    scalers, pods = of_kind(objects, "Role")["backup"]["rules"]
    assert scalers == {
        "apiGroups": ["keda.sh"],
        "resources": ["scaledobjects"],
        "verbs": ["get", "patch"],
    }
    assert pods == {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    (subject,) = of_kind(objects, "RoleBinding")["backup"]["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": "backup", "namespace": "satchel"}
    container = templates(objects)["CronJob backup"]["spec"]["containers"][0]
    parser_knows = (ROOT / "ops" / "backup.py").read_text()
    for word in container["args"][1:]:
        assert f'"{word}"' in parser_knows
    mounts = {one["mountPath"] for one in container["volumeMounts"]}
    assert container["args"][0] in mounts


@pytest.mark.parametrize("overlay", NAMES)
def test_every_container_asks_for_what_was_measured_and_has_a_bound(overlay: str) -> None:
    for name, template in templates(render(OVERLAYS / overlay)).items():
        for container in template["spec"]["containers"]:
            resources = container["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys(), name
            assert "cpu" not in resources["limits"], name
            limit, request = (
                bytes_of(resources[kind]["memory"]) for kind in ("limits", "requests")
            )
            assert request <= limit <= 4 * request, name
    measured = {"ingest": 292, "matcher": 286, "timeline": 581}
    for service, deployment in deployments(overlay).items():
        resources = container_of(deployment)["resources"]
        assert bytes_of(resources["requests"]["memory"]) >= measured[service] * 2**20, service
        assert bytes_of(resources["limits"]["memory"]) >= 2 * measured[service] * 2**20, service
    in_flight = IngestSettings.model_fields["max_bytes_in_flight"].default
    limit = container_of(deployments(overlay)["ingest"])["resources"]["limits"]["memory"]
    assert bytes_of(limit) >= in_flight + 200 * 2**20


@pytest.mark.parametrize("overlay", NAMES)
def test_the_matcher_has_room_for_imports(overlay: str) -> None:
    """A pod that fills more of an emptyDir than its limit is evicted."""
    pod = pods(overlay)["Deployment matcher"]
    (tmp,) = (volume for volume in pod["volumes"] if volume["name"] == "tmp")
    assert bytes_of(tmp["emptyDir"]["sizeLimit"]) >= 2 * MAX_BYTES


@pytest.mark.parametrize("overlay", NAMES)
def test_services_spread_and_leave_one_at_a_time(overlay: str) -> None:
    objects = render(OVERLAYS / overlay)
    for service, deployment in deployments(overlay).items():
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        constraints = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert {one["topologyKey"] for one in constraints} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        assert all(matches(one["labelSelector"], labels) for one in constraints)
        budget = of_kind(objects, "PodDisruptionBudget")[service]["spec"]
        assert matches(budget["selector"], labels)
        assert budget["maxUnavailable"] == 1


@pytest.mark.parametrize("overlay", NAMES)
def test_images_have_versions(overlay: str) -> None:
    for name, template in templates(render(OVERLAYS / overlay)).items():
        for container in template["spec"]["containers"]:
            tag = re.fullmatch(r"[\w./-]+:([\w.-]+)", container["image"])
            assert tag is not None, f"{name}: {container['image']}"
            assert tag[1] != "latest", name
