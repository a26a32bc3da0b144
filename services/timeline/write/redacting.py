"""Replaces an erased person in what is kept of a mail that concerns others. Pure.

* Structured fields only: senders, recipients, participants, who forwarded it, attendees. What
  people wrote (subject, text, attachments) is not searched.
* An address goes with the name beside it. A name that stands beside another address goes too, since
  people have more addresses than a directory knows; the address stays.
* An address that a profile which stays was matched by is that profile's as well, and stays.
"""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, TypeVar

from msgspec.structs import replace

from services.timeline.write.erased_records import ErasedPerson
from services.timeline.write.records import (
    Capture,
    Forward,
    ListedContent,
    NamedAddress,
    Verdict,
)
from services.timeline.write.side_records import Bounce, HeldContent
from shared.contracts.events import MailAttached, Named
from shared.contracts.known_addresses import (
    ERASED_ADDRESS,
    ERASED_NAME,
    address_hash,
    name_hash,
)
from shared.mail.address_form import normalise

N = TypeVar("N", bound=NamedAddress)
C = TypeVar("C", bound=ListedContent)


class Redaction:
    """Who is to be replaced in one mail."""

    def __init__(
        self, account: str, people: Iterable[ErasedPerson], kept: Iterable[str] = ()
    ) -> None:
        """`kept` are addresses that somebody else was matched by, in any spelling."""
        self._account, self._people = account, tuple(people)
        self._kept = frozenset(map(normalise, kept))
        self._known: dict[str, bool] = {}

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of the people."""
        return frozenset(person.person_id for person in self._people)

    @cached_property
    def _addresses(self) -> dict[str, frozenset[str]]:
        return self._by_id((one.person_id, one.addresses) for one in self._people)

    @cached_property
    def _names(self) -> dict[str, frozenset[str]]:
        return self._by_id((one.person_id, one.names) for one in self._people)

    @staticmethod
    def _by_id(hashes: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for person_id, own in hashes:
            found[person_id] = found.get(person_id, frozenset()).union(own)
        return found

    def has_address(self, address: str) -> bool:
        """Return whether this is an address of one of them, and of nobody who stays."""
        if address not in self._known:
            key = normalise(address)
            self._known[address] = key not in self._kept and any(
                address_hash(self._account, person_id, key) in own
                for person_id, own in self._addresses.items()
            )
        return self._known[address]

    def has_name(self, name: str) -> bool:
        """Return whether this is the name of one of them."""
        return any(
            name_hash(self._account, person_id, name) in own
            for person_id, own in self._names.items()
            if own
        )

    def one(self, entry: N) -> N:
        """Return a name and address without them."""
        if self.has_address(entry.address):
            return replace(entry, name=ERASED_NAME, address=ERASED_ADDRESS)
        if entry.name and self.has_name(entry.name):
            return replace(entry, name=ERASED_NAME)
        return entry

    def all(self, entries: Iterable[N]) -> tuple[N, ...]:
        """Return names and addresses without them."""
        return tuple(map(self.one, entries))

    def address(self, address: str) -> str:
        """Return an address that has no name beside it."""
        return ERASED_ADDRESS if self.has_address(address) else address


def redacted_content(content: C, redaction: Redaction) -> C:
    """Return what is shown of a mail without the people; its id stays."""
    return replace(
        content,
        from_=redaction.one(content.from_) if content.from_ else None,
        to=redaction.all(content.to),
        cc=redaction.all(content.cc),
        reply_to=redaction.all(content.reply_to),
        forwarded_by=redaction.one(content.forwarded_by) if content.forwarded_by else None,
        participants=redaction.all(content.participants),
        invite=_invite(content.invite, redaction) if content.invite else None,
    )


def _invite(invite: dict[str, Any], redaction: Redaction) -> dict[str, Any]:
    def person(known: dict[str, Any]) -> dict[str, Any]:
        entry = NamedAddress(name=known["name"], address=known["address"])
        without = redaction.one(entry)
        return {**known, "name": without.name, "address": without.address}

    organizer = invite.get("organizer")
    return {
        **invite,
        "organizer": person(organizer) if organizer else organizer,
        "attendees": [person(attendee) for attendee in invite.get("attendees", ())],
    }


def redacted_capture(
    capture: Capture, redaction: Redaction, sender: NamedAddress | None
) -> Capture | None:
    """Return a capture without the people; None when it names no one else.

    `sender` is whom its content is from, with whose domain the verdict is about them.
    """
    matches = tuple(match for match in capture.matches if match.person_id not in redaction.ids)
    if not matches:
        return None
    return replace(
        capture,
        matches=matches,
        bcc=redaction.all(capture.bcc),
        forwarded=_forward(capture.forwarded, redaction) if capture.forwarded else None,
        authentication=redacted_verdict(capture.authentication, redaction, sender),
    )


def redacted_verdict(
    verdict: Verdict | None, redaction: Redaction, sender: NamedAddress | None
) -> Verdict | None:
    """Return whether a mail is from whom it says, without the domain of an erased sender."""
    if verdict is None or verdict.domain is None or sender is None:
        return verdict
    return replace(verdict, domain=None) if redaction.has_address(sender.address) else verdict


def _forward(forward: Forward, redaction: Redaction) -> Forward:
    return replace(
        forward,
        sender=redaction.one(forward.sender),
        to=redaction.all(forward.to),
        cc=redaction.all(forward.cc),
    )


def redacted_bounce(bounce: Bounce, redaction: Redaction) -> Bounce:
    """Return what a mail says about another without the people whom it did not reach."""
    recipients = dict.fromkeys(map(redaction.address, bounce.recipients))
    return replace(bounce, recipients=tuple(recipients))


def redacted_event(
    event: MailAttached, redaction: Redaction, sender: NamedAddress | None
) -> MailAttached:
    """Return an event that waits without the people. It has to name somebody else."""

    def one(named: Named) -> Named:
        entry = redaction.one(NamedAddress(name=named.name, address=named.address))
        return Named(name=entry.name, address=entry.address)

    changed: dict[str, object] = {
        "matches": tuple(match for match in event.matches if match.person_id not in redaction.ids)
    }
    if event.forwarded is not None:
        people = {
            "sender": one(event.forwarded.sender),
            "to": tuple(map(one, event.forwarded.to)),
            "cc": tuple(map(one, event.forwarded.cc)),
        }
        changed["forwarded"] = event.forwarded.model_copy(update=people)
    if event.authentication is not None and sender and redaction.has_address(sender.address):
        changed["authentication"] = event.authentication.model_copy(update={"domain": None})
    return event.model_copy(update=changed)


def redacted_waiting(shown: HeldContent, redaction: Redaction) -> HeldContent:
    """Return what is shown of a mail that waits without the people."""
    return replace(
        shown,
        from_=redaction.one(shown.from_) if shown.from_ else None,
        to=redaction.all(shown.to),
        cc=redaction.all(shown.cc),
        forwarded_by=redaction.one(shown.forwarded_by) if shown.forwarded_by else None,
        matches=tuple(match for match in shown.matches if match.person_id not in redaction.ids),
    )


def concerns(
    captures: Iterable[Capture], contents: Iterable[ListedContent], redaction: Redaction
) -> bool:
    """Return whether a mail has a match of the people, or an address of theirs in its fields."""
    return any(_capture_concerns(capture, redaction) for capture in captures) or any(
        redaction.has_address(address) for content in contents for address in _addresses_of(content)
    )


def _capture_concerns(capture: Capture, redaction: Redaction) -> bool:
    entries = [*capture.bcc]
    if capture.forwarded is not None:
        entries += [capture.forwarded.sender, *capture.forwarded.to, *capture.forwarded.cc]
    return any(match.person_id in redaction.ids for match in capture.matches) or any(
        redaction.has_address(entry.address) for entry in entries
    )


def _addresses_of(content: ListedContent) -> Iterable[str]:
    single = (content.from_, content.forwarded_by)
    listed = (*content.to, *content.cc, *content.reply_to, *content.participants)
    yield from {entry.address for entry in (*single, *listed) if entry is not None}
    if content.invite:
        people = (content.invite.get("organizer"), *content.invite.get("attendees", ()))
        yield from {person["address"] for person in people if person}
