"""What is hidden follows from the captures and from the latest that was told of each person.

In any order and with repeats it is what a rebuild gives that never made the hidden matches.
"""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.query.hiding import Hidden, Standing, hidden_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import as_ruled, profile_dates, views
from services.timeline.write.listed_records import ProfileRef
from services.timeline.write.people import person_document
from services.timeline.write.records import Capture, Mail, MatchRecord
from services.timeline.write.stored import from_document
from shared.contracts.events import Kind, PersonChanged, PersonDeleted
from tests.holders_of_ids import ACCOUNT, Id, Told, is_seen
from tests.record_parts import capture_record, match_record

PROFILES, USERS = ("c0", "c1", "c2"), ("u1", "u2")
ADDRESSES = [f"{name}@mail.example" for name in "abcd"]
KINDS = (Kind.CANDIDATE, Kind.CANDIDATE, Kind.CONTACT, Kind.USER, Kind.GUEST)


def changed(person_id: str, *addresses: str, kind: Kind = Kind.CANDIDATE, **told: object) -> Told:
    about = {"account": ACCOUNT, "person_id": person_id, "version": 1, "name": "", "kind": kind}
    return PersonChanged.model_validate({**about, "addresses": addresses, **told})


def deleted(person_id: str) -> Told:
    return PersonDeleted(account=ACCOUNT, person_id=person_id, version=1)


def hidden(told: Sequence[Told], *person_ids: str) -> Hidden:
    """Return what is hidden once all this was told: of each person the newest counts."""
    newest: dict[str, Told] = {}
    for event in told:
        if event.person_id not in newest or newest[event.person_id].version < event.version:
            newest[event.person_id] = event
    documents = [person_document(event) for event in newest.values()]
    people = [from_document(Standing, document) for document in documents]
    users = {key for one in people if one.kind == Kind.USER for key in one.keys or ()}
    asked = {*person_ids}
    return hidden_of(ACCOUNT, [one for one in people if one.person_id in asked], users)


def matched(person_id: str, address: str, owner: str | None = None) -> MatchRecord:
    return replace(match_record(0, owner, person_id=person_id), address=address)


def mail_of(*captures: Capture, detached: Sequence[str] = ()) -> Mail:
    return Mail(
        id="m",
        account=ACCOUNT,
        message_id="1@x",
        token="t",
        captures=captures,
        detached=tuple(detached),
    )


class TestReasons:
    def test_who_was_not_announced_yet_is_not_hidden(self) -> None:
        assert not hidden([], "c1")

    def test_who_was_deleted_is_hidden(self) -> None:
        assert hidden([deleted("c1")], "c1").reasons == {"c1": "deleted"}

    def test_who_became_a_user_is_blocked(self) -> None:
        assert hidden([changed("c1", kind=Kind.USER)], "c1").reasons == {"c1": "blocked"}

    def test_who_shares_an_address_with_a_user_is_blocked_in_any_spelling(self) -> None:
        user = changed("u1", "Anna@MAIL.example", kind=Kind.USER)
        told = [user, changed("c1", "x@y", "anna@mail.example"), changed("c2", "x@y")]
        assert hidden(told, "c1", "c2").reasons == {"c1": "blocked"}

    @pytest.mark.parametrize("kind", [Kind.GUEST, Kind.VENDOR, Kind.CONTACT])
    def test_guests_vendors_and_profiles_block_nothing(self, kind: Kind) -> None:
        told = [changed("x1", "a@mail.example", kind=kind), changed("c1", "a@mail.example")]
        assert not hidden(told, "c1", "x1")

    def test_an_older_timelines_document_is_read_by_its_addresses(self) -> None:
        [old] = [Standing(person_id="c1", kind="candidate", addresses=("A@mail.example",))]
        assert hidden_of(ACCOUNT, [old], {"a@mail.example"}).reasons == {"c1": "blocked"}


