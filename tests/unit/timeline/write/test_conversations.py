"""Which mails belong together, and what becomes of the rows of conversations that meet."""

import pytest
from msgspec.structs import replace

from services.timeline.write.committing import moved_mails
from services.timeline.write.conversations import join, token_id
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.records import Conversation, Mail, Token
from services.timeline.write.side_records import ReadMark
from services.timeline.write.state import Draft, NotLoaded, OfConversation, Query, State
from shared.contracts.events import Role
from tests.memory_timeline import Memory, mails_by_conversation
from tests.write_parts import ACCOUNT, attach, mail, match


def conversation(memory: Memory, message_id: str) -> str | None:
    [found] = [one for one in memory.all(Mail) if one.message_id == message_id]
    return memory.conversation_of(found.token)


def chain(memory: Memory, name: str, count: int) -> str:
    """Write a conversation of so many mails; return its id."""
    for number in range(count):
        references = [f"{name}0@x"] if number else []
        memory.write(attach(mail(f"{name}{number}@x", references=references)))
    found = conversation(memory, f"{name}0@x")
    assert found is not None
    return found


def test_a_conversation_is_named_after_its_first_mail_whatever_it_names() -> None:
    memory = Memory()
    request = attach(mail("1@x", references=["0@x", "9@x"]))
    [answer] = memory.write(request)
    assert answer.conversation_id == request.projection.token
    memory.write(attach(mail("0@x")), attach(mail("2@x", references=["9@x"])))
    assert {one.conversation for one in memory.all(Token)} == {answer.conversation_id}
    assert memory.summary("*").mail_count == 3


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_where_conversations_meet_the_largest_keeps_its_name(is_one_batch: bool) -> None:
    memory = Memory()
    small, large, middle = (chain(memory, n, c) for n, c in (("a", 1), ("b", 3), ("c", 2)))
    joining = attach(mail("j@x", references=["a0@x", "b0@x", "c0@x"]))
    later = attach(mail("k@x", references=["a0@x"]))
    draft = memory.apply([joining, later]).draft
    assert moved_mails(draft) == 3
    answers = memory.write(joining, later) if is_one_batch else ()
    answers = answers or (*memory.write(joining), *memory.write(later))
    assert {answer.conversation_id for answer in answers} == {large}
    for former in (small, middle, large):
        assert memory.conversation_of(former) == large
    [found] = memory.all(Conversation)
    assert found.mails == 8
    summary = memory.summary("*")
    assert (summary.mail_count, summary.id) == (8, f"{ACCOUNT}/*/{large}")
    assert len(memory.all(SummaryRow)) == 2  # for the team, and for u1


def test_of_two_as_large_the_greater_name_stays() -> None:
    memory = Memory()
    names = [chain(memory, name, 1) for name in "ab"]
    memory.write(attach(mail("j@x", references=["a0@x", "b0@x"])))
    assert memory.summary("*").conversation == max(names)


def test_each_audience_keeps_what_it_had_of_conversations_that_meet() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), match("c1"), owner="u1"))
    memory.write(attach(mail("2@x", day=14), match("c2", Role.BCC), owner="u2"))
    newest = memory.summary("!u2").arrived
    memory.write(attach(mail("3@x", references=["1@x", "2@x"]), match("c3"), backfill=True))
    rows = {row.audience: row for row in memory.all(SummaryRow)}
    assert {a: (r.mail_count, [p.person_id for p in r.persons]) for a, r in rows.items()} == {
        "*": (2, ["c1", "c3"]),
        "u1": (2, ["c1", "c3"]),
        "u2": (1, ["c2"]),
        "!u2": (1, ["c2"]),
    }
    assert rows["!u2"].arrived == rows["u2"].arrived == newest
    assert rows["*"].arrived == newest - 1000


def test_of_parts_that_merge_the_latest_arrival_counts() -> None:
    memory = Memory()
    chain(memory, "a", 2)
    chain(memory, "b", 1)
    newest = max(row.arrived for row in memory.all(SummaryRow))
    memory.write(attach(mail("j@x", references=["a0@x", "b0@x"]), backfill=True))
    assert memory.summary("*").arrived == newest


def test_whoever_joins_writes_the_conversation_and_a_repetition_does_not() -> None:
    memory = Memory()
    request = attach(mail("1@x"))
    memory.write(request)
    [first] = memory.all(Conversation)
    assert (first.mails, first.joined) == (1, 1)
    memory.write(request)
    assert memory.all(Conversation) == [first]
    memory.write(attach(mail("1@x"), owner="u2"))  # no mail more, but rows
    [second] = memory.all(Conversation)
    assert (second.mails, second.joined) == (1, 2)
    memory.write(attach(mail("2@x", references=["1@x"])))
    [third] = memory.all(Conversation)
    assert (third.mails, third.joined) == (2, 3)


def joined(memory: Memory, *tokens: str) -> tuple[Draft, list[set[Query]]]:
    """Tie tokens together for a mail that has not changed; return what was asked for as well."""
    state, asked = State(), list[set[Query]]()
    while True:
        draft = Draft(state)
        try:
            join(draft, ACCOUNT, tokens, is_changed=False)
        except NotLoaded as missing:
            asked.append({*missing.queries})
            memory.load(state, missing.queries)
        else:
            return draft, asked


def test_every_join_writes_the_conversation_so_that_two_at_once_meet() -> None:
    memory = Memory()
    large, small = chain(memory, "a", 2), chain(memory, "b", 1)
    before = Conversation(id=token_id(ACCOUNT, large), account=ACCOUNT, mails=2, joined=2)
    tied, _ = joined(memory, large, "another")
    assert tied.one(Conversation, ACCOUNT, before.id) == replace(before, joined=3)
    merged, _ = joined(memory, large, small)
    assert merged.one(Conversation, ACCOUNT, before.id) == replace(before, mails=3, joined=3)
    nothing, _ = joined(memory, large)
    assert nothing.written == {}


def test_what_a_merge_needs_is_asked_for_at_once() -> None:
    memory = Memory()
    names = [chain(memory, name, 1) for name in "ab"]
    _, asked = joined(memory, *names)
    kinds: tuple[type[SummaryRow | ReadMark], ...] = (SummaryRow, ReadMark)
    assert {OfConversation(kind, ACCOUNT, name) for name in names for kind in kinds} in asked


def test_a_conversation_whose_document_is_lost_keeps_its_mails() -> None:
    memory = Memory()
    chain(memory, "a", 2)
    memory.documents[Conversation.collection].clear()
    memory.write(attach(mail("r@x", references=["a0@x"])))
    assert len(mails_by_conversation(memory)) == 1
    assert memory.summary("*").mail_count == 3
    assert [one.mails for one in memory.all(Conversation)] == [1]  # of those that it knows of


def test_ids_of_another_account_never_join() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x")), attach(mail("2@x", references=["1@x"]), account="other"))
    assert len(mails_by_conversation(memory)) == 2


def test_a_mail_that_names_itself_is_one_of_a_conversation() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x", references=["1@x", "1@x"])))
    assert len(memory.all(Token)) == 1


def test_a_variant_that_names_another_mail_joins_them() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x")), attach(mail("2@x")))
    memory.write(attach(mail("2@x", references=["1@x"]), owner="u2"))
    [group] = mails_by_conversation(memory)
    assert len(group) == 2
    [found] = memory.all(Conversation)
    assert found.mails == 2
