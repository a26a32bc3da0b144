"""The services' descriptions of themselves: complete, with true examples, good for clients."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from dev.gateway import Gateway
from dev.generate import ROOT
from dev.ports import free_port
from dev.stack import Stack
from shared.http.auth import TIMELINE_ALL, sign
from tests.e2e.account import Account
from tests.marks import in_full

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


WALK = """
import io, sys, time
from client import AuthenticatedClient
from client.api.capture_addresses import create_capture_address
from client.api.captures import get_capture
from client.api.directory import update_person, put_person
from client.api.inbox import list_conversations
from client.api.mail import get_mail, list_changed_mails, list_profile_mails
from client.api.stats import get_capture_stats
from client.api.upload import upload_mail
from client.models import CaptureStatusOutState, Kind, MintRequest, PersonIn, PersonPatch
from client.models import ProblemBody
from client.types import File

origin, token, back_end = sys.argv[1:]
me = AuthenticatedClient(base_url=origin, token=token)
put_person.sync("u1", client=me, body=PersonIn(Kind.USER, "U", ["u@team.example"]))
put_person.sync("c1", client=me, body=PersonIn(Kind.CANDIDATE, "C", ["c@mail.example"]))
renamed = update_person.sync("c1", client=me, body=PersonPatch(name="Anna"))
assert (renamed.name, renamed.addresses) == ("Anna", ["c@mail.example"]), renamed
address = create_capture_address.sync(client=me, body=MintRequest(person_id="u1")).address
mail = b"From: u@team.example\\r\\nTo: c@mail.example\\r\\nSubject: Hello\\r\\n\\r\\nHello.\\r\\n"

def send(mail):
    body = File(payload=io.BytesIO(mail))
    return upload_mail.sync(client=me, body=body, recipient=address, idempotency_key="1")

sent = send(mail)
assert send(mail).capture_id == sent.capture_id
reused = send(mail + b"more")
assert isinstance(reused, ProblemBody) and reused.code == "idempotency_key_reused", reused
deadline = time.monotonic() + 120
while (status := get_capture.sync(sent.capture_id, client=me)).state == "waiting":
    assert time.monotonic() < deadline
    time.sleep(0.05)
assert status.state is CaptureStatusOutState.ATTACHED, status
[mail_id] = status.mail_ids
assert [one.subject for one in list_conversations.sync(client=me).items] == ["Hello"]
assert [one.id for one in list_profile_mails.sync("c1", client=me).items] == [mail_id]
assert [day.attached for day in get_capture_stats.sync(client=me).days] == [1]
refused = list_changed_mails.sync(client=me)
assert isinstance(refused, ProblemBody) and refused.code == "insufficient_scope", refused
copier = AuthenticatedClient(base_url=origin, token=back_end)
while not (page := list_changed_mails.sync(client=copier)).items:
    assert time.monotonic() < deadline
    time.sleep(0.05)
assert [one.id for one in page.items] == [mail_id] and page.next_cursor is None, page
assert list_changed_mails.sync(client=copier, cursor=page.resume_cursor).items == []
assert get_mail.sync(mail_id, client=copier).text.strip() == "Hello."
nobody = list_conversations.sync(client=copier)
assert isinstance(nobody, ProblemBody) and nobody.code == "person_required", nobody
"""


@pytest.mark.parametrize("service", ["timeline", *in_full("ingest", "matcher")])
def test_a_typed_client_can_be_generated_and_is_well_typed(
    stack: Stack, tmp_path: Path, service: str
) -> None:
    account = Account(stack)
    generate(tmp_path, json.dumps(description(account, service)))


def test_a_client_of_the_one_document_walks_as_the_readme_does(
    stack: Stack, tmp_path: Path
) -> None:
    ports = {service: getattr(stack.endpoints, f"{service}_port") for service in SERVICES}
    with Gateway(free_port(), ports) as gateway:
        served = httpx.get(f"{gateway.origin}/v1/openapi.json", trust_env=False)
        assert served.text == (ROOT / "docs" / "openapi" / "satchel.json").read_text()
        generate(tmp_path, served.text)
        scope = "directory:write mail:write timeline:read"
        signed: dict[str, Any] = {
            "issuer": "satchel",
            "account": "walk",
            "expires_at": int(time.time()) + 600,
        }
        mine = sign(stack.token_secret, person_id="u1", scope=scope, **signed)
        back_end = sign(stack.token_secret, person_id=None, scope=TIMELINE_ALL, **signed)
        walked = subprocess.run(
            [sys.executable, "-c", WALK, gateway.origin, mine, back_end],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert walked.returncode == 0, walked.stderr


def generate(tmp_path: Path, text: str) -> None:
    """Generate a typed client in a folder, without a warning."""
    document = tmp_path / "openapi.json"
    document.write_text(text)
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
