"""A release: one version everywhere, and what a public repository has."""

import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from prometheus_client import REGISTRY

import shared.http.web  # noqa: F401 - what every service imports
from dev.generate import ROOT, SETTINGS
from dev.openapi import document
from shared import VERSION
from shared.runtime.settings import load
from tests.manifests import OVERLAYS, render, templates


def test_the_version_is_the_same_everywhere() -> None:
    """`make schemas` writes it; what an image is called is what is rolled out."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    images = [
        container["image"]
        for template in templates(render(OVERLAYS / "production")).values()
        for container in template["spec"]["containers"]
    ]
    assert {image.rpartition(":")[2] for image in images} == {VERSION}
    assert {document(service)["info"]["version"] for service in SETTINGS} == {VERSION}
    assert f"\n## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("service", SETTINGS)
def test_a_service_tells_its_version_before_it_asks_for_a_setting(
    service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["python -m", "--version"])
    monkeypatch.delenv("TOKEN_SECRET", raising=False)
    with pytest.raises(SystemExit) as ended:
        load(SETTINGS[service], service)
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{service} {VERSION}\n"


def test_every_service_counts_itself_by_its_version() -> None:
    (metric,) = (one for one in REGISTRY.collect() if one.name == "satchel_build_info")
    (sample,) = metric.samples
    assert (sample.labels["version"], sample.value) == (VERSION, 1)


def test_the_public_workflow_runs_the_two_commands_and_nothing_else() -> None:
    (file,) = (ROOT / ".github" / "workflows").glob("*.yml")
    workflow = yaml.safe_load(file.read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    runs = {step["run"] for step in steps if "run" in step}
    assert {command for command in runs if re.match("make ", command)} == {"make demo", "make test"}
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(action.startswith("actions/") for action in used), "the forge's own alone"


def test_what_runs_before_there_is_an_environment_needs_nothing_but_python() -> None:
    """`make env`, `make compose` and `make secrets`, on a machine with Docker or kubectl alone."""
    modules = set(re.findall(r"python3 -m ([\w.]+)", (ROOT / "Makefile").read_text()))
    assert {"dev.env", "dev.cluster_secrets", "dev.images"} <= modules
    for module in modules:
        without_packages = [sys.executable, "-S", "-c", f"import {module}"]
        ran = subprocess.run(without_packages, cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


def test_hooks_run_what_make_check_runs_fast() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (repository,) = config["repos"]
    assert repository["repo"] == "local", "the tools are those of uv.lock"
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for hook in repository["hooks"]:
        assert hook["entry"].split()[1] in targets
    readme, security = ((ROOT / name).read_text() for name in ("README.md", "SECURITY.md"))
    assert "(SECURITY.md)" in readme
    assert "Report a vulnerability" in security


def test_nothing_depends_on_a_file_outside_the_repository() -> None:
    outside = re.compile(r"\.\./(?:\.\./)*shared/corpus|/home/\w+/")
    shipped = ("deploy", "docs", "ops", "services", "shared")
    for folder in (*shipped, "bench", "chaos", "conformance", "dev", "tests"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in {".py", ".md", ".sh", ".yaml", ".toml"} and file != ROOT / (
                "tests/contract/test_release.py"
            ):
                assert not outside.search(file.read_text()), file
    assert not outside.search((ROOT / ".ci" / "run").read_text())
