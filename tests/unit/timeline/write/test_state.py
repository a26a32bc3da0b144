"""What a batch sees: what was loaded, under what it has written itself."""

import pytest

from services.timeline.write.listed_records import MailRow
from services.timeline.write.records import Conversation, NamedAddress, Token
from services.timeline.write.side_records import ReadMark
from services.timeline.write.state import ById, Draft, NotLoaded, OfConversation, State
from tests.write_parts import NOW


def token(name: str, conversation: str = "t1", account: str = "acme") -> Token:
    return Token(id=f"{account}/{name}", account=account, conversation=conversation)


def row(
    mail_id: str, conversation: str = "t1", audience: str = "*", account: str = "acme"
) -> MailRow:
    return MailRow(
        id=f"{account}/{audience}/{mail_id}",
        account=account,
        audience=audience,
        mail_id=mail_id,
        conversation=conversation,
        date=NOW,
        content="k",
        subject="",
        snippet="",
        has_attachments=False,
        participants=(NamedAddress(name="", address="a@x"),),
        persons=(),
    )


def mark(user: str, conversation: str = "t1") -> ReadMark:
    return ReadMark(
        id=f"acme/{user}/{conversation}",
        account="acme",
        user=user,
        conversation=conversation,
        through=1,
        unread=False,
    )


def loaded(*records: Token | None, ids: tuple[str, ...] = ()) -> Draft:
    state = State()
    for record in records:
        assert record is not None
        state.add(ById(Token, record.account, record.id), record)
    for id_ in ids:
        state.add(ById(Token, "acme", id_), None)
    return Draft(state)


def of(name: str, audience: str | None = None, account: str = "acme") -> OfConversation:
    return OfConversation(MailRow, account, name, audience)


def test_what_was_not_loaded_is_never_taken_for_absent() -> None:
    draft = loaded(token("a"), ids=("acme/b",))
    assert draft.one(Token, "acme", "acme/a") == token("a")
    assert draft.one(Token, "acme", "acme/b") is None
    with pytest.raises(NotLoaded) as raised:
        draft.one(Token, "acme", "acme/c")
    assert raised.value.queries == (ById(Token, "acme", "acme/c"),)
    assert draft.state.known(ById(Token, "acme", "acme/a")) == token("a")
    assert draft.state.known(ById(Token, "acme", "acme/b")) is None
    assert draft.state.known(ById(Token, "acme", "acme/c")) == "unknown"


def test_of_several_all_that_are_missing_are_named() -> None:
    draft = loaded(token("a"))
    with pytest.raises(NotLoaded) as raised:
        draft.many(Token, "acme", ["acme/x", "acme/a", "acme/y"])
    assert raised.value.queries == tuple(ById(Token, "acme", f"acme/{t}") for t in "xy")
    assert draft.many(Token, "acme", ["acme/a"]) == {"acme/a": token("a")}


def test_what_was_written_lies_over_what_was_loaded() -> None:
    draft = loaded(token("a"), token("b"))
    draft.put(token("a", "t2"))
    draft.put(token("new"))
    draft.delete(Token, "acme", "acme/b")
    found = draft.many(Token, "acme", ["acme/a", "acme/b", "acme/new"])
    assert found == {"acme/a": token("a", "t2"), "acme/b": None, "acme/new": token("new")}


def test_a_renamed_conversation_has_its_tokens_whenever_they_were_read_or_written() -> None:
    draft = loaded(token("a", "old"), token("b", "older"), token("c", "t1"))
    draft.put(token("written", "old"))
    draft.delete(Token, "acme", "acme/gone")
    draft.put(Conversation(id="acme/old", account="acme", mails=1))
    draft.rename("acme", "older", "old")
    draft.rename("acme", "old", "new")
    ids = [f"acme/{name}" for name in ("a", "b", "c", "written")]
    names = [t.conversation for t in draft.many(Token, "acme", ids).values() if t]
    assert names == ["new", "new", "t1", "new"]
    assert draft.renamed == {("acme", "older"): "new", ("acme", "old"): "new"}
    assert draft.one(Token, "acme", "acme/gone") is None


