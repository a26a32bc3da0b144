"""Captures whose matches a review has replaced, or that it has dismissed."""

from datetime import timedelta

from services.timeline.write.audiences import TEAM
from services.timeline.write.listed_records import MailRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import Content, Mail, Outcome
from services.timeline.write.requests import Attach, Prepared, Request
from services.timeline.write.side_records import AuditLine, Bounce
from shared.contracts.events import Role
from tests.memory_timeline import Memory, profiles_of
from tests.write_parts import (
    ACCOUNT,
    NOW,
    attach,
    bounce,
    detach,
    forget,
    hand_over,
    hide,
    mail,
    match,
    redecide,
)

MOVED = match("c2", address="c1@mail.example")


def captured(*requests: Attach) -> tuple[Memory, str]:
    memory = Memory()
    for request in requests:
        memory.write(request)
    return memory, requests[0].projection.mail_id


def the_mail(memory: Memory, id_: str) -> Mail:
    found = memory.one(Mail, id_)
    assert found is not None
    return found


def outcome(memory: Memory, *requests: Request) -> list[str]:
    return [answer.outcome for request in requests for answer in memory.write(request)]


def test_an_address_that_moved_takes_its_mail_along() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    change = redecide(request, MOVED)
    assert outcome(memory, change, change) == ["changed", "unchanged"]
    assert profiles_of(memory, TEAM) == {("c2", id_)}
    assert profiles_of(memory, "u1") == {("c2", id_)}
    [line] = memory.all(AuditLine)
    assert (line.what, line.kind, line.who, line.mail_id) == ("redecided", "mail", "admin", id_)
    assert len(memory.all(Content)) == 1


def test_a_redelivery_does_not_bring_the_old_matches_back() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    assert outcome(memory, redecide(request, MOVED), request) == ["changed", "attached"]
    assert profiles_of(memory, TEAM) == {("c2", id_)}


def test_a_second_arrival_that_was_decided_before_is_settled_too() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    late = attach(None, match(), minutes=1)
    assert outcome(memory, redecide(request, MOVED, minutes=2), late) == ["changed", "attached"]
    assert profiles_of(memory, TEAM) == {("c2", id_)}
    found = memory.one(Outcome, str(late.event.capture_id))
    assert found is not None
    assert found.mails == (id_,)


def test_a_capture_that_was_decided_later_adds_what_it_says() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    memory.write(redecide(request, MOVED, minutes=2))
    memory.write(attach(None, match("c3"), minutes=3))
    assert profiles_of(memory, TEAM) == {("c2", id_), ("c3", id_)}


def test_what_has_changed_since_it_was_reviewed_stays() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    memory.write(attach(None, match("c3"), minutes=1))
    assert outcome(memory, redecide(request, MOVED)) == ["overtaken"]
    assert profiles_of(memory, TEAM) == {("c1", id_), ("c3", id_)}
    assert not the_mail(memory, id_).redecided
    assert not memory.all(AuditLine)


def test_a_mail_that_was_deleted_or_given_away_since_is_left_alone() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    memory.write(hand_over(id_))
    assert outcome(memory, redecide(request, MOVED)) == ["overtaken"]
    memory.write(forget(id_, None))
    assert outcome(memory, redecide(request, MOVED)) == ["overtaken"]
    unknown = attach(mail("other@x"), match())
    assert outcome(memory, redecide(unknown, MOVED)) == ["overtaken"]


def test_a_dismissed_capture_leaves_nothing_but_its_id() -> None:
    request = attach(bounce("1@x"), match())
    memory, id_ = captured(request)
    assert outcome(memory, redecide(request)) == ["changed"]
    for kind in (Content, MailRow, Bounce):
        assert not memory.all(kind), kind
    assert not memory.raws()
    left = the_mail(memory, id_)
    assert (left.captures, left.forgotten) == ((), ())
    found = memory.one(Outcome, str(request.event.capture_id))
    assert found is not None
    assert found.mails == ()
    assert outcome(memory, request) == ["dismissed"]
    assert not memory.all(MailRow)


def test_a_later_capture_of_a_dismissed_mail_is_shown() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    memory.write(redecide(request))
    late = attach(None, match("c3"), minutes=1)
    assert outcome(memory, late) == ["attached"]
    assert profiles_of(memory, TEAM) == {("c3", id_)}
    [content] = memory.all(Content)
    assert content.raw_key in memory.raws()


def test_what_a_colleague_captured_stays_without_the_bcc_of_who_loses_theirs() -> None:
    raw = mail(bcc="hidden@mail.example")
    request = attach(raw, match())
    memory, id_ = captured(request, attach(mail(), match(), owner="u2", minutes=1))
    assert outcome(memory, redecide(request)) == ["unprepared"]
    [content] = memory.all(Content)
    made = Prepared(content.raw_key, f"{content.raw_key}.own", mail())
    assert outcome(memory, redecide(request, prepared={content.key: made})) == ["changed"]
    assert [capture.owner for capture in the_mail(memory, id_).captures] == ["u2"]
    assert [*memory.raws()] == [made.new_key]
    assert profiles_of(memory, TEAM) == {("c1", id_)}
    assert {row.audience for row in memory.all(MailRow)} == {TEAM, "u2"}


def test_other_contents_of_the_owner_stay() -> None:
    request, other = attach(None, match()), attach(mail(text="Other."), match(), minutes=1)
    memory, id_ = captured(request, other)
    assert outcome(memory, redecide(request)) == ["changed"]
    [capture] = the_mail(memory, id_).captures
    assert capture.content == other.projection.capture.content
    [content] = memory.all(Content)
    assert content.id == content_id(id_, capture.content)


def test_rulings_stay_in_force() -> None:
    request = attach(None, match(), match("c3"))
    memory, id_ = captured(request)
    memory.write(detach(id_, "c3"))
    memory.write(hide(id_))
    memory.write(redecide(request, MOVED, match("c3")))
    assert profiles_of(memory, TEAM) == set()
    assert profiles_of(memory, "u1") == {("c2", id_)}
    memory.write(detach(id_, "c3", undo=True))
    memory.write(hide(id_, undo=True))
    assert profiles_of(memory, TEAM) == {("c2", id_), ("c3", id_)}


def test_a_match_by_bcc_is_its_owners_alone() -> None:
    request = attach(mail(bcc="c4@mail.example"), match())
    memory, id_ = captured(request)
    memory.write(redecide(request, match(), match("c4", Role.BCC)))
    assert profiles_of(memory, TEAM) == {("c1", id_)}
    assert profiles_of(memory, "!u1") == {("c4", id_)}


def test_nothing_becomes_unread() -> None:
    request = attach(None, match())
    memory, _ = captured(request)
    [before] = [row.arrived for row in memory.all(MailRow) if row.audience == TEAM]
    memory.write(redecide(request, MOVED))
    [after] = [row.arrived for row in memory.all(MailRow) if row.audience == TEAM]
    assert (ACCOUNT, after) == (ACCOUNT, before)


def test_of_two_reviews_the_later_one_counts() -> None:
    request = attach(None, match())
    memory, id_ = captured(request)
    memory.write(redecide(request, MOVED, minutes=1))
    again = redecide(request, match("c3"), minutes=2, was=frozenset({("c2", "c1@mail.example")}))
    assert outcome(memory, again) == ["changed"]
    [mark] = the_mail(memory, id_).redecided
    assert mark.at == NOW + timedelta(minutes=2)
    assert outcome(memory, redecide(request, MOVED, minutes=1)) == ["overtaken"]
