"""The manifests, as far as they can be checked without a cluster: valid, and told what is real."""

import base64
import functools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.cluster_secrets import cluster_secrets, manifest
from dev.generate import ROOT, SETTINGS
from tests.manifests import OVERLAYS, VERSIONS, Object, of_kind, problems, render, templates

K8S = ROOT / "deploy" / "k8s"
NAMES = sorted(path.name for path in OVERLAYS.iterdir())
OURS = ("Deployment ingest", "Deployment matcher", "Deployment timeline")


def test_both_overlays_are_here() -> None:
    assert NAMES == ["local", "production"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("overlay", NAMES)
def test_a_cluster_takes_every_object(overlay: str, version: str) -> None:
    found = [text for one in render(OVERLAYS / overlay) for text in problems(one, version)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("overlay", NAMES)
def test_a_cluster_takes_the_printed_secrets(overlay: str) -> None:
    for one in manifest(overlay)["items"]:
        assert list(problems(one, VERSIONS[-1])) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "contaners"), []),
        ("Deployment", ("spec", "replicas"), "two"),
        ("NetworkPolicy", ("spec", "ingres"), []),
        ("RabbitmqCluster", ("spec", "replica"), 3),
        (
            "RabbitmqCluster",
            ("spec", "override", "statefulSet", "spec", "template", "spec", "x"),
            1,
        ),
        ("MongoDBCommunity", ("spec", "user"), []),
        ("ScaledObject", ("spec", "maxReplicas"), 3),
        ("ScaledObject", ("spec", "triggers", 0, "metadata", "queueLength"), "5"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "prot"), "http"),
        ("TriggerAuthentication", ("spec", "secretTargetRef", 0, "secret"), "x"),
    ],
)
def test_a_mistake_is_found(kind: str, path: tuple[str | int, ...], value: Any) -> None:
    text = yaml.safe_dump(
        next(one for one in render(OVERLAYS / "production") if one["kind"] == kind)
    )
    thing = inner = yaml.safe_load(text)
    assert list(problems(thing, VERSIONS[-1])) == []
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert list(problems(thing, VERSIONS[-1]))


def test_no_secret_is_in_the_project() -> None:
    for overlay in NAMES:
        assert not of_kind(render(OVERLAYS / overlay), "Secret")
    for file in K8S.rglob("*.yaml"):
        assert "secretGenerator" not in file.read_text(), file


@functools.cache
def secrets(overlay: str) -> dict[str, dict[str, str]]:
    """The Secrets that are there when the documented steps were done, with plausible contents."""
    found = cluster_secrets(overlay)
    objects = render(OVERLAYS / overlay)
    for name, one in of_kind(objects, "RabbitmqCluster").items():
        scheme, port = ("amqps", 5671) if "tls" in one["spec"] else ("amqp", 5672)
        url = f"{scheme}://default_user_x:y@{name}.satchel.svc:{port}/"
        found[f"{name}-default-user"] = {
            "username": "default_user_x",
            "password": "y",
            "connection_string": url,
        }
    for name, one in of_kind(objects, "MongoDBCommunity").items():
        for user in one["spec"]["users"]:
            assert user["passwordSecretRef"]["name"] in found
            host = f"{name}-0.{name}-svc.satchel.svc.cluster.local:27017"
            ssl = str(one["spec"]["security"].get("tls", {}).get("enabled", False)).lower()
            options = f"replicaSet={name}&ssl={ssl}"
            found[user["connectionStringSecretName"]] = {
                "connectionString.standard": f"mongodb://u:p@{host}/admin?{options}",
                "connectionString.standardSrv": f"mongodb+srv://u:p@{host}/admin?{options}",
                "username": user["name"],
                "password": "p",
            }
    for one in of_kind(objects, "Certificate").values():
        found[one["spec"]["secretName"]] = {"tls.crt": "", "tls.key": "", "ca.crt": ""}
    for one in of_kind(objects, "Ingress").values():
        if "cert-manager.io/cluster-issuer" in one["metadata"].get("annotations", {}):
            for tls in one["spec"]["tls"]:  # cert-manager makes the Certificate, too
                found[tls["secretName"]] = {"tls.crt": "", "tls.key": ""}
    for name in of_kind(objects, "User"):
        assert f"{name}-broker" in found, "made by `make secrets`, read by the operator"
    return found


def environment(overlay: str, container: Object) -> dict[str, str]:
    """Return what a container is told. Raises KeyError for what nobody makes."""
    configs = of_kind(render(OVERLAYS / overlay), "ConfigMap")
    told: dict[str, str] = {}
    for source in container.get("envFrom", []):
        told |= configs[source["configMapRef"]["name"]]["data"]
    for variable in container.get("env", []):
        if "value" in variable:
            told[variable["name"]] = variable["value"]
            continue
        wanted = variable["valueFrom"]["secretKeyRef"]
        made = secrets(overlay)
        if wanted.get("optional") and wanted["name"] not in made:
            continue  # the operator's own, as the relay's
        content = made[wanted["name"]]
        if wanted["key"] in content or not wanted.get("optional"):
            told[variable["name"]] = content[wanted["key"]]
    return told


