"""The commands of an SMTP session, and their replies.

* A command is a line of at most 1,024 octets that ends with CRLF. A bare LF does not end one.
* DATA and BDAT (CHUNKING, RFC 3030) reply 250 once the mail is durable, 451 if the sender should
  retry, 552 if it is too large.
* Commands may be sent ahead (PIPELINING, RFC 2920): they are handled one after the other.
* Each reply has an enhanced status (RFC 2034): ours, or the one that fits the library's code.
"""

import re
from collections.abc import Sequence
from typing import Any

from services.ingest.metrics import SMTP_REFUSED
from services.ingest.smtp.admission import Admission
from services.ingest.smtp.data import MailTooLarge, TooMuchAtOnce, read_chunk, read_data
from services.ingest.smtp.envelope import Mail
from services.ingest.smtp.session import BoundedSession, Leave
from shared.runtime.in_flight import Reservation

_LINE = 1024
"""RFC 5321 section 4.5.3.1.4 asks for 512, and for more with the parameters of extensions."""
_CHUNK_DIGITS = 15
_ATOM = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]++"
_ATOMS = rf"{_ATOM}(?>(?:\.{_ATOM})*)"
_PLAIN_PATH = re.compile(rf"<({_ATOMS}@{_ATOMS})>(?: ++([A-Z][!-~ ]*+))?")
"""What nearly every MAIL and RCPT names, and parameters. A `?` may belong to an encoded word."""
_COMMANDS = "BDAT DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY"
_PROXY_HEADER = ("PROXY", "\0")
"""How a line of the PROXY protocol begins, version 1 and 2: from no proxy of ours it is a lie."""
_BEFORE_TLS = {"EHLO", "HELO", "NOOP", "QUIT", "RSET", "STARTTLS"}
_STATUS = {
    "250": "2.0.0",
    "500": "5.5.2",
    "501": "5.5.4",
    "503": "5.5.1",
    "552": "5.3.4",
    "553": "5.1.3",
    "555": "5.5.4",
}


