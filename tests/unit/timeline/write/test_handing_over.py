"""Captures of a leaver that become another user's."""

from msgspec.structs import replace

from services.timeline.write.audiences import TEAM, as_ruled, views
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.quarantine import held_id
from services.timeline.write.records import Content, Mail, Outcome
from services.timeline.write.requests import Attach
from services.timeline.write.side_records import Bounce, HandOverJob, Held, ReadMark
from services.timeline.write.stored import to_document
from shared.contracts.events import MailAttached, Role
from tests.memory_timeline import Memory, profiles_of
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    attach,
    bounce,
    forget,
    hand_over,
    hand_over_held,
    hand_over_job,
    hide,
    mail,
    match,
)


def a_memory(*requests: Attach) -> tuple[Memory, str]:
    """Return what some captures of one mail leave, and the mail's id; a job is under way."""
    memory = Memory()
    for request in requests:
        memory.write(request)
    job = hand_over_job()
    memory.documents[job.collection][ACCOUNT, job.id] = to_document(job)
    return memory, requests[0].projection.mail_id


def the_mail(memory: Memory, id_: str) -> Mail:
    found = memory.one(Mail, id_)
    assert found is not None
    return found


def owners(memory: Memory, id_: str) -> list[str]:
    return sorted(capture.owner for capture in the_mail(memory, id_).captures)


def job_of(memory: Memory) -> HandOverJob:
    found = memory.one(HandOverJob, "job")
    assert found is not None
    return found


def audiences(memory: Memory) -> set[str]:
    return {row.audience for row in memory.all(MailRow)}


def test_a_capture_gets_another_owner_and_stays_as_it_was() -> None:
    hidden = match("c2", Role.BCC)
    raw = mail(bcc="c2@mail.example")
    request = attach(raw, match(), hidden, sent_by_owner=True)
    memory, id_ = a_memory(request)
    [before] = the_mail(memory, id_).captures
    [answer] = memory.write(hand_over(id_))
    assert answer.outcome == "changed"
    [after] = the_mail(memory, id_).captures
    of_bcc = [replace(m, bcc_owners=("u2",)) if m.bcc_owners else m for m in before.matches]
    assert after == replace(before, owner="u2", matches=tuple(of_bcc))
    assert audiences(memory) == {TEAM, "u2"}
    assert profiles_of(memory, "u2") == {("c1", id_), ("c2", id_)}
    assert profiles_of(memory, "!u2") == {("c2", id_)}
    assert profiles_of(memory, TEAM) == {("c1", id_)}
    assert {row.audience for row in memory.all(ProfileRow)} == {TEAM, "u2", "!u2"}
    [content] = memory.all(Content)
    assert content.raw_of == "u2"
    assert job_of(memory).mails == 1


def test_what_is_given_is_not_there_to_be_given_again() -> None:
    memory, id_ = a_memory(attach())
    memory.write(hand_over(id_), hand_over(id_))
    [answer] = memory.write(hand_over(id_))
    assert answer.outcome == "unchanged"
    assert job_of(memory).mails == 1
    [unknown] = memory.write(hand_over("a" * 32))
    assert unknown.outcome == "unchanged"


def test_one_content_of_both_is_one_capture_and_a_colleagues_stays() -> None:
    memory, id_ = a_memory(attach(minutes=1, owner="u2"), attach(), attach(owner="u3"))
    memory.write(hand_over(id_))
    captures = the_mail(memory, id_).captures
    assert sorted(capture.owner for capture in captures) == ["u2", "u3"]
    [given] = [capture for capture in captures if capture.owner == "u2"]
    assert given.at == min(capture.at for capture in captures)


def test_bytes_that_came_to_another_stay_theirs() -> None:
    memory, id_ = a_memory(attach(owner="u3"), attach())
    memory.write(hand_over(id_))
    assert [content.raw_of for content in memory.all(Content)] == ["u3"]


