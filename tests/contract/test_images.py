"""The images and the compose file, as far as they can be checked without an engine."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from dev.env import secrets_for_compose
from dev.generate import ROOT, SETTINGS

COMPOSE = (ROOT / "docker-compose.yml").read_text()


def dockerfile(service: str) -> str:
    return (ROOT / "services" / service / "Dockerfile").read_text()


@pytest.mark.parametrize("service", SETTINGS)
def test_hadolint_is_content(service: str) -> None:
    hadolint = shutil.which("hadolint") or str(Path(sys.executable).with_name("hadolint"))
    if not Path(hadolint).exists():
        pytest.skip("hadolint has no wheel for this machine")
    checked = subprocess.run(
        [hadolint, "-"], input=dockerfile(service), capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("service", SETTINGS)
def test_an_image_has_its_own_group_itself_and_shared_alone(service: str) -> None:
    text = dockerfile(service)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert re.findall(r"--group (\S+)", text) == [service]
    assert service in groups
    pages, _, _ = text.partition("AS build\n")  # the timeline's are made by Node, before
    assert ("AS pages" in pages) == (service == "timeline")
    copied = re.findall(r"^COPY (?!--from)(.+)$", text.removeprefix(pages), re.MULTILINE)
    document = ["docs/openapi/satchel.json"] if service == "timeline" else []  # it is served
    assert [line.split()[0] for line in copied] == [
        "pyproject.toml",
        "shared",
        *document,
        "services/__init__.py",
        f"services/{service}",
    ]
    assert "USER 10001" in text
    result = text[text.rindex("\nFROM ") :]
    base = result.split()[1].partition("@")[0]  # a release has its digest (`dev.images`)
    assert base == "python:3.11-slim-bookworm", "slim has no compiler"
    assert not re.search(r"apt-get|pip install|uv sync", result)


@pytest.mark.parametrize("service", SETTINGS)
def test_an_image_starts_its_service_and_asks_it_whether_it_is_ready(service: str) -> None:
    text = dockerfile(service)
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)
    program, *words = json.loads(entry)
    assert program == "python"
    shown = subprocess.run(
        [sys.executable, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith(f"{service}\n")
    fields = SETTINGS[service].model_fields
    ports = {name: field.default for name, field in fields.items() if name.endswith("_port")}
    (exposed,) = re.findall(r"^EXPOSE (.+)$", text, re.MULTILINE)
    assert set(map(int, exposed.split())) == set(ports.values())
    assert "HEALTHCHECK" in text
    assert f"http://127.0.0.1:{ports[f'{service}_http_port']}/readyz" in text


def test_the_compose_file_is_valid() -> None:
    options = compose_spec.PyOptions(apply_merge=True)
    options.from_yaml(COMPOSE).validate()
    broken = COMPOSE.replace("healthcheck:", "healthchek:", 1)
    with pytest.raises(ValueError, match="healthchek"):
        options.from_yaml(broken)


def test_the_compose_file_has_what_was_asked_for() -> None:
    services: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    images = {name: services[name]["image"].partition("@")[0] for name in ("rabbitmq", "mongo")}
    assert images == {"rabbitmq": "rabbitmq:4-management", "mongo": "mongo:8"}
    assert "--replSet" in services["mongo"]["command"]
    for name in ("rabbitmq", "mongo"):
        assert "healthcheck" in services[name]
    for name in SETTINGS:
        assert services[name]["volumes"] == ["blobs:/var/lib/satchel/blobs"]
        assert services[name]["depends_on"]["rabbitmq"]["condition"] == "service_healthy"


@pytest.mark.parametrize("container", [*SETTINGS, "matcher-indexes", "timeline-indexes"])
def test_the_compose_file_sets_real_settings_and_all_required_ones(container: str) -> None:
    environment = yaml.safe_load(COMPOSE)["services"][container]["environment"]
    fields = SETTINGS[container.removesuffix("-indexes")].model_fields
    assert environment.keys() <= {name.upper() for name in fields}
    required = {name.upper() for name, field in fields.items() if field.is_required()}
    assert required | {"TOKEN_SECRET"} <= environment.keys()


def test_the_compose_file_passes_on_what_sign_in_needs_with_the_same_defaults() -> None:
    page = (ROOT / "docs" / "embedding.md").read_text().partition("## Sign-in without a host")[2]
    rows = re.findall(r"^\| (`[^|]+) \| (all services|timeline) \|", page, re.MULTILINE)
    wanted = {name: who for names, who in rows for name in re.findall(r"`(\w+)`", names)}
    assert {"TOKEN_ISSUER", "SIGN_IN_CLIENT_ID", "TOKEN_SCOPE_CLAIM"} <= wanted.keys()
    for setting, who in wanted.items():
        for service in SETTINGS if who == "all services" else [who]:
            told = yaml.safe_load(COMPOSE)["services"][service]["environment"]
            default = SETTINGS[service].model_fields[setting.lower()].default or ""
            assert told[setting] == f"${{{setting}:-{default}}}", (service, setting)


@pytest.mark.parametrize("service", SETTINGS)
def test_the_compose_file_lets_a_service_write_where_it_must_alone(service: str) -> None:
    container = yaml.safe_load(COMPOSE)["services"][service]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    [folder] = container["tmpfs"]
    assert folder.partition(":")[0] == "/tmp"


def test_every_secret_of_the_compose_file_is_asked_for_and_made() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
    assert asked == secrets_for_compose().keys()
    assert all(len(value) >= 32 for value in secrets_for_compose().values())
