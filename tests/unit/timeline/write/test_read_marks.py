"""What a user has read stays read, and what arrives is news to whom it is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.write.audiences import TEAM, private_to
from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.read_marks import (
    is_unread,
    mark_id,
    newest_arrivals,
    reader_id,
)
from services.timeline.write.records import Mail
from services.timeline.write.side_records import ReadBefore, ReadMark
from services.timeline.write.state import Draft, State
from shared.contracts.events import Role
from tests.memory_timeline import Memory
from tests.write_parts import ACCOUNT, NOW, attach, mail, match

MILLISECONDS = int(NOW.timestamp() * 1000)


def put(memory: Memory, *records: ReadMark | ReadBefore) -> None:
    """Write what a user reads, as the API does."""
    draft = Draft(State())
    for record in records:
        draft.put(record)
    memory.commit(draft, upsert=True)


def mark(
    conversation: str,
    through: int,
    user: str = "u1",
    *,
    unread: bool = False,
    account: str = ACCOUNT,
) -> ReadMark:
    id_ = mark_id(account, user, conversation)
    return ReadMark(
        id=id_,
        account=account,
        user=user,
        conversation=conversation,
        through=through,
        unread=unread,
    )


def before(through: int, user: str = "u1") -> ReadBefore:
    return ReadBefore(id=reader_id(ACCOUNT, user), account=ACCOUNT, read_before=through)


def unread(memory: Memory, user: str = "u1", *, own_only: bool = False) -> set[str]:
    """Return the conversations that a user has not read, as their inbox shows it."""
    audiences = (user,) if own_only else (TEAM, private_to(user))
    rows = [row for row in memory.all(SummaryRow, account=ACCOUNT) if row.audience in audiences]
    everything = memory.one(ReadBefore, reader_id(ACCOUNT, user))
    return {
        conversation
        for conversation, arrived in newest_arrivals(rows).items()
        if is_unread(
            arrived,
            memory.one(ReadMark, mark_id(ACCOUNT, user, conversation)),
            everything.read_before if everything else 0,
        )
    }


def read_all(memory: Memory, user: str = "u1") -> None:
    rows = [row for row in memory.all(SummaryRow) if row.audience in (TEAM, private_to(user), user)]
    newest = newest_arrivals(rows)
    put(memory, *(mark(conversation, n, user) for conversation, n in newest.items()))


# What is unread ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived", "through", "marked", "read_before", "expected"),
    [
        (5, None, False, 0, True),
        (5, None, False, 4, True),
        (5, None, False, 5, False),
        (0, None, False, 0, False),
        (5, 4, False, 0, True),
        (5, 5, False, 0, False),
        (5, 4, False, 5, False),
        (5, 9, True, 9, True),
    ],
)
def test_unread_is_what_arrived_later_than_was_read(
    arrived: int, through: int | None, marked: bool, read_before: int, expected: bool
) -> None:
    known = mark("t1", through, unread=marked) if through is not None else None
    assert is_unread(arrived, known, read_before) is expected


def test_what_arrives_is_news_to_all_who_see_it() -> None:
    memory = Memory()
    memory.write(attach(mail(), owner="u1"))
    assert memory.summary(TEAM).arrived == MILLISECONDS + 1000
    assert len(unread(memory, "u1")) == len(unread(memory, "u2")) == 1
    assert len(unread(memory, "u1", own_only=True)) == 1
    assert unread(memory, "u2", own_only=True) == set()


def test_when_a_mail_was_news_is_kept_for_the_team_alone() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x")), attach(mail("2@x", references=["1@x"])), now=NOW)
    news = [(row.arrived_before, row.arrived) for row in memory.all(MailRow, audience=TEAM)]
    assert sorted(news) == [(0, MILLISECONDS), (MILLISECONDS, MILLISECONDS + 1)]
    assert {row.arrived for row in memory.all(MailRow, audience="u1")} == {0}


def test_what_arrives_in_one_moment_is_news_each_time() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x")), attach(mail("2@x", references=["1@x"])), now=NOW)
    assert memory.summary(TEAM).arrived == MILLISECONDS + 1
    memory.write(attach(mail("3@x", references=["1@x"])), now=NOW - timedelta(seconds=1))
    assert memory.summary(TEAM).arrived == MILLISECONDS + 2


def test_a_second_capture_of_a_mail_is_no_news_to_the_team() -> None:
    memory = Memory()
    memory.write(attach(owner="u1"))
    arrived = memory.summary(TEAM).arrived
    memory.write(attach(owner="u2"))
    memory.write(attach(mail(text="Other."), owner="u1"))
    memory.write(attach(None, match("c2"), owner="u3"))  # which is listed on another profile now
    assert memory.summary(TEAM).arrived == arrived
    assert memory.summary("u2").arrived == arrived + 1000


@given(st.permutations(["live", "old", "sent"]), st.booleans())
def test_a_backfilled_mail_is_no_news_to_anybody(order: list[str], is_read: bool) -> None:
    memory = Memory()
    if is_read:
        memory.write(attach(mail("0@x")))
        read_all(memory)
    captures = {
        "live": attach(mail("1@x", references=["0@x"]), backfill=True),
        "old": attach(mail("2@x", references=["1@x"]), backfill=True, owner="u2"),
        "sent": attach(mail("3@x"), backfill=True, sent_by_owner=True),
    }
    hints = len(memory.hints)
    for name in order:
        memory.write(captures[name])
    for user in ("u1", "u3"):
        expected = is_read and user == "u3"
        assert len(unread(memory, user)) == expected
        assert len(unread(memory, user, own_only=True)) == 0
    assert len(memory.hints) == hints
    assert {row.arrived for row in memory.all(SummaryRow)} <= {0, MILLISECONDS + 1000}


# What a user sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_asked_ahead", [True, False])
def test_what_a_user_sent_is_read_for_them_and_news_to_the_others(is_asked_ahead: bool) -> None:
    memory = Memory(is_asked_ahead=is_asked_ahead)
    memory.write(attach(sent_by_owner=True))
    assert unread(memory, "u1") == unread(memory, "u1", own_only=True) == set()
    assert len(unread(memory, "u2")) == 1
    assert memory.summary("u1").arrived == 0


def test_what_a_user_sent_is_read_if_they_had_read_what_was_there_before() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u2"))
    answer = attach(mail("2@x", references=["1@x"]), sent_by_owner=True)
    unread_before = Memory()
    unread_before.write(attach(mail("1@x"), owner="u2"))
    unread_before.write(answer)
    assert len(unread(unread_before)) == 1
    read_all(memory)
    memory.write(answer)
    assert unread(memory) == set()
    memory.write(attach(mail("3@x", references=["1@x"]), owner="u2"))
    assert len(unread(memory)) == 1


def test_what_was_marked_unread_stays_so_when_the_user_answers() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u2"))
    put(memory, mark(memory.summary(TEAM).conversation, MILLISECONDS * 2, unread=True))
    memory.write(attach(mail("2@x", references=["1@x"]), sent_by_owner=True))
    assert len(unread(memory)) == 1


def test_what_was_read_before_everything_counts_as_read() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u2"))
    put(memory, before(MILLISECONDS * 2))
    memory.write(attach(mail("2@x", references=["1@x"]), sent_by_owner=True))
    put(memory, before(0))
    assert unread(memory) == set()


def test_a_mark_that_is_further_stays_there() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u2"))
    conversation = memory.summary(TEAM).conversation
    put(memory, mark(conversation, MILLISECONDS * 2))
    memory.write(attach(mail("2@x", references=["1@x"]), sent_by_owner=True))
    [found] = memory.all(ReadMark)
    assert found == mark(conversation, MILLISECONDS * 2)


def test_what_only_the_user_sees_has_to_be_read_as_well() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), match(role=Role.BCC)))
    memory.write(attach(mail("2@x", references=["1@x"]), sent_by_owner=True))
    assert len(unread(memory)) == 1
    read_all(memory)
    memory.write(attach(mail("3@x", references=["1@x"]), sent_by_owner=True))
    assert unread(memory) == set()


@pytest.mark.parametrize("is_asked_ahead", [True, False])
def test_what_a_user_sent_in_private_is_read_for_them(is_asked_ahead: bool) -> None:
    memory = Memory(is_asked_ahead=is_asked_ahead)
    memory.write(attach(None, match(role=Role.BCC), sent_by_owner=True))
    assert unread(memory) == unread(memory, own_only=True) == set()
    assert memory.all(ReadMark) == []


def own_and_colleagues(
    own_matches: Role = Role.TO, *, first: str = "u1", has_read: bool = True
) -> Memory:
    """Return what there is when u1 answers, and a colleague is in Cc whose capture comes too."""
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u2"))
    if has_read:
        read_all(memory)
    raw = mail("2@x", references=["1@x"])
    captures = {
        "u1": attach(raw, match(role=own_matches), sent_by_owner=True),
        "u2": attach(raw, owner="u2", sent_by_owner=False),
    }
    for owner in (first, *({*captures} - {first})):
        memory.write(captures[owner])
    return memory


def test_what_a_user_sent_is_read_when_a_colleagues_capture_comes_later() -> None:
    memory = own_and_colleagues()
    assert unread(memory) == unread(memory, own_only=True) == set()
    assert len(unread(memory, "u2")) == 1


def test_what_a_user_sent_is_unread_in_any_order_if_there_was_something_unread() -> None:
    for first in ("u1", "u2"):
        assert len(unread(own_and_colleagues(first=first, has_read=False))) == 1


def test_what_a_user_sent_is_read_when_a_colleagues_capture_came_first() -> None:
    assert unread(own_and_colleagues(first="u2")) == set()


def test_what_came_since_stays_unread_when_a_colleagues_capture_came_first() -> None:
    memory = Memory()
    raw = mail("1@x")
    memory.write(attach(raw, owner="u2"))
    memory.write(attach(mail("2@x", references=["1@x"]), owner="u2"))
    memory.write(attach(raw, sent_by_owner=True))
    assert len(unread(memory)) == 1


def test_a_backfilled_mail_that_a_user_sent_needs_no_mark() -> None:
    memory = Memory()
    raw = mail("1@x")
    memory.write(attach(raw, owner="u2", backfill=True))
    memory.write(attach(raw, sent_by_owner=True, backfill=True))
    assert unread(memory) == set()
    assert memory.all(ReadMark) == []


@pytest.mark.parametrize("first", ["u1", "u2"])
def test_what_a_user_sent_is_read_when_their_own_capture_is_known_from_bcc(first: str) -> None:
    assert unread(own_and_colleagues(Role.BCC, first=first)) == set()


@pytest.mark.parametrize("user", [f"u{number}" for number in range(8)])  # of a set any order
def test_what_a_user_sent_is_read_though_it_was_news_to_them_in_private(user: str) -> None:
    """That they sent it is known later, and later still a colleague shows it to the team."""
    memory = Memory()
    hidden = match(role=Role.BCC)
    memory.write(attach(mail("1@x"), hidden, owner=user))
    memory.write(attach(mail("1@x", text="Other."), hidden, owner=user, sent_by_owner=True))
    memory.write(attach(mail("1@x"), owner="colleague"))
    assert unread(memory, user) == set()


# Merges --------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u1", "u2"]),
            st.sampled_from([Role.TO, Role.BCC]),
            st.sampled_from(["none", "read", "later", "older", "unread"]),
        ),
        min_size=2,
        max_size=4,
    ),
    st.booleans(),
    st.booleans(),
)
def test_what_merges_is_read_by_whom_had_read_each_part(
    parts: list[tuple[str, Role, str]], is_asked_ahead: bool, reads_all: bool
) -> None:
    memory = Memory(is_asked_ahead=is_asked_ahead)
    for number, (owner, role, state) in enumerate(parts):
        memory.write(attach(mail(f"{number}@x"), match(role=role), owner=owner))
        [last] = [one for one in memory.all(Mail) if one.message_id == f"{number}@x"]
        conversation = memory.conversation_of(last.token)
        arrived = max(row.arrived for row in memory.all(SummaryRow, conversation=conversation))
        assert conversation is not None
        through = {"read": 0, "later": 99, "older": -1, "unread": 1}
        if state in through:
            put(memory, mark(conversation, arrived + through[state], unread=state == "unread"))
    if reads_all:
        put(memory, before(MILLISECONDS + 2500))
    own = [*{row.conversation for row in memory.all(SummaryRow, audience="u1")}]
    had_unread = unread(memory, own_only=bool(own))
    names = {row.conversation for row in memory.all(SummaryRow)}
    # Known to u3 alone, so it is no news to u1.
    joining = mail("j@x", references=[f"{number}@x" for number in range(len(parts))])
    memory.write(attach(joining, match("c9", Role.BCC), owner="u3"))
    rows = memory.all(SummaryRow)
    assert len({row.conversation for row in rows}) == 1
    assert {row.conversation for row in rows} <= names
    assert bool(unread(memory, own_only=bool(own))) == bool(had_unread)
    marks = memory.all(ReadMark)
    assert len(marks) == any(state != "none" for *_, state in parts)
    assert all(one.id == mark_id(ACCOUNT, "u1", rows[0].conversation) for one in marks)


def test_what_is_the_users_own_decides_what_is_read_of_what_merges() -> None:
    """With either visibility they see what is their own."""
    memory = Memory()
    memory.write(attach(mail("1@x"), owner="u1"))
    read_all(memory)
    memory.write(attach(mail("2@x"), owner="u2"))
    assert len(unread(memory)) == 1
    memory.write(attach(mail("3@x", references=["1@x", "2@x"]), match(role=Role.BCC), owner="u3"))
    assert unread(memory, own_only=True) == set()
    [found] = memory.all(ReadMark)
    assert not found.unread


def test_marks_of_several_users_and_accounts_are_kept_apart() -> None:
    memory = Memory()
    for account in (ACCOUNT, "other"):
        for number in (1, 2):
            memory.write(attach(mail(f"{number}@x"), account=account))
    for row in memory.all(SummaryRow, audience=TEAM):
        put(memory, mark(row.conversation, row.arrived, "u1", account=row.account))
        if row.account == ACCOUNT:
            put(memory, mark(row.conversation, 1, "u2"))
    joining = mail("j@x", references=["1@x", "2@x"])
    memory.write(attach(joining, match(role=Role.BCC), owner="u3"))
    assert unread(memory, "u1") == set()
    assert len(unread(memory, "u2")) == 1
    assert len(memory.all(ReadMark, account="other")) == 2
