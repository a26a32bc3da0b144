"""The life of an SMTP session, from its first to its last moment, whatever the other side does.

The library (aiosmtpd) provides the protocol, the syntax of MAIL and RCPT, and the state between
them. The parts of it that read from strangers are replaced, here and in `commands.py` (decision
17).

* Each wait for a line or a piece of a mail has a time limit, and each line a maximum length.
* A session over a limit gets 421 and is closed.
* Our own faults are answered with 421 or 451, never 5xx, because 5xx makes the sender give up. No
  answer quotes input or the text of an exception.
* Nothing that arrived in plain text counts after STARTTLS (RFC 3207 sections 4.2 and 5).
"""

import asyncio
import contextlib
import ssl
import weakref
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Session

from services.ingest.metrics import SMTP_REFUSED
from services.ingest.smtp.admission import Admission
from services.ingest.smtp.connections import network_of
from services.ingest.smtp.envelope import Mail
from services.ingest.smtp.proxy_header import NoProxyHeader, read_proxy_header

_BUFFER = 16 * 1024
"""Octets that may lie here unread before the transport pauses, and half as many as then."""
_HANDSHAKE_SECONDS = 30.0
_PROXY_SECONDS = 5.0
_WRITE_SECONDS = 30.0
_GOODBYE_SECONDS = 2.0
_BEHIND_SECONDS = 10.0
"""A mail that is so far behind the minimum rate is not steady."""
_FULL = "421 4.3.2 too many connections, try again later"
log = structlog.get_logger()


class Leave(Exception):
    """Ends the session with this answer. `reason` counts it as refused."""

    def __init__(self, reason: str | None, answer: str) -> None:
        super().__init__(reason)
        self.reason, self.answer = reason, answer


