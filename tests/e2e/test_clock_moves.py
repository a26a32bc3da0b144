"""The clock of a running service moves an hour, ahead and back: nothing is lost or shown twice.

libfaketime moves the clock that a service reads; deadlines use the monotonic one, which stays.
"""

import itertools
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.client import Client
from dev.install import Unavailable, ensure_package
from dev.stack import SERVICES, Stack, own_databases
from tests.e2e.account import Account
from tests.signed_in import bearer

pytestmark = pytest.mark.full
HOUR = 3600
MOVES = [(service, move) for move in ("+1h", "-1h") for service in SERVICES]


class Clocks:
    """What each service reads as its time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for service in SERVICES:
            self.move(service, "+0")

    def move(self, service: str, offset: str) -> None:
        """Let a service's clock be so far ahead, or behind."""
        (self._folder / f"{service}.clock").write_text(f"{offset}\n")

    def settings_of(self, replica: str, _: dict[str, str]) -> dict[str, str]:
        service = replica.partition("-")[0]
        return {"FAKETIME_TIMESTAMP_FILE": str(self._folder / f"{service}.clock")}


@pytest.fixture(scope="module")
def moving(
    tmp_path_factory: pytest.TempPathFactory, mongodb_url: str
) -> Iterator[tuple[Stack, Clocks]]:
    try:
        ensure_package("faketime")
    except Unavailable as missing:
        pytest.skip(str(missing))
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clocks = Clocks(tmp_path_factory.mktemp("clocks"))
    environment = own_databases() | {
        "MONGODB_URL": mongodb_url,
        "LD_PRELOAD": str(library),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_TIMESTAMP_FILE": str(clocks.settings_of("ingest", {})["FAKETIME_TIMESTAMP_FILE"]),
    }
    folder = tmp_path_factory.mktemp("moving")
    with Stack(folder, environment=environment, settings_of=clocks.settings_of) as stack:
        yield stack, clocks


def seconds_ahead(capture_id: str) -> float:
    """Return how far ahead ingest's clock is by the id that it made, a UUIDv7."""
    return (uuid.UUID(capture_id).int >> 80) / 1000 - time.time()


def takes_a_token_of_minutes(account: Account, service: str) -> bool:
    """Whether a service thinks that a token is valid which expires in ten minutes."""
    path = {"matcher": "/v1/people", "timeline": "/v1/inbox", "ingest": "/v1/mail"}[service]
    scope = "directory:read timeline:read"
    headers = bearer(account=account.name, secret=account.stack.token_secret, scope=scope)
    method = "POST" if service == "ingest" else "GET"
    return account.client.request(method, service, path, headers=headers).status_code != 401


def test_nothing_is_lost_or_shown_twice(moving: tuple[Stack, Clocks]) -> None:
    stack, clocks = moving
    account = Account(stack)
    stopped, numbers = threading.Event(), itertools.count()

    def send(client: Client) -> None:
        while not stopped.wait(0.05):
            number = next(numbers)
            size = 300_000 if number % 20 == 7 else 100
            raw = (
                f"From: user@team.example\r\nTo: cand@mail.example\r\nSubject: Mail {number}\r\n"
                f"Message-ID: <{number}@moving.example>\r\n\r\n{'x' * 70}\r\n" + "y" * size
            )
            client.send("envelope@x.example", [account.capture], raw.encode())

    client = account.client_for("u1")
    sending = threading.Thread(target=send, args=[client])
    sending.start()
    try:
        for service, move in MOVES:
            clocks.move(service, move)
            ahead = move == "+1h"
            assert takes_a_token_of_minutes(account, service) is not ahead, "it has moved"
            if service == "ingest":
                mail = f"From: x@y.example\r\nMessage-ID: <{move}>\r\n\r\nHi"
                capture_id = account.client.upload(account.capture, mail.encode()).json()
                moved = seconds_ahead(capture_id["capture_id"])
                assert abs(moved - (HOUR if ahead else -HOUR)) < HOUR / 2
            time.sleep(3)  # mail on its way, at either side of the move
            clocks.move(service, "+0")
            time.sleep(1)
    finally:
        stopped.set()
        sending.join()
    client.close()
    sent = next(numbers)
    assert account.client.await_captures(sent + 2) == {"attached": sent, "no_match": 2}
    shown = [mail["message_id"] for mail in account.client.timeline("c1")]
    assert sorted(shown) == sorted(f"{number}@moving.example" for number in range(sent))
    account.await_no_claims()
    assert all(replica.process.alive for replica in stack.replicas)
