"""Dismissed means forgotten; and without the database nothing is decided on a guess."""

import asyncio
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, cast

import pymongo
import pytest

from chaos.reconcile import dead_captures, drained
from dev.stack import Stack, own_databases
from shared.contracts.capture_address import KeyRing, new_round_trip_id
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from tests.deadline import DEADLINE, eventually
from tests.e2e.account import Account
from tests.mails import enclosing, mail


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose servers may be stopped, logging all it can."""
    environment = own_databases() | {"LOG_LEVEL": "DEBUG"}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AMQP_URL", "MONGODB_URL", "BLOB_URL"):
            patch.delenv(name, raising=False)
        folder = tmp_path_factory.mktemp("own-stack")
        options = ("--setParameter", "ttlMonitorSleepSecs=1")
        with Stack(folder, replicas=2, environment=environment, mongod_options=options) as stack:
            yield stack


def await_drained(stack: Stack, seconds: float = DEADLINE) -> None:
    """Wait until no message is in a queue or in flight; look less often as time goes by.

    Each look starts an Erlang machine: half a second of a processor.
    """
    assert stack.broker is not None
    deadline, pause = time.monotonic() + seconds, 0.2
    while not drained(stack.broker):
        assert time.monotonic() < deadline, stack.broker.ctl("list_queues", "name", "messages")
        time.sleep(pause)
        pause = min(2 * pause, 2)
    assert asyncio.run(dead_captures(stack.broker.url)) == set()
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        stack.environment["MONGODB_URL"]
    )
    with client:
        database = client[stack.environment["TIMELINE_DATABASE"]]
        assert database["dead_letters"].count_documents({}) == 0


SECRET = re.compile(r"zq[0-9a-f]{12}")
"""A word that is nowhere else."""


class Secret:
    """A mail to nobody, with words that are nowhere else."""

    def __init__(self, *, large: bool) -> None:
        self.words: list[str] = []
        word = self._word
        self.sender = f"{word()}@{word()}.example"
        self.raw = "\r\n".join(
            [
                f"From: {word()} <{word()}@{word()}.example>",
                *(f"{name}: {word()} <{word()}@x.example>" for name in ("To", "Cc", "Bcc")),
                *(f"{name}: {word()}@x.example" for name in ("Sender", "Reply-To", "Resent-To")),
                f"Message-ID: <{word()}@{word()}>",
                f"In-Reply-To: <{word()}>",
                f"References: <{word()}> <{word()}>",
                f"Subject: {word()}",
                f"X-{word()}: {word()}",
                f"Received: from {word()}",
                'Content-Type: multipart/mixed; boundary="b"',
                "",
                "--b",
                "Content-Type: text/plain",
                "",
                word() + "\r\n" + "filler of a large mail\r\n" * (15_000 if large else 1),
                "--b",
                f'Content-Type: application/pdf; name="{word()}.pdf"',
                "",
                word(),
                "--b--",
                "",
            ]
        ).encode()
        assert (len(self.raw) > CLAIM_CHECK_BYTES) is large

    def _word(self) -> str:
        self.words.append(f"zq{secrets.token_hex(6)}")
        return self.words[-1]


def remains(stack: Stack, *, without: str = "") -> str:
    """Return all that could hold something: databases, blobs, logs and metrics, as one text.

    Of a database these are the bytes that it stores: to make text of documents takes far longer.
    """
    found: list[bytes] = []
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        stack.environment["MONGODB_URL"]
    )
    with client:
        for setting in ("MATCHER_DATABASE", "TIMELINE_DATABASE"):
            database = client[stack.environment[setting]]
            for name in {*database.list_collection_names()} - {without}:
                found += cast(Iterable[bytes], database[name].find_raw_batches())
    for folder in (stack.folder / "blobs", stack.folder / "logs"):
        found += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    account = Account(stack)
    for number in range(2):
        client_ = account.client_for("u1", replica=number)
        for service in ("ingest", "matcher", "timeline"):
            found.append(client_.request("GET", service, "/metrics").content)
    return b"\n".join(found).decode("latin-1")


def told(words: Iterable[str], text: str) -> list[str]:
    """Return those of the secret words that the text holds, all found in one pass."""
    asked, there = {*words}, {*SECRET.findall(text)}
    assert all(SECRET.fullmatch(word) for word in asked)
    return sorted(asked & there)


def await_no_blobs(stack: Stack, seconds: float = DEADLINE) -> None:
    """Wait until no mail is in the blob store: what ingest notes of each is another matter."""
    folders = [stack.folder / "blobs" / kind for kind in ("claims", "dead", "mails")]
    deadline = time.monotonic() + seconds
    while left := [path for folder in folders for path in folder.rglob("*") if path.is_file()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def test_of_a_dismissed_mail_nothing_stays_anywhere(own_stack: Stack) -> None:
    account = Account(own_stack)
    mails = [Secret(large=number % 3 == 0) for number in range(12)]
    for secret in mails:
        account.client.send(secret.sender, [account.capture], secret.raw)
    assert account.client.await_captures(len(mails)) == {"attached": 0, "no_match": len(mails)}
    await_drained(own_stack)
    await_no_blobs(own_stack)
    left = remains(own_stack)
    assert "no_match" in left, "there was something to look through"
    assert told((word for secret in mails for word in secret.words), left) == []


def test_nor_of_what_an_address_of_the_account_catches_nor_of_a_stale_challenge(
    own_stack: Stack,
) -> None:
    account = Account(own_stack)
    admin = account.client_for("admin", "account:write")
    minted = admin.json("POST", "matcher", "/v1/capture-addresses", json={"scope": "account"})
    ring = KeyRing.parse(own_stack.environment["CAPTURE_KEYS"])
    token = ring.round_trip_token(new_round_trip_id(time.time()))
    mails = [Secret(large=large) for large in (False, True, False, True)]
    for secret in mails[:2]:
        account.client.send(secret.sender, [minted["address"]], secret.raw)
    for secret in mails[2:]:
        challenge = f"X-Satchel-Round-Trip: {token}\r\n".encode() + secret.raw
        account.client.send(secret.sender, [account.capture], challenge)
    assert account.client.await_captures(2) == {"attached": 0, "no_user": 2}
    await_drained(own_stack)
    await_no_blobs(own_stack)
    left = remains(own_stack)
    assert "no_user" in left
    assert "round_trip" in left
    assert told((word for secret in mails for word in secret.words), left) == []


def test_nor_of_what_a_user_forwards_as_attachment_beside_a_mail_that_matches(
    own_stack: Stack,
) -> None:
    account = Account(own_stack)
    wrapper = Secret(large=False)
    mails = [Secret(large=large) for large in (False, True, False, True)]
    good = mail("cand@mail.example", "user@team.example", headers="Subject: Kept\r\n")
    inside = [mails[0].raw.decode(), good, mails[1].raw.decode()]
    for mails_inside in (inside, [secret.raw.decode() for secret in mails[2:]]):
        headers, body = enclosing(mails_inside, "outer")
        headers += f"Subject: {wrapper.words[0]}\r\nX-{wrapper.words[1]}: x\r\n"
        account.send(account.capture, headers=headers, body=body)
    assert account.outcome() == {"attached": 1, "no_match": 1}
    await_drained(own_stack)
    account.await_no_claims()
    assert account.shown() == ["Kept"]
    left = remains(own_stack)
    words = [*wrapper.words[:2], *(word for secret in mails for word in secret.words)]
    assert told(words, left) == []


def test_what_a_window_shows_is_in_one_place_and_after_a_day_nowhere(own_stack: Stack) -> None:
    account = Account(own_stack)
    account.client.json("POST", "matcher", "/v1/setup:watch")
    mails = [Secret(large=number == 1) for number in range(7)]
    for number, secret in enumerate(mails, 1):
        account.client.send(secret.sender, [account.capture], secret.raw)
        account.client.await_captures(number)
    await_drained(own_stack)
    await_no_blobs(own_stack)
    words = [word for secret in mails for word in secret.words]
    left = remains(own_stack, without="watched")
    assert told(words, left) == []
    watched = account.client.json("GET", "timeline", "/v1/setup")["watched"]
    shown = str(watched)
    assert len(watched) == 5
    assert all(secret.words[2] in shown for secret in mails[:5])  # the name in From
    assert not any(word in shown for secret in mails[5:] for word in secret.words)
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        own_stack.environment["MONGODB_URL"]
    )
    with client:
        collection = client[own_stack.environment["TIMELINE_DATABASE"]]["watched"]
        collection.update_many({}, [{"$set": {"at": {"$subtract": ["$at", 24 * 3600_000]}}}])
        assert account.client.json("GET", "timeline", "/v1/setup")["watched"] == []
        deadline = time.monotonic() + DEADLINE
        while collection.count_documents({}):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    left = remains(own_stack)
    assert told(words, left) == []


def test_what_a_rematch_window_keeps_is_readable_nowhere_and_after_its_end_gone(
    own_stack: Stack,
) -> None:
    account = Account(own_stack)
    admin = account.client_for("admin", "account:write")
    admin.json("PUT", "matcher", "/v1/rematch-window", json={"days": 7})
    mails = [Secret(large=number % 3 == 0) for number in range(6)]
    for secret in mails:
        account.client.send(secret.sender, [account.capture], secret.raw)
    assert account.client.await_captures(len(mails)) == {"attached": 0, "no_match": len(mails)}
    await_drained(own_stack)
    await_no_blobs(own_stack)
    words = [word for secret in mails for word in secret.words]
    left = remains(own_stack)
    assert "found_by" in left, "there was something to look through"
    assert told(words, left) == []
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        own_stack.environment["MONGODB_URL"]
    )
    with client:
        database = client[own_stack.environment["MATCHER_DATABASE"]]
        windows, sealed = database["rematch_windows"], database["rematch_sealed"]
        assert sealed.count_documents({}) == len(mails)
        week = 7 * 24 * 3600_000
        sealed.update_many({}, [{"$set": {"until": {"$subtract": ["$until", week]}}}])
        window = windows.find_one({"_id": account.name}) or {}
        for key in window["keys"]:
            ended = {"keys.$.until": key["until"] - timedelta(days=8)}
            windows.update_one({"_id": account.name, "keys.id": key["id"]}, {"$set": ended})
        assert eventually(lambda: not sealed.count_documents({}))
        assert eventually(lambda: not windows.count_documents({"keys.id": {"$exists": True}}))
    assert list((own_stack.folder / "blobs" / "sealed").rglob("*-*")) == []
    left = remains(own_stack)
    assert told(words, left) == []
    sender = f"{mails[1].words[3]}@{mails[1].words[4]}.example"
    account.client.put_person("c7", "candidate", "Late", [sender])
    account.client.send(mails[1].sender, [account.capture], mails[1].raw)
    assert account.client.await_captures(7) == {"attached": 1, "no_match": 6}
    await_drained(own_stack)
    assert len(account.client.timeline("c7")) == 1


def test_of_a_mail_that_gave_the_address_away_its_date_stays_and_no_more(
    own_stack: Stack,
) -> None:
    account, secret = Account(own_stack), Secret(large=False)
    headers = f"Cc: {account.capture}\r\nDate: Thu, 15 Jan 2026 09:00:00 +0000\r\n"
    account.client.send(secret.sender, [account.capture], headers.encode() + secret.raw)
    account.client.await_captures(1)
    await_drained(own_stack)
    [notice] = account.client.json("GET", "timeline", "/v1/setup")["notices"]
    assert (notice["kind"], notice["mail_date"]) == ("leak", "2026-01-15T09:00:00Z")
    left = remains(own_stack)
    assert told(secret.words, left) == []


def test_nor_when_the_services_are_killed_at_any_moment(own_stack: Stack, share: float) -> None:
    account = Account(own_stack)
    mails = [Secret(large=number % 3 == 0) for number in range(60 if share == 1 else 30)]
    victims = [*own_stack.of("matcher"), *own_stack.of("timeline")]
    for number, secret in enumerate(mails):
        account.client.send(secret.sender, [account.capture], secret.raw)
        if number % 6 == 5:
            victim = victims[number // 6 % len(victims)]
            victim.kill()
            time.sleep(0.05 * (number % 4))
            victim.start()
    for victim in victims:
        victim.await_ready()
    account.client.await_captures(len(mails))
    await_drained(own_stack)
    await_no_blobs(own_stack)
    left = remains(own_stack)
    assert told((word for secret in mails for word in secret.words), left) == []


def test_without_the_database_captures_wait_and_are_decided_right_afterwards(
    own_stack: Stack,
) -> None:
    account, database = Account(own_stack), own_stack.database
    assert database is not None
    account.send("cand@mail.example")
    account.outcome()
    database.kill()
    for number in range(20):
        account.send("cand@mail.example" if number % 2 else "nobody@x.example")
    time.sleep(3)
    database.start()
    assert account.outcome() == {"attached": 11, "no_match": 10}
    await_drained(own_stack)


def test_nothing_stays_of_a_never_captured_mail(own_stack: Stack) -> None:
    account = Account(own_stack)
    listed = {"account": {"addresses": [], "domains": ["never.example"]}}
    admin = account.client_for("u1", "account:write")
    admin.json("PUT", "matcher", "/v1/never-capture", json=listed)
    words: list[str] = []

    def secret(text: str = "") -> str:
        words.append(f"zq{secrets.token_hex(6)}")
        headers = f"Subject: {words[-1]}\r\nMessage-ID: <{words[-1]}@x>\r\n"
        sender = f"{words[-1]}@never.example"
        return mail(sender, "cand@mail.example", headers=headers, body=words[-1] + text)

    large = "filler of a large mail\r\n" * 15_000
    for raw in (secret(), secret(large), mail("cand@mail.example", "x@never.example")):
        account.client.upload(account.capture, raw.encode())
    long = "".join(f"X-{number}: x\r\n" for number in range(2000))
    account.client.upload(account.capture, secret().replace("Subject", f"{long}Subject").encode())
    kept = mail("cand@mail.example", "user@team.example", headers="Subject: Kept\r\n")
    headers, body = enclosing([secret(), kept, secret(large)], "outer")
    account.send(account.capture, headers=headers, body=body)
    assert account.outcome(5) == {"attached": 1, "never_capture": 4}
    await_drained(own_stack)
    account.await_no_claims()
    assert account.shown() == ["Kept"]
    left = remains(own_stack)
    assert "never_capture" in left, "there was something to look through"
    assert told(words, left) == []


def test_what_a_rematch_opens_comes_once_when_the_services_are_killed_meanwhile(
    own_stack: Stack,
) -> None:
    account = Account(own_stack)
    admin = account.client_for("admin", "account:write")
    admin.json("PUT", "matcher", "/v1/rematch-window", json={"days": 1})
    for number in range(40):
        body = "filler of a large mail\r\n" * (15_000 if number % 8 == 0 else 1)
        account.send("late@mail.example", body=body)
    assert account.outcome() == {"no_match": 40}
    account.client.put_person("c7", "candidate", "Late", ["late@mail.example"])
    for number, victim in enumerate((*own_stack.of("matcher"), *own_stack.of("timeline"))):
        time.sleep(0.4 + 0.3 * number)
        victim.kill()
        victim.start()
    for victim in (*own_stack.of("matcher"), *own_stack.of("timeline")):
        victim.await_ready()
    account.client.await_mails("c7", 40)
    await_drained(own_stack)
    assert account.outcome() == {"attached": 40}
    account.await_no_claims()
    assert sorted(account.shown("c7")) == sorted(f"Mail {number}" for number in range(1, 41))
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        own_stack.environment["MONGODB_URL"]
    )
    with client:
        sealed = client[own_stack.environment["MATCHER_DATABASE"]]["rematch_sealed"]
        assert eventually(lambda: not sealed.count_documents({}))
