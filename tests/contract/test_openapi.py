"""What the services say of their APIs: every operation and field in words, in one document too."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dev.gateway import ingress_rules, service_of
from dev.openapi import document, merged
from shared.http.openapi import missing_words, operations_of

SERVICES = ("ingest", "matcher", "timeline")
DOCUMENTS = {**{service: document(service) for service in SERVICES}, "satchel": merged()}
BY_HAND = {
    *("/v1/setup/guides", "/v1/setup/round-trips", "/v1/setup:prove", "/v1/setup:watch"),
    "/v1/erasures/keys",
}
"""Beside the never-capture list: what a person may do for themselves, and public keys."""


@pytest.fixture(params=DOCUMENTS)
def described(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DOCUMENTS[request.param]


def test_every_parameter_and_field_has_a_description(described: dict[str, Any]) -> None:
    assert missing_words(described) == []


def test_every_operation_says_who_may_and_what_it_does(described: dict[str, Any]) -> None:
    tags = {tag["name"]: tag["description"] for tag in described["tags"]}
    assert all(tags.values())
    for path, method, operation in operations_of(described):
        scopes = [scope for one in operation["security"] for scope in one["HTTPBearer"]]
        needs_none = (method == "get" and path.endswith("round-trips")) or path in BY_HAND
        assert scopes or needs_none or path == "/v1/never-capture", path
        assert set(operation["tags"]) <= tags.keys()
        assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
        assert all("X-Request-Id" in a["headers"] for a in operation["responses"].values())


def test_operations_are_named_by_what_they_do(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations_of(described)]
    assert len(names) == len(set(names))
    verbs = {name.partition("_")[0] for name in names}
    assert verbs <= {
        *(
            "get",
            "list",
            "put",
            "create",
            "update",
            "replace",
            "delete",
            "rotate",
            "revoke",
            "import",
        ),
        *("explain", "prove", "open", "upload", "count", "mark", "stream", "replay", "drop"),
        *("release", "refuse", "preview", "detach", "hand", "merge", "undo", "erase"),
    }


def test_examples_are_true_to_their_schemas(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        whole = {**schema, "components": described["components"]}
        for example in schema.get("examples", ()):
            Draft202012Validator(whole).validate(example)
            assert example.keys() == schema["properties"].keys(), name


def test_what_an_operation_takes_or_returns_has_an_example(described: dict[str, Any]) -> None:
    text = str([operation for _, _, operation in operations_of(described)])
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    schemas = described["components"]["schemas"]
    objects = {name for name in used if "properties" in schemas[name]}
    assert {name for name in objects if "examples" not in schemas[name]} == set()


def test_the_one_document_has_all_operations_where_the_ingress_leads() -> None:
    of_services = {
        (path, method): service
        for service in SERVICES
        for path, method, _ in operations_of(DOCUMENTS[service])
    }
    found = {(path, method) for path, method, _ in operations_of(DOCUMENTS["satchel"])}
    assert found == of_services.keys()
    rules = ingress_rules()
    for (path, _), service in of_services.items():
        assert service_of(re.sub(r"\{\w+\}", "a", path), rules) == service, path
    assert service_of("/v1/openapi.json", rules) == "timeline"


def test_ndjson_is_described_line_by_line() -> None:
    operation = DOCUMENTS["satchel"]["paths"]["/v1/people:import"]["post"]
    assert "person_id" in operation["requestBody"]["description"]
    assert "done" in operation["responses"]["200"]["description"]
