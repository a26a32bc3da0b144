"""Mail to postmaster@ and abuse@ of the capture domain, for the people who run this deployment.

RFC 5321 section 4.5.1 requires that it is accepted. It is never a capture: it is forwarded through
the relay unchanged, and answered with 250 once the relay has accepted it. Nothing of it is stored.

* Loops end: mail that was forwarded before, or has too many hops, is refused permanently. Mail
  without an envelope sender is forwarded without one, so a bounce never causes a bounce.
* Floods are spread over days: MAILS at once, then one every SECONDS, half of them from one
  network. Above that the sender is told to try again.
"""

import re
from collections.abc import Callable
from email.utils import formatdate

import structlog

from services.ingest.rates import Rates, SharedRates
from shared.contracts.capture_address import CaptureAddress
from shared.mail.header_block import header_start
from shared.runtime.relay import Outgoing, RelayAway, RelayRefused

POSTMASTER = "postmaster"
"""The tag that these addresses have in place of an account's, which has eight characters."""
MAILS, SECONDS = 20, 60
_AT_ONCE = 2
_MAX_HOPS = 30
_MAX_HEADER = 100 * 1024
_RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
_AGAIN = "451 4.3.0 the mail cannot be forwarded right now, try again later"
log = structlog.get_logger()


class Postmaster:
    """Forwards mail for the people who run this deployment."""

    def __init__(
        self,
        relay: Outgoing,
        to: str,
        domain: str,
        rates: SharedRates | None = None,
        now: Callable[[], str] = formatdate,
    ) -> None:
        """`to` is who reads it, `domain` the capture domain."""
        self._relay, self._to, self._domain, self._now = relay, to, domain, now
        self._rates = rates or SharedRates(Rates(1 / SECONDS, MAILS), 0.5)
        self._sending = 0
        self._addresses = {f"{name}@{domain}" for name in (POSTMASTER, "abuse")}

    def address(self, given: str) -> CaptureAddress | None:
        """Return the postmaster address that `given` is, or None."""
        address = given.strip().lower().rstrip(".")
        if address == POSTMASTER:  # the only name that needs no domain (RFC 5321 section 4.1.1.3)
            address = f"{POSTMASTER}@{self._domain}"
        return CaptureAddress(address, POSTMASTER, "") if address in self._addresses else None

    def wait(self, network: str) -> int:
        """Return the seconds until mail from the network may be forwarded; 0 means now."""
        return self._rates.wait(POSTMASTER, network)

    async def pass_on(self, raw: bytes, at: str, mail_from: str | None, network: str) -> str:
        """Forward a mail and return the SMTP answer: 250 once the relay has accepted it."""
        if self.wait(network) or self._sending >= _AT_ONCE:
            return _AGAIN
        delivered = f"Delivered-To: {at}\r\n".encode()
        if _has_come_round(raw, delivered):
            return "554 5.4.6 mail loop or too many hops"
        received = f"Received: by {self._domain} for <{at}>; {self._now()}\r\n".encode()
        self._sending += 1
        try:
            await self._relay.send(
                delivered + received + raw[header_start(raw) :],
                envelope_sender=self._relay.sender if mail_from else "",
                recipient=self._to,
            )
        except (RelayAway, RelayRefused) as failure:
            is_final = isinstance(failure, RelayRefused)  # its reply may quote the recipient
            why = "the relay refuses the recipient" if is_final else str(failure)
            log.warning("not forwarded to the postmaster", why=why)
            return "554 5.3.0 the mail cannot be forwarded" if is_final else _AGAIN
        finally:
            self._sending -= 1
        self._rates.took(POSTMASTER, network, len(raw))
        log.info("forwarded to the postmaster", size=len(raw))
        return "250 2.6.0 passed on"


def _has_come_round(raw: bytes, delivered: bytes) -> bool:
    """Return whether a mail was passed on before, or by too many servers."""
    header = raw[:_MAX_HEADER].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    is_back = delivered.strip().lower() in header.lower().split(b"\n")
    return is_back or len(_RECEIVED.findall(header)) > _MAX_HOPS
