"""What could not be handled: shown to those who run the service, replayed, dropped."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pymongo
import pytest

from dev.client import Client
from dev.generate import ROOT
from dev.stack import Stack
from shared.contracts.capture_address import KeyRing
from tests.deadline import DEADLINE
from tests.e2e.account import Account

PATH = "/v1/dead-letters"


class Lost:
    """An account whose backup was restored without its newest capture address."""

    def __init__(self, stack: Stack) -> None:
        self.account = Account(stack)
        self.ops = self.account.client_for("op", "ops")
        ring = KeyRing.parse(stack.environment["CAPTURE_KEYS"])
        domain = self.account.capture.partition("@")[2]
        self.address = ring.mint(self.account.name, "restored", domain).address

    def arrives(self, body: str = "The text.") -> dict[str, Any]:
        """Return the dead letter that a mail to the address becomes."""
        self.account.send("cand@mail.example", capture=self.address, body=body)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            listed = self.ops.pages(PATH, state="waiting")
            if len(listed) == self.account.sent:
                return dict(listed[0])
            time.sleep(0.05)
        raise TimeoutError("no dead letter")

    def restore(self) -> None:
        """Put the address's record back."""
        environment = self.account.stack.environment
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            environment["MONGODB_URL"]
        )
        record = {
            "_id": self.address,
            "account": self.account.name,
            "person_id": "u1",
            "key_id": "dev",
            "state": "active",
            "created_at": datetime.now(UTC),
            "version": 1,
        }
        with client:
            client[environment["MATCHER_DATABASE"]]["capture_addresses"].update_one(
                {"account": self.account.name, "state": "active"}, {"$set": {"state": "revoked"}}
            )
            client[environment["MATCHER_DATABASE"]]["capture_addresses"].insert_one(record)

    def replay(self, id_: str, client: Client | None = None) -> dict[str, Any]:
        return dict((client or self.ops).json("POST", "timeline", f"{PATH}/{id_}/replay"))


@pytest.fixture
def lost(stack: Stack) -> Lost:
    return Lost(stack)


def status(client: Client, method: str, path: str, **params: str) -> int:
    return client.request(method, "timeline", path, params=params).status_code


def test_it_is_shown_to_those_who_run_the_account_and_nobody_else(lost: Lost, stack: Stack) -> None:
    listed = lost.arrives()
    assert (listed["reason"], listed["state"]) == ("unknown_capture_address", "waiting")
    assert (listed["queue"], listed["tag"]) == ("matcher.received.v1", "mail.received.v1")
    path = f"{PATH}/{listed['id']}"
    shown = lost.ops.json("GET", "timeline", path)
    assert {"name": "Subject", "value": "Mail 1"} in shown["headers"]
    assert json.loads(shown["event"])["capture_address"] == lost.address
    assert listed.items() <= shown.items()
    assert "The text." not in str(shown)
    raw = lost.ops.request("GET", "timeline", f"{path}/raw")
    assert b"The text." in raw.content
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.headers["content-disposition"].startswith("attachment;")
    assert raw.headers["x-content-type-options"] == "nosniff"
    stranger, user = Account(stack).client_for("op", "ops"), lost.account.client
    assert stranger.json("GET", "timeline", PATH) == {"items": [], "next_cursor": None}
    for method, which in (("GET", path), ("GET", f"{path}/raw"), ("POST", f"{path}/replay")):
        assert status(stranger, method, which) == 404
        assert status(user, method, which) == 403
    assert status(stranger, "DELETE", path, why="x") == 404
    assert status(user, "GET", PATH) == 403
    assert lost.ops.pages(PATH, reason="claim_missing") == []
    assert lost.ops.pages(PATH, state="dropped") == []
    metrics = [account_metrics(lost, replica) for replica in (0, 1)]
    assert any(
        'satchel_dead_letters_stored_total{reason="unknown_capture_address"}' in m for m in metrics
    )


def account_metrics(lost: Lost, replica: int) -> str:
    client = lost.account.client_for("u1", replica=replica)
    return client.request("GET", "timeline", "/metrics").text


