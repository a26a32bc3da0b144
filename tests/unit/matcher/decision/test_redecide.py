"""Why a profile would lose a mail, or gain it."""

import pytest

from services.matcher.decision.decide import NEVER, Attach, Decision, Dismiss, Person
from services.matcher.decision.redecide import Difference, Reason, differences
from shared.contracts.events import Direction, DismissalReason, Kind, Match, Role

NO_MATCH = Dismiss(DismissalReason.NO_MATCH)


def match(person_id: str, address: str = "cand@mail.example", role: Role = Role.TO) -> Match:
    return Match(person_id=person_id, kind=Kind.CANDIDATE, address=address, role=role)


def attach(*matches: Match) -> Attach:
    return Attach(matches, Direction.INBOUND)


def person(person_id: str, kind: Kind, *keys: str, merged: str = "") -> Person:
    merged_keys = frozenset({merged} if merged else ())
    return Person(person_id, kind, person_id, keys, frozenset(keys), merged_keys=merged_keys)


def found(was: list[Match], now: Decision, *people: Person) -> tuple[Difference, ...]:
    return differences(was, now, {one.person_id: one for one in people})


@pytest.mark.parametrize(
    ("now", "people", "reason"),
    [
        (NO_MATCH, [], "person_deleted"),
        (NEVER, [], "never_capture"),
        (NO_MATCH, [person("c1", Kind.USER, "cand@mail.example")], "blocked"),
        (NO_MATCH, [person("c1", Kind.USER)], "blocked"),
        (NO_MATCH, [person("c1", Kind.GUEST, "cand@mail.example")], "not_a_profile"),
        (NO_MATCH, [person("c1", Kind.CANDIDATE, "other@mail.example")], "address_removed"),
        (NO_MATCH, [person("c1", Kind.CANDIDATE, "cand@mail.example")], "not_named"),
        (
            NO_MATCH,
            [
                person("c1", Kind.CANDIDATE, "cand@mail.example", merged="u@team.example"),
                person("u1", Kind.USER, "u@team.example"),
            ],
            "blocked",
        ),
    ],
)
def test_why_a_profile_loses_a_mail(now: Decision, people: list[Person], reason: Reason) -> None:
    assert found([match("c1")], now, *people) == (Difference("c1", "lost", reason),)


def test_an_address_that_moved_is_named_on_both_sides() -> None:
    people = [person("c1", Kind.CANDIDATE, "x@x.example"), person("c2", Kind.CANDIDATE)]
    assert found([match("c1")], attach(match("c2")), *people) == (
        Difference("c1", "lost", "address_moved"),
        Difference("c2", "gained", "address_moved"),
    )


def test_a_profile_that_is_known_now_gains_the_mail() -> None:
    now = attach(match("c1"), match("c2", "new@mail.example"))
    assert found([match("c1")], now) == (Difference("c2", "gained", "would_attach"),)


def test_the_same_profiles_are_no_difference() -> None:
    now = attach(match("c1", "other@mail.example", Role.CC))
    assert found([match("c1")], now) == ()
