"""What each audience sees of a mail, whoever captured it, however and in whatever order."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import (
    MAX_CONTENTS,
    add_capture,
    profiles_by_audience,
    seen_by_audience,
)
from services.timeline.write.matches import EVERYONE
from shared.database import Document

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
PEOPLE = ("u1", "u2", "u3")


def match(
    owner: str, number: int, role: str, *, shared_address: bool = False, kind: str = "candidate"
) -> Document:
    hidden = {"bcc_owners": [owner]} if role == "bcc" else {}
    return {
        "person_id": f"c{number // 2}",
        "kind": kind,
        "address": f"a{number}@x.example",
        "role": role,
        "source": "header",
        "shared_address": shared_address,
        **hidden,
    }


def capture(
    number: int,
    person_id: str = "u1",
    content: str = "k0",
    minute: int = 0,
    matches: list[Document] | None = None,
    bcc: list[Document] | None = None,
) -> Document:
    at = NOW + timedelta(minutes=minute)
    return {
        "capture_id": f"{number:03}",
        "place": "",
        "person_id": person_id,
        "content": content,
        "at": at,
        "sort_date": at,
        "matches": matches or [match(person_id, 0, "to")],
        "bcc": bcc or [],
    }


@st.composite
def a_capture(draw: st.DrawFn, number: int) -> Document:
    person_id = draw(st.sampled_from(PEOPLE))
    shared = draw(st.dictionaries(st.integers(0, 3), st.booleans(), min_size=1))
    roles = st.sampled_from(("to", "cc", "bcc"))
    matches = [
        match(person_id, at, draw(roles), shared_address=is_shared)
        for at, is_shared in shared.items()
    ]
    names = draw(st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["", "N", "M"])))
    return capture(
        number,
        person_id,
        draw(st.sampled_from(("k0", "k1", "k2"))),
        draw(st.integers(0, 4)),
        matches,
        [{"name": name, "address": f"{key}@x.example"} for key, name in names.items()],
    )


def added(captures: list[Document]) -> list[Document]:
    known: list[Document] = []
    for new in captures:
        known = add_capture(known, new)
    return known


CAPTURES = st.integers(1, 7).flatmap(
    lambda count: st.tuples(*(a_capture(number) for number in range(count))).map(list)
)
MAILS = CAPTURES.map(added)


def without_hidden(captures: list[Document], owner: str | None) -> list[Document]:
    """Return the captures without what is known from the Bcc of others than the owner."""
    kept: list[Document] = []
    for one in captures:
        if one["person_id"] != owner:
            open_ = [match for match in one["matches"] if "bcc_owners" not in match]
            one = {**one, "matches": open_, "bcc": []}
        if one["matches"]:
            kept.append(one)
    return kept


def without_bcc(captures: list[Document], owner: str) -> list[Document]:
    return [one if one["person_id"] == owner else {**one, "bcc": []} for one in captures]


@given(MAILS)
def test_what_colleagues_captured_changes_nothing_for_the_user_alone(mail: list[Document]) -> None:
    for person_id in PEOPLE:
        own = [one for one in mail if one["person_id"] == person_id]
        assert seen_by_audience(mail).get(person_id) == seen_by_audience(own).get(person_id)
        assert profiles_by_audience(mail).get(person_id) == profiles_by_audience(own).get(person_id)


@given(MAILS)
def test_with_own_only_a_viewer_sees_as_if_nobody_else_captured(mail: list[Document]) -> None:
    for person_id in PEOPLE:
        viewer = Viewer("acme", person_id, own_only=True)
        own = [one for one in mail if one["person_id"] == person_id]
        assert viewer.audiences == [person_id]
        assert viewer.captures({"captures": mail}) == own
        assert viewer.contents({"captures": mail}) == own
        assert viewer.matches({"captures": mail}) == viewer.matches({"captures": own})
        assert bool(viewer.matches({"captures": mail})) == (person_id in seen_by_audience(mail))


@given(MAILS)
def test_the_team_sees_as_if_others_had_no_bcc(mail: list[Document]) -> None:
    for person_id in PEOPLE:
        viewer = Viewer("acme", person_id)
        rest = without_hidden(mail, person_id)
        for audience in viewer.audiences:
            assert seen_by_audience(mail).get(audience) == seen_by_audience(rest).get(audience)
            assert profiles_by_audience(mail).get(audience) == profiles_by_audience(rest).get(
                audience
            )
        assert viewer.matches({"captures": mail}) == viewer.matches({"captures": rest})
        ids = [one["capture_id"] for one in viewer.captures({"captures": mail})]
        assert ids == [one["capture_id"] for one in rest]
        shown = viewer.contents({"captures": mail})
        assert {one["capture_id"] for one in shown} <= {*ids}


@given(MAILS)
def test_what_everyone_sees_knows_no_bcc(mail: list[Document]) -> None:
    rest = without_hidden(mail, None)
    assert seen_by_audience(mail).get(EVERYONE) == seen_by_audience(rest).get(EVERYONE)
    assert profiles_by_audience(mail).get(EVERYONE) == profiles_by_audience(rest).get(EVERYONE)


@given(MAILS)
def test_what_is_listed_can_be_opened_and_what_can_be_opened_is_listed(
    mail: list[Document],
) -> None:
    for person_id in PEOPLE:
        for viewer in (Viewer("acme", person_id), Viewer("acme", person_id, own_only=True)):
            listed = [
                seen_by_audience(mail)[r] for r in viewer.audiences if r in seen_by_audience(mail)
            ]
            contents = [one["content"] for one in viewer.contents({"captures": mail})]
            assert [seen.content for seen in listed] == contents[:1]
            matched = {one["person_id"] for one in viewer.matches({"captures": mail})}
            profiles = profiles_by_audience(mail)
            assert set().union(*(profiles.get(r, set()) for r in viewer.audiences)) == matched


@given(CAPTURES, st.randoms(use_true_random=False))
def test_captures_come_in_any_order_any_number_of_times(
    captures: list[Document], chance: random.Random
) -> None:
    again = [*captures, *chance.choices(captures, k=3)]
    chance.shuffle(again)
    assert added(again) == added(captures)


@given(
    st.permutations(
        [
            capture(
                number,
                minute=number,
                matches=[match("u1", 0, role, kind=kind, shared_address=number == 1)],
                bcc=[{"name": f"Name {number % 2}", "address": "x@x.example"}],
            )
            for number, (role, kind) in enumerate(
                [("bcc", "contact"), ("cc", "contact"), ("to", "candidate"), ("cc", "candidate")]
            )
        ]
    )
)
def test_of_one_form_captured_again_and_again_the_order_does_not_matter(
    captures: list[Document],
) -> None:
    [one] = added(captures)
    assert one["capture_id"] == "000"
    assert one["matches"] == [match("u1", 0, "to", shared_address=True)]
    assert one["bcc"] == [{"name": "Name 1", "address": "x@x.example"}]


@given(st.randoms(use_true_random=False))
def test_beyond_the_limit_of_contents_no_match_is_lost(chance: random.Random) -> None:
    captures = [
        capture(number, content=f"k{number}", minute=number, matches=[match("u1", number, "to")])
        for number in range(MAX_CONTENTS + 4)
    ]
    chance.shuffle(captures)
    mail = added(captures)
    assert [one["content"] for one in mail] == [f"k{number}" for number in range(MAX_CONTENTS)]
    known = {one["address"] for one in Viewer("acme", "u2").matches({"captures": mail})}
    assert known == {f"a{number}@x.example" for number in range(MAX_CONTENTS + 4)}


@pytest.mark.parametrize("own_only", [True, False])
def test_a_person_who_captured_nothing_sees_at_most_what_is_open(own_only: bool) -> None:
    mail = added([capture(0, "u1", matches=[match("u1", 0, "bcc")])])
    viewer = Viewer("acme", "u2", own_only)
    assert viewer.matches({"captures": mail}) == []
    assert viewer.contents({"captures": mail}) == []
    assert viewer.captures({"captures": mail}) == []
    assert not {*viewer.audiences} & seen_by_audience(mail).keys()


def seen_profiles(captures: list[Document]) -> dict[str, list[str]]:
    found = seen_by_audience(added(captures))
    return {audience: [id_ for id_, _ in seen.persons] for audience, seen in found.items()}


def test_a_mail_that_is_known_from_bcc_alone_is_in_its_owners_audiences_and_no_other() -> None:
    mail = [capture(0, "u1", matches=[match("u1", 0, "bcc")])]
    assert seen_profiles(mail) == {"u1": ["c0"], "!u1": ["c0"]}
    both = [*mail, capture(1, "u2", "k1", 1, matches=[match("u2", 2, "bcc")])]
    assert seen_profiles(both) == {"u1": ["c0"], "!u1": ["c0"], "u2": ["c1"], "!u2": ["c1"]}


def test_where_the_team_sees_the_mail_bcc_adds_a_profile_and_no_row_of_the_mail() -> None:
    mail = [
        capture(0, "u1", matches=[match("u1", 0, "to"), match("u1", 2, "bcc")]),
        capture(1, "u2", "k1", 1, matches=[match("u2", 0, "to")]),
    ]
    assert seen_profiles(mail) == {"*": ["c0"], "u1": ["c0", "c1"], "u2": ["c0"]}
    assert profiles_by_audience(added(mail)) == {
        "*": {"c0"},
        "u1": {"c0", "c1"},
        "u2": {"c0"},
        "!u1": {"c1"},
    }


def test_a_profile_that_the_team_sees_is_not_hidden_as_well() -> None:
    """Known from an open address, and from another address in the owner's Bcc."""
    mail = [capture(0, "u1", matches=[match("u1", 0, "to"), match("u1", 1, "bcc")])]
    assert profiles_by_audience(added(mail)) == {"*": {"c0"}, "u1": {"c0"}}


