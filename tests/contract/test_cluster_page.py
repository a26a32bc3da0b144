"""`docs/kubernetes.md`, walked from an empty cluster: what it names is there, in order."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.cluster_secrets import manifest
from dev.generate import ROOT
from tests.contract.test_manifests import secrets
from tests.manifests import OVERLAYS, Object, of_kind, render, templates

PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
K8S = ROOT / "deploy" / "k8s"
LOCAL, PRODUCTION = PAGE.split("\n## On one machine\n")[1].split("\n## In production\n")
OWN = re.compile(
    r"[\w-]*satchel[\w-]*\.example|satchel-example|REGISTRY|111122223333|10\.0\.0\.0/16"
)
"""What stands for a name, an account or a network of the installation."""


def listed() -> dict[str, set[str]]:
    """The keys of each Secret, as the page's table has them."""
    found: dict[str, set[str]] = {}
    table = PAGE.partition("| Secret | keys | from |\n")[2].partition("\n\n")[0]
    for names, keys in re.findall(r"^\| (`[^|]+) \| (`[^|]+) \|", table, re.MULTILINE):
        for name in re.findall(r"`([\w-]+)`", names):
            found.setdefault(name, set()).update(re.findall(r"`([\w.]+)`", keys))
    return found


def read(overlay: str) -> Iterator[tuple[str, str, str]]:
    """Who reads which key of which Secret."""
    objects = render(OVERLAYS / overlay)
    for pod, template in templates(objects).items():
        for container in template["spec"]["containers"]:
            for variable in container.get("env", []):
                if wanted := variable.get("valueFrom", {}).get("secretKeyRef"):
                    yield pod, wanted["name"], wanted["key"]
        for volume in template["spec"].get("volumes", []):
            if secret := volume.get("secret"):
                keys = [one["key"] for one in secret.get("items", [])]
                for key in keys or secrets(overlay)[secret["secretName"]].keys() - {"ca.crt"}:
                    yield pod, secret["secretName"], key
    for name, one in of_kind(objects, "User").items():
        for key in ("username", "password"):
            yield f"User {name}", one["spec"]["importCredentialsSecret"]["name"], key
    for name, one in of_kind(objects, "TriggerAuthentication").items():
        for wanted in one["spec"]["secretTargetRef"]:
            yield f"TriggerAuthentication {name}", wanted["name"], wanted["key"]
    for name, one in of_kind(objects, "ServiceMonitor").items():
        for endpoint in one["spec"]["endpoints"]:
            if "tlsConfig" in endpoint:
                wanted = endpoint["tlsConfig"]["ca"]["secret"]
                yield f"ServiceMonitor {name}", wanted["name"], wanted["key"]
    for one in of_kind(objects, "MongoDBCommunity").values():
        for user in one["spec"]["users"]:
            yield f"database user {user['name']}", user["passwordSecretRef"]["name"], "password"
    for one in of_kind(objects, "Certificate").values():
        for key in ("tls.crt", "tls.key"):
            yield "cert-manager", one["spec"]["secretName"], key


@pytest.mark.parametrize("overlay", ["local", "production"])
def test_every_key_of_a_secret_that_somebody_reads_is_in_the_table(overlay: str) -> None:
    table = listed()
    found = set(read(overlay))
    assert len(found) > 15
    missing = {one for one in found if one[2] not in table.get(one[1], set())}
    assert not missing


def test_a_secret_of_the_table_is_read_by_somebody() -> None:
    """Operators are asked only for what is read."""
    names = {name for overlay in ("local", "production") for _, name, _ in read(overlay)}
    by_reference = {"api-tls", "registry"}  # the Ingress, and the component of pull secrets
    assert listed().keys() == names | by_reference


def commands(text: str) -> str:
    """All that a part of the page has its readers type, in order."""
    found = re.findall(r"(?ms)^```(\w*)\n(.*?)^```|`((?:kubectl|make) [^`]+)`", text)
    return "\n".join(block or inline for language, block, inline in found if not language)


def test_every_file_of_a_command_is_there() -> None:
    text = commands(PAGE)
    named = re.findall(r"(?:-f|-k|--config|--patch-file) ((?:deploy|services|ops)/\S+)", text)
    services = ("ingest", "matcher", "timeline")
    files = {one.replace("$s", service) for one in named for service in services}
    assert len(files) >= 7
    assert not {one for one in files if not (ROOT / one).exists()}
    assert (ROOT / "ops" / "Dockerfile").exists()


