"""Which recipients and mails are accepted, and the state that all sessions of a server share.

* RCPT checks the MAC of the address. Anything but a capture address of this deployment gets 550.
  An account over its rate gets 450, so that other recipients of the mail are not delayed.
* A mail gets 250 after the broker's confirm, and 451 if the broker cannot confirm.
* `limits.py` has the limits of one session.
"""

import asyncio
from collections.abc import Callable, Collection
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

import structlog
from aiosmtpd.smtp import Session

from services.ingest.limits import SmtpLimits
from services.ingest.metrics import SMTP_REFUSED
from services.ingest.postmaster import POSTMASTER, Postmaster
from services.ingest.rates import SharedRates
from services.ingest.receive import NotAccepted, Receiver
from services.ingest.smtp.certificate import Certificate
from services.ingest.smtp.connections import Connection, ConnectionLimiter
from services.ingest.smtp.envelope import Mail
from shared.contracts.capture_address import CaptureAddress
from shared.runtime.in_flight import InFlight

Verify = Callable[[str], CaptureAddress | None]
log = structlog.get_logger()


class Client(Connection, Protocol):
    """A session, as far as admission needs it."""

    @property
    def network(self) -> str:
        """The network of the client's address."""


class Admission:
    """Shared state of a server's sessions. Decides about recipients and mails."""

    def __init__(
        self,
        receiver: Receiver,
        verify: Verify,
        limits: SmtpLimits,
        in_flight: InFlight,
        rates: SharedRates,
        *,
        certificate: Certificate | None = None,
        require_tls: bool = False,
        proxies: Collection[IPv4Network | IPv6Network] = (),
        postmaster: Postmaster | None = None,
    ) -> None:
        """Without a `certificate` there is no STARTTLS; `proxies` begin with a PROXY header."""
        self._receiver, self._verify, self._proxies = receiver, verify, proxies
        self._postmaster = postmaster
        self.limits, self.in_flight, self.rates = limits, in_flight, rates
        self.certificate, self.require_tls = certificate, require_tls
        self.limiter = ConnectionLimiter(
            limits.connections, limits.connections_per_address, limits.connections_per_network
        )
        self.stopping = asyncio.Event()

    def is_proxy(self, address: str) -> bool:
        """Whether a connection from this address must begin with a PROXY header."""
        if not self._proxies:
            return False
        ip = ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._proxies)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, session: Client, _: Session, mail: Mail, address: str, __: list[str]
    ) -> str:
        """Answer 250 to a capture address of this deployment, 550 to all others; 45x for later."""
        recipient = self._verify(address)
        if recipient is None and self._postmaster is not None:
            recipient = self._postmaster.address(address)
        if recipient is None:
            SMTP_REFUSED.labels("no_capture_address").inc()
            return "550 5.1.1 no such capture address"
        if mail.chunks is not None:
            return "503 5.5.1 RCPT is not allowed after BDAT"
        others = [one for one in mail.recipients.values() if one != recipient]
        if any(POSTMASTER in (recipient.account_tag, one.account_tag) for one in others):
            return "452 4.5.3 mail to the postmaster needs a transaction of its own"
        if len(mail.rcpt_tos) >= self.limits.recipients:
            SMTP_REFUSED.labels("too_many_recipients").inc()
            return "452 4.5.3 too many recipients, send the rest in another transaction"
        if not self.limiter.names(session, recipient.account_tag):
            SMTP_REFUSED.labels("account_sessions").inc()
            return "450 4.7.1 too many sessions for this account, try again later"
        tag = recipient.account_tag
        ahead = sum(promised.account_tag == tag for promised in mail.recipients.values())
        is_new = recipient.address not in mail.recipients
        if is_new and self._wait(tag, session.network, ahead):
            SMTP_REFUSED.labels("account_rate").inc()
            return "450 4.7.1 too many mails for this account, try again later"
        mail.rcpt_tos.append(address)
        mail.recipients[recipient.address] = recipient
        return "250 2.1.5 OK"

    def _wait(self, tag: str, network: str, ahead: int) -> int:
        if tag == POSTMASTER and self._postmaster is not None:
            return self._postmaster.wait(network)
        return self.rates.wait(tag, network, ahead)

    async def take(self, mail: Mail, raw: bytes, network: str) -> str:
        """Return the answer to a mail: 250 when it is durable, 451 when it is not."""
        recipients, sender = list(mail.recipients.values()), _sender(mail.mail_from)
        try:
            if self._postmaster is not None and recipients[0].account_tag == POSTMASTER:
                at = recipients[0].address
                return await self._postmaster.pass_on(raw, at, sender, network)
            captures = await self._receiver.receive(raw, recipients, mail_from=sender, door="smtp")
        except NotAccepted:
            return "451 4.3.0 the mail cannot be accepted right now, try again later"
        except Exception as error:
            log.error("a mail could not be received", exc_info=error)
            SMTP_REFUSED.labels("fault").inc()
            return "451 4.3.0 internal error, try again later"
        for recipient in recipients:
            self.rates.took(recipient.account_tag, network, len(raw))
        return f"250 2.6.0 accepted as {captures[0]}"


def _sender(mail_from: str | None) -> str | None:
    """Return the envelope's sender; the null reverse-path (RFC 5321 section 4.5.5) is None."""
    address = (mail_from or "").strip("<> ")
    return address.encode(errors="replace").decode() or None