def test_the_team_sees_the_first_open_content_and_each_owner_their_own() -> None:
    mail = added(
        [
            capture(0, "u1", "hidden", 0, matches=[match("u1", 0, "bcc")]),
            capture(1, "u2", "open", 1),
            capture(2, "u3", "later", 2),
        ]
    )
    contents = {audience: seen.content for audience, seen in seen_by_audience(mail).items()}
    assert contents == {"*": "open", "u1": "hidden", "u2": "open", "u3": "later"}
    assert seen_by_audience(mail)["*"].date == NOW + timedelta(minutes=1)


def test_the_limit_of_contents_is_each_persons_own() -> None:
    mail = added(
        [
            capture(number, person_id, f"k{number}", number)
            for number, person_id in enumerate(["u2", "u2", *["u1"] * (MAX_CONTENTS + 1)])
        ]
    )
    counts = [one["person_id"] for one in mail]
    assert (counts.count("u1"), counts.count("u2")) == (MAX_CONTENTS, 2)


def test_a_content_keeps_what_was_found_out_about_who_sent_it() -> None:
    found = {"verdict": "verified", "method": "dkim", "domain": "x.example", "reason": None}
    [one] = added([capture(0) | {"authentication": found}, capture(1, minute=1)])
    assert one["authentication"] == found
