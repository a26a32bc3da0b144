"""The cluster's manifests, as a cluster would get them, and whether it would take them.

* `render` runs `kubectl kustomize`.
* `problems` checks an object as the API server does with strict field validation: unknown fields
  are errors. Kubernetes' schemas are those of kubernetes-validate, read once (its own function
  reads megabytes for every object); operators' are in `tests/crds`, where an object that says
  nothing else takes no unknown field. No package of PyPI carries them, and whole ones are megabytes
  that refuse no less: the fields that are used are enough.
"""

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from dev.generate import ROOT

Object = dict[str, Any]

OVERLAYS = ROOT / "deploy" / "k8s" / "overlays"
VERSIONS = ("1.31", "1.37")
"""The oldest Kubernetes that it is meant for, and the newest that there are schemas of."""
_CRDS = Path(__file__).parent / "crds"


@functools.cache
def render(folder: Path) -> list[Object]:
    """Return the objects of a kustomization. Raises CalledProcessError; skips without kubectl."""
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl has no wheel for this machine, and none is on PATH")
    text = subprocess.run(
        [kubectl, "kustomize", str(folder)], check=True, capture_output=True, text=True
    ).stdout
    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def of_kind(objects: list[Object], *kinds: str) -> dict[str, Object]:
    """Return the objects of these kinds by name."""
    return {one["metadata"]["name"]: one for one in objects if one["kind"] in kinds}


def templates(objects: list[Object]) -> dict[str, Object]:
    """Return the pod template of everything that makes pods, by its kind and name."""
    kinds = ("Deployment", "Job", "StatefulSet")
    found = {
        f"{one['kind']} {one['metadata']['name']}": one["spec"]["template"]
        for one in objects
        if one["kind"] in kinds
    }
    return found | {
        f"CronJob {name}": one["spec"]["jobTemplate"]["spec"]["template"]
        for name, one in of_kind(objects, "CronJob").items()
    }


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Return whether a label selector, with `In` alone as its operator, takes these labels."""
    wanted = {key: [value] for key, value in selector.get("matchLabels", {}).items()}
    for one in selector.get("matchExpressions", []):
        assert one["operator"] == "In"
        wanted[one["key"]] = one["values"]
    return all(labels.get(key) in values for key, values in wanted.items())


def problems(thing: Object, version: str) -> Iterator[str]:
    """Yield what a cluster of this version would refuse about an object."""
    validator = _validator(thing["apiVersion"], thing["kind"], version)
    name = f"{thing['kind']} {thing['metadata'].get('name')}"
    if validator is None:
        yield f"{name}: no schema of {thing['apiVersion']}"
        return
    for error in validator.iter_errors(thing):
        yield f"{name}: {'.'.join(map(str, error.absolute_path))}: {error.message}"


@functools.cache
def _validator(api_version: str, kind: str, version: str) -> Draft202012Validator | None:
    own = _CRDS / f"{kind}.yaml"
    group, _, short = api_version.rpartition("/")
    if own.exists():
        schema = _strict(yaml.safe_load(own.read_text()))
    else:
        prefix = f"{group.split('.')[0]}-" if group else ""
        name = f"{kind.lower()}-{prefix}{short}.json"
        try:
            schema = json.loads((_schemas(version) / name).read_text())
        except FileNotFoundError:
            return None
    return Draft202012Validator(schema, registry=_registry(version))


@functools.cache
def _registry(version: str) -> Any:
    definitions = json.loads((_schemas(version) / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


def _schemas(version: str) -> Any:
    folder = files("kubernetes_validate") / "kubernetes-json-schema"
    return folder / f"v{version}.0-local-strict"


def _strict(schema: Any) -> Any:
    """Return the schema with every object closed that says nothing about other properties."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made
