"""A mail that a user removes from a profile or keeps for themselves, and brings back."""

from typing import Any

import pytest

from services.timeline.write.audiences import TEAM, private_to
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.read_marks import is_unread
from services.timeline.write.records import Mail
from services.timeline.write.requests import Answer
from services.timeline.write.side_records import AuditLine, Held
from services.timeline.write.stored import to_document
from shared.contracts.events import Role
from tests.memory_timeline import Memory, kept, profiles_of, the_mail, written
from tests.write_parts import ACCOUNT, FAILED, NOW, attach, detach, hide, mail, match


def listed(memory: Memory) -> dict[str, Any]:
    """Return all that is listed, to be the same after an undo."""
    names = ("mail_rows", "profile_mails", "conversations")
    return {name: kept(memory)[name] for name in names} | {
        "arrived": [(row.id, row.arrived) for row in memory.all(SummaryRow)],
        "rows": [(row.id, row.arrived, row.arrived_before) for row in memory.all(MailRow)],
    }


# Detach --------------------------------------------------------------------------------------


def test_a_detached_mail_is_in_the_inbox_and_on_no_timeline_of_that_profile() -> None:
    memory = written(attach(None, match("c1"), match("c2")))
    id_ = the_mail(memory)
    [answer] = memory.write(detach(id_, "c1"))
    assert answer.outcome == "changed"
    for audience in (TEAM, "u1"):
        row = memory.row(audience, id_)
        assert row is not None
        assert [person.person_id for person in row.persons] == ["c2"]
        assert profiles_of(memory, audience) == {("c2", id_)}
        assert [person.person_id for person in memory.summary(audience).persons] == ["c2"]
        assert memory.summary(audience).mail_count == 1


def test_a_mail_whose_only_profile_is_detached_stays_in_the_inbox() -> None:
    memory = written(attach())
    memory.write(detach(the_mail(memory)))
    assert memory.all(ProfileRow) == []
    assert {row.audience for row in memory.all(MailRow)} == {TEAM, "u1"}
    assert memory.summary(TEAM).persons == ()


def test_two_profiles_with_one_address_are_detached_each_for_itself() -> None:
    both = [match(person, address="shared@mail.example") for person in ("c1", "c2")]
    memory = written(attach(None, *both))
    memory.write(detach(the_mail(memory), "c2"))
    assert profiles_of(memory, TEAM) == {("c1", the_mail(memory))}


def test_a_later_capture_does_not_bring_a_detached_mail_back() -> None:
    memory = written(attach(None, match("c1"), match("c2")))
    id_ = the_mail(memory)
    memory.write(detach(id_, "c1"))
    memory.write(attach(None, match("c1"), match("c2"), owner="u2", minutes=1))
    assert profiles_of(memory, TEAM) == profiles_of(memory, "u2") == {("c2", id_)}


@pytest.mark.parametrize("with_other_mail", [False, True])
def test_what_is_put_back_is_as_it_was(*, with_other_mail: bool) -> None:
    memory = written(attach(None, match("c1"), match("c2", Role.BCC)))
    id_ = the_mail(memory)
    if with_other_mail:
        memory.write(attach(mail("2@x", references=["1@x"]), match("c3"), minutes=1))
    before = listed(memory)
    for person in ("c1", "c2"):
        memory.write(detach(id_, person))
    assert listed(memory) != before
    for person in ("c1", "c2"):
        memory.write(detach(id_, person, undo=True))
    assert listed(memory) == before
    assert [one.detached for one in memory.all(Mail, id=id_)] == [()]


def test_only_a_profile_that_the_mail_names_can_be_detached() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    before = kept(memory)
    assert memory.write(detach(id_, "c9"), detach("a" * 32)) == (Answer(outcome="unknown"),) * 2
    assert memory.write(detach(id_, undo=True)) == (Answer(outcome="unchanged"),)
    assert kept(memory) == before
    assert memory.all(AuditLine) == []


# Private -------------------------------------------------------------------------------------


