"""What integrators rely on, through the services as they run."""

import json
import re
import socket
import time
from typing import Any

import httpx
import pytest

from dev.client import Client
from dev.stack import SERVICES, Stack
from shared.http.auth import TIMELINE_ALL, sign
from tests.deadline import DEADLINE
from tests.e2e.account import Account, await_changes

MAIL = b"From: user@team.example\r\nTo: %s\r\nMessage-ID: <%s>\r\nSubject: S\r\n\r\nHello.\r\n"


def upload(account: Account, to: str, **headers: str) -> str:
    raw = MAIL % (to.encode(), f"{to}.{time.monotonic_ns()}".encode())
    answer = account.client.request(
        "POST",
        "ingest",
        "/v1/mail",
        params={"recipient": account.capture},
        headers={"Content-Type": "message/rfc822", **headers},
        content=raw,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["capture_id"])


def decided(client: Client, id_: str) -> dict[str, Any]:
    """Return what became of a capture, once it does not wait any more."""
    deadline = time.monotonic() + DEADLINE
    while (found := client.capture(id_))["state"] == "waiting":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def test_a_capture_is_told_from_the_upload_to_the_mail(account: Account, stack: Stack) -> None:
    attached, dismissed = upload(account, "cand@mail.example"), upload(account, "no@x.example")
    [mail] = decided(account.client, attached)["mail_ids"]
    assert account.client.mail(mail)["subject"] == "S"
    told = decided(account.client, dismissed)
    assert told == {
        "capture_id": dismissed,
        "state": "dismissed",
        "reason": "no_match",
        "mail_ids": [],
    }
    other = Account(stack).client
    for id_ in (attached, dismissed):
        assert other.request("GET", "timeline", f"/v1/captures/{id_}").status_code == 404


def test_a_repeated_upload_is_counted_once(account: Account) -> None:
    raw = MAIL % (b"cand@mail.example", b"once@x")
    options = {"params": {"recipient": account.capture}, "content": raw}
    headers = {"Content-Type": "message/rfc822", "Idempotency-Key": "6f1c"}
    answers = [
        account.client.request("POST", "ingest", "/v1/mail", headers=headers, **options)
        for _ in range(3)
    ]
    assert len({answer.json()["capture_id"] for answer in answers}) == 1
    decided(account.client, answers[0].json()["capture_id"])
    assert account.client.tally() == {"attached": 1}


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_id_is_in_the_answer_and_in_the_error(account: Account, service: str) -> None:
    headers = {"X-Request-Id": "trace-1.a_b"}
    answer = account.client.request("GET", service, "/v1/nothing", headers=headers)
    assert answer.headers["X-Request-Id"] == answer.json()["request_id"] == "trace-1.a_b"
    made = account.client.request("GET", service, "/healthz").headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", made)


def test_log_lines_of_a_request_have_its_id(account: Account, stack: Stack) -> None:
    id_ = upload(account, "cand@mail.example", **{"X-Request-Id": "upload-1"})
    lines = [
        json.loads(line)
        for log in stack.folder.rglob("ingest*.log")
        for line in log.read_text().splitlines()
        if id_ in line
    ]
    assert {line["request_id"] for line in lines if line["event"] == "received"} == {"upload-1"}


def test_what_is_no_http_is_answered_as_an_error(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.endpoints.ingest_port), DEADLINE) as raw:
        raw.sendall(b"NO HTTP AT ALL\r\n\r\n")
        told = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = told.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["code"] == "bad_request"
    assert problem["request_id"].encode() in head


def back_end(account: Account, path: str, **params: Any) -> httpx.Response:
    token = sign(
        account.stack.token_secret,
        issuer="satchel",
        account=account.name,
        person_id=None,
        scope=TIMELINE_ALL,
        expires_at=int(time.time()) + 600,
    )
    url = f"http://127.0.0.1:{account.stack.endpoints.timeline_port}{path}"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(url, params=params, headers=headers, trust_env=False, timeout=DEADLINE)


def test_a_back_end_keeps_a_copy_whatever_the_visibility(account: Account) -> None:
    admin = account.client_for("u1", scope="account:write timeline:read")
    admin.json("PUT", "timeline", "/v1/settings", json={"visibility": "owner"})
    [mail] = decided(account.client, upload(account, "cand@mail.example"))["mail_ids"]
    stranger = account.client_for("u9", scope="timeline:read")
    assert stranger.request("GET", "timeline", f"/v1/mails/{mail}").status_code == 404
    [listed] = await_changes(account.client_for("ats", TIMELINE_ALL), 1)["items"]
    assert listed["id"] == mail
    assert back_end(account, f"/v1/mails/{mail}").json()["text"].strip() == "Hello."
    assert back_end(account, f"/v1/mails/{mail}/raw").status_code == 200
    inbound = back_end(account, "/v1/mails", direction="inbound").json()
    of_other = back_end(account, "/v1/mails", person_id="c9").json()
    assert inbound["items"] == of_other["items"] == []
    for path in ("/v1/inbox", "/v1/stats", "/v1/setup", "/v1/dead-letters"):
        refused = back_end(account, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "person_required")
    logs = [log.read_text() for log in account.stack.folder.rglob("timeline*.log")]
    lines = [json.loads(li) for text in logs for li in text.splitlines() if account.name in li]
    assert {"changes", "mail"} <= {
        line["what"] for line in lines if line["event"] == "account mail read"
    }
