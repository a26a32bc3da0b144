"""The decision: to whom a mail belongs, or that it is forgotten. Pure; no I/O.

    3a. A participant who is no user is on a *never capture* list, the account's or the owner's:
       dismiss `never_capture`.
    4. A profile (candidate or contact) is a match when one of its addresses takes part.
    5. A profile that shares any address with a user of the same account is blocked. Guests,
       vendors and other accounts' people block nothing.
    6. Any unblocked match: attach to all of them; profiles that share one address are flagged.
    7. Otherwise dismiss: `blocked` when every match was blocked, `internal` when every participant
       is a user, else `no_match`.

Rules 1 and 2, which account and whether its address still counts, are settled by the capture
address before this is asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.matcher.decision.never_capture import NOTHING, NeverCapture
from services.matcher.reading.participants import Participant
from shared.contracts.events import Direction, DismissalReason, Kind, Match, Role, Source


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in the account's directory."""

    person_id: str
    kind: Kind
    name: str
    addresses: tuple[str, ...]
    """As given by the ATS."""
    keys: frozenset[str]
    """The addresses in the form in which they compare."""
    merged_into: str | None = None
    """The profile that shows this one's mail, where it is merged."""
    merged_keys: frozenset[str] = frozenset()
    """Those of the profiles that are merged with it."""

    @property
    def profile_keys(self) -> frozenset[str]:
        """The addresses of the whole profile: its own, and those that are merged with it."""
        return self.keys | self.merged_keys


@dataclass(frozen=True, slots=True)
class Attach:
    """The mail belongs to these profiles."""

    matches: tuple[Match, ...]
    direction: Direction


@dataclass(frozen=True, slots=True)
class Dismiss:
    """The mail is forgotten."""

    reason: DismissalReason


Decision = Attach | Dismiss
NEVER = Dismiss(DismissalReason.NEVER_CAPTURE)


def decide(
    participants: Sequence[Participant], people: Iterable[Person], never: NeverCapture = NOTHING
) -> Decision:
    """Decide about a mail.

    `people` holds everyone of the account who has an address of a participant, and every user who
    shares an address with a profile among them. Of merged profiles each matches by its own
    addresses, and all are blocked when one is: they are shown as one.
    """
    people = list(people)
    user_keys = frozenset().union(*(p.keys for p in people if p.kind is Kind.USER))
    taking_part = {participant.address for participant in participants}
    if never and any(map(never.names, taking_part - user_keys)):
        return NEVER
    matched = [p for p in people if p.kind.is_profile and not p.keys.isdisjoint(taking_part)]
    unblocked = [profile for profile in matched if profile.profile_keys.isdisjoint(user_keys)]
    if unblocked:
        return Attach(_matches(participants, unblocked), _direction(participants, user_keys))
    if matched:
        return Dismiss(DismissalReason.BLOCKED)
    if taking_part and taking_part <= user_keys:
        return Dismiss(DismissalReason.INTERNAL)
    return Dismiss(DismissalReason.NO_MATCH)


def verdicts(
    participants: Sequence[Participant], people: Iterable[Person], never: NeverCapture = NOTHING
) -> dict[str, str]:
    """Return for each participant's address what it meant to `decide`, for people to read.

    `never_capture` for one that is on a list, `match` and `blocked` for a profile's address, else
    the kind of who has it, else `unknown`.
    """
    people = list(people)
    user_keys = frozenset().union(*(p.keys for p in people if p.kind is Kind.USER))

    by_address = _by_address(people)

    def verdict(address: str) -> str:
        if address not in user_keys and never.names(address):
            return "never_capture"
        holders = by_address.get(address)
        if not holders:
            return "unknown"
        profiles = [person for person in holders if person.kind.is_profile]
        if any(profile.profile_keys.isdisjoint(user_keys) for profile in profiles):
            return "match"
        if profiles:
            return "blocked"
        kinds = sorted({person.kind for person in holders}, key=lambda kind: kind != Kind.USER)
        return kinds[0].value

    return {address: verdict(address) for address in {p.address for p in participants}}


def _matches(participants: Sequence[Participant], profiles: Sequence[Person]) -> tuple[Match, ...]:
    """Return a match for each profile and address, with the weightiest role of the address."""
    first = {p.address: p for p in reversed(participants)}
    holders = _by_address(sorted(profiles, key=lambda profile: profile.person_id))
    return tuple(
        Match(
            person_id=profile.person_id,
            kind=profile.kind,
            address=address,
            role=participant.role,
            source=participant.source,
            shared_address=len(holders[address]) > 1,
        )
        for address, participant in reversed(first.items())
        for profile in holders.get(address, ())
    )


def _by_address(people: Iterable[Person]) -> dict[str, list[Person]]:
    holders: dict[str, list[Person]] = {}
    for person in people:
        for key in person.keys:
            holders.setdefault(key, []).append(person)
    return holders


def original_senders(participants: Sequence[Participant]) -> frozenset[str]:
    """Return the addresses of who wrote the mail, or the original of a forwarded one."""
    senders = {p for p in participants if p.role is Role.FROM}
    original = {p for p in senders if p.source is Source.FORWARDED_BODY} or senders
    return frozenset(p.address for p in original)


def _direction(participants: Sequence[Participant], user_keys: frozenset[str]) -> Direction:
    is_by_user = original_senders(participants) & user_keys
    return Direction.OUTBOUND if is_by_user else Direction.INBOUND