@pytest.mark.parametrize("size", [1, 20_000], ids=["small", "claimed"])
def test_what_was_put_right_is_replayed_attached_and_counted_once(lost: Lost, size: int) -> None:
    waiting = lost.arrives("All the same line.\r\n" * size)
    raw = lost.ops.request("GET", "timeline", f"{PATH}/{waiting['id']}/raw").content
    assert raw.count(b"All the same line.") == size
    lost.restore()
    replicas = [lost.account.client_for("op", "ops", replica=n % 2) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:  # all at once
        answers = list(pool.map(lambda client: lost.replay(waiting["id"], client), replicas))
    assert {answer["state"] for answer in answers} == {"replayed"}
    assert lost.account.outcome() == {"attached": 1}
    assert lost.account.shown() == ["Mail 1"]
    again = lost.replay(waiting["id"])
    assert (again["state"], again["settled"]["by"]) == ("replayed", "op")
    lost.account.send("nobody@x.example", capture=lost.address)  # whatever comes comes before it
    assert lost.account.outcome() == {"attached": 1, "no_match": 1}
    assert lost.account.shown() == ["Mail 1"]
    shown = lost.ops.json("GET", "timeline", f"{PATH}/{waiting['id']}")
    assert (shown["event"], shown["headers"], shown["detail"]) == (None, [], "")
    assert status(lost.ops, "GET", f"{PATH}/{waiting['id']}/raw") == 404
    assert status(lost.ops, "DELETE", f"{PATH}/{waiting['id']}", why="too late") == 409
    if size > 1:
        lost.account.await_no_claims()


def test_what_is_replayed_too_soon_is_a_dead_letter_again(lost: Lost) -> None:
    first = lost.arrives()
    assert lost.replay(first["id"])["state"] == "replayed"
    deadline = time.monotonic() + DEADLINE
    while not (again := lost.ops.pages(PATH, state="waiting")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [(a["capture_id"], a["replays"]) for a in again] == [(first["capture_id"], 1)]
    lost.restore()
    assert lost.replay(again[0]["id"])["state"] == "replayed"
    assert lost.account.outcome() == {"attached": 1}


def test_what_is_dropped_is_gone_and_the_reason_stays(lost: Lost) -> None:
    path = f"{PATH}/{lost.arrives()['id']}"
    assert status(lost.ops, "DELETE", path) == 422
    for why in ("An old test", "Another word"):
        answer = lost.ops.json("DELETE", "timeline", path, params={"why": why})
        assert answer["state"] == "dropped"
        assert answer["settled"].items() >= {"by": "op", "why": "An old test"}.items()
    assert status(lost.ops, "POST", f"{path}/replay") == 409
    assert status(lost.ops, "GET", f"{path}/raw") == 404
    assert lost.account.client.tally() == {}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("?limit=0", 422),
        ("?limit=201", 422),
        ("?cursor=x", 422),
        ("?state=lost", 422),
        ("?reason=" + "x" * 65, 422),
        ("?reason=%00$where", 200),
        ("/nope", 422),
        (f"/{'a' * 32}", 404),
        (f"/{'a' * 32}/raw", 404),
    ],
)
def test_what_cannot_be_asked_for_says_why(account: Account, path: str, expected: int) -> None:
    response = account.client_for("op", "ops").request("GET", "timeline", PATH + path)
    assert response.status_code == expected
    if expected != 200:
        assert response.headers["content-type"] == "application/problem+json"


def test_an_operator_replays_all_of_them_from_a_shell(lost: Lost) -> None:
    stack = lost.account.stack
    for _ in range(2):
        lost.arrives()
    lost.restore()
    words = ("--account", lost.account.name, "--reason", "unknown_capture_address")
    ended = subprocess.run(
        [sys.executable, "-m", "services.timeline", "--dead-letters", "replay", *words],
        env=stack.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith("2 replayed\n")
    assert lost.account.outcome() == {"attached": 2}