def test_nothing_becomes_unread_and_nothing_read() -> None:
    memory, id_ = a_memory(attach(sent_by_owner=True))
    team = memory.summary(TEAM)
    marks = memory.all(ReadMark)
    memory.write(hand_over(id_))
    assert memory.summary(TEAM) == team
    assert memory.summary("u2").arrived == 0
    assert memory.all(ReadMark) == marks
    assert {mark.user for mark in marks} == {"u1"}
    assert not memory.all(SummaryRow, audience="u1")


# Rulings -------------------------------------------------------------------------------------


def test_what_the_leaver_hid_is_the_new_owners_alone() -> None:
    memory, id_ = a_memory(attach())
    memory.write(hide(id_))
    assert audiences(memory) == {"u1", "!u1"}
    memory.write(hand_over(id_))
    assert audiences(memory) == {"u2", "!u2"}
    memory.write(hide(id_, who="u2", undo=True))
    assert audiences(memory) == {TEAM, "u2"}


def test_what_comes_later_to_who_hid_it_is_hidden_before_and_after_it_is_given() -> None:
    memory, id_ = a_memory(attach())
    memory.write(hide(id_))
    memory.write(hand_over(id_))
    memory.write(attach(mail(text="Another."), minutes=5))
    assert TEAM not in audiences(memory)
    memory.write(hand_over(id_))
    assert audiences(memory) == {"u2", "!u2"}


def test_what_the_new_owner_shows_stays_shown_unless_the_leaver_hid_more() -> None:
    memory, id_ = a_memory(attach(), attach(owner="u2"))
    memory.write(hide(id_))
    memory.write(hand_over(id_))
    assert TEAM in audiences(memory)
    other = attach(mail(text="For my eyes only."))
    memory, id_ = a_memory(attach(owner="u2"), other)
    memory.write(hide(id_))
    memory.write(hand_over(id_))
    assert TEAM not in audiences(memory)
    assert the_mail(memory, id_).private == ("u1", "u2")


def test_the_team_has_as_read_or_not_what_comes_back_to_it() -> None:
    memory, id_ = a_memory(attach(owner="u2"), attach(mail(text="For my eyes only.")))
    row = memory.row(TEAM, id_)
    assert row is not None
    memory.write(hide(id_))
    memory.write(hand_over(id_))
    assert memory.row(TEAM, id_) is None
    memory.write(hide(id_, who="u2", undo=True))
    again = memory.row(TEAM, id_)
    assert again is not None
    assert (again.arrived_before, again.arrived) == (row.arrived_before, row.arrived)


def test_what_the_leaver_deleted_stays_deleted_and_counts_for_nobody_else() -> None:
    request = attach()
    memory, id_ = a_memory(request)
    memory.write(forget(id_))
    [answer] = memory.write(hand_over(id_))
    assert answer.outcome == "unchanged"
    [again] = memory.write(attach())
    assert again.outcome == "dismissed"
    [own] = memory.write(attach(owner="u2"))
    assert own.outcome == "attached"


def test_what_the_new_owner_deleted_is_theirs_again_once_they_are_given_it() -> None:
    memory, id_ = a_memory(attach(owner="u2"), attach(mail(text="Another.")))
    memory.write(forget(id_, "u2"))
    memory.write(hand_over(id_))
    assert (owners(memory, id_), the_mail(memory, id_).forgotten) == (["u2"], ())
    [own] = memory.write(attach(owner="u2"))
    assert own.outcome == "attached"


# What comes again ----------------------------------------------------------------------------


def test_a_capture_that_is_delivered_again_stays_with_who_was_given_it() -> None:
    request = attach()
    memory, id_ = a_memory(request)
    memory.write(hand_over(id_))
    [answer] = memory.write(request)
    assert (answer.outcome, answer.again, answer.mail_id) == ("attached", True, id_)
    assert owners(memory, id_) == ["u2"]
    assert audiences(memory) == {TEAM, "u2"}


def test_what_the_new_owner_deletes_does_not_come_back_as_the_leavers() -> None:
    for others in ([], [attach(owner="u3")]):
        request = attach(mail(text="Word."))
        memory, id_ = a_memory(request, *others)
        memory.write(hand_over(id_))
        memory.write(forget(id_, "u2"))
        [answer] = memory.write(request)
        assert answer.outcome == "dismissed"
        assert owners(memory, id_) == ["u3"] * len(others)
        assert "Word." not in str(memory.documents)