def test_every_file_to_change_is_in_the_overlay_and_every_placeholder_in_a_file_to_change() -> None:
    step = PRODUCTION.split("### 5. ")[1].split("### 6. ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", step, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w./-]+)`", row)}
    folder = OVERLAYS / "production"
    assert not {name for name in named if not (folder / name).exists()}
    with_placeholder = {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and OWN.search(_without_comments(file))
    }
    assert "settings/all.env" in with_placeholder
    assert with_placeholder <= named
    outside = [K8S / "monitoring" / "kustomization.yaml"]
    for file in outside:
        assert OWN.search(_without_comments(file))
        assert str(file.relative_to(ROOT)) in step


def _without_comments(file: Path) -> str:
    return re.sub(r"(?m)(^|\s)#.*$", "", file.read_text())


@pytest.mark.parametrize("part", [LOCAL, PRODUCTION], ids=["on one machine", "in production"])
def test_the_namespace_comes_before_its_secrets_and_these_before_their_pods(part: str) -> None:
    text = commands(part)
    steps = [
        text.index("kubectl apply -f deploy/k8s/base/namespace.yaml"),
        text.index("make secrets OVERLAY="),
        text.index("kubectl apply -k ", text.index("namespace.yaml")),
    ]
    assert steps == sorted(steps)


def test_whoever_brings_a_kind_comes_before_the_objects_of_that_kind() -> None:
    first, _, rest = PRODUCTION.partition("### 2. ")
    groups = {
        one["apiVersion"].rpartition("/")[0]
        for one in render(OVERLAYS / "production")
        if not re.fullmatch(r"[\w.]*k8s\.io/v\d+|v1|apps/v1|batch/v1|\w+/v\d+", one["apiVersion"])
    }
    assert len(groups) >= 5
    for group in groups:
        assert f"`{group}`" in first, group
    assert "kubectl apply -k" in rest
    # Its webhooks have a certificate of cert-manager's.
    assert first.index("[cert-manager]") < first.index("[Messaging Topology Operator]")
    row = next(line for line in first.splitlines() if "MongoDB Controllers" in line)
    assert "after step 2" in row, "its chart makes roles in the namespace"


def test_every_namespace_beside_ours_is_one_where_a_part_is_put() -> None:
    """Policies open ways by these names: a part that is put elsewhere reaches nothing."""
    text = json.dumps([one["spec"] for one in of_kind(production(), "NetworkPolicy").values()])
    plain = set(re.findall(r'"kubernetes.io/metadata.name": "([\w-]+)"', text))
    for values in re.findall(
        r'"kubernetes.io/metadata.name", "operator": "In", "values": (\[.*?\])', text
    ):
        plain |= set(json.loads(values))
    assert {"keda", "monitoring", "traefik", "rabbitmq-system"} <= plain
    table = PRODUCTION.partition("### 2. ")[0]
    assert not {name for name in plain if f"`{name}`" not in table}


def production() -> list[Object]:
    return render(OVERLAYS / "production")


def test_the_runbook_names_objects_that_are_there() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    known = {one["metadata"]["name"] for one in production()} | secrets("production").keys()
    kinds = "secret|networkpolicy|service|job|cronjob|hpa|rabbitmqcluster|mongodbcommunity"
    named = set(re.findall(rf"k (?:get|describe) (?:{kinds}) ([\w-]+)", text))
    named |= set(re.findall(r"k [a-z ]*(?:deployment|job|cronjob)/([a-z-]+)", text))
    named |= set(re.findall(r"NetworkPolicy\s+`([\w-]+)`", text))
    named |= set(re.findall(r"`(\w+(?:-\w+)*-(?:to|from)-[\w-]+)`", text))
    assert {"services-to-relay", "matcher-broker", "timeline-indexes"} <= named
    assert not named - known


def volumes() -> Iterator[tuple[str, str]]:
    """The storage class and the size of every volume."""
    (broker,) = of_kind(production(), "RabbitmqCluster").values()
    persistence = broker["spec"]["persistence"]
    yield persistence["storageClassName"], persistence["storage"]
    (database,) = of_kind(production(), "MongoDBCommunity").values()
    claims = database["spec"]["statefulSet"]["spec"]["volumeClaimTemplates"]
    for claim in [*claims, *of_kind(production(), "PersistentVolumeClaim").values()]:
        spec = claim["spec"]
        yield spec.get("storageClassName", ""), spec["resources"]["requests"]["storage"]


def test_every_volume_is_of_the_class_and_the_size_that_the_page_says() -> None:
    """A cluster on EKS has no default class: a claim without one waits for ever."""
    (said,) = re.findall(r"Volumes: (.+)", PAGE)
    for storage_class, size in volumes():
        assert storage_class == "gp3"
        assert f"{size.removesuffix('Gi')} GiB" in said
    assert "a storage class `gp3`" in PAGE


def test_the_operator_of_broker_users_sees_their_secrets() -> None:
    """rabbitmq/messaging-topology-operator, internal/webhook/v1beta1/label_validation.go"""
    printed = {one["metadata"]["name"]: one["metadata"] for one in manifest("production")["items"]}
    users = of_kind(production(), "User")
    assert users.keys() == {"ingest", "matcher", "timeline"}
    for one in users.values():
        secret = printed[one["spec"]["importCredentialsSecret"]["name"]]
        assert secret["labels"]["rabbitmq.com/topology-operator"] == "true"


def test_the_operator_of_broker_users_trusts_the_brokers_authority() -> None:
    """It asks the management API by https and knows only authorities below /etc/ssl/certs.

    https://www.rabbitmq.com/kubernetes/operator/tls-topology-operator
    """
    (broker,) = of_kind(production(), "RabbitmqCluster").values()
    assert "tls" in broker["spec"], "else it needs no trust"
    patch = yaml.safe_load((K8S / "operators" / "topology-operator.yaml").read_text())
    pod = patch["spec"]["template"]["spec"]
    (container,), (volume,) = pod["containers"], pod["volumes"]
    (mount,) = container["volumeMounts"]
    assert container["name"] == "manager"
    assert mount["name"] == volume["name"]
    assert Path(mount["mountPath"]).parent == Path("/etc/ssl/certs")
    text = commands(PRODUCTION)
    assert f"create configmap {volume['configMap']['name']} --from-file={mount['subPath']}=" in text
    certificates = of_kind(production(), "Certificate")
    authority = of_kind(production(), "Issuer")[
        certificates[broker["spec"]["tls"]["secretName"]]["spec"]["issuerRef"]["name"]
    ]["spec"]["ca"]["secretName"]
    assert f"get secret {authority} -o jsonpath='{{.data.ca\\.crt}}'" in text
