"""Which half of its owner's set-up a capture proves, by how it came. Pure; no I/O.

    sent      the owner wrote the mail, and it went to the capture address beside its recipients
    received  it was delivered to the owner's mailbox, which passed it on

A header tells how a mail came in three ways. Only the owner's own addresses, as the directory has
them, count in any of them.

* A *trace* (`Delivered-To`, `X-Forwarded-For`, ...) names the owner: a mailbox of the owner had the
  mail before. That is received, even if the owner wrote it: a list sends the owner's own mail back.
  A trace that names the capture address is received too, from any mailbox of the owner.
* The owner is its sender: sent. Not if it went to capture addresses alone: that is a forward by
  hand, or a test. And not if it may have come back from a list, or from the owner's own mailbox,
  unless the capture address is one of its recipients.
* The owner is a recipient: received. Not if the capture address is a recipient, too: then anyone
  who knows it may have written to it, and the mailbox has forwarded nothing.

All else proves neither: what is unknown stays unknown. Nor does backfill, which a user imports, nor
mail to an address that is no longer valid.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from services.matcher.decision.judge import Judgement
from services.matcher.reading.addresses import normalise
from services.matcher.reading.participants import Participant
from services.matcher.reading.senders import is_passed_on
from shared.contracts.events import Half, Kind, Leak, Role, Source
from shared.mail.headers import HeaderBlock, mailboxes, parse_date

_TRACES = (
    "Delivered-To",
    "X-Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "X-Forwarded-For",
    "X-Forwarded-To",
    "Resent-From",
    "X-Sieve-Redirected-From",
    "X-MS-Exchange-Inbox-Rules-Loop",
)
"""Servers that deliver a mail to a mailbox, or forward it from there, note the mailbox here."""
_FORWARDED = ("X-Forwarded-To", "X-Forwarded-For")
"""Those that name the target as well; a mail server in front of us writes no such field."""
_MAX_TRACES = 20
_ATOM = r"!#-'*-+\--9=?A-~"
_ADDRESS = re.compile(rf"[{_ATOM}]{{1,64}}+@[{_ATOM}]{{1,255}}+")
"""ASCII without what addresses are quoted, listed or enclosed by."""
_RECIPIENTS = (Role.TO, Role.CC, Role.BCC)


def traces(header: HeaderBlock) -> frozenset[str]:
    """Return the addresses of the mailboxes that had the mail before, as the header tells."""
    return frozenset(islice(_named(header, _TRACES), _MAX_TRACES))


def _named(header: HeaderBlock, fields: Iterable[str]) -> Iterator[str]:
    for name in fields:
        for value in header.all(name):
            yield from (normalise(found[0]) for found in _ADDRESS.finditer(value))


def half_of(mail: Judgement, owner: str, capture_address: str, capture_domain: str) -> Half | None:
    """Return which half of the owner's set-up a live capture proves.

    `mail` is the captured mail, not one that it encloses.
    """
    own = frozenset().union(*(p.keys for p in mail.people if p.person_id == owner))
    was_forwarded = capture_address in islice(_named(mail.header, _FORWARDED), _MAX_TRACES)
    if was_forwarded or traces(mail.header) & own:
        return Half.RECEIVED
    header = [p for p in mail.participants if p.source is Source.HEADER]
    is_named = capture_address in _recipients(mail.header)
    is_recipient = any(p.role in _RECIPIENTS and p.address in own for p in header)
    if any(p.role is Role.FROM and p.address in own for p in header):
        if _went_to_satchel_alone(mail.header, capture_domain):
            return None
        came_directly = is_named or not (is_recipient or is_passed_on(mail.header))
        return Half.SENT if came_directly else None
    return Half.RECEIVED if is_recipient and not is_named else None


def leak_of(mail: Judgement, capture_address: str, received_at: datetime) -> Leak | None:
    """Return that the mail gave the capture address away: people outside the account saw it.

    Outside is anyone who is neither a user nor a capture address. No one else sees a Bcc.
    """
    shown = _addresses(mail.header, "To", "Cc")
    if capture_address not in shown:
        return None
    users = frozenset().union(*(p.keys for p in mail.people if p.kind is Kind.USER))
    if not any(_is_outside(participant, users) for participant in mail.participants):
        return None
    date = parse_date(mail.header.first("Date")) or received_at
    return Leak(capture_address=capture_address, mail_date=min(date, received_at))


def _is_outside(participant: Participant, users: frozenset[str]) -> bool:
    return (
        participant.source is Source.HEADER
        and participant.role in _RECIPIENTS
        and participant.address not in users
    )


def _went_to_satchel_alone(header: HeaderBlock, capture_domain: str) -> bool:
    recipients = _recipients(header)
    return bool(recipients) and all(to.endswith(f"@{capture_domain}") for to in recipients)


def _recipients(header: HeaderBlock) -> frozenset[str]:
    return _addresses(header, "To", "Cc", "Bcc")


def _addresses(header: HeaderBlock, *names: str) -> frozenset[str]:
    return frozenset(normalise(m.address) for name in names for m in mailboxes(header, name))
