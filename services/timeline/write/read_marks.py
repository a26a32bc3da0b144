"""The marks of what was read, and how they follow conversations that merge.

* `read_marks`: `{_id: "<account>/<user>/<thread>", account, user, thread, through, unread}`: one
  conversation was read through that number, or marked as unread.
* `readers`: `{_id: "<account>/<user>", account, read_before}`: everything through that number was
  read ("mark all as read"), so that marks need not be kept for ever.

A merged conversation is read for a user who had read each of its parts: the mail that joined them
may be one that the user cannot see. For a user who can, that mail is new. `query/read_state.py`
writes the marks that users set.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pymongo import ASCENDING, DeleteMany, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.audiences import audiences_of
from shared.database import Database, Document, Index, of_id

INDEXES = (
    # ReadMarks.follow
    Index(
        "read_marks",
        IndexModel([("account", ASCENDING), ("thread", ASCENDING)], name="of_thread"),
    ),
)


class ReadMarks:
    """The marks of all users, where conversations merge."""

    def __init__(self, database: Database) -> None:
        self._marks, self._readers = database["read_marks"], database["readers"]

    async def follow(
        self, account: str, conversation: str, rows: Sequence[Document], session: AsyncClientSession
    ) -> None:
        """Move the marks of merged conversations, given by all their rows, to the new one."""
        conversations = sorted({row["thread"] for row in rows})
        of_conversations = {"account": account, "thread": {"$in": conversations}}
        marks: dict[str, dict[str, Document]] = defaultdict(dict)
        async for mark in self._marks.find(of_conversations, session=session):
            marks[mark["user"]][mark["thread"]] = mark
        if not marks:
            return
        writes: list[Any] = [DeleteMany(of_conversations)]
        for user, of_user in marks.items():
            audiences = audiences_of(user)
            # What is their own decides: that is what they see with either visibility.
            own = [row for row in rows if row["viewer"] == user]
            seen = newest_arrivals(own or [r for r in rows if r["viewer"] in audiences])
            reader = await self._readers.find_one(
                of_id(account, user_id(account, user)), session=session
            )
            read_before = reader["read_before"] if reader else 0
            unread = any(
                is_unread(number, of_user.get(part), read_before) for part, number in seen.items()
            )
            through = max([*seen.values(), *(mark["through"] for mark in of_user.values())])
            fields = {"user": user, "thread": conversation, "through": through, "unread": unread}
            id_ = of_id(account, mark_id(account, user, conversation))
            writes.append(UpdateOne(id_, {"$set": fields}, upsert=True))
        await self._marks.bulk_write(writes, session=session)


def is_unread(arrived: int, mark: Document | None, read_before: int) -> bool:
    """Return whether a conversation is unread, by what arrived last in it."""
    if mark is None:
        return arrived > read_before
    return bool(mark["unread"]) or arrived > max(mark["through"], read_before)


def user_id(account: str, user: str) -> str:
    """Return the id of a user's document in `readers`."""
    return f"{account}/{user}"


def mark_id(account: str, user: str, conversation: str) -> str:
    """Return the id of a mark."""
    return f"{account}/{user}/{conversation}"


def newest_arrivals(rows: Iterable[Document]) -> dict[str, int]:
    """Return what arrived last in each conversation, over the audiences that see it."""
    newest: dict[str, int] = {}
    for row in rows:
        newest[row["thread"]] = max(row["arrived"], newest.get(row["thread"], 0))
    return newest