def test_a_conversation_of_another_account_is_not_renamed() -> None:
    draft = loaded(token("a", "old"), token("a", "old", "other"))
    draft.rename("other", "x", "old")
    draft.rename("acme", "old", "new")
    other = draft.one(Token, "other", "other/a")
    assert other == token("a", "old", "other")
    assert draft.renamed["other", "x"] == "old"


def test_all_that_belongs_to_a_conversation_is_what_it_had_gained_and_lost() -> None:
    state = State()
    state.add_all(of("t1"), (row("a"), row("b"), row("c")))
    state.add_all(of("t2"), (row("d", "t2"), row("e", "t2", "u1")))
    draft = Draft(state)
    draft.rename("acme", "t2", "t1")
    draft.delete(MailRow, "acme", row("b").id)
    draft.put(row("c", "t3"))
    draft.put(row("new"))
    draft.put(row("elsewhere", "t4"))
    draft.put(row("other", account="other"))
    draft.put(token("no row", "t1"))
    found = draft.of_conversations(MailRow, "acme", ["t1"])
    assert [one.mail_id for one in found] == ["a", "d", "e", "new"]
    assert {one.conversation for one in found} == {"t1"}


def test_what_was_merged_into_a_conversation_has_to_be_loaded_as_well() -> None:
    state = State()
    state.add_all(of("t1"), ())
    draft = Draft(state)
    draft.rename("acme", "t2", "t1")
    draft.rename("acme", "t4", "t3")
    draft.rename("other", "t5", "t1")
    with pytest.raises(NotLoaded) as raised:
        draft.of_conversations(MailRow, "acme", ["t1"])
    assert raised.value.queries == (of("t2"),)


def test_of_one_audience_are_its_own() -> None:
    state = State()
    state.add_all(of("t1", "u1"), (row("a", audience="u1"),))
    draft = Draft(state)
    draft.put(row("b", audience="u1"))
    draft.put(row("c", audience="*"))
    found = draft.of_conversations(MailRow, "acme", ["t1"], "u1")
    assert [one.mail_id for one in found] == ["a", "b"]


def test_what_was_loaded_with_its_conversation_is_known_by_its_id() -> None:
    state = State()
    query = OfConversation(ReadMark, "acme", "t1")
    newer = mark("u1")
    state.add(ById(ReadMark, "acme", newer.id), None)
    state.add_all(query, (newer, mark("u2")))
    assert state.one(ReadMark, "acme", mark("u2").id) == mark("u2")
    assert state.one(ReadMark, "acme", newer.id) is None  # what was read first counts
    assert query in state
    with pytest.raises(NotLoaded):
        state.all(OfConversation(ReadMark, "acme", "t2"))


def test_rows_that_were_loaded_without_their_terms_are_not_taken_for_whole() -> None:
    state = State()
    state.add_all(of("t1"), (row("a"),))
    with pytest.raises(NotLoaded):
        state.one(MailRow, "acme", row("a").id)


def test_absence_can_be_written_over() -> None:
    draft = loaded(ids=("acme/a",))
    draft.put(token("a"))
    assert draft.one(Token, "acme", "acme/a") == token("a")
    assert draft.state.one(Token, "acme", "acme/a") is None


def test_all_conversations_that_are_missing_are_named_at_once() -> None:
    state = State()
    state.add_all(of("t2"), ())
    with pytest.raises(NotLoaded) as raised:
        Draft(state).of_conversations(MailRow, "acme", ["t1", "t2", "t3"])
    assert raised.value.queries == (of("t1"), of("t3"))


def test_what_is_assumed_absent_is_so_unless_it_was_found() -> None:
    state = State()
    state.add(ById(Token, "acme", "acme/a"), token("a"))
    for name in "ab":
        state.assume_absent(ById(Token, "acme", f"acme/{name}"))
    assert state.one(Token, "acme", "acme/a") == token("a")
    assert state.one(Token, "acme", "acme/b") is None