def containers_of_ours(overlay: str) -> dict[str, tuple[str, Object, Object]]:
    """Return the service, its pod and its container for all that runs an image of ours."""
    found = {}
    for name, template in templates(render(OVERLAYS / overlay)).items():
        for container in template["spec"]["containers"]:
            service = re.fullmatch(r".*?(\w+):[\w.]+", container["image"])
            if service is not None and service[1] in SETTINGS:
                found[name] = (service[1], template["spec"], container)
    chores = {f"CronJob {name}" for name in ("audit", "backfill", "reprocess")}
    wanted = {*OURS, "Job matcher-indexes", "Job timeline-indexes"}
    assert found.keys() == wanted | (chores if overlay == "production" else set())
    return found


@pytest.mark.parametrize("overlay", NAMES)
def test_services_are_told_real_settings_that_let_them_start(
    overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (service, _, container) in containers_of_ours(overlay).items():
        told = environment(overlay, container)
        known = {field.upper() for field in SETTINGS[service].model_fields}
        known |= {"RECIPIENT"} if name == "CronJob backfill" else set()  # for its own arguments
        unknown = {key for key in told.keys() - known if not key.startswith("AWS_")}
        assert not unknown, f"{name}: no settings"
        for setting in {field.upper() for field in SETTINGS["ingest"].model_fields} | known:
            monkeypatch.delenv(setting, raising=False)
        for setting, value in told.items():
            if not setting.endswith("_FILE"):  # they are in the cluster
                monkeypatch.setenv(setting, value)
        settings = SETTINGS[service]()
        if overlay == "production" and name in OURS:
            assert settings.amqp_url.startswith("amqps://"), name
        if "MONGODB_URL" in told:
            assert ("ssl=true" in told["MONGODB_URL"]) == ("MONGODB_CA_FILE" in told), name
        assert "guest" not in settings.amqp_url or name.startswith("Job "), name
        assert "127.0.0.1" not in str(getattr(settings, "mongodb_url", "")), name
        if name in OURS:
            assert told["BLOB_URL"] == settings.blob_url


@pytest.mark.parametrize("overlay", NAMES)
def test_files_that_a_service_is_told_of_are_mounted(overlay: str) -> None:
    for name, (_, pod, container) in containers_of_ours(overlay).items():
        told = environment(overlay, container)
        files = {Path(value) for key, value in told.items() if key.endswith("_FILE") and value}
        blobs = told["BLOB_URL"]
        if blobs.startswith("file://") and name in OURS:
            files.add(Path(blobs.removeprefix("file://"), "claims"))
        mounted = {Path(mount["mountPath"]): mount["name"] for mount in container["volumeMounts"]}
        assert all(file.parent in mounted for file in files), f"{name}: {files} not in {mounted}"
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes.keys() == set(mounted.values())
        for volume in volumes.values():
            if "secret" in volume:
                assert volume["secret"]["secretName"] in secrets(overlay)
        assert "emptyDir" in volumes[mounted[Path("/tmp")]]


def test_blobs_are_in_a_bucket_or_a_volume_that_all_write() -> None:
    for _, _, container in containers_of_ours("production").values():
        assert environment("production", container)["BLOB_URL"].startswith("s3://")
    claims = of_kind(render(OVERLAYS / "local"), "PersistentVolumeClaim", "PersistentVolume")
    assert claims.keys() == {"blobs", "satchel-blobs"}
    assert all(one["spec"]["accessModes"] == ["ReadWriteMany"] for one in claims.values())


@pytest.mark.parametrize("overlay", NAMES)
def test_every_secret_has_its_place_in_the_document(overlay: str) -> None:
    document = (ROOT / "docs" / "kubernetes.md").read_text()
    for name in secrets(overlay):
        assert f"`{name}`" in document, name


def test_a_secret_of_tokens_is_where_all_is_on_one_machine_alone() -> None:
    """Who holds it can make tokens; a JWKS URL has public keys."""
    assert len(cluster_secrets("local")["token-secret"]["TOKEN_SECRET"]) >= 48
    assert "token-secret" not in cluster_secrets("production")
    for name, (_, _, container) in containers_of_ours("production").items():
        told = environment("production", container)
        named = {variable["name"] for variable in container["env"]}
        assert "TOKEN_SECRET" not in named | told.keys(), name
        assert told["TOKEN_JWKS_URL"].startswith("https://"), name
    for name, (_, _, container) in containers_of_ours("local").items():
        assert environment("local", container)["TOKEN_SECRET"], name


def test_secrets_are_fresh_and_long() -> None:
    for overlay in NAMES:
        first, second = cluster_secrets(overlay), cluster_secrets(overlay)
        assert first["capture-keys"] != second["capture-keys"]
        assert first["ingest-broker"] != second["ingest-broker"]
        assert not any(base64.b64encode(b"guest").decode() in str(one) for one in first.values())
