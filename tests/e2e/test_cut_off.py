"""A mail whose 250 never arrived is sent again, as a mail server does: it is shown once."""

import smtplib
import socket
from collections.abc import Iterator

import pytest

from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.wire import Wire

LARGE = 300 * 1024
"""More than travels through the broker."""


def raw(account: Account, size: int) -> bytes:
    line = "Cut off and sent again.\r\n"
    return (
        "From: user@team.example\r\nTo: cand@mail.example\r\n"
        f"Message-ID: <cut-{size}@{account.name}>\r\n"
        "Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nSubject: Cut off\r\n\r\n"
        f"{line * (size // len(line) + 1)}"
    ).encode()


@pytest.fixture
def wires(account: Account) -> Iterator[list[Wire]]:
    """Ways to both replicas of ingest that keep the answer to a mail to themselves."""
    wires = [Wire(r.ports["INGEST_SMTP_PORT"]) for r in account.stack.of("ingest")]
    for wire in wires:
        wire.swallow = b"250 2.6.0 accepted"
        wire.open()
    yield wires
    for wire in wires:
        wire.close()


def hang_up_after_the_end(port: int, capture: str, mail: bytes) -> None:
    """Send a mail to its end, and reset the connection before the answer is read."""
    session = smtplib.SMTP("127.0.0.1", port, timeout=DEADLINE)
    session.ehlo()
    for command in ("MAIL FROM:<user@team.example>", f"RCPT TO:<{capture}>", "DATA"):
        assert session.docmd(command)[0] in (250, 354)
    session.send(mail + b".\r\n")
    assert session.sock is not None
    session.sock.shutdown(socket.SHUT_WR)
    session.close()


@pytest.mark.parametrize("size", [100, LARGE], ids=["small", "large"])
def test_a_proxy_that_swallows_the_250_three_times(
    account: Account, wires: list[Wire], size: int
) -> None:
    mail = raw(account, size)
    for number in range(3):
        wire = wires[number % 2]
        session = smtplib.SMTP("127.0.0.1", wire.port, timeout=DEADLINE)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            session.sendmail("user@team.example", [account.capture], mail)
    assert sum(wire.swallowed for wire in wires) == 3
    assert account.outcome(captures=3) == {"attached": 3}
    shown_once(account)


def test_a_sender_that_hangs_up_before_it_reads_the_250(account: Account) -> None:
    mail = raw(account, 100)
    for number in range(3):
        ingest = account.stack.of("ingest")[number % 2]
        hang_up_after_the_end(ingest.ports["INGEST_SMTP_PORT"], account.capture, mail)
    account.client.send("user@team.example", [account.capture], mail)  # and it gives not up
    account.client.await_mails("c1", 1)
    shown_once(account)


def shown_once(account: Account) -> None:
    """Look at all that a reader can see, on both replicas of the timeline."""
    for number in range(2):
        client = account.client_for("u1", replica=number)
        [mail] = client.timeline("c1")
        assert [who["person_id"] for who in mail["captured_by"]] == ["u1"]
        assert mail["variants"] == []
        [conversation] = client.inbox()
        assert conversation["mail_count"] == 1
        [found] = client.inbox(q="again")
        assert found["id"] == conversation["id"]
        [own] = client.inbox(owner="me")
        assert own["mail_count"] == 1
        whole = client.json("GET", "timeline", f"/v1/conversations/{conversation['id']}")
        assert [inner["id"] for inner in whole["mails"]] == [mail["id"]]
    account.await_no_claims()
