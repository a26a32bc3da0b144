"""What each audience sees of a mail, whoever captured it, however and in whatever order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.write.audiences import (
    MAX_CONTENTS,
    TEAM,
    View,
    add_capture,
    as_shown,
    has_room,
    in_order,
    private_to,
    profile_dates,
    views,
)
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.records import Capture, NamedAddress, Verdict
from tests.record_parts import capture_record, match_record
from tests.write_parts import NOW

PEOPLE = ("u1", "u2", "u3")
VERIFIED = Verdict(verdict="verified", method="dkim", domain="x.example", reason=None)


@st.composite
def a_capture(draw: st.DrawFn, number: int) -> Capture:
    owner = draw(st.sampled_from(PEOPLE))
    shared = draw(st.dictionaries(st.integers(0, 3), st.booleans(), min_size=1))
    roles = st.sampled_from(("to", "cc", "bcc"))
    matches = []
    for at, is_shared in shared.items():
        role = draw(roles)
        hidden = owner if role == "bcc" else None
        matches.append(match_record(at, hidden, role=role, shared_address=is_shared))
    names = draw(st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["", "N", "M"])))
    return capture_record(
        number,
        owner,
        draw(st.sampled_from(("k0", "k1", "k2"))),
        draw(st.integers(0, 4)),
        matches,
        [NamedAddress(name=name, address=f"{key}@x.example") for key, name in names.items()],
        draw(st.sampled_from((None, VERIFIED))),
    )


def added(captures: list[Capture]) -> list[Capture]:
    known: tuple[Capture, ...] = ()
    for new in captures:
        known = add_capture(known, new)
    return [*known]


CAPTURES = st.integers(1, 7).flatmap(
    lambda count: st.tuples(*(a_capture(number) for number in range(count))).map(list)
)
MAILS = CAPTURES.map(added)


def without_hidden(captures: list[Capture], owner: str | None) -> list[Capture]:
    """Return the captures without what is known from the Bcc of others than the owner."""
    kept: list[Capture] = []
    for one in captures:
        if one.owner != owner:
            open_ = tuple(match for match in one.matches if not match.bcc_owners)
            one = replace(one, matches=open_, bcc=())
        if one.matches:
            kept.append(one)
    return kept


def seen_by(captures: list[Capture], audience: str) -> tuple[View | None, dict[str, object]]:
    """Return how an audience has a mail, and when each profile has it there."""
    dates = profile_dates(captures)
    of = {person_id: date for (whose, person_id), date in dates.items() if whose == audience}
    return views(captures).get(audience), {**of}


@given(MAILS)
def test_what_colleagues_captured_changes_nothing_for_the_user_alone(mail: list[Capture]) -> None:
    for user in PEOPLE:
        own = [one for one in mail if one.owner == user]
        assert seen_by(mail, user) == seen_by(own, user)


@given(MAILS)
def test_an_audience_sees_as_if_others_had_no_bcc(mail: list[Capture]) -> None:
    for user in PEOPLE:
        rest = without_hidden(mail, user)
        for audience in (TEAM, private_to(user)):
            assert seen_by(mail, audience) == seen_by(rest, audience)
    assert seen_by(mail, TEAM) == seen_by(without_hidden(mail, None), TEAM)


@given(MAILS)
def test_a_profile_is_on_one_of_the_audiences_that_a_user_reads(mail: list[Capture]) -> None:
    dates = profile_dates(mail)
    for user in PEOPLE:
        known = {
            match.person_id
            for one in mail
            for match in one.matches
            if not match.bcc_owners or user in match.bcc_owners
        }
        read = [person for whose, person in dates if whose in (TEAM, private_to(user))]
        assert sorted(read) == sorted(known)
        assert len([a for a in (TEAM, private_to(user)) if a in views(mail)]) == bool(known)


@given(CAPTURES, st.randoms(use_true_random=False))
def test_captures_come_in_any_order_any_number_of_times(
    captures: list[Capture], chance: random.Random
) -> None:
    again = [*captures, *chance.choices(captures, k=3)]
    chance.shuffle(again)
    assert added(again) == added(captures)


@given(
    st.permutations(
        [
            capture_record(
                number,
                minute=number,
                matches=[
                    match_record(
                        0,
                        "u1" if role == "bcc" else None,
                        role=role,
                        kind=kind,
                        shared_address=number == 1,
                    )
                ],
                bcc=[NamedAddress(name=f"Name {number % 2}", address="x@x.example")],
            )
            for number, (role, kind) in enumerate(
                [("bcc", "contact"), ("cc", "contact"), ("to", "candidate"), ("cc", "candidate")]
            )
        ]
    )
)
def test_of_one_form_captured_again_and_again_the_order_does_not_matter(
    captures: list[Capture],
) -> None:
    [one] = added(captures)
    assert one.capture_id == "000"
    assert one.matches == (match_record(0, shared_address=True),)
    assert one.bcc == (NamedAddress(name="Name 1", address="x@x.example"),)


def test_a_profile_is_dated_by_the_content_that_is_shown_on_it() -> None:
    """The team knows the first content first, though of this profile by its second capture."""
    captures = [
        capture_record(1, "u1", "first", 0, [match_record(2)]),
        capture_record(2, "u1", "second", 1, [match_record(0)]),
        capture_record(3, "u2", "first", 2, [match_record(0)]),
    ]
    assert as_shown(captures)[0].content == "first"
    dates = profile_dates(captures)
    assert dates[TEAM, "c0"] == captures[2].sort_date
    assert dates["u1", "c0"] == captures[1].sort_date


def test_what_a_capture_gains_is_in_order() -> None:
    captures = [
        capture_record(
            number,
            minute=number,
            matches=[match_record(9 - number, person_id=f"c{number}"), match_record(number)],
            bcc=[NamedAddress(name="", address=f"{9 - number}@x.example")],
        )
        for number in (0, 1, 2)
    ]
    [one] = added(captures)
    keys = [(match.person_id, match.address) for match in one.matches]
    assert keys == sorted(keys)
    assert len(keys) == 6
    assert [entry.address for entry in one.bcc] == [f"{n}@x.example" for n in (7, 8, 9)]


def copies(count: int, owner: str = "u1", verdict: Verdict | None = None) -> list[Capture]:
    """Return captures of so many contents of one mail."""
    name = f"{owner}{verdict is None}"
    return [
        capture_record(number, owner, f"{name}{number}", number, authentication=verdict)
        for number in range(count)
    ]


def test_an_owner_has_room_for_so_many_contents_and_no_more() -> None:
    full = added(copies(MAX_CONTENTS))
    assert has_room(full[1:], capture_record(99, content="new"))
    assert not has_room(full, capture_record(99, content="new"))
    assert has_room(full, capture_record(99, content=full[5].content))


def test_copies_of_others_and_copies_that_prove_nothing_take_no_room() -> None:
    full = added([*copies(MAX_CONTENTS), *copies(MAX_CONTENTS, "u2", VERIFIED)])
    verified = capture_record(99, content="new", authentication=VERIFIED)
    assert has_room(full, verified)
    assert not has_room(full, replace(verified, owner="u2"))
    assert has_room(full, replace(verified, owner="u2", authentication=None))
    assert has_room(full, replace(verified, owner="u3"))


def test_captures_are_in_order_of_arrival_then_of_their_id_and_place() -> None:
    first = capture_record(5, minute=0)
    second = capture_record(1, minute=1)
    third = replace(second, place="1")
    fourth = capture_record(2, minute=1)
    assert in_order([fourth, third, second, first]) == [first, second, third, fourth]


def seen_profiles(captures: list[Capture]) -> dict[str, list[str]]:
    found = views(added(captures))
    return {who: [ref.person_id for ref in view.persons] for who, view in found.items()}


def test_a_mail_that_is_known_from_bcc_alone_is_in_its_owners_audiences_and_no_other() -> None:
    mail = [capture_record(0, matches=[match_record(0, "u1")])]
    assert seen_profiles(mail) == {"u1": ["c0"], "!u1": ["c0"]}
    both = [*mail, capture_record(1, "u2", "k1", 1, matches=[match_record(2, "u2")])]
    assert seen_profiles(both) == {"u1": ["c0"], "!u1": ["c0"], "u2": ["c1"], "!u2": ["c1"]}


def test_profiles_are_in_order_whichever_was_named_first() -> None:
    matches = [match_record(number, person_id=f"c{number}") for number in range(9)]
    found = seen_profiles([capture_record(0, matches=matches[::-1])])
    assert found["*"] == found["u1"] == [f"c{number}" for number in range(9)]


def test_where_the_team_sees_the_mail_bcc_adds_a_profile_and_no_row_of_the_mail() -> None:
    mail = [
        capture_record(0, "u2", "k1", 0, matches=[match_record(0)]),
        capture_record(1, "u1", "k0", 1, matches=[match_record(2, "u1"), match_record(0)]),
    ]
    assert seen_profiles(mail) == {"*": ["c0"], "u1": ["c0", "c1"], "u2": ["c0"]}
    dates = profile_dates(added(mail))
    assert {key: (date - NOW).seconds // 60 for key, date in dates.items()} == {
        ("*", "c0"): 0,
        ("u1", "c0"): 1,
        ("u1", "c1"): 1,
        ("u2", "c0"): 0,
        ("!u1", "c1"): 1,
    }


def test_a_profile_has_the_mail_as_the_content_that_names_it() -> None:
    """A copy with another To, to another capture address, however early."""
    genuine = capture_record(5, "u1", "genuine", 5, [match_record(0)])
    forged = capture_record(1, "u2", "forged", 1, [match_record(2)])
    mail = added([genuine, forged])
    dates = profile_dates(mail)
    assert dates["*", "c0"] == dates["u1", "c0"] == genuine.sort_date
    assert dates["*", "c1"] == dates["u2", "c1"] == forged.sort_date
    assert ("u1", "c1") not in dates


@pytest.mark.parametrize("verified", [None, "k0", "k1", "k2"])
def test_of_several_contents_a_verified_one_is_shown_then_the_earliest(
    verified: str | None,
) -> None:
    captures = [
        capture_record(at, f"u{at}", f"k{at}", at, authentication=VERIFIED)
        if f"k{at}" == verified
        else capture_record(at, f"u{at}", f"k{at}", at)
        for at in range(3)
    ]
    mail = added(captures[::-1])
    assert views(mail)[TEAM].content == (verified or "k0")
    assert [one.content for one in as_shown(mail)] == sorted(
        ("k0", "k1", "k2"), key=lambda key: (key != verified, key)
    )
    [date] = {date for (whose, _), date in profile_dates(mail).items() if whose == TEAM}
    assert date == captures[int((verified or "k0")[1])].sort_date


def test_a_failed_content_is_not_shown_before_an_earlier_one() -> None:
    failed = replace(VERIFIED, verdict="failed", reason="policy")
    late = capture_record(1, "u2", "k1", 1, authentication=failed)
    assert views([capture_record(), late])[TEAM].content == "k0"


def test_what_verifies_a_content_verifies_it_for_whoever_else_captured_it() -> None:
    first = capture_record(0, "u1", "k0", 0)
    second = capture_record(1, "u2", "k1", 1)
    again = capture_record(2, "u3", "k1", 2, authentication=VERIFIED)
    view = views([first, second, again])[TEAM]
    assert (view.content, view.date) == ("k1", second.sort_date)
    assert views([first, second, again])["u2"].content == "k1"


def test_what_a_colleague_knows_from_a_bcc_verifies_nothing_for_the_team() -> None:
    first, second = capture_record(0, "u1", "k0", 0), capture_record(1, "u2", "k1", 1)
    hidden = [match_record(2, "u3")]
    mail = added([first, second, capture_record(2, "u3", "k1", 2, hidden, authentication=VERIFIED)])
    assert views(mail)[TEAM].content == "k0"
    assert profile_dates(mail)[TEAM, "c0"] == first.sort_date


def test_a_verified_content_of_a_bcc_is_shown_to_its_owner_alone() -> None:
    hidden = [match_record(2, "u1")]
    mail = added(
        [
            capture_record(0, "u2", "open", 0),
            capture_record(1, "u1", "hidden", 1, hidden, authentication=VERIFIED),
        ]
    )
    shown = {audience: view.content for audience, view in views(mail).items()}
    assert shown == {"*": "open", "u2": "open", "u1": "hidden"}


def test_a_profile_that_the_team_sees_is_not_hidden_as_well() -> None:
    """Known from an open address, and from another address in the owner's Bcc."""
    mail = added([capture_record(0, matches=[match_record(0), match_record(1, "u1")])])
    assert [*profile_dates(mail)] == [("*", "c0"), ("u1", "c0")]


