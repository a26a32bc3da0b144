"""The SMTP door: an envelope, a mail, and an answer that can be trusted.

* RCPT is checked by the address's own MAC: 550 for anything that is no capture address here.
* DATA is read in pieces into memory that cannot exceed the size limit, however long its lines are,
  and all sessions together cannot exceed theirs. CRLF.CRLF alone ends it (RFC 5321 section
  4.1.1.4); a bare CR or LF is content. What is beyond a limit is drained, and answered with 552
  when the mail is too large, with 451 when there is too much at a time.
* 250 after the broker's confirm, 451 when it cannot confirm. Our own faults are 451, never 5xx:
  a 5xx makes the sender give up.
* Replies carry no text of an exception. The library's log is switched off (`shared.runtime`), since
  it writes addresses.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from services.ingest.metrics import SMTP_REFUSED, SMTP_SESSIONS
from services.ingest.receive import NotAccepted, Receiver
from shared.capture_address import CaptureAddress

MAX_RECIPIENTS = 100
"""RFC 5321 section 4.5.3.1.8: at least this many."""
_END = b"\r\n.\r\n"
_PIECE = 1024 * 1024
_DRAIN_SECONDS = 7.5
"""More than the broker has to confirm a mail (PUBLISH_DEADLINE)."""
_GOODBYE_SECONDS = 0.5

Verify = Callable[[str], CaptureAddress | None]
log = structlog.get_logger()


class MailTooLarge(Exception):
    """The mail is over the limit; all of it was drained."""


class TooMuchAtOnce(Exception):
    """All sessions together hold as much as they may; the mail was drained."""


async def read_data(
    reader: asyncio.StreamReader, limit: int, may_hold: Callable[[int], bool] = lambda _: True
) -> bytes:
    """Return the mail that follows a 354, its dots unstuffed (RFC 5321 section 4.5.2).

    Never holds more than `limit` bytes and one piece, and stops holding when `may_hold`, asked with
    the size after each piece, says no. Raises MailTooLarge and TooMuchAtOnce once the end was seen,
    ConnectionResetError when it never comes.
    """
    mail = bytearray(b"\r\n")  # DATA begins at the start of a line: its first may be the last
    too_large = too_much = False
    while True:
        piece = await reader.read(_PIECE)
        if not piece:
            raise ConnectionResetError
        unseen = max(0, len(mail) - len(_END) + 1)
        mail += piece
        end = mail.find(_END, unseen)
        if end >= 0:
            rest = bytes(mail[end + len(_END) :])
            del mail[end + len(b"\r\n") :]
        too_large = too_large or len(mail) > limit + len(b"\r\n")
        too_much = too_much or not may_hold(0 if too_large else len(mail))
        if end >= 0:
            if rest:
                reader.feed_data(rest)  # `read` took all there was, so this comes next
            break
        if too_large or too_much:
            del mail[: 1 - len(_END)]
    if too_large:
        raise MailTooLarge
    if too_much:
        raise TooMuchAtOnce
    if b"\r\n." in mail:
        mail = mail.replace(b"\r\n.", b"\r\n")
    return bytes(memoryview(mail)[len(b"\r\n") :])


class CaptureSession(SMTP):
    """One SMTP session."""

    line_length_limit = 64 * 1024  # of the stream's buffer; commands are held to 512 octets
    event_handler: "Commands"

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Read the mail and answer 250 (durable), 451 (try again) or 552 (too large)."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None  # noqa: S101 - for the type checker
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT first")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        limit = self.data_size_limit
        assert limit  # noqa: S101 - for the type checker
        with self.event_handler.mail_in_hand() as may_hold:

            def piece_arrived(size: int) -> bool:
                self._reset_timeout()
                return may_hold(size)

            try:
                raw = await read_data(self._reader, limit, piece_arrived)
                answer = await self.event_handler.take(self.envelope, raw)
            except MailTooLarge:
                SMTP_REFUSED.labels("too_large").inc()
                answer = f"552 5.3.4 the mail is larger than {limit} bytes"
            except TooMuchAtOnce:
                SMTP_REFUSED.labels("too_much_at_once").inc()
                answer = "451 4.3.1 too much mail at a time, try again later"
            self.envelope = self._create_envelope()
            await self.push(answer)
        if self.event_handler.stopping.is_set():
            await self.leave()

    async def leave(self) -> None:
        """Say that the service stops, and hang up, whether the other side listens or not."""
        if self.transport is None:
            return
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self.push("421 4.3.2 the service stops, try again")
        if self.transport is not None:
            self.transport.close()

    def _timeout_cb(self) -> None:
        """Hang up on who was silent for too long. `close` would wait for who does not read."""
        SMTP_REFUSED.labels("timeout").inc()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection, and forget what was not sent."""
        abort = getattr(self.transport, "abort", None)  # None once the connection is lost
        if abort is not None:
            abort()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Return the address and what follows it; None for both when it is not one.

        The library's parser raises on some broken input, which would be answered as our fault.
        """
        try:
            address, rest = super()._getaddr(arg)
        except Exception:
            return None, None
        return address, rest

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        """Return the parameters; None when they are not well formed."""
        found = super()._getparams(params)
        size = found.get("SIZE") if found else None
        if isinstance(size, str) and not (size.isascii() and size.isdecimal()):
            return None
        return found

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the session."""
        self.event_handler.sessions.add(self)
        SMTP_SESSIONS.set(len(self.event_handler.sessions))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the session."""
        self.event_handler.sessions.discard(self)
        SMTP_SESSIONS.set(len(self.event_handler.sessions))
        super().connection_lost(error)


class Commands:
    """What the sessions of one server share: the library's hooks, and what is in hand."""

    def __init__(self, receiver: Receiver, verify: Verify, max_bytes_in_hand: int) -> None:
        self._receiver, self._verify = receiver, verify
        self._max_bytes_in_hand = max_bytes_in_hand
        self._bytes_in_hand: dict[object, int] = {}
        self.sessions: set[CaptureSession] = set()
        self.stopping = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    @contextlib.contextmanager
    def mail_in_hand(self) -> Iterator[Callable[[int], bool]]:
        """Count a mail that is being read or made durable, until it is answered.

        Yields what tells whether the mail may be held, now that it has so many bytes. Once it may
        not, it never may.
        """
        mail, refused = object(), False

        def may_hold(size: int) -> bool:
            nonlocal refused
            others = sum(self._bytes_in_hand.values()) - self._bytes_in_hand[mail]
            refused = refused or others + size > self._max_bytes_in_hand
            self._bytes_in_hand[mail] = 0 if refused else size
            return not refused

        self._bytes_in_hand[mail] = 0
        self.idle.clear()
        try:
            yield may_hold
        finally:
            del self._bytes_in_hand[mail]
            if not self._bytes_in_hand:
                self.idle.set()

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        """Answer 250 to a capture address of this deployment, 550 to all others."""
        if self._verify(address) is None:
            SMTP_REFUSED.labels("no_capture_address").inc()
            return "550 5.1.1 no such capture address"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            SMTP_REFUSED.labels("too_many_recipients").inc()
            return "452 4.5.3 too many recipients, send the rest in another transaction"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        """Answer 451 to a fault of ours, without its text."""
        log.error("smtp session failed", exc_info=error)
        SMTP_REFUSED.labels("fault").inc()
        return "451 4.3.0 internal trouble, try again later"

    async def take(self, envelope: Envelope, raw: bytes) -> str:
        """Return the answer to DATA: 250 when the mail is durable, 451 when it is not."""
        verified = [self._verify(address) for address in envelope.rcpt_tos]
        recipients = {r.address: r for r in verified if r is not None}
        try:
            captures = await self._receiver.receive(
                raw, list(recipients.values()), mail_from=_sender(envelope.mail_from), door="smtp"
            )
        except NotAccepted:
            return "451 4.3.0 the mail cannot be taken right now, try again later"
        return f"250 2.6.0 accepted as {captures[0]}"


