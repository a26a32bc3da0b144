"""Postfix in front, as docs/postfix.md says: nothing changed, nothing lost, nothing bounced."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.install import Unavailable
from dev.ports import free_port
from tests.deadline import DEADLINE
from tests.postfix import PrivatePostfix
from tests.smtp_server import ADDRESS, DOMAIN, RING, Served, serving

MAIL = (
    b"Bcc: hidden@x.example\r\nReturn-Path: <old@x.example>\r\nReceived: from elsewhere\r\n"
    b"from: a@x.example\r\nContent-Length: 1\r\nX-Long: " + b"y" * 200_000 + b"\r\n"
    b"Subject:  J\xc3\xbcrgen\t\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b".Hello.\r\n--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xff\x80\r\n"
    + b"z" * 5000
    + b"\r\nFrom here\r\n.\r\n \t\r\n--b--\r\n\r\n"
)


@pytest.fixture(scope="module")
def ingest_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def postfix(ingest_port: int) -> Iterator[PrivatePostfix]:
    try:
        with PrivatePostfix(DOMAIN, ingest_port) as running:
            yield running
    except Unavailable as missing:
        if "missing" in str(missing) or "root" in str(missing):
            pytest.skip(str(missing))
        raise


def send(port: int, recipient: str, *, secure: bool = False) -> str:
    """Send as a mail server does; return the first refusal, or the answer to DATA."""
    with smtplib.SMTP("127.0.0.1", port, "sender.test", timeout=DEADLINE) as session:
        session.ehlo()
        if secure:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            session.starttls(context=context)
            session.ehlo()
        session.docmd(f"MAIL FROM:<a@x.example> SIZE={len(MAIL)} BODY=8BITMIME")
        code, answer = session.docmd(f"RCPT TO:<{recipient}>")
        if code == 250:
            code, answer = session.data(MAIL)
        return f"{code} {answer.decode()}"


async def arrival(served: Served, count: int) -> bytes:
    async with asyncio.timeout(DEADLINE):
        while len(served.mails) < count:
            await asyncio.sleep(0.02)
    return served.mails[count - 1]


async def test_a_mail_goes_through_unchanged_and_waits_while_ingest_is_away(
    postfix: PrivatePostfix, ingest_port: int, tmp_path: Path
) -> None:
    async def through(recipient: str, *, secure: bool = False) -> str:
        return await asyncio.to_thread(send, postfix.port, recipient, secure=secure)

    made_up = ADDRESS.replace(".", "x.", 1)
    unseen = RING.mint("acme", "otto", DOMAIN).address
    async with serving(tmp_path, port=ingest_port) as served:
        assert (await through(ADDRESS, secure=True)).startswith("250 ")
        arrived = await arrival(served, 1)
        assert arrived.endswith(MAIL)
        added = arrived.removesuffix(MAIL)
        assert added.startswith(b"Received: from sender.test")
        assert added.count(b"\r\n") == added.count(b"\r\n\t") + 1, "one field"
        refused = await through(made_up)
        assert refused.startswith("550 5.1.1 ")
        assert "unknown" in refused
        assert (await through("somebody@elsewhere.example"))[:4] in ("554 ", "550 ")
        assert len(served.mails) == 1
    assert (await through(unseen)).startswith("450 "), "nobody can say whether it is one"
    assert (await through(ADDRESS)).startswith("250 ")
    assert (await through(made_up)).startswith("550 ")
    postfix.until("the mail waits", lambda: '"deferred"' in "".join(postfix.queued()))
    assert len(postfix.queued()) == 1
    async with serving(tmp_path, port=ingest_port) as served:
        await asyncio.to_thread(postfix.flush)
        assert (await arrival(served, 1)).endswith(MAIL)
    postfix.until("the queue is empty", lambda: not postfix.queued())
    assert "sender non-delivery notification" not in postfix.log


@contextlib.contextmanager
def idle(port: int, source: str, count: int) -> Iterator[list[socket.socket]]:
    """Hold so many sessions that say EHLO and nothing more."""
    with contextlib.ExitStack() as stack:
        sessions = []
        for _ in range(count):
            session = socket.create_connection(("127.0.0.1", port), DEADLINE, (source, 0))
            sessions.append(stack.enter_context(session))
        yield sessions


def greeted(sessions: list[socket.socket]) -> tuple[int, int]:
    """Return how many were greeted, and how many sent away."""
    first = [session.recv(200)[:3] for session in sessions]
    for session, code in zip(sessions, first, strict=True):
        if code == b"220":
            session.sendall(b"EHLO idle\r\n")
    return first.count(b"220"), first.count(b"421")


async def test_a_mail_goes_through_while_a_stranger_holds_idle_sessions(
    postfix: PrivatePostfix, ingest_port: int, tmp_path: Path, measured: list[str]
) -> None:
    async with serving(tmp_path, port=ingest_port) as served:
        with idle(postfix.port, "127.0.0.5", 50) as sessions:
            told = await asyncio.to_thread(greeted, sessions)
            began = time.monotonic()
            assert (await asyncio.to_thread(send, postfix.port, ADDRESS)).startswith("250 ")
            assert (await arrival(served, 1)).endswith(MAIL)
            seconds = time.monotonic() - began
            assert len(served.admission.limiter) <= 2, "who is idle there is not seen here"
    let_in, refused = told
    assert let_in + refused == 50
    assert 20 <= let_in < 25, "Postfix counts by another process, so a few more may slip in"
    assert len(served.mails) == 1
    measured.append(f"Postfix, 50 idle sessions of one address: there after {seconds:.1f} s")
