"""Nothing brings back a mail that was deleted for good."""

import pytest
from msgspec.structs import replace

from services.timeline.write.audiences import TEAM
from services.timeline.write.listed_records import MailRow, ProfileRow
from services.timeline.write.records import (
    RAW_IN_DATABASE_BYTES,
    Content,
    Conversation,
    Mail,
    Outcome,
)
from services.timeline.write.requests import Attach, Request
from services.timeline.write.side_records import DroppedBlob, Held
from tests.forgetting_parts import FORGOTTEN, how_many, prepared
from tests.memory_timeline import kept, the_mail, written
from tests.unit.timeline.write.test_replacing import moved, read_again, run
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    a_capture_id,
    attach,
    detach,
    dismiss,
    forget,
    hide,
    mail,
    match,
)

# Nothing brings it back ----------------------------------------------------------------------


@pytest.mark.parametrize("backfill", [False, True])
def test_a_later_capture_is_dismissed_and_counted_as_forgotten(*, backfill: bool) -> None:
    memory = written(attach())
    memory.write(forget(the_mail(memory)))
    again = attach(mail(text="Another form."), backfill=backfill)
    assert memory.write(again) == (FORGOTTEN,)
    assert memory.write(again) == (replace(FORGOTTEN, again=True),)
    assert memory.decision(again.event.capture_id) == ("dismissed", "forgotten")
    day = "2026-01-15"
    assert memory.tallies() == {
        (ACCOUNT, day, "u1", "attached"): 1,
        (ACCOUNT, day, "", "dismissed.forgotten"): 1,
    }
    assert how_many(memory, Content, MailRow) == 0
    [outcome] = memory.all(Outcome, decision="dismissed")
    assert (outcome.expires_at is None) is backfill


@pytest.mark.parametrize(
    ("size", "is_dropped"), [(RAW_IN_DATABASE_BYTES, False), (RAW_IN_DATABASE_BYTES + 1, True)]
)
def test_large_bytes_of_a_deleted_mail_are_dropped_when_it_comes_again(
    size: int, is_dropped: bool
) -> None:
    """An attempt to attach it may have stored them, before the deletion was met."""
    memory = written(attach())
    memory.write(forget(the_mail(memory)))
    text = mail(text="Another form.").ljust(size, b"x")
    request = attach(text)
    memory.write(request)
    usual = request.projection.content.raw_key
    own = f"{usual}.{request.event.capture_id}"
    dropped = {one.id for one in memory.all(DroppedBlob)}
    assert dropped & {usual, own} == ({usual, own} if is_dropped else set())


def test_bytes_that_a_colleague_has_stay_when_a_deleted_capture_comes_again() -> None:
    large = mail().ljust(RAW_IN_DATABASE_BYTES + 1, b"x")
    memory = written(attach(large), attach(large, owner="u2"))
    memory.write(forget(the_mail(memory)))
    memory.write(attach(large))
    [content] = memory.all(Content)
    assert memory.raws() == {content.raw_key: large}
    assert content.raw_key not in {one.id for one in memory.all(DroppedBlob)}


def test_the_same_capture_delivered_again_stays_attached_in_the_tally_and_shows_nothing() -> None:
    request = attach()
    memory = written(request)
    memory.write(forget(the_mail(memory)))
    assert memory.write(request) == (replace(FORGOTTEN, again=True),)
    [outcome] = memory.all(Outcome)
    assert (outcome.decision, outcome.mails) == ("attached", ())
    assert memory.tallies() == {(ACCOUNT, "2026-01-15", "u1", "attached"): 1}
    assert memory.all(MailRow) == []


def test_a_colleagues_capture_after_that_is_theirs() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    memory.write(detach(id_), hide(id_), forget(id_))
    memory.write(attach(owner="u2"))
    assert {row.audience for row in memory.all(MailRow)} == {TEAM, "u2"}
    [one] = memory.all(Mail)
    assert (one.detached, one.private, one.forgotten) == ((), (), ("u1",))
    assert [one.mails for one in memory.all(Conversation)] == [1]


def test_parts_that_come_after_the_deletion_are_recorded_until_all_have_been_seen() -> None:
    capture = a_capture_id()
    parts = [attach(capture_id=capture, part=part, parts=3) for part in (1, 2, 3)]
    memory = written(parts[0])
    memory.write(forget(the_mail(memory)))
    [second] = memory.write(parts[1])
    [third] = memory.write(parts[2])
    assert (second.complete, third.complete) == (False, True)
    assert memory.decision(capture) == ("attached", None)