class SmtpServer:
    """Listens, and on stopping finishes the mails in hand before it hangs up."""

    def __init__(
        self,
        receiver: Receiver,
        verify: Verify,
        *,
        host: str,
        port: int,
        name: str,
        max_bytes: int,
        max_bytes_in_hand: int,
        timeout: float,
    ) -> None:
        """Announce `name`, take mails up to `max_bytes`, close what is idle for `timeout` s.

        All sessions together hold at most `max_bytes_in_hand` of mail.
        """
        self._commands = Commands(receiver, verify, max_bytes_in_hand)
        self._address = (host, port)
        self._options: dict[str, Any] = {
            "data_size_limit": max_bytes,
            "hostname": name,
            "timeout": timeout,
        }
        self.listening = False

    async def run(self) -> None:
        """Serve until `stop`."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._session, *self._address)
        self.listening = True
        await self._commands.stopping.wait()
        self.listening = False
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._commands.idle.wait(), _DRAIN_SECONDS)
        await asyncio.gather(*(session.leave() for session in self._commands.sessions))
        await asyncio.sleep(_GOODBYE_SECONDS if self._commands.sessions else 0)
        for session in self._commands.sessions:
            session.hang_up()

    def stop(self) -> None:
        """Take no new sessions; finish the mails in hand."""
        self._commands.stopping.set()

    def _session(self) -> CaptureSession:
        return CaptureSession(
            self._commands,
            enable_SMTPUTF8=True,
            ident="Satchel",
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=asyncio.get_running_loop(),
            **self._options,
        )


def _sender(mail_from: str | None) -> str | None:
    """Return the envelope's sender; the null reverse-path (RFC 5321 section 4.5.5) is None."""
    address = (mail_from or "").strip("<> ")
    return address.encode(errors="replace").decode() or None
