"""A mail that is deleted for good: what goes, what stays, and who may delete it."""

import pytest
from msgspec.structs import replace

from services.timeline.write.audiences import TEAM
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow, TermBlock
from services.timeline.write.mail_changes import changed_mails
from services.timeline.write.read_marks import mark_id
from services.timeline.write.records import (
    Content,
    Conversation,
    Mail,
    RawMail,
)
from services.timeline.write.requests import Answer
from services.timeline.write.side_records import AuditLine, Bounce, DroppedBlob, ReadMark
from services.timeline.write.state import Draft, State
from services.timeline.write.stored import to_document
from services.timeline.write.term_blocks import block_id
from tests.forgetting_parts import FORGOTTEN, LARGE, how_many, prepared
from tests.memory_timeline import Memory, kept, the_mail, written
from tests.unit.timeline.write.test_replacing import read_again
from tests.write_parts import (
    ACCOUNT,
    attach,
    bounce,
    forget,
    mail,
    match,
)


def test_of_a_deleted_mail_an_id_stays_and_whose_it_was() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    [answer] = memory.write(forget(id_))
    assert (answer.outcome, answer.mail_id) == ("changed", id_)
    assert how_many(memory, Content, RawMail, MailRow, ProfileRow, SummaryRow) == 0
    [left] = memory.documents["mails"].values()
    assert left == {
        "_id": id_,
        "account": ACCOUNT,
        "message_id": None,
        "token": "",
        "captures": (),
        "forgotten": ("u1",),
    }
    [line] = memory.all(AuditLine)
    assert (line.who, line.what, line.mail_id) == ("u1", "forgotten", id_)


def test_an_owner_deletes_what_they_captured_and_a_colleagues_capture_stays() -> None:
    memory = written(
        attach(mail(text="Mine."), match("c1")),
        attach(mail(text="Ours."), match("c2"), owner="u2", minutes=1),
    )
    id_ = the_mail(memory)
    memory.write(forget(id_, "u1"))
    assert {row.audience for row in memory.all(MailRow)} == {TEAM, "u2"}
    assert {row.snippet for row in memory.all(MailRow)} == {"Ours."}
    assert {row.person_id for row in memory.all(ProfileRow)} == {"c2"}
    assert [one.text.strip() for one in memory.all(Content)] == ["Ours."]
    assert "Mine." not in str(memory.documents)


def test_all_captures_are_deleted_together() -> None:
    memory = written(attach(), attach(owner="u2"), attach(mail(text="Other."), owner="u3"))
    memory.write(forget(the_mail(memory), None))
    assert how_many(memory, Content, MailRow, RawMail) == 0
    assert memory.write(attach(owner="u4")) == (FORGOTTEN,)
    [line] = memory.all(AuditLine)
    assert line.who == "admin"


@pytest.mark.parametrize("with_id", [True, False])
def test_bytes_that_are_kept_for_a_colleague_lose_what_came_to_the_owner_alone(
    *, with_id: bool
) -> None:
    headers = "Received: by their.mailbox.example"
    id_ = "1@x" if with_id else None
    own = mail(id_, bcc="secret@mail.example" if with_id else "", headers=headers)
    memory = written(attach(own), attach(mail(id_), owner="u2", minutes=1))
    id_ = the_mail(memory)
    [content] = memory.all(Content)
    assert memory.write(forget(id_)) == (Answer(outcome="unprepared"),)
    assert memory.all(Content) == [content]
    assert memory.all(AuditLine) == []
    [answer] = memory.write(forget(id_, prepared=prepared(memory, id_, "u1")))
    assert answer.outcome == "changed"
    [now] = memory.all(Content)
    assert now.raw_of == ""
    raw = memory.raws()[now.raw_key]
    assert now.size == len(raw)
    assert b"Subject: Hello" in raw
    left = str(memory.documents)
    assert "their.mailbox" not in left
    assert "secret" not in left
    # Read again, it is the same.
    assert memory.write(read_again(memory, now))[0].outcome == "unchanged"


def test_bytes_are_prepared_for_all_contents_or_nothing_changes() -> None:
    texts = ("One.", "Two.")
    memory = written(
        *(attach(mail(text=text, bcc="secret@mail.example")) for text in texts),
        *(attach(mail(text=text), owner="u2", minutes=1) for text in texts),
    )
    id_ = the_mail(memory)
    before = sorted(memory.all(Content), key=lambda content: content.key)
    first = {before[0].key: prepared(memory, id_, "u1")[before[0].key]}
    assert memory.write(forget(id_, prepared=first)) == (Answer(outcome="unprepared"),)
    assert sorted(memory.all(Content), key=lambda content: content.key) == before
    [answer] = memory.write(forget(id_, prepared=prepared(memory, id_, "u1")))
    assert answer.outcome == "changed"
    assert "secret" not in str(memory.documents)


def test_a_colleagues_bytes_stay_as_they_are() -> None:
    memory = written(attach(owner="u2"), attach(owner="u1", minutes=1))
    before = memory.all(Content)
    [answer] = memory.write(forget(the_mail(memory)))
    assert answer.outcome == "changed"
    assert memory.all(Content) == before


