"""SIGTERM while something is away: every service leaves in good order, and nothing is lost."""

import os
import signal
import smtplib
import socket
import threading
import time

import pymongo
import pytest

from dev.client import SCOPES
from dev.stack import Replica
from services.matcher.indexes import INDEXES as MATCHER_INDEXES
from services.timeline.indexes import INDEXES as TIMELINE_INDEXES
from shared.http.auth import sign
from shared.storage.database import connect, migrate
from tests.deadline import DEADLINE
from tests.e2e.listening import Listening
from tests.e2e.parts import SECRET, Parts, client_of
from tests.marks import in_full

MAILS = 20


def terminate(replicas: dict[str, Replica]) -> None:
    """Send SIGTERM to all, twice; return once each has left in good order.

    One that needs more than its STOP_SECONDS leaves with another exit code.
    """
    for _ in range(2):
        for replica in replicas.values():
            os.kill(replica.process.pid, signal.SIGTERM)
        time.sleep(0.2)
    for service, replica in replicas.items():
        assert replica.process.wait(DEADLINE) == 0, f"{service}: {replica.process.tail()}"


def mail(number: int, size: int = 100) -> bytes:
    return (
        f"From: u1@team.example\r\nTo: cand@mail.example\r\nMessage-ID: <stop-{number}@x>\r\n"
        f"Date: Thu, 15 Jan 2026 09:00:{number:02} +0000\r\nSubject: Mail {number}\r\n\r\n"
        f"{'The text. ' * (size // 10)}\r\n"
    ).encode()


def test_who_waits_for_everything_leaves_at_once(parts: Parts) -> None:
    replicas = parts.start_all()
    for replica in replicas.values():
        while "waiting for the" not in replica.process.tail():
            assert replica.process.alive
            time.sleep(0.05)
    terminate(replicas)


@pytest.mark.parametrize("frozen", ["broker", *in_full("database")])
async def test_with_hands_full_and_a_part_frozen_nothing_is_lost(
    parts: Parts, mongodb_url: str, frozen: str
) -> None:
    async with connect(mongodb_url, "test") as client:
        await migrate(client[parts.settings["MATCHER_DATABASE"]], MATCHER_INDEXES)
        await migrate(client[parts.settings["TIMELINE_DATABASE"]], TIMELINE_INDEXES)
        stopped_and_started_again(parts, frozen)
        with pymongo.timeout(60):  # what a transaction had begun is given up after 15 s
            for name in ("MATCHER_DATABASE", "TIMELINE_DATABASE"):
                await client.drop_database(parts.settings[name])


def stopped_and_started_again(parts: Parts, frozen: str) -> None:
    for part in ("broker", "database", "blobs"):
        parts.bring(part)
    replicas = parts.start_all()
    for replica in replicas.values():
        replica.await_ready()
    ats = client_of(replicas)
    ats.put_person("u1", "user", "User", ["u1@team.example"])
    ats.put_person("c1", "candidate", "Candidate", ["cand@mail.example"])
    capture = ats.mint("u1")
    with ats.stream("timeline", "/v1/events") as answer:
        assert Listening(answer).next().kind == "ready"
        upload = half_an_upload(replicas["ingest"], capture)
        with smtplib.SMTP("127.0.0.1", replicas["ingest"].ports["INGEST_SMTP_PORT"]) as session:
            for number in range(MAILS):
                size = 300_000 if number % 10 == 0 else 100
                session.sendmail("u1@team.example", [capture], mail(number, size))
                if number == MAILS // 2:
                    getattr(parts, frozen).freeze()
                    if frozen == "broker":
                        break
            answers: list[int] = []
            sending = threading.Thread(
                target=lambda: answers.append(last_answer(session, capture)), daemon=True
            )
            if frozen == "broker":
                sending.start()
                time.sleep(0.3)
            terminate(replicas)
            if frozen == "broker":
                sending.join(DEADLINE)
                assert answers == [451]
            session.close()
    assert upload.recv(100).startswith(b"HTTP/1.1 503 "), "try again, not: it failed"
    upload.close()
    getattr(parts, frozen).thaw()
    for replica in replicas.values():
        replica.start()
    for replica in replicas.values():
        replica.await_ready()
    accepted = MAILS // 2 + 1 if frozen == "broker" else MAILS
    wanted = {f"Mail {number}" for number in range(accepted)}
    deadline = time.monotonic() + DEADLINE
    # The one that was told to try again may be there, too.
    while missing := wanted - {mail["subject"] for mail in ats.timeline("c1")}:
        assert time.monotonic() < deadline, missing
        time.sleep(0.1)


def last_answer(session: smtplib.SMTP, capture: str) -> int:
    """Return what is answered to a mail that cannot be made durable."""
    session.docmd("MAIL FROM:<u1@team.example>")
    session.docmd(f"RCPT TO:<{capture}>")
    code, _ = session.data(mail(MAILS))
    return code


def half_an_upload(ingest: Replica, capture: str) -> socket.socket:
    """Return the connection of a request that has brought half of its mail."""
    token = sign(
        SECRET,
        issuer="satchel",
        account="acme",
        person_id="u1",
        scope=SCOPES,
        expires_at=int(time.time()) + 600,
    )
    connection = socket.create_connection(("127.0.0.1", ingest.http_port), timeout=DEADLINE)
    connection.sendall(
        f"POST /v1/mail?recipient={capture} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: message/rfc822\r\n"
        "Content-Length: 1000\r\n\r\nFrom: u1@team.example\r\n".encode()
    )
    return connection
