"""The SMTP door: an envelope, a mail, and an answer that can be trusted.

    SmtpServer -> CaptureSession (`conversation.py`, `session.py`), which reads by `data.py` -> Door

* RCPT is checked by the address's own MAC: 550 for anything that is no capture address here, 450
  while its account is over its rate, so that a mail's other recipients are not held up.
* Mail for the postmaster is passed on instead (`postmaster.py`), where somebody reads it.
* 250 after the broker's confirm, 451 when it cannot confirm.
* What a sender and an account may take of it stands in `limits.py`.
* The library's log is switched off (`shared.runtime`), since it writes addresses.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from ipaddress import IPv4Network, IPv6Network, ip_address

import structlog
from aiosmtpd.smtp import Session

from services.ingest.certificate import Certificate
from services.ingest.conversation import Mail
from services.ingest.limits import SmtpLimits
from services.ingest.metrics import SMTP_REFUSED
from services.ingest.places import Places
from services.ingest.postmaster import POSTMASTER, Postmaster
from services.ingest.rates import SharedRates
from services.ingest.receive import NotAccepted, Receiver
from services.ingest.session import CaptureSession
from shared.capture_address import CaptureAddress
from shared.in_flight import InFlight

_BACKLOG = 1024
_DRAIN_SECONDS = 7.5
"""More than the broker has to confirm a mail (PUBLISH_DEADLINE)."""
_GOODBYE_SECONDS = 0.5

Verify = Callable[[str], CaptureAddress | None]
log = structlog.get_logger()


class Door:
    """What the sessions of one server share, and what they ask about recipients and mails."""

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
        self.places = Places(
            limits.connections, limits.connections_per_address, limits.connections_per_network
        )
        self.stopping = asyncio.Event()

    def is_proxy(self, address: str) -> bool:
        """Whether it must begin with a PROXY header; whoever else does so is not understood."""
        if not self._proxies:
            return False
        ip = ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._proxies)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, session: CaptureSession, _: Session, mail: Mail, address: str, __: list[str]
    ) -> str:
        """Answer 250 to a capture address of this deployment, 550 to all others; 45x for later."""
        recipient = self._verify(address)
        if recipient is None and self._postmaster is not None:
            recipient = self._postmaster.address(address)
        if recipient is None:
            SMTP_REFUSED.labels("no_capture_address").inc()
            return "550 5.1.1 no such capture address"
        if mail.chunks is not None:
            return "503 5.5.1 the mail has begun"
        others = [one for one in mail.recipients.values() if one != recipient]
        if any(POSTMASTER in (recipient.account_tag, one.account_tag) for one in others):
            return "452 4.5.3 mail for the postmaster goes alone, use another transaction"
        if len(mail.rcpt_tos) >= self.limits.recipients:
            SMTP_REFUSED.labels("too_many_recipients").inc()
            return "452 4.5.3 too many recipients, send the rest in another transaction"
        if not self.places.names(session, recipient.account_tag):
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
            return "451 4.3.0 the mail cannot be taken right now, try again later"
        except Exception as error:
            log.error("a mail could not be received", exc_info=error)
            SMTP_REFUSED.labels("fault").inc()
            return "451 4.3.0 internal trouble, try again later"
        for recipient in recipients:
            self.rates.took(recipient.account_tag, network, len(raw))
        return f"250 2.6.0 accepted as {captures[0]}"


class SmtpServer:
    """Listens, and on stopping finishes the mails in hand before it hangs up."""

    def __init__(self, door: Door, *, host: str, port: int, name: str) -> None:
        """Announce `name`."""
        self._door, self._address, self._name = door, (host, port), name
        self.listening = False

    async def run(self) -> None:
        """Serve until `stop`."""
        door, loop = self._door, asyncio.get_running_loop()
        server = await loop.create_server(self._session, *self._address, backlog=_BACKLOG)
        self.listening = True
        await door.stopping.wait()
        self.listening = False
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(door.in_flight.idle.wait(), _DRAIN_SECONDS)
        guests = door.places.guests()
        for guest in guests:
            guest.dismiss("421 4.3.2 the service stops, try again")
        await asyncio.sleep(_GOODBYE_SECONDS if guests else 0)
        for guest in guests:
            guest.hang_up()

    def stop(self) -> None:
        """Take no new sessions; finish the mails in hand."""
        self._door.stopping.set()

    def _session(self) -> CaptureSession:
        return CaptureSession(self._door, hostname=self._name, loop=asyncio.get_running_loop())


def _sender(mail_from: str | None) -> str | None:
    """Return the envelope's sender; the null reverse-path (RFC 5321 section 4.5.5) is None."""
    address = (mail_from or "").strip("<> ")
    return address.encode(errors="replace").decode() or None