def test_a_private_mail_is_its_owners_alone() -> None:
    memory = written(attach(None, match("c1")))
    id_ = the_mail(memory)
    memory.write(hide(id_))
    assert {row.audience for row in memory.all(MailRow)} == {"u1", "!u1"}
    assert {row.audience for row in memory.all(SummaryRow)} == {"u1", "!u1"}
    assert profiles_of(memory, private_to("u1")) == profiles_of(memory, "u1") == {("c1", id_)}


def test_what_a_colleague_captured_openly_stays_the_teams() -> None:
    memory = written(
        attach(mail(text="Mine alone."), match("c1"), match("c2")),
        attach(mail(text="Ours."), match("c1"), owner="u2", minutes=1),
    )
    id_ = the_mail(memory)
    memory.write(hide(id_))
    row = memory.row(TEAM, id_)
    assert row is not None
    assert row.snippet == "Ours."
    assert profiles_of(memory, TEAM) == {("c1", id_)}
    assert profiles_of(memory, private_to("u1")) == {("c2", id_)}
    for row in memory.all(MailRow):
        assert ("alone" in str(to_document(row))) is (row.audience == "u1")


def test_a_second_copy_of_a_private_mail_is_private_too() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    memory.write(hide(id_))
    memory.write(attach(mail(text="Another text."), minutes=1))
    assert {row.audience for row in memory.all(MailRow)} == {"u1", "!u1"}


def test_a_second_copy_that_waits_is_seen_to_wait_by_its_owner_alone() -> None:
    memory = written(attach())
    memory.write(hide(the_mail(memory)))
    memory.write(attach(mail(text="Another text."), verdict=FAILED, may_wait=True, minutes=1))
    [held] = memory.all(Held)
    assert held.audiences == ("!u1", "u1")
    assert held.mails[0].shown.matches[0].bcc_owners == ("u1",)


@pytest.mark.parametrize("with_other_mail", [False, True])
def test_a_mail_that_is_the_teams_again_is_as_read_or_unread_as_it_was(
    *, with_other_mail: bool
) -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    if with_other_mail:
        memory.write(attach(mail("2@x", references=["1@x"]), minutes=1))
    before = listed(memory)
    memory.write(hide(id_))
    assert memory.row(TEAM, id_) is None
    memory.write(hide(id_, undo=True))
    assert listed(memory) == before
    assert is_unread(memory.summary(TEAM).arrived, None, 0)


def test_a_colleagues_copy_of_a_private_mail_is_news_to_the_team() -> None:
    memory = written(attach())
    memory.write(hide(the_mail(memory)))
    memory.write(attach(owner="u2", minutes=1), now=NOW.replace(year=2027))
    assert memory.summary(TEAM).arrived == int(NOW.replace(year=2027).timestamp() * 1000)


def test_only_who_captured_a_mail_can_make_it_private() -> None:
    memory = written(attach())
    before = kept(memory)
    assert memory.write(hide(the_mail(memory), who="u2")) == (Answer(outcome="unknown"),)
    assert kept(memory) == before


# Both ----------------------------------------------------------------------------------------


def test_a_change_is_told_to_open_pages_and_to_who_keeps_a_copy() -> None:
    memory = written(attach())
    memory.hints.clear()
    memory.writes.clear()
    memory.write(detach(the_mail(memory)))
    assert {hint.audience for hint in memory.hints} == {TEAM, "u1"}
    assert memory.writes["mails"] == 1


def test_the_audit_log_has_who_what_and_when_and_nothing_of_the_mail() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    for request in (detach(id_), hide(id_), hide(id_, undo=True), detach(id_, undo=True)):
        memory.write(request, request)  # the second changes nothing, and is no line
    lines = [to_document(line) for line in memory.all(AuditLine)]
    for line in lines:
        assert line.pop("_id").startswith("line")
        assert line.pop("at") > NOW
        assert (line.pop("account"), line.pop("who")) == (ACCOUNT, "u1")
        assert (line.pop("kind"), line.pop("mail_id")) == ("mail", id_)
    assert lines == [
        {"what": "detached", "profile": "c1"},
        {"what": "private"},
        {"what": "team"},
        {"what": "attached", "profile": "c1"},
    ]
