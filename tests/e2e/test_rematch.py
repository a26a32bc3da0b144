"""The rematch window, by SMTP and HTTP on two replicas. That nothing stays: `test_forgotten.py`."""

from typing import Any

import pytest

from dev.stack import Stack
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from tests.deadline import eventually
from tests.e2e.account import Account
from tests.mails import mail

ROUTE = "/v1/rematch-window"
LATE = "late@mail.example"


def turn(account: Account, days: int, replica: int = 1) -> None:
    """Turn the account's window on or off."""
    admin = account.client_for("u9", "account:write", replica=replica)
    assert admin.json("PUT", "matcher", ROUTE, json={"days": days}) == {"days": days}


def upload(account: Account, number: int, *, large: bool = False) -> str:
    """Upload a mail from somebody unknown; return the capture's id."""
    headers = f"Subject: Mail {number}\r\nMessage-ID: <{account.name}-{number}@x>\r\n"
    headers += f"Date: Thu, 15 Jan 2026 09:00:{number:02} +0000\r\n"
    body = "zebra " + "x" * (CLAIM_CHECK_BYTES if large else 0)
    raw = mail(LATE, "user@team.example", headers=headers, body=body)
    answer = account.client_for("u1", replica=number % 2).upload(account.capture, raw.encode())
    assert answer.status_code == 202
    return str(answer.json()["capture_id"])


def test_who_is_added_later_gets_what_they_had_written(stack: Stack) -> None:
    account = Account(stack)
    assert account.client_for("u9", "account:read").json("GET", "matcher", ROUTE) == {"days": 0}
    turn(account, 7)
    client, other = account.client, account.client_for("u1", replica=1)
    captures = [upload(account, number, large=number == 1) for number in range(4)]
    assert account.outcome(4) == {"no_match": 4}
    assert (client.inbox(), client.inbox(q="zebra"), client.timeline("c7")) == ([], [], [])
    assert {client.capture(id_)["state"] for id_ in captures} == {"dismissed"}

    other.put_person("c7", "candidate", "Late", [LATE])
    client.await_mails("c7", 4)
    assert eventually(lambda: account.outcome(4) == {"attached": 4})
    mails = client.timeline("c7")
    assert [mail["subject"] for mail in mails] == [f"Mail {n}" for n in (3, 2, 1, 0)]
    assert {mail["authentication"]["verdict"] for mail in mails} == {"unverified"}
    assert {mail["authentication"]["reason"] for mail in mails} == {"rematched"}
    assert {client.capture(id_)["state"] for id_ in captures} == {"attached"}
    assert len(client.inbox(q="zebra")) == 4
    account.await_no_claims()
    client.delete_person("c7")
    other.put_person("c7", "contact", "Late", [LATE])
    other.put_person("c8", "contact", "Late, too", [LATE])
    upload(account, 9)
    assert account.outcome(5) == {"attached": 5}
    # The timeline may hear of who is back after it has their mail.
    shown = {"c7": 5, "c8": 1}
    assert eventually(lambda: {id_: len(client.timeline(id_)) for id_ in shown} == shown)


@pytest.mark.parametrize("way", ["patch", "import"])
def test_whatever_way_they_are_added(stack: Stack, way: str) -> None:
    account = Account(stack)
    turn(account, 30, replica=0)
    upload(account, 1)
    assert account.outcome(1) == {"no_match": 1}
    if way == "patch":
        body = {"addresses": ["cand@mail.example", LATE]}
        account.client.json("PATCH", "matcher", "/v1/people/c1", json=body)
    else:
        line = f'{{"person_id": "c1", "kind": "candidate", "name": "C", "addresses": ["{LATE}"]}}\n'
        headers = {"Content-Type": "application/x-ndjson"}
        account.client.request(
            "POST", "matcher", "/v1/people:import", content=line.encode(), headers=headers
        )
    account.client.await_mails("c1", 1)


@pytest.mark.parametrize("days", [None, 0], ids=["never on", "turned off"])
def test_without_a_window_nothing_comes_back(stack: Stack, days: int | None) -> None:
    account = Account(stack)
    if days is not None:
        turn(account, 7)
    upload(account, 1)
    assert account.outcome(1) == {"no_match": 1}
    if days is not None:
        turn(account, days)
        turn(account, 7)
    account.client.put_person("c7", "candidate", "Late", [LATE])
    account.send("cand@mail.example")
    upload(account, 2)
    assert account.outcome(3) == {"attached": 2, "no_match": 1}
    assert account.shown("c7") == ["Mail 2"]


def test_the_window_is_changed_by_those_who_may_and_not_blindly(stack: Stack) -> None:
    account = Account(stack)
    admin = account.client_for("u9", "account:write")

    def put(days: Any, **headers: str) -> int:
        return admin.request(
            "PUT", "matcher", ROUTE, json={"days": days}, headers=headers
        ).status_code

    assert [put(days) for days in (31, -1, 1.5, "7", True, None)] == [422] * 6
    tag = admin.request("GET", "matcher", ROUTE).headers["ETag"]
    assert [put(3, **{"If-Match": tag}), put(4, **{"If-Match": tag})] == [200, 412]
    assert admin.json("GET", "matcher", ROUTE) == {"days": 3}
    assert Account(stack).client_for("u9", "account:read").json("GET", "matcher", ROUTE) == {
        "days": 0
    }