def test_the_team_sees_the_first_open_content_and_each_owner_their_own() -> None:
    mail = added(
        [
            capture_record(0, "u1", "hidden", 0, matches=[match_record(0, "u1")]),
            capture_record(1, "u2", "open", 1),
            capture_record(2, "u3", "later", 2),
        ]
    )
    contents = {audience: seen.content for audience, seen in views(mail).items()}
    assert contents == {"*": "open", "u1": "hidden", "u2": "open", "u3": "later"}
    [team] = views(mail)[TEAM].persons
    assert team == ProfileRef(person_id="c0", kind="candidate")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("verified", [0, 1])
def test_a_content_keeps_what_was_found_out_about_who_sent_it(turned: bool, verified: int) -> None:
    found = Verdict(verdict="verified", method="dkim", domain="x.example", reason=None)
    captures = [
        capture_record(at, minute=at, authentication=found if at == verified else None)
        for at in (0, 1)
    ]
    [one] = added(captures[::-1] if turned else captures)
    assert one.authentication == found


@pytest.mark.parametrize("role", ["to", "bcc"])
def test_an_owner_sees_the_first_of_their_contents(role: str) -> None:
    matches = [match_record(0, "u1" if role == "bcc" else None)]
    mail = added([capture_record(n, content=f"k{n}", minute=n, matches=matches) for n in (0, 1)])
    assert {(view.content, view.date) for view in views(mail).values()} == {("k0", NOW)}
