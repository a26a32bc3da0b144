"""SIGTERM: work in flight is finished, and no client can keep a service from stopping."""

import contextlib
import os
import signal
import smtplib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from dev.stack import Replica
from shared.contracts.capture_address import KeyRing
from shared.contracts.receipts import RECEIPT_PREFIX, decode
from tests.deadline import DEADLINE

KEYS, DOMAIN = "k1:" + "s" * 20, "in.satchel.test"
ADDRESS = KeyRing.parse(KEYS).mint("acme", "anna", DOMAIN).address


@pytest.fixture
def ingest(amqp_url: str, tmp_path: Path) -> Iterator[Replica]:
    """The real process of ingest, on the event loop that it has in production."""
    ports = {"INGEST_SMTP_PORT": free_port(), "INGEST_HTTP_PORT": free_port()}
    environment = {
        "PATH": os.environ["PATH"],
        "AMQP_URL": amqp_url,
        "BLOB_URL": f"file://{tmp_path}/blobs",
        "CAPTURE_KEYS": KEYS,
        "TOKEN_SECRET": "t" * 40,
        "BIND_HOST": "127.0.0.1",
        **{name: str(port) for name, port in ports.items()},
    }
    process = Process(
        [sys.executable, "-m", "services.ingest"],
        log=tmp_path / "ingest.log",
        environment=environment,
        folder=ROOT,
    )
    replica = Replica("ingest", "ingest", ports, process)
    replica.start()
    replica.await_ready()
    yield replica
    process.kill()


def terminate(replica: Replica) -> None:
    """Send SIGTERM; return once it has left in good order, within its own STOP_SECONDS."""
    os.kill(replica.process.pid, signal.SIGTERM)
    assert replica.process.wait(DEADLINE) == 0, replica.process.tail()


def test_who_never_reads_and_who_never_speaks_are_left(ingest: Replica) -> None:
    port = ingest.ports["INGEST_SMTP_PORT"]
    deaf = socket.create_connection(("127.0.0.1", port), timeout=1)
    with contextlib.suppress(TimeoutError, ConnectionError):  # nobody reads, or it was too much
        for _ in range(100_000):
            deaf.sendall(b"EHLO x\r\n" * 1000)
    mute = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    assert mute.recv(100).startswith(b"220 ")
    terminate(ingest)
    assert mute.recv(100).startswith(b"421 ")
    for connection in (deaf, mute):
        connection.close()


def test_a_mail_in_the_middle_of_data_is_taken_and_answered_and_has_its_receipt(
    ingest: Replica, tmp_path: Path
) -> None:
    session = smtplib.SMTP("127.0.0.1", ingest.ports["INGEST_SMTP_PORT"], timeout=DEADLINE)
    session.ehlo()
    for command in ("MAIL FROM:<a@x.example>", f"RCPT TO:<{ADDRESS}>", "DATA"):
        session.docmd(command)
    session.send(b"From: a@x.example\r\n\r\nfirst half, ")

    def second_half() -> None:
        time.sleep(1)
        session.send(b"second half\r\n.\r\n")

    sending = threading.Thread(target=second_half)
    sending.start()
    terminate(ingest)
    sending.join()
    code, answer = session.getreply()
    assert code == 250
    assert session.getreply()[0] == 421
    [written] = (tmp_path / "blobs" / RECEIPT_PREFIX).rglob("*.ndjson")
    [receipt] = decode(written.read_bytes())
    assert str(receipt.capture_id) == answer.decode().rpartition(" ")[2]
    session.close()