class CaptureSession(BoundedSession):
    """One SMTP session."""

    def __init__(self, admission: "Admission", **options: Any) -> None:
        super().__init__(admission, **options)
        self._smtp_methods = {verb: getattr(self, f"smtp_{verb}") for verb in _COMMANDS.split()}
        self._commands = self._errors = 0
        self._is_secure = False

    async def _obey(self, line: bytes) -> None:
        verb, _, words = line.removesuffix(b"\r\n").partition(b" ")
        command = verb.upper().decode("ascii", "replace")
        self._commands += 1
        if self._commands > self._limits.commands:
            raise Leave("commands", "421 4.7.0 too many commands, goodbye")
        if command in _PROXY_HEADER:
            raise Leave("proxy_header", "421 4.7.0 a PROXY header is not believed from here")
        if len(line) > _LINE:
            await self.push("500 5.5.2 line too long")
        elif not line.endswith(b"\r\n"):
            await self.push("500 5.5.2 lines must end with CRLF")
        elif command not in self._smtp_methods:
            await self.push("500 5.5.2 no such command")
        elif self._admission.require_tls and not self._is_secure and command not in _BEFORE_TLS:
            await self.push("530 5.7.0 STARTTLS first")
        else:
            arg = words.strip().decode("utf-8", "surrogateescape")
            await self._smtp_methods[command](arg or None)
        if self._errors > self._limits.errors:
            raise Leave("errors", "421 4.7.0 too many errors, goodbye")
        if self._admission.stopping.is_set():
            raise Leave(None, "421 4.3.2 the service is stopping, try again")

    async def push(self, status: str | bytes) -> None:
        """Answer a command."""
        text = status.decode() if isinstance(status, bytes) else status
        code, _, words = text.partition(" ")
        if code in _STATUS and words[1:2] != ".":
            text = f"{code} {_STATUS[code]} {words}"
        self._errors += text.startswith("5")
        await self._write(text)

    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: N802 - the library's name
        """Start a session and list the extensions."""
        if await self._is_named(hostname, "EHLO"):
            can_secure = self._admission.certificate is not None and not self._is_secure
            lines = (
                self.hostname,
                f"SIZE {self._limits.mail_bytes}",
                "8BITMIME",
                "SMTPUTF8",
                "PIPELINING",
                "CHUNKING",
                *(["STARTTLS"] if can_secure else []),
            )
            told = "".join(f"250-{line}\r\n" for line in lines)
            await self._write(f"{told}250 ENHANCEDSTATUSCODES")

    async def smtp_HELO(self, hostname: str | None) -> None:  # noqa: N802 - the library's name
        """Start a session without extensions."""
        if await self._is_named(hostname, "HELO"):
            await self._write(f"250 {self.hostname}")

    async def _is_named(self, hostname: str | None, verb: str) -> bool:
        if not hostname:
            await self.push(f"501 Syntax: {verb} hostname")
            return False
        self._set_post_data_state()
        self.session.host_name = hostname
        self.session.extended_smtp = verb == "EHLO"
        return True

    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Answer 220 and shake hands; the session starts again."""
        certificate = self._admission.certificate
        if arg:
            await self.push("501 Syntax: STARTTLS")
        elif certificate is None or self._is_secure:
            await self.push("503 there is no TLS here, or already")
        else:
            context = certificate.context
            await self.push("220 2.0.0 go ahead")
            await self._secure(context)
            self._is_secure = True

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Read the mail and answer 250 (durable), 451 (try again) or 552 (too large)."""
        mail = self.envelope
        if not mail.recipients or mail.chunks is not None:
            await self.push("503 RCPT first, and no BDAT")
            return
        if arg:
            await self.push("501 Syntax: DATA")
            return
        await self._write("354 End data with <CR><LF>.<CR><LF>")
        try:
            raw = await read_data(self, self._limits.mail_bytes, self._reservation(mail).grow)
        except (MailTooLarge, TooMuchAtOnce) as refusal:
            answer = self._refused(refusal)
        else:
            answer = await self._take(mail, raw)
        await self._settle(answer)

    async def smtp_BDAT(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Read a chunk; after the last, answer as to DATA. What is refused is read, too."""
        size, is_last = _chunk(arg)
        mail = self.envelope
        answer = mail.failed or ("" if mail.recipients else "503 RCPT first")
        chunks = bytearray() if mail.chunks is None else mail.chunks
        limit = -1 if answer else self._limits.mail_bytes
        try:
            await read_chunk(self, size, chunks, limit, self._reservation(mail).grow)
        except (MailTooLarge, TooMuchAtOnce) as refusal:
            chunks.clear()
            answer = answer or self._refused(refusal)
        if not mail.recipients:
            mail.due = None
            await self.push(answer)
            return
        mail.chunks, mail.failed = chunks, answer
        if is_last:
            await self._settle(answer or await self._take(mail, bytes(chunks)))
        else:
            await self.push(answer or f"250 {len(chunks)} octets of it are here")

    async def smtp_QUIT(self, _: str | None) -> None:  # noqa: N802 - the library's name
        """Answer 221 and hang up."""
        raise Leave(None, "221 2.0.0 goodbye")

    async def smtp_VRFY(self, _: str | None) -> None:  # noqa: N802 - the library's name
        """Answer 252: RCPT tells (RFC 5321 section 3.5.3)."""
        await self.push("252 2.5.0 ask with RCPT")

    async def smtp_HELP(self, _: str | None) -> None:  # noqa: N802 - the library's name
        """List the commands."""
        await self.push(f"214 2.0.0 {_COMMANDS}")

    def _reservation(self, mail: Mail) -> Reservation:
        if mail.reservation is None:
            accounts = {recipient.account_tag for recipient in mail.recipients.values()}
            mail.reservation = self._admission.in_flight.reserve(accounts, self.free_memory)
        return mail.reservation

    async def _take(self, mail: Mail, raw: bytes) -> str:
        self._reservation(mail).complete()
        answer = await self._admission.take(mail, raw, self.network)
        if answer.startswith("250"):
            self._admission.limiter.brought_mail(self)
        return answer

    def _refused(self, refusal: MailTooLarge | TooMuchAtOnce) -> str:
        if isinstance(refusal, MailTooLarge):
            SMTP_REFUSED.labels("too_large").inc()
            return f"552 5.3.4 the mail is larger than {self._limits.mail_bytes} bytes"
        SMTP_REFUSED.labels("too_much_at_once").inc()
        return "451 4.3.1 too much mail in flight, try again later"

    async def _settle(self, answer: str) -> None:
        """Answer to a whole mail; then the next may come."""
        if answer.startswith("250"):
            self._commands = 0
        await self.push(answer)
        self._set_post_data_state()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Return the address and what follows it; None for both when it is not one.

        The library's parser raises on some broken input, which would be answered as our fault. It
        takes a fifth of the time of a whole mail, so it gets what is out of the ordinary.
        """
        plain = _PLAIN_PATH.fullmatch(arg)
        if plain is not None:
            return plain[1], plain[2] or ""
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


def _chunk(arg: str | None) -> tuple[int, bool]:
    """Return the size of a chunk, and whether it is the last; else where it ends is not known."""
    match (arg or "").upper().split():
        case [size, *last] if size.isascii() and size.isdecimal() and last in ([], ["LAST"]):
            if len(size) <= _CHUNK_DIGITS:
                return int(size), bool(last)
    raise Leave("syntax", "501 5.5.4 Syntax: BDAT <size> [LAST]")
