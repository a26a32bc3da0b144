"""Conversations as connected components: which mails belong together.

Mails are connected by the ids that they name: Message-ID, In-Reply-To and References within the
account, never by subject. Each id is a *token*; each mail ties its tokens together.

* `tokens`: `{_id: "<account>/<token>", account, thread}`. Which thread an id belongs to.
* `threads`: `{_id: "<account>/<thread>", account, mails}`. A thread is named after the first mail
  that was seen of it, and that is the conversation's id: it stays while the conversation grows.
* When threads meet, those with fewer mails take the name of the one with the most. So no mail is
  renamed more than log2(n) times, and a long thread costs no more per mail than a short one. A name
  that was given up is a token of the thread, so it still resolves.

Which mails are together depends on neither order nor concurrency; only which of their names a
conversation has does.

Whoever joins a thread writes its document, so of two transactions that meet in a thread one is
begun again: none can add a mail to a thread while another renames it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import BY_ID, Database, Document, Index, of_id, of_ids

INDEXES = (
    # Threads._rename
    Index("tokens", IndexModel([("account", ASCENDING), ("thread", ASCENDING)], name="of_thread")),
)


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread that a mail has joined."""

    name: str
    """The conversation's id."""
    merged: tuple[str, ...]
    """Threads that were renamed to this one: their rows have to follow."""


class Threads:
    """The threads of all accounts."""

    def __init__(self, database: Database) -> None:
        self._tokens, self._threads = database["tokens"], database["threads"]

    async def join(
        self, account: str, tokens: Sequence[str], new_mails: int, session: AsyncClientSession
    ) -> Thread:
        """Tie a mail's tokens together, its own being the first.

        `new_mails` is 1 for a mail that was not there before, else 0.
        """
        keys = [f"{account}/{token}" for token in tokens]
        found = self._tokens.find(of_ids(account, keys), session=session).hint(BY_ID)
        known = await found.to_list()
        names = sorted({token["thread"] for token in known})
        threads = await self._of(account, names, session)
        largest = max(threads, key=lambda thread: (thread["mails"], thread["_id"]), default=None)
        name = largest["_id"].partition("/")[2] if largest else tokens[0]
        losers = [name_ for name_ in names if name_ != name]
        if losers:
            await self._rename(account, losers, name, session)
        await self._tie(account, keys, name, {token["_id"] for token in known}, session)
        gained = new_mails + sum(t["mails"] for t in threads if t is not largest)
        await self._threads.update_one(
            of_id(account, f"{account}/{name}"),
            {"$inc": {"mails": gained, "joined": 1}},  # written by everyone who joins
            upsert=True,
            session=session,
        )
        return Thread(name, tuple(losers))

    async def resolve(self, account: str, token: str) -> str | None:
        """Return the name of the thread that a token, or any former name, is in."""
        return (await self.of_tokens(account, [token])).get(token)

    async def of_tokens(
        self, account: str, tokens: Iterable[str], session: AsyncClientSession | None = None
    ) -> dict[str, str]:
        """Return the names of the threads that tokens are in, by token."""
        keys = [f"{account}/{token}" for token in tokens]
        found = self._tokens.find(of_ids(account, keys), session=session).hint(BY_ID)
        return {token["_id"].partition("/")[2]: token["thread"] async for token in found}

    async def _of(
        self, account: str, names: Collection[str], session: AsyncClientSession
    ) -> list[Document]:
        if not names:
            return []
        keys = [f"{account}/{name}" for name in names]
        found = self._threads.find(of_ids(account, keys), session=session).hint(BY_ID)
        return await found.to_list()

    async def _rename(
        self, account: str, losers: list[str], name: str, session: AsyncClientSession
    ) -> None:
        of_losers = {"account": account, "thread": {"$in": losers}}
        await self._tokens.update_many(of_losers, {"$set": {"thread": name}}, session=session)
        gone = [f"{account}/{loser}" for loser in losers]
        await self._threads.delete_many(of_ids(account, gone), hint=BY_ID, session=session)

    async def _tie(
        self,
        account: str,
        keys: Collection[str],
        name: str,
        known: Collection[str],
        session: AsyncClientSession,
    ) -> None:
        missing = [
            UpdateOne(of_id(account, key), {"$setOnInsert": {"thread": name}}, upsert=True)
            for key in dict.fromkeys(keys)
            if key not in known
        ]
        if missing:
            await self._tokens.bulk_write(missing, session=session)
