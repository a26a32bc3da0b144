"""What a user has read, where mail arrives and conversations merge. Pure.

A conversation's row in an audience has a number, `arrived`, that grows with every mail that is news
there. A user has read a conversation through such a number (`ReadMark`), and everything through
another (`ReadBefore`).

* Of conversations that merge, the one that comes of them is read by whoever had read each of them:
  what joined them may be a mail that is not theirs to see. To whom it is, it is news.
* What a user sent is read for them: it is no news to the audiences that they alone read, and in the
  team's they have read it if they had read what was there before.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from services.timeline.write.audiences import TEAM, private_to
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.side_records import ReadBefore, ReadMark
from services.timeline.write.state import Draft


def mark_id(account: str, user: str, conversation: str) -> str:
    """Return the id of a user's mark on a conversation."""
    return f"{account}/{user}/{conversation}"


def reader_id(account: str, user: str) -> str:
    """Return the id of how far a user has read everything."""
    return f"{account}/{user}"


def is_unread(arrived: int, mark: ReadMark | None, read_before: int) -> bool:
    """Return whether something arrived that the user has not read."""
    if mark is None:
        return arrived > read_before
    return mark.unread or arrived > max(mark.through, read_before)


class Arrived(Protocol):
    """When something last arrived in a conversation, for one audience."""

    @property
    def conversation(self) -> str:
        """The conversation's id."""

    @property
    def arrived(self) -> int:
        """The number of the last arrival."""


def newest_arrivals(rows: Iterable[Arrived]) -> dict[str, int]:
    """Return what arrived last in each conversation, over the audiences that show it."""
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.conversation] = max(row.arrived, newest.get(row.conversation, 0))
    return newest


def read_what_was_sent(
    draft: Draft, account: str, user: str, conversation: str, before: int, arrived: int
) -> None:
    """Let a user have read the mail that they sent, if they had read what was there `before`."""
    id_ = mark_id(account, user, conversation)
    mark = draft.one(ReadMark, account, id_)
    if is_unread(before, mark, read_before(draft, account, user)):
        return
    draft.put(
        ReadMark(
            id=id_,
            account=account,
            user=user,
            conversation=conversation,
            through=max(arrived, mark.through if mark else 0),
            unread=False,
        )
    )


def read_before(draft: Draft, account: str, user: str) -> int:
    """Return the number through which a user has read everything."""
    found = draft.one(ReadBefore, account, reader_id(account, user))
    return found.read_before if found else 0


def merge_marks(
    draft: Draft, account: str, name: str, losers: Sequence[str], rows: Sequence[SummaryRow]
) -> None:
    """Let the marks of conversations, given with all their rows, belong to the one they become."""
    marks: dict[str, dict[str, ReadMark]] = defaultdict(dict)
    for mark in draft.of_conversations(ReadMark, account, (name, *losers)):
        marks[mark.user][mark.conversation] = mark
    draft.many(ReadBefore, account, [reader_id(account, user) for user in marks])
    for user, of_user in marks.items():
        # What is their own decides: that is what they see with either visibility.
        own = [row for row in rows if row.audience == user]
        shared = [row for row in rows if row.audience in (TEAM, private_to(user))]
        seen = newest_arrivals(own or shared)
        everything = read_before(draft, account, user)
        unread = any(is_unread(n, of_user.get(part), everything) for part, n in seen.items())
        through = max([*seen.values(), *(mark.through for mark in of_user.values())])
        for mark in of_user.values():
            draft.delete(ReadMark, account, mark.id)
        draft.put(
            ReadMark(
                id=mark_id(account, user, name),
                account=account,
                user=user,
                conversation=name,
                through=through,
                unread=unread,
            )
        )
