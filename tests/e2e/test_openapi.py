"""The services' descriptions of themselves: complete, with true examples, good for clients."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dev.stack import Stack
from tests.e2e.account import Account

AS_KNOWN = {
    "message/rfc822": "application/octet-stream",
    "application/x-ndjson": "application/octet-stream",
    "text/event-stream": "text/plain",
    "text/vcard": "text/plain",
}
"""Types that the generator does not know, and how it is to take them."""
SERVICES = ("ingest", "matcher", "timeline")


def description(account: Account, service: str) -> dict[str, Any]:
    return dict(account.client.json("GET", service, "/openapi.json"))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_name_a_summary_and_a_typed_answer(
    account: Account, service: str
) -> None:
    found = operations(description(account, service))
    names = [operation["operationId"] for operation in found]
    assert len(names) == len(set(names))
    for operation in found:
        assert operation["description"], operation["operationId"]
        answers = [a for status, a in operation["responses"].items() if status.startswith("2")]
        for content in (c for a in answers for c in a.get("content", {}).values()):
            assert content["schema"], operation["operationId"]


@pytest.mark.parametrize(("service", "at_least"), [("matcher", 2), ("timeline", 10)])
def test_every_example_is_true_to_its_schema(account: Account, service: str, at_least: int) -> None:
    document = description(account, service)
    schemas = document["components"]["schemas"]
    with_examples = {name: schema for name, schema in schemas.items() if "examples" in schema}
    assert len(with_examples) >= at_least
    for name, schema in with_examples.items():
        whole = {**schema, "components": document["components"]}
        for example in schema["examples"]:
            Draft202012Validator(whole).validate(example)
            assert example.keys() == schema["properties"].keys(), name


@pytest.mark.parametrize("service", SERVICES)
def test_a_typed_client_can_be_generated_and_is_well_typed(
    stack: Stack, tmp_path: Path, service: str
) -> None:
    account = Account(stack)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(description(account, service)))
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"content_type_overrides": AS_KNOWN}))
    generator = Path(sys.executable).parent / "openapi-python-client"
    made = subprocess.run(
        [
            *(generator, "generate", "--path", document, "--config", config),
            *("--meta", "none", "--output-path", "client"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr, made.stdout
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "client/api"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert typed.returncode == 0, typed.stdout
