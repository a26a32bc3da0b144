"""Who takes part in a mail: the addresses of its header, each with its role.

From From, Sender, Reply-To, To, Cc, Bcc and Resent-*, each repeated header included; never from
free text, with one exception: the failed recipients of a delivery report (`reports.py`). A From
that a list rewrote gives way to the author. Addresses under the capture domain are how the mail
came here, not who it is about.

At most MAX_PARTICIPANTS are read: more than any provider lets one mail be sent to.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from services.matcher.reading.addresses import normalise
from services.matcher.reading.senders import senders
from shared.contracts.events import Role, Source
from shared.mail.headers import HeaderBlock, Mailbox, mailboxes

MAX_PARTICIPANTS = 5000
_FIELDS = {
    "from": Role.FROM,
    "sender": Role.SENDER,
    "reply-to": Role.REPLY_TO,
    "to": Role.TO,
    "cc": Role.CC,
    "bcc": Role.BCC,
    # RFC 5322 section 3.6.6: who sent it again. They take part, but did not write it.
    "resent-from": Role.SENDER,
    "resent-sender": Role.SENDER,
    "resent-reply-to": Role.REPLY_TO,
    "resent-to": Role.TO,
    "resent-cc": Role.CC,
    "resent-bcc": Role.BCC,
}
"""The roles in order of weight: when an address has several, a match names the first."""


class Participant(NamedTuple):
    """An address that takes part in a mail."""

    address: str
    """In the form in which addresses compare."""
    role: Role
    source: Source = Source.HEADER


def participants(header: HeaderBlock, capture_domain: str) -> tuple[Participant, ...]:
    """Return who takes part, each address and role once, in order of weight.

    One more than MAX_PARTICIPANTS where there are more.
    """
    return tuple(dict.fromkeys(islice(_all(header, capture_domain), MAX_PARTICIPANTS + 1)))


def _all(header: HeaderBlock, capture_domain: str) -> Iterator[Participant]:
    under_capture_domain = f"@{capture_domain}"
    for name, role in _FIELDS.items():
        if header.first(name) is None:
            continue
        found = _mailboxes(header, name, role)
        for written in dict.fromkeys(mailbox.address for mailbox in found):
            address = normalise(written)
            if not address.endswith(under_capture_domain):
                yield Participant(address, role)


def _mailboxes(header: HeaderBlock, name: str, role: Role) -> list[Mailbox]:
    if role is Role.FROM:
        return senders(header)
    return mailboxes(header, name)
