"""The SMTP relay: the only way by which Satchel sends mail.

TLS comes before everything else: by STARTTLS (`smtp://`), or from the start (`smtps://`). A relay
without it is refused unless RELAY_STARTTLS is off.
"""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}
_MAX_REPLY = 1000


class RelayAway(Exception):
    """The relay did not accept the mail, for a reason other than the recipient."""


class RelayRefused(Exception):
    """The relay refuses this recipient permanently."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply[:_MAX_REPLY]


def relay_place(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a relay's URL. Raises ValueError that says what to write."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("must be smtp://host:587 or smtps://host:465")
    if parts.username or parts.password:
        raise ValueError("must not contain credentials: set RELAY_USER and RELAY_PASSWORD")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must end after the port")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]


class Outgoing(Protocol):
    """Something that sends mail."""

    @property
    def sender(self) -> str:
        """The From address of what is sent."""

    async def send(self, mail: bytes, *, envelope_sender: str, recipient: str) -> None:
        """Return once the mail was taken. Raises RelayAway or RelayRefused."""


@dataclass(frozen=True, slots=True)
class Relay:
    """An SMTP server that accepts mail for anywhere."""

    url: str
    sender: str
    """The author of what is sent, as it is shown."""
    hostname: str
    """How Satchel names itself."""
    user: str | None = None
    password: str | None = None
    starttls: bool = True
    ca_file: str | None = None
    """Who vouches for the relay; the system's authorities when not given."""

    async def send(self, mail: bytes, *, envelope_sender: str, recipient: str) -> None:
        """Return once the relay took the mail. Raises RelayAway or RelayRefused."""
        await asyncio.to_thread(self._send, mail, envelope_sender, recipient)

    def _send(self, mail: bytes, envelope_sender: str, recipient: str) -> None:
        try:
            with self._session() as session:
                if self.user is not None:
                    session.login(self.user, self.password or "")
                options = []
                if not recipient.isascii():
                    if not session.has_extn("smtputf8"):
                        raise RelayRefused(
                            "5.6.7 the relay does not accept internationalised addresses"
                        )
                    options = ["SMTPUTF8", "BODY=8BITMIME"]
                session.sendmail(envelope_sender, [recipient], mail, options)
        except smtplib.SMTPRecipientsRefused as refused:
            code, reply = refused.recipients[recipient]
            if code >= 500:
                raise RelayRefused(_text(reply)) from None
            raise RelayAway(f"the relay answered {code}") from None
        except smtplib.SMTPResponseException as error:
            raise RelayAway(f"the relay answered {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise RelayAway(f"the relay cannot be used: {type(error).__name__}") from error

    def _session(self) -> smtplib.SMTP:
        scheme, host, port = relay_place(self.url)
        context = ssl.create_default_context(cafile=self.ca_file)
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, self.hostname, timeout=_SECONDS, context=context)
        session = smtplib.SMTP(host, port, self.hostname, timeout=_SECONDS)
        try:
            if self.starttls:
                session.starttls(context=context)  # raises where the relay has none
        except BaseException:
            session.close()
            raise
        return session


def _text(reply: bytes | str) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