class TestWithout:
    def test_a_mail_of_hidden_profiles_alone_is_not_there(self) -> None:
        mail = mail_of(capture_record(matches=[matched("c1", "a@mail.example")]))
        viewer = Viewer(ACCOUNT, "u1")
        assert viewer.captures(mail)
        assert not viewer.knowing(hidden([deleted("c1")], "c1")).captures(mail)

    def test_a_back_end_sees_it_and_why_others_do_not(self) -> None:
        mail = mail_of(capture_record(matches=[matched("c1", "a@mail.example")]))
        viewer = Viewer(ACCOUNT, "", sees_all=True).knowing(hidden([deleted("c1")], "c1"))
        assert viewer.captures(mail)
        assert viewer.hidden.why("c1", "a@mail.example") == "deleted"

    def test_of_a_mail_with_others_the_hidden_match_is_left_out(self) -> None:
        matches = [matched("c1", "a@mail.example"), matched("c2", "b@mail.example")]
        mail = mail_of(capture_record(matches=matches))
        viewer = Viewer(ACCOUNT, "u1").knowing(hidden([deleted("c1")], "c1"))
        assert [m.person_id for m in viewer.matches(viewer.captures(mail))] == ["c2"]
        assert not viewer.contents(mail, "c1")

    def test_a_content_that_names_hidden_profiles_alone_is_not_shown(self) -> None:
        application = capture_record(0, content="k0", matches=[matched("c1", "a@mail.example")])
        other = capture_record(1, content="k1", minute=1, matches=[matched("c2", "b@mail.example")])
        viewer = Viewer(ACCOUNT, "u1").knowing(hidden([deleted("c1")], "c1"))
        shown = viewer.contents(mail_of(application, other))
        assert [capture.content for capture in shown] == ["k1"]

    def test_what_is_left_of_a_bcc_alone_is_its_owners(self) -> None:
        matches = [matched("c1", "a@mail.example"), matched("c2", "b@mail.example", "u1")]
        mail = mail_of(capture_record(owner="u1", matches=matches))
        known = hidden([deleted("c1")], "c1")
        assert Viewer(ACCOUNT, "u1").knowing(known).captures(mail)
        assert not Viewer(ACCOUNT, "u2").knowing(known).captures(mail)

    def test_a_mail_is_hidden_that_is_left_on_a_hidden_profile_alone(self) -> None:
        matches = [matched("c1", "a@mail.example"), matched("c2", "b@mail.example")]
        mail = mail_of(capture_record(matches=matches), detached=["c2"])
        viewer = Viewer(ACCOUNT, "u1").knowing(hidden([deleted("c1")], "c1"))
        assert not viewer.captures(mail)

    def test_a_row_is_hidden_with_all_of_its_profiles(self) -> None:
        one, other = (ProfileRef(person_id=id_, kind="candidate") for id_ in ("c1", "c2"))
        known = hidden([deleted("c1")], "c1", "c2")
        assert [known.hides_all_of(row) for row in ([one], [one, other], [other], [])] == [
            True,
            False,
            False,
            False,
        ]
        assert [known.concerns(row) for row in ([one], [one, other], [other], [])] == [
            True,
            True,
            False,
            False,
        ]

    def test_a_mail_that_was_removed_from_all_profiles_is_hidden_by_none(self) -> None:
        mail = mail_of(capture_record(matches=[matched("c1", "a@mail.example")]), detached=["c1"])
        viewer = Viewer(ACCOUNT, "u1").knowing(hidden([deleted("c1")], "c1"))
        assert viewer.captures(mail)


def change(chance: random.Random, ids: dict[str, Id]) -> Id:
    """Change somebody of the directory, in any way."""
    one = ids.setdefault(who := chance.choice((*PROFILES, *USERS)), Id(who))
    if chance.random() < 0.35:
        one.delete()
        return one
    kind = Kind.USER if who in USERS else chance.choice(KINDS)
    one.put(kind, chance.sample(ADDRESSES, chance.randrange(3)))
    return one


def written(seed: int) -> tuple[dict[str, Id], list[Told], list[Mail]]:
    """Change the directory and capture mail; return all that was told, in any order, with repeats.

    What changed before it could be told never is.
    """
    chance = random.Random(seed)
    ids = {who: Id(who) for who in PROFILES}
    for one in ids.values():
        one.put(Kind.CANDIDATE, chance.sample(ADDRESSES, 2))
    told: list[Told] = []
    mails: list[Mail] = []
    for number in range(chance.randrange(4, 25)):
        if chance.random() < 0.6:
            one = change(chance, ids)
            if one.version and chance.random() < 0.7:
                told.append(one.told)
            continue
        matches = [
            matched(one.person_id, key, chance.choice((None, None, *USERS)))
            for one in ids.values()
            if one.living is not None and one.living.kind.is_profile
            for key in sorted(one.living.keys)
            if chance.random() < 0.7
        ]
        if matches:
            owner, content = chance.choice(USERS), f"k{chance.randrange(2)}"
            captures = [*(mails.pop().captures if mails and chance.random() < 0.3 else ())]
            captures.append(capture_record(number, owner, content, number, matches))
            detached = [id_ for id_ in PROFILES if chance.random() < 0.2]
            mails.append(mail_of(*captures, detached=detached))
    told += [one.told for one in ids.values() if one.version]
    told += chance.sample(told, len(told) // 3)
    chance.shuffle(told)
    return ids, told, mails


def rebuilt(mail: Mail, ids: dict[str, Id]) -> Mail:
    """Return the mail as if its hidden matches had never been made."""
    captures = []
    for capture in mail.captures:
        on = [m for m in capture.matches if m.person_id not in mail.detached]
        seen = [m for m in on if is_seen(m.person_id, m.address, ids.values())]
        others = [m for m in capture.matches if m.person_id in mail.detached]
        if seen or not on:
            kept = [m for m in capture.matches if m in seen or m in others]
            captures.append(replace(capture, matches=tuple(kept)))
    return replace(mail, captures=tuple(captures))


@given(st.integers(0, 2**32))
def test_any_order_of_changes_and_captures_gives_what_a_rebuild_gives(seed: int) -> None:
    ids, told, mails = written(seed)
    known = hidden(told, *PROFILES)
    for mail in mails:
        seen, expected = known.without(as_ruled(mail)), as_ruled(rebuilt(mail, ids))
        assert views(seen) == views(expected)
        assert profile_dates(seen) == profile_dates(expected)
        for user in USERS:
            viewer = Viewer(ACCOUNT, user)
            assert viewer.knowing(known).captures(mail) == viewer.captures(rebuilt(mail, ids))


@given(st.integers(0, 2**32))
def test_what_rows_tell_without_a_look_at_the_mail_is_what_the_mail_tells(seed: int) -> None:
    _, told, mails = written(seed)
    known = hidden(told, *PROFILES)
    for mail in mails:
        stored = views(as_ruled(mail))
        seen = views(known.without(as_ruled(mail)))
        for audience, view in stored.items():
            if known.hides_all_of(view.persons) and not mail.detached:
                assert audience not in seen
            if not known.concerns(view.persons) and view.persons and not mail.detached:
                assert seen[audience] == view