def test_of_a_capture_with_several_mails_the_others_are_attached_in_any_order() -> None:
    for turned in (False, True):
        memory = written(attach())
        memory.write(forget(the_mail(memory)))
        capture = a_capture_id()
        requests: list[Attach] = [
            attach(capture_id=capture, place="1"),
            attach(mail("2@x"), capture_id=capture, place="2"),
        ]
        memory.write(*(requests[::-1] if turned else requests))
        assert memory.decision(capture) == ("attached", None)
        assert memory.tallies() == {(ACCOUNT, "2026-01-15", "u1", "attached"): 2}
        assert {row.mail_id for row in memory.all(MailRow)} == {requests[1].projection.mail_id}


def test_attached_after_dismissed_is_forgotten_all_the_same_in_any_order() -> None:
    found = []
    for turned in (False, True):
        memory = written(attach())
        memory.write(forget(the_mail(memory)))
        capture = a_capture_id()
        requests: list[Request] = [dismiss(capture), attach(capture_id=capture)]
        memory.write(*(requests[::-1] if turned else requests))
        assert memory.decision(capture) == ("dismissed", "forgotten")
        found.append(memory.tallies())
    assert found[0] == found[1]


@pytest.mark.parametrize("is_released", [False, True])
def test_a_capture_that_waits_is_forgotten_when_it_comes_again(*, is_released: bool) -> None:
    waits = attach(mail(text="Waits."), verdict=FAILED, may_wait=True)
    memory = written(attach(), waits)
    memory.write(forget(the_mail(memory)))
    assert memory.write(replace(waits, is_released=is_released))[0].outcome == "dismissed"
    assert memory.all(Held) == []
    assert memory.decision(waits.event.capture_id) == ("dismissed", "forgotten")
    assert memory.tallies() == {
        (ACCOUNT, "2026-01-15", "u1", "attached"): 1,
        (ACCOUNT, "2026-01-15", "", "dismissed.forgotten"): 1,
    }


def test_reading_anew_does_not_bring_back_what_was_deleted_meanwhile() -> None:
    memory = written(attach(), attach(mail(text="Other."), owner="u2"))
    requests = [read_again(memory, content) for content in memory.all(Content)]
    memory.write(forget(the_mail(memory), "u1"))
    before = kept(memory)
    assert {memory.write(request)[0].outcome for request in requests} == {"unchanged"}
    assert kept(memory) == before


def test_reading_anew_does_not_name_bytes_that_were_replaced_meanwhile() -> None:
    memory = written(attach(mail(bcc="s@x.example")), attach(owner="u2", minutes=1))
    id_ = the_mail(memory)
    [request] = [read_again(memory, content) for content in memory.all(Content)]
    memory.write(forget(id_, prepared=prepared(memory, id_, "u1")))
    memory.write(request)
    [content] = memory.all(Content)
    assert content.raw_key in memory.raws()


def test_reading_anew_leaves_a_content_that_another_has_captured_meanwhile() -> None:
    memory = written(attach())
    [request] = [read_again(memory, content) for content in memory.all(Content)]
    memory.write(attach(owner="u2", minutes=1))
    memory.write(request)
    [one] = memory.all(Mail)
    assert {capture.owner for capture in one.captures} == {"u1", "u2"}


def test_what_users_ruled_stays_when_the_identity_is_read_otherwise() -> None:
    memory = written(
        attach(None, match("c1"), match("c2")), attach(mail(text="Other."), owner="u2", minutes=1)
    )
    id_ = the_mail(memory)
    memory.write(detach(id_, "c1"), hide(id_), forget(id_, "u2"))
    assert run(memory, moved) == ["moved"]
    former = memory.one(Mail, id_)
    now = next(one for one in memory.all(Mail) if one.id != id_)
    assert (now.detached, now.private, now.forgotten) == (("c1",), ("u1",), ("u2",))
    assert former is not None
    assert (former.captures, former.token, former.forgotten) == ((), "", ("u2",))
    assert {row.audience for row in memory.all(MailRow)} == {"u1", "!u1"}
    assert {row.person_id for row in memory.all(ProfileRow)} == {"c2"}
