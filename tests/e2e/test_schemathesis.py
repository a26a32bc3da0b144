"""The three APIs do what their OpenAPI documents say, for what schemathesis makes of these.

The examples are the same in every run. What is good must be taken, what is bad refused, and every
answer must be as described; that tokens and scopes are asked for is in `test_isolation.py`.
"""

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS as ALL_CHECKS
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok

from dev.stack import SERVICES, Stack
from tests.e2e.account import Account
from tests.e2e.operations import ALL_SCOPES, EVENTS, MAIL, NDJSON

EXAMPLES = 6
"""Of good and of bad data each, for an operation."""
load_all_checks()
CHECKS: list[Any] = ALL_CHECKS.get_by_names(
    [
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_headers_conformance", "response_schema_conformance"),
        *("negative_data_rejection", "positive_data_acceptance"),
    ]
)
CONFIG = schemathesis.Config.from_dict({"analysis": {"constants": {"enabled": False}}})
"""Whatever stands in our code is no source of examples: they would change with it."""
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
ERASE_ACCOUNT = "/v1/account:erase"
"""Good is the name of the token's account alone: then nothing would be left for the others."""
UNTOLD = ("cursor", "q", "from", "to", "address", "person_id")
"""Parameters of which a schema cannot tell all that is right. They have tests of their own."""


@schemathesis.serializer(MAIL, NDJSON)
def as_it_is(_: schemathesis.SerializationContext, body: Any) -> bytes:
    return data if isinstance(data := getattr(body, "data", body), bytes) else str(data).encode()


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    return Account(stack)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("service", SERVICES)
def test_it_does_what_its_document_says(
    account: Account, service: str, mode: GenerationMode
) -> None:
    document = account.client.json("GET", service, "/openapi.json")
    url = f"http://127.0.0.1:{getattr(account.stack.endpoints, f'{service}_port')}"
    client = account.client_for("u1", " ".join(sorted(ALL_SCOPES)))
    headers = {"Authorization": client._http.headers["Authorization"]}
    schema = schemathesis.openapi.from_dict(document, config=CONFIG)
    session = requests.Session()
    session.trust_env = False
    found = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(found) == sum(len(methods) for methods in document["paths"].values())
    for operation in found:
        if operation.path != EVENTS and not (mode.is_positive and operation.path == ERASE_ACCOUNT):
            described = document["paths"][operation.path][operation.method]
            known = {parameter["name"] for parameter in described.get("parameters", ())}

            @seed(1)
            @SETTINGS
            @given(case=operation.as_strategy(mode))
            def ask(case: schemathesis.Case[Any]) -> None:
                if mode.is_positive:
                    make_good(case, account)
                else:  # of a parameter that is given several times, the last counts
                    assume(not any(isinstance(value, list) for value in case.query.values()))
                    assume(case.query.keys() <= known)  # noqa: B023 - used at once; others are ignored
                case.call_and_validate(url, session=session, headers=headers, checks=CHECKS)

            ask()


def make_good(case: schemathesis.Case[Any], account: Account) -> None:
    """Give what the schema cannot tell all about."""
    for name in UNTOLD:
        case.query.pop(name, None)
    for name in ("If-Match", "Idempotency-Key"):  # what they may be depends on what was before
        case.headers.pop(name, None)
    if "recipient" in case.query:
        case.query["recipient"] = account.capture
    if case.media_type == MAIL:
        assume(getattr(case.body, "data", case.body))
    if case.path == "/v1/capture-addresses" and isinstance(case.body, dict):
        is_of_account = case.body.get("scope") == "account"
        case.body.pop("person_id", None)
        case.body |= {} if is_of_account else {"person_id": "u1"}
    if case.path == "/v1/people/{person_id}" and isinstance(case.body, dict):
        case.body["addresses"] = ["some@mail.example"]
    if case.path == "/v1/reviews" and isinstance(case.body, dict):
        change = case.body.get("change")
        if isinstance(change, dict):
            case.body.pop("person_id", None)
            change |= {"addresses": ["some@mail.example"]} if "addresses" in change else {}
    if case.path == "/v1/never-capture" and isinstance(case.body, dict):
        for named in (one for one in case.body.values() if isinstance(one, dict)):
            named |= {"addresses": ["some@mail.example"], "domains": ["some.example"]}
