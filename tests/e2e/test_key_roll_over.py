"""Capture keys are rolled over: given to every service, promoted to signing, the old one retired.

Real processes, one of each service. Ingest and the matcher are restarted one after the other, so
that each step is seen with an old ingest beside a new matcher. Every test says itself which keys
who holds, and stands alone.
"""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dev.stack import Stack, own_databases
from tests.e2e.account import Account

OLD, NEW = "old:" + "o" * 20, "new:" + "n" * 20
BEFORE = {"CAPTURE_KEYS": OLD, "CAPTURE_SIGNING_KEY": "old"}
GIVEN = {"CAPTURE_KEYS": f"{OLD},{NEW}", "CAPTURE_SIGNING_KEY": "old"}
PROMOTED = {"CAPTURE_KEYS": f"{OLD},{NEW}", "CAPTURE_SIGNING_KEY": "new"}
RETIRED = {"CAPTURE_KEYS": NEW, "CAPTURE_SIGNING_KEY": "new"}

TAKEN, REFUSED = (250, 202), (550, 422)
"""What the SMTP door and the HTTP door say; both refusals are for good, the mail is not retried."""


class Deployment:
    """A stack whose ingest and matcher are restarted with other keys."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._keys = {"ingest": BEFORE, "matcher": BEFORE}

    def roll(self, **keys: dict[str, str]) -> None:
        """Restart the services named, one after the other, where they have other keys."""
        for service, wanted in keys.items():
            if self._keys[service] != wanted:
                self.stack.restart(self.stack.of(service)[0], wanted)
                self._keys[service] = wanted


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A stack as it was before anybody thought of a new key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AMQP_URL", raising=False)  # its queues would be those of another stack
        folder = tmp_path_factory.mktemp("key-roll-over")
        with Stack(folder, environment=own_databases() | BEFORE) as stack:
            yield Deployment(stack)


class Customer(Account):
    """An account that hires: its users get capture addresses while the keys change."""

    def mint_for(self, person_id: str) -> str:
        """Return the capture address of a new user."""
        self.client.put_person(person_id, "user", "A User", [f"{person_id}@team.example"])
        return self.client.mint(person_id)

    def answers(self, capture: str) -> tuple[int, int]:
        """Send a candidate's mail through both doors; return what SMTP and HTTP answered."""
        return self._by_smtp(capture), self._by_http(capture)

    def rotate(self, capture: str) -> str:
        """Return the address that takes another's place at once."""
        path = f"/v1/capture-addresses/{capture}:rotate"
        return str(self.client.json("POST", "matcher", path, json={"grace_hours": 0})["address"])

    def listed(self) -> dict[str, dict[str, Any]]:
        """Return what the API tells about each address."""
        page = self.client.json("GET", "matcher", "/v1/capture-addresses")
        return {item["address"]: item for item in page["items"]}

    def keys_in_use(self) -> set[str]:
        """Return the ids of the keys by which an address that counts was signed."""
        return {item["key_id"] for item in self.listed().values() if _counts(item)}

    def _by_smtp(self, capture: str) -> int:
        try:
            self.send("cand@mail.example", capture=capture)
        except smtplib.SMTPRecipientsRefused as refused:
            self.sent -= 1
            return refused.recipients[capture][0]
        return 250

    def _by_http(self, capture: str) -> int:
        raw = f"From: user@team.example\r\nTo: cand@mail.example\r\nMessage-ID: <{self.sent}@http>"
        response = self.client.upload(capture, f"{raw}\r\n\r\nThe text.\r\n".encode())
        self.sent += response.is_success
        return response.status_code


def _counts(item: dict[str, Any]) -> bool:
    until = item["valid_until"]
    in_grace = item["state"] == "grace" and datetime.fromisoformat(until) > datetime.now(UTC)
    return item["state"] == "active" or in_grace


@pytest.mark.full
def test_an_old_ingest_takes_what_a_matcher_with_both_keys_mints(deployment: Deployment) -> None:
    deployment.roll(ingest=BEFORE, matcher=GIVEN)
    customer = Customer(deployment.stack)
    assert customer.keys_in_use() == {"old"}
    assert customer.answers(customer.capture) == TAKEN
    assert customer.outcome() == {"attached": 2}
    assert len(customer.shown()) == 2


@pytest.mark.full
def test_a_key_promoted_too_early_makes_addresses_that_ingest_refuses_until_it_has_it(
    deployment: Deployment,
) -> None:
    deployment.roll(ingest=BEFORE, matcher=GIVEN)
    customer = Customer(deployment.stack)
    old = customer.capture

    deployment.roll(matcher=PROMOTED)
    new = customer.mint_for("u2")
    assert {a: item["key_id"] for a, item in customer.listed().items()} == {old: "old", new: "new"}
    assert customer.answers(new) == REFUSED
    assert customer.answers(old) == TAKEN
    assert customer.outcome() == {"attached": 2}

    deployment.roll(ingest=PROMOTED)
    assert customer.answers(new) == TAKEN
    assert customer.answers(old) == TAKEN
    assert customer.outcome() == {"attached": 6}
    assert len(customer.shown()) == 6


def test_a_key_is_retired_when_no_address_of_it_counts_any_more(deployment: Deployment) -> None:
    deployment.roll(ingest=GIVEN, matcher=GIVEN)
    customer = Customer(deployment.stack)
    old = customer.capture

    deployment.roll(matcher=PROMOTED)
    assert customer.client.mint("u1") == old, "a promotion takes nobody's address away"
    assert customer.answers(old) == TAKEN
    assert customer.keys_in_use() == {"old"}

    new = customer.rotate(old)
    assert customer.keys_in_use() == {"new"}
    assert customer.answers(new) == TAKEN, "in this order nobody was refused"
    assert customer.answers(old) == TAKEN, "ingest has its key: the matcher knows that it is over"
    assert customer.outcome() == {"attached": 4, "revoked_address": 2}

    deployment.roll(ingest=RETIRED, matcher=RETIRED)
    assert customer.answers(old) == REFUSED
    assert customer.answers(new) == TAKEN
    assert customer.outcome() == {"attached": 6, "revoked_address": 2}
    assert len(customer.shown()) == 6
    assert customer.client.mint("u1") == new
