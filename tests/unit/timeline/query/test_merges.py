"""What merged profiles show of a mail: of whom a match was made, and what they share."""

from services.timeline.query.hiding import Hidden
from services.timeline.query.merges import merged_matches, merged_profiles, survivor_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.records import Mail, MatchRecord
from tests.record_parts import capture_record, match_record

INTO_C2 = {"c1": "c2"}
U1 = Viewer("acme", "u1").knowing(Hidden("acme", survivors=INTO_C2))


def a_match(
    person_id: str, number: int = 0, owner: str | None = None, *, shared: bool = False
) -> MatchRecord:
    return match_record(number, owner, person_id=person_id, shared_address=shared)


def mail_of(*matches: MatchRecord, detached: tuple[str, ...] = ()) -> Mail:
    capture = capture_record(matches=matches)
    return Mail(
        id="m", account="acme", message_id="1@x", token="t", captures=(capture,), detached=detached
    )


def seen(mail: Mail) -> list[tuple[str, str | None, str, bool]]:
    return [
        (m.person_id, m.made_for, m.address, m.shared_address)
        for m in U1.matches(U1.captures(mail))
    ]


def test_a_match_tells_for_whom_it_was_made() -> None:
    mail = mail_of(a_match("c1", 0), a_match("c3", 1))
    assert seen(mail) == [("c2", "c1", "a0@x.example", False), ("c3", None, "a1@x.example", False)]


def test_nothing_is_another_mail_where_nobody_is_merged() -> None:
    mail = mail_of(a_match("c1"))
    for survivors in ({}, {"c7": "c8"}):
        viewer = Viewer("acme", "u1").knowing(Hidden("acme", survivors=survivors))
        assert viewer.captures(mail) == [*mail.captures]


def test_two_matches_by_one_address_that_fall_together_are_one_and_share_nothing() -> None:
    for people in (("c1", "c2"), ("c2", "c1")):
        mail = mail_of(*(a_match(one, shared=True) for one in people))
        assert seen(mail) == [("c2", None, "a0@x.example", False)]


def test_an_address_that_a_third_profile_has_is_shared_still() -> None:
    matches = [a_match(one, shared=True) for one in ("c1", "c2", "c3")]
    found = merged_matches(matches, INTO_C2)
    assert {(m.person_id, m.shared_address) for m in found} == {("c2", True), ("c3", True)}
    other = merged_matches([a_match("c4", 1, shared=True), a_match("c1")], INTO_C2)
    assert [m.shared_address for m in other] == [True, False], "another address is unchanged"


def test_what_was_removed_from_one_of_merged_profiles_may_be_on_the_other() -> None:
    both = mail_of(a_match("c1", 0), a_match("c2", 1), detached=("c1",))
    assert seen(both) == [("c2", None, "a1@x.example", False)]
    assert U1.detached(U1.captures(both)) == []
    alone = mail_of(a_match("c1", 0), detached=("c1",))
    assert seen(alone) == []
    assert U1.detached(U1.captures(alone)) == ["c2"]


def test_a_bcc_stays_its_owners_alone() -> None:
    mail = mail_of(a_match("c1", 0, "u2"), a_match("c2", 1))
    assert seen(mail) == [("c2", None, "a1@x.example", False)]


def test_a_conversation_has_merged_profiles_once() -> None:
    persons = [ProfileRef(person_id=f"c{n}", kind=f"k{n}") for n in (1, 2, 3)]
    assert [(p.person_id, p.kind) for p in merged_profiles(persons, INTO_C2)] == [
        ("c2", "k2"),
        ("c3", "k3"),
    ]
    assert merged_profiles(persons[:1], INTO_C2) == (ProfileRef(person_id="c2", kind="k1"),)


def test_edges_are_followed_to_their_end_and_out_of_a_cycle() -> None:
    assert survivor_of({}, "c1") == "c1"
    assert survivor_of({"c1": "c2", "c2": "c3"}, "c1") == "c3"
    cycle = {"c9": "c3", "c3": "c2", "c2": "c3"}
    assert {survivor_of(cycle, one) for one in ("c9", "c3", "c2")} == {"c2"}