class BoundedSession(SMTP):
    """Reads and answers within limits; `_obey` executes a command."""

    line_length_limit = _BUFFER
    event_handler: "Admission"
    envelope: Mail
    session: Session

    def __init__(self, admission: "Admission", **options: Any) -> None:
        self._admission, self._limits = admission, admission.limits
        super().__init__(
            admission,
            data_size_limit=admission.limits.mail_bytes,
            enable_SMTPUTF8=True,
            timeout=admission.limits.session_seconds + 60.0,  # a last resort, set once
            **options,
        )
        self._ends_at = self.loop.time() + admission.limits.session_seconds
        self._ahead = b""
        self._is_leaving = False
        self._in_the_way: Leave | None = None
        self.network = ""
        """Of the client, as `connections.network_of` says."""
        self._plain_writer: asyncio.StreamWriter | None = None

    async def _obey(self, line: bytes) -> None:
        raise NotImplementedError

    async def _handle_client(self) -> None:
        try:
            await self._arrive()
            while True:
                await self._obey(await self._line())
        except Leave as leave:
            if leave.reason:
                SMTP_REFUSED.labels(leave.reason).inc()
            await self._say_goodbye(leave)
        except (ConnectionError, TimeoutError):  # lost, or the client does not read
            pass
        except asyncio.CancelledError:
            if self._in_the_way is None:
                raise
            SMTP_REFUSED.labels(self._in_the_way.reason).inc()
            await self._say_goodbye(self._in_the_way)
        except Exception as error:
            log.error("smtp session failed", exc_info=error)
            SMTP_REFUSED.labels("fault").inc()
            await self._say_goodbye(Leave(None, "421 4.3.0 internal error, try again later"))
        finally:
            self._set_post_data_state()
            self._admission.limiter.leave(self)
            self.close()

    async def _arrive(self) -> None:
        """Greet, if there is a place. Who comes through a proxy is whom the proxy names."""
        limiter = self._admission.limiter
        address = str((self._writer.get_extra_info("peername") or ("unknown",))[0])
        if self._admission.is_proxy(address):
            try:
                async with asyncio.timeout(_PROXY_SECONDS):
                    address = str(await read_proxy_header(self._reader) or address)
            except (NoProxyHeader, TimeoutError) as error:
                raise Leave("proxy_header", "421 4.3.5 PROXY header expected") from error
        if not limiter.allows(address):
            SMTP_REFUSED.labels("connections_per_address").inc()
            raise Leave(None, "421 4.7.0 too many connections from your address")
        if not limiter.enter(self, address):
            SMTP_REFUSED.labels("connections").inc()
            raise Leave(None, _FULL)
        self.network = network_of(address)
        await self._write(f"220 {self.hostname} ESMTP Satchel")

    async def _line(self) -> bytes:
        """Return the next line, with its LF."""
        line, lf, self._ahead = self._ahead.partition(b"\n")
        if lf:
            return line + lf
        try:
            async with self._patience():
                return line + await self._reader.readuntil(b"\n")
        except TimeoutError as error:
            raise Leave("timeout", "421 4.4.2 timeout, goodbye") from error
        except asyncio.LimitOverrunError as error:
            raise Leave("line_too_long", "421 4.7.0 line too long, goodbye") from error
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError from error

    async def read(self, most: int) -> bytes:
        """Return some bytes of a mail, as `data.Pieces` says."""
        if self._ahead:
            piece, self._ahead = self._ahead[:most], self._ahead[most:]
            return piece
        mail, limits = self.envelope, self._limits
        if mail.due is None:
            mail.due = self.loop.time() + limits.slow_seconds
        try:
            async with self._patience():
                piece = await self._reader.read(most)
        except TimeoutError as error:
            raise Leave("too_slow", "421 4.4.2 too slow, goodbye") from error
        now = self.loop.time()
        mail.due = min(max(mail.due, now) + len(piece) / limits.min_rate, now + limits.slow_seconds)
        return piece

    def give_back(self, rest: bytes) -> None:
        """Take back what was read too far, as `data.Pieces` says."""
        self._ahead = rest + self._ahead

    def _patience(self) -> asyncio.Timeout:
        limits, mail = self._limits, self.envelope
        until = min(self.loop.time() + limits.idle_seconds, self._ends_at)
        if mail.due is not None:
            until = min(until, mail.due)
        return asyncio.timeout_at(until)

    async def _write(self, answer: str) -> None:
        self._writer.write(f"{answer}\r\n".encode())
        if self._writer.transport.get_write_buffer_size():  # else it is sent already
            async with asyncio.timeout(_WRITE_SECONDS):
                await self._writer.drain()

    async def _secure(self, context: ssl.SSLContext) -> None:
        """Shake hands. Whatever came before is forgotten."""
        # Nothing is awaited before the transport belongs to TLS: what came in plaintext is here, or
        # in the reader that is left behind, and what comes later is no handshake.
        self._ahead = b""
        self._plain_writer, plain = self._writer, self._writer.transport
        self._reader = asyncio.StreamReader(_BUFFER, self.loop)
        self._stream_reader_wr = weakref.ref(self._reader)
        try:
            secure = await self.loop.start_tls(
                plain,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            )
        except OSError as error:  # ssl.SSLError is one
            SMTP_REFUSED.labels("handshake").inc()
            raise ConnectionResetError from error
        if secure is None:
            raise ConnectionResetError
        self._reader.set_transport(secure)
        self._writer = asyncio.StreamWriter(secure, self, self._reader, self.loop)
        self.transport, self._over_ssl = secure, True
        self.session = self._create_session()
        self._set_post_data_state()

    async def _say_goodbye(self, leave: Leave) -> None:
        """Answer, and where much may be under way, give the answer a chance to arrive."""
        self._is_leaving = True
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._write(leave.answer)
                if leave.reason and self._writer.can_write_eof():
                    # To close while the other side still sends is to reset the connection, and a
                    # reset can overtake what was written.
                    self._writer.write_eof()
                    while await self._reader.read(_BUFFER):
                        pass

    @property
    def is_busy(self) -> bool:
        """Whether a mail is being received."""
        return self.envelope.due is not None or self.envelope.reservation is not None

    @property
    def is_steady(self) -> bool:
        """Whether the mail under way comes at the minimum rate, or has only just begun."""
        due, slow = self.envelope.due, self._limits.slow_seconds
        return due is not None and due - self.loop.time() > slow - min(_BEHIND_SECONDS, slow / 2)

    @property
    def is_filing(self) -> bool:
        """Whether a complete mail is being published."""
        reservation = self.envelope.reservation
        return reservation is not None and reservation.is_complete

    def make_room(self) -> None:
        """Close the session to make room for one that may have mail."""
        self._leave_now(Leave("made_room", _FULL))

    def free_memory(self) -> None:
        """Close the session: its slow mail was evicted for others."""
        self._leave_now(Leave("made_memory", "421 4.3.1 too slow while others wait, try again"))

    def _leave_now(self, leave: Leave) -> None:
        if self._handler_coroutine is not None and not (self._is_leaving or self._in_the_way):
            self._in_the_way = leave
            self._handler_coroutine.cancel()

    def dismiss(self, answer: str) -> None:
        """Answer and close the connection, whether the client reads the answer or not."""
        if not (self._is_leaving or self._writer.is_closing()):
            self._writer.write(f"{answer}\r\n".encode())
            self.close()

    def close(self) -> None:
        """Close the connection once the answer is sent, or after a while."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        if self.transport is not None:
            self.transport.close()
            self.loop.call_later(_GOODBYE_SECONDS, self.hang_up)

    def hang_up(self) -> None:
        """Close the connection and discard unsent answers."""
        abort = getattr(self.transport, "abort", None)  # None once the connection is lost
        if abort is not None:
            abort()

    def _timeout_cb(self) -> None:
        self.hang_up()

    def eof_received(self) -> bool | None:
        """Answer what came before the end; the library would drop it."""
        return asyncio.StreamReaderProtocol.eof_received(self)

    def _create_envelope(self) -> Mail:
        return Mail()

    def _set_post_data_state(self) -> None:
        """Forget the mail, and free its bytes."""
        if getattr(self, "envelope", None) is not None and self.envelope.reservation is not None:
            self.envelope.reservation.release()
        self.envelope = self._create_envelope()