def test_another_capture_of_the_leavers_is_theirs_until_it_is_given_too() -> None:
    memory, id_ = a_memory(attach())
    memory.write(hand_over(id_))
    memory.write(attach(minutes=3))
    assert owners(memory, id_) == ["u1", "u2"]
    memory.write(hand_over(id_))
    assert owners(memory, id_) == ["u2"]


def test_of_a_capture_for_several_users_one_share_is_given() -> None:
    first = attach(shared=True)
    event = first.event
    second = attach(owner="u3", shared=True, capture_id=event.capture_id)
    memory, id_ = a_memory(first, second)
    memory.write(hand_over(id_))
    assert owners(memory, id_) == ["u2", "u3"]
    memory.write(first, second)
    assert owners(memory, id_) == ["u2", "u3"]


# What is kept beside mails -------------------------------------------------------------------


def test_a_bounce_marks_the_mail_that_was_given_with_it() -> None:
    sent, back = attach(sent_by_owner=True), attach(bounce("1@x"))
    memory, id_ = a_memory(sent, back)
    memory.write(hand_over(id_), hand_over(back.projection.mail_id))
    [kept] = memory.all(Bounce)
    assert (kept.owner, kept.id) == ("u2", f"{ACCOUNT}/u2/{back.projection.mail_id}")
    assert kept.token == the_mail(memory, id_).token


def test_a_capture_that_waits_is_shown_to_the_new_owner_by_a_yes() -> None:
    request = attach(
        mail(bcc="c2@mail.example"), match("c2", Role.BCC), verdict=FAILED, may_wait=True
    )
    memory, _ = a_memory(request)
    id_ = held_id(str(request.event.capture_id))
    [answer] = memory.write(hand_over_held(id_))
    assert answer.outcome == "changed"
    [held] = memory.all(Held)
    assert (held.owner, {*held.audiences}) == ("u2", {"u2", "!u2"})
    [waiting] = held.mails
    assert [m.bcc_owners for m in waiting.shown.matches] == [("u2",)]
    assert job_of(memory).held == 1
    assert memory.tallies() == {(ACCOUNT, "2026-01-15", "u2", "quarantined"): 1}
    [answer] = memory.write(request)
    assert (answer.outcome, answer.again) == ("quarantined", True)
    assert memory.all(Held) == [held]
    [answer] = memory.write(hand_over_held(id_))
    assert answer.outcome == "unchanged"

    event = MailAttached.decode(waiting.event)
    yes = attach(
        request.raw,
        *event.matches,
        owner=event.owner,
        capture_id=event.capture_id,
        verdict=FAILED,
        is_released=True,
    )
    memory.write(yes)
    assert (memory.all(Held), audiences(memory)) == ([], {"u2", "!u2"})
    assert memory.tallies() == {(ACCOUNT, "2026-01-15", "u2", "attached"): 1}


def test_of_shares_that_wait_each_is_kept_once() -> None:
    first = attach(shared=True, verdict=FAILED, may_wait=True)
    capture = first.event.capture_id
    second = attach(owner="u2", shared=True, capture_id=capture, verdict=FAILED, may_wait=True)
    memory, _ = a_memory(first, second)
    id_ = held_id(str(capture))
    memory.write(hand_over_held(id_))
    [held] = memory.all(Held)
    assert [waiting.part for waiting in held.mails] == ["/1@u2"]
    memory.write(first, second)
    assert memory.all(Held) == [held]
    [outcome] = memory.all(Outcome)
    assert sorted(outcome.parts) == ["/1@u1", "/1@u2"]


def test_what_is_listed_is_what_the_captures_say() -> None:
    memory, id_ = a_memory(attach(), attach(mail(text="Another."), owner="u2"))
    memory.write(hand_over(id_))
    one = the_mail(memory, id_)
    assert audiences(memory) == {*views(as_ruled(one))}
    assert {content.id for content in memory.all(Content)} == {
        content_id(id_, capture.content) for capture in one.captures
    }
