"""How a decision of today differs from what a capture is attached to. Pure; no I/O.

A review compares profiles: which one the mail would leave, and which one it would come to. What
else a decision says of them (the role, that an address is shared) makes no difference.

    lost    person_deleted    the directory does not have them any more
            blocked           they are a user, or share an address with one
            not_a_profile     they are a guest or a vendor
            never_capture     somebody who takes part is on a *never capture* list
            address_moved     another profile has the address, and gets the mail
            address_removed   no profile has the address
            not_named         nobody with the address takes part, as mail is read today
    gained  address_moved     another profile had the address, and loses the mail
            would_attach      the profile was not known by the address, or was blocked
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from services.matcher.decision.decide import NEVER, Attach, Decision, Person
from shared.contracts.events import Kind, Match

Reason = Literal[
    "person_deleted",
    "blocked",
    "not_a_profile",
    "never_capture",
    "address_moved",
    "address_removed",
    "not_named",
    "would_attach",
]
Pairs = frozenset[tuple[str, str]]
"""Profiles and addresses."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A profile that a capture would leave, or come to."""

    person_id: str
    change: Literal["lost", "gained"]
    reason: Reason


def matches_of(decision: Decision) -> tuple[Match, ...]:
    """Return what a decision attaches to."""
    return decision.matches if isinstance(decision, Attach) else ()


def pairs_of(matches: Iterable[Match]) -> Pairs:
    """Return the profiles and addresses of matches."""
    return frozenset((match.person_id, match.address) for match in matches)


def people_of(matches: Iterable[Match]) -> frozenset[str]:
    """Return the profiles of matches."""
    return frozenset(match.person_id for match in matches)


def differences(
    was: Sequence[Match], decision: Decision, known: Mapping[str, Person]
) -> tuple[Difference, ...]:
    """Return in what a decision differs, in the order of the profiles.

    `known` has everybody whom it considered, and those of `was` who are in the directory.
    """
    now = matches_of(decision)
    had, has = people_of(was), people_of(now)
    lost_addresses = {match.address for match in was if match.person_id not in has}
    lost = [
        Difference(who, "lost", _why_lost(who, was, decision, known)) for who in sorted(had - has)
    ]
    gained = [
        Difference(
            who,
            "gained",
            "address_moved"
            if any(one.person_id == who and one.address in lost_addresses for one in now)
            else "would_attach",
        )
        for who in sorted(has - had)
    ]
    return (*lost, *gained)


def _why_lost(
    who: str, was: Sequence[Match], decision: Decision, known: Mapping[str, Person]
) -> Reason:
    if decision == NEVER:
        return "never_capture"
    person = known.get(who)
    if person is None:
        return "person_deleted"
    if person.kind is Kind.USER:
        return "blocked"
    if not person.kind.is_profile:
        return "not_a_profile"
    addresses = {match.address for match in was if match.person_id == who}
    users = frozenset().union(*(one.keys for one in known.values() if one.kind is Kind.USER))
    if not person.profile_keys.isdisjoint(users):
        return "blocked"
    if person.keys & addresses:
        return "not_named"
    if any(match.address in addresses for match in matches_of(decision)):
        return "address_moved"
    return "address_removed"
