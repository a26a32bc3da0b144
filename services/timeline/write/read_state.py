"""What a user has read, per conversation.

A conversation's row in a range has a number, `arrived`, that grows with every mail that is new
there (`rows.py`). Read is what the user has seen up to such a number:

* `read_marks`: `{_id: "<account>/<user>/<thread>", account, user, thread, through, unread}`: one
  conversation was read through that number, or marked as unread.
* `readers`: `{_id: "<account>/<user>", account, read_before}`: everything through that number was
  read ("mark all as read"), so that marks need not be kept for ever.

Where conversations merge, the one that comes of them is read by whoever had read each of them: what
joined them may be a mail that is not theirs to see. To whom it is, it is new.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, DeleteMany, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.audiences import Viewer
from shared.database import BY_ID, Database, Document, Index, of_id, of_ids

MAX_MARKED_UNREAD = 500
"""Conversations that one user may have marked as unread, older than what they read all at once."""
INDEXES = (
    # ReadState.mark_all, marked_unread
    Index(
        "read_marks",
        IndexModel(
            [("account", ASCENDING), ("user", ASCENDING), ("unread", ASCENDING)], name="of_user"
        ),
    ),
    # ReadState.follow
    Index(
        "read_marks",
        IndexModel([("account", ASCENDING), ("thread", ASCENDING)], name="of_thread"),
    ),
)


class ReadState:
    """The read state of all users."""

    def __init__(self, database: Database) -> None:
        self._marks, self._readers = database["read_marks"], database["readers"]

    async def read_before(self, viewer: Viewer) -> int:
        """Return the number through which the user has read everything."""
        found = await self._readers.find_one(_user(viewer))
        return int(found["read_before"]) if found else 0

    async def unread(
        self, viewer: Viewer, arrived: Mapping[str, int], read_before: int
    ) -> set[str]:
        """Return those of the threads, given with what arrived last in them, that are unread."""
        ids = [_mark_id(viewer, thread) for thread in arrived]
        found = self._marks.find(of_ids(viewer.account, ids)).hint(BY_ID)
        marks = {mark["thread"]: mark async for mark in found}
        return {
            thread
            for thread, number in arrived.items()
            if _is_unread(number, marks.get(thread), read_before)
        }

    async def marked_unread(self, viewer: Viewer) -> list[str]:
        """Return the threads that the user has marked as unread."""
        query = {"account": viewer.account, "user": viewer.person_id, "unread": True}
        found = self._marks.find(query, {"thread": 1}).limit(MAX_MARKED_UNREAD)
        return [mark["thread"] async for mark in found]

    async def mark(self, viewer: Viewer, thread: str, through: int, *, unread: bool) -> None:
        """Mark a conversation as read through a number, or as unread."""
        await self._marks.update_one(
            of_id(viewer.account, _mark_id(viewer, thread)),
            {
                "$max": {"through": through},
                "$set": {"unread": unread},
                "$setOnInsert": {"user": viewer.person_id, "thread": thread},
            },
            upsert=True,
        )

    async def mark_all(self, viewer: Viewer, through: int) -> None:
        """Mark everything as read that arrived through that number."""
        await self._readers.update_one(
            _user(viewer),
            {"$max": {"read_before": through}},
            upsert=True,
        )
        of_user = {"account": viewer.account, "user": viewer.person_id}
        await self._marks.delete_many({**of_user, "through": {"$lte": through}})

    async def follow(
        self, account: str, thread: str, rows: Sequence[Document], session: AsyncClientSession
    ) -> None:
        """Let the marks of threads, given by all their rows, belong to the one they become."""
        threads = sorted({row["thread"] for row in rows})
        of_threads = {"account": account, "thread": {"$in": threads}}
        marks: dict[str, dict[str, Document]] = defaultdict(dict)
        async for mark in self._marks.find(of_threads, session=session):
            marks[mark["user"]][mark["thread"]] = mark
        if not marks:
            return
        writes: list[Any] = [DeleteMany(of_threads)]
        for user, of_user in marks.items():
            viewer = Viewer(account, user)
            # What is their own decides: that is what they see with either visibility.
            own = [row for row in rows if row["viewer"] == user]
            seen = newest_arrivals(own or [r for r in rows if r["viewer"] in viewer.ranges])
            reader = await self._readers.find_one(_user(viewer), session=session)
            read_before = reader["read_before"] if reader else 0
            unread = any(
                _is_unread(number, of_user.get(part), read_before) for part, number in seen.items()
            )
            through = max([*seen.values(), *(mark["through"] for mark in of_user.values())])
            fields = {"user": user, "thread": thread, "through": through, "unread": unread}
            id_ = of_id(account, _mark_id(viewer, thread))
            writes.append(UpdateOne(id_, {"$set": fields}, upsert=True))
        await self._marks.bulk_write(writes, session=session)


def _is_unread(arrived: int, mark: Document | None, read_before: int) -> bool:
    if mark is None:
        return arrived > read_before
    return bool(mark["unread"]) or arrived > max(mark["through"], read_before)


def _user(viewer: Viewer) -> Document:
    return of_id(viewer.account, f"{viewer.account}/{viewer.person_id}")


def _mark_id(viewer: Viewer, thread: str) -> str:
    return f"{viewer.account}/{viewer.person_id}/{thread}"


def newest_arrivals(rows: Iterable[Document]) -> dict[str, int]:
    """Return what arrived last in each thread, over the ranges that show it."""
    newest: dict[str, int] = {}
    for row in rows:
        newest[row["thread"]] = max(row["arrived"], newest.get(row["thread"], 0))
    return newest
