"""The demo's mail provider: the stack's relay, and recruiters' mailboxes that forward to it.

So a set-up can be finished in the pages, without a mailbox on the Internet: the test mail comes
back, as it does where forwarding is switched on, and a little later the mailbox's owner writes to a
candidate, with the capture address in Bcc.
"""

import asyncio
import smtplib
import threading
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from dev.client import Client
from dev.demo_mails import PEOPLE
from dev.ports import free_port
from dev.terminal import say

_WRITES_AFTER_SECONDS = 12.0
_TO = "c2"


class DemoProvider(AbstractContextManager["DemoProvider"]):
    """`with DemoProvider() as provider` takes mail; it is forwarded from `serve` on."""

    def __init__(self) -> None:
        self._port = free_port()
        self.settings = {"RELAY_URL": f"smtp://127.0.0.1:{self._port}", "RELAY_STARTTLS": "false"}
        """Of a stack that sends its test mails by it."""
        self._controller: Controller | None = None
        self._client: Client | None = None
        self._wrote: set[str] = set()

    def __enter__(self) -> Self:
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._controller:
            self._controller.stop()

    def serve(self, client: Client) -> None:
        """Forward from now on, to where the client's stack says."""
        self._client = client

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Forward the mail (250), or find no such mailbox (550), or try again later (451)."""
        owners = [owner for owner in map(owner_of, envelope.rcpt_tos) if owner]
        if not owners:
            return "550 5.1.1 no such mailbox"
        for owner in owners:
            try:
                await asyncio.to_thread(
                    self._forward, owner, envelope.mail_from or "", envelope.original_content or b""
                )
            except (OSError, smtplib.SMTPException, RuntimeError):
                return "451 4.3.0 not now"
        return "250 2.0.0 forwarded"

    def _forward(self, owner: str, sender: str, raw: bytes) -> None:
        client = self._client
        if client is None:
            raise RuntimeError("the demo has not begun")
        [_, name, *_] = PEOPLE[owner]
        if capture := capture_address_of(client, owner):
            client.send(sender, [capture], raw)
            say(f"smtp to {owner}: {name}'s mailbox forwards the test mail")
        if owner not in self._wrote:
            self._wrote.add(owner)
            later = threading.Timer(_WRITES_AFTER_SECONDS, self._write, (client, owner))
            later.daemon = True
            later.start()

    def _write(self, client: Client, owner: str) -> None:
        """Send a mail of the mailbox's owner to a candidate, the capture address in Bcc."""
        _, name, [address, *_] = PEOPLE[owner]
        _, candidate, [to, *_] = PEOPLE[_TO]
        if capture := capture_address_of(client, owner):
            say(f"smtp to {owner}: {name} writes to {candidate}, the capture address in Bcc")
            client.send(address, [capture], first_mail(name, address, candidate, to).as_bytes())


def owner_of(address: str) -> str | None:
    """Return the user whose mailbox an address is."""
    return next(
        (
            person
            for person, (kind, _, addresses) in PEOPLE.items()
            if kind == "user" and address.lower() in addresses
        ),
        None,
    )


def capture_address_of(client: Client, owner: str) -> str | None:
    """Return the capture address that the user has now."""
    params = {"person_id": owner}
    listed = client.json("GET", "matcher", "/v1/capture-addresses", params=params)
    return next((one["address"] for one in listed["items"] if one["state"] == "active"), None)


def first_mail(name: str, address: str, candidate: str, to: str) -> EmailMessage:
    """Return what a recruiter writes to a candidate."""
    message = EmailMessage()
    message["From"], message["To"] = formataddr((name, address)), formataddr((candidate, to))
    message["Subject"] = "A role in Rotterdam"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="demo.example")
    first_name = candidate.partition(" ")[0]
    message.set_content(
        f"Hello {first_name},\n\nI have just joined Nora's team and have a role in Rotterdam for "
        f"you. May I call you tomorrow?\n\n{name}\n"
    )
    return message