def test_large_bytes_are_named_to_be_removed() -> None:
    request = attach(LARGE)
    memory = written(request)
    memory.write(forget(the_mail(memory)))
    assert [one.id for one in memory.all(DroppedBlob)] == [request.projection.content.raw_key]


def test_bytes_that_come_after_a_deletion_have_a_key_of_their_own() -> None:
    memory = written(attach(LARGE))
    memory.write(forget(the_mail(memory)))
    memory.write(attach(LARGE, owner="u2"))
    [content] = memory.all(Content)
    assert content.raw_key not in {one.id for one in memory.all(DroppedBlob)}
    assert memory.raws()[content.raw_key] == LARGE


def test_bytes_that_a_repeated_attempt_left_are_named_to_be_removed() -> None:
    request = attach(LARGE)
    memory = written(attach())
    memory.write(forget(the_mail(memory)))
    [answer] = memory.write(request)  # its first attempt had stored them
    assert answer == FORGOTTEN
    assert request.projection.content.raw_key in {one.id for one in memory.all(DroppedBlob)}


def test_the_block_that_had_its_words_goes_and_its_other_rows_are_fresh() -> None:
    requests = [attach(mail(f"{number}@x", text=f"word{number}")) for number in range(2)]
    memory = written(*requests)
    draft, place = Draft(State()), b"12345678ab"
    rows = memory.all(MailRow, audience=TEAM)
    terms = tuple(sorted({term for row in rows for term in row.terms}))
    block = TermBlock(
        id=block_id(ACCOUNT, TEAM, place), account=ACCOUNT, audience=TEAM, place=place, terms=terms
    )
    for record in (block, *(replace(row, block=place) for row in rows)):
        draft.put(record)
    memory.commit(draft, upsert=True)
    memory.write(forget(requests[0].projection.mail_id))
    assert memory.all(TermBlock) == []
    assert [row.block for row in memory.all(MailRow, audience=TEAM)] == [None]
    assert "word0" not in str(memory.documents)
    assert "word1" in str(memory.documents)


def test_what_the_mail_said_about_another_goes() -> None:
    memory = written(attach(bounce("1@x"), owner="u1"), attach(bounce("1@x"), owner="u2"))
    id_ = the_mail(memory)
    memory.write(forget(id_, prepared=prepared(memory, id_, "u1")))
    assert [one.owner for one in memory.all(Bounce)] == ["u2"]
    memory.write(forget(id_, "u2"))
    assert memory.all(Bounce) == []


def test_read_marks_go_with_the_last_mail_of_a_conversation() -> None:
    memory = written(attach(), attach(mail("2@x", references=["1@x"])))
    first, second = (one.id for one in memory.all(Mail))
    [conversation] = {row.conversation for row in memory.all(SummaryRow)}
    draft = Draft(State())
    draft.put(
        ReadMark(
            id=mark_id(ACCOUNT, "u2", conversation),
            account=ACCOUNT,
            user="u2",
            conversation=conversation,
            through=1,
            unread=False,
        )
    )
    memory.commit(draft, upsert=True)
    memory.write(forget(first))
    assert len(memory.all(ReadMark)) == 1
    assert [one.mails for one in memory.all(Conversation)] == [1]
    assert memory.summary(TEAM).mail_count == 1
    memory.write(forget(second))
    assert memory.all(ReadMark) == []
    assert [one.mails for one in memory.all(Conversation)] == [0]


def test_conversations_do_not_fall_apart() -> None:
    middle = attach(mail("2@x", references=["1@x"]))
    memory = written(attach(), middle, attach(mail("3@x", references=["2@x"])))
    memory.write(forget(middle.projection.mail_id))
    assert len({row.conversation for row in memory.all(SummaryRow)}) == 1
    assert memory.summary(TEAM).mail_count == 2


# Who may, and who is told --------------------------------------------------------------------


def test_who_captured_nothing_deletes_nothing() -> None:
    memory = written(attach())
    before = kept(memory)
    requests = forget(the_mail(memory), "u2"), forget("a" * 32)
    assert memory.write(*requests) == (Answer(outcome="unknown"),) * 2
    assert kept(memory) == before
    assert memory.all(AuditLine) == []


def test_to_delete_it_again_changes_nothing() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    memory.write(forget(id_))
    memory.writes.clear()
    assert memory.write(forget(id_)) == (Answer(outcome="unchanged"),)
    assert memory.writes.total() == 0


def test_captured_and_deleted_in_one_batch_nothing_is_written_of_it() -> None:
    request = attach(LARGE)
    memory = Memory()
    memory.write(request, forget(request.projection.mail_id))
    assert how_many(memory, Content, MailRow, SummaryRow) == 0
    assert memory.raws() == {}


def test_a_deleted_mail_is_told_to_who_keeps_a_copy() -> None:
    memory = written(attach())
    id_ = the_mail(memory)
    memory.hints.clear()
    applied = memory.apply([forget(id_)])
    assert changed_mails(applied.draft) == {ACCOUNT: [id_]}
    memory.commit(applied.draft)
    assert {hint.audience for hint in memory.hints} == {TEAM, "u1"}
    assert "Hello" not in str([to_document(hint) for hint in memory.hints])
