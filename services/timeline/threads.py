"""Conversations as connected components: which mails belong together.

Mails are connected by the ids that they name: Message-ID, In-Reply-To and References within the
account, never by subject. Each id is a *token*; each mail ties its tokens together.

* `tokens`: `{_id: "<account>/<token>", account, thread}`. Which thread an id belongs to.
* `threads`: `{_id: "<account>/<thread>", account, conversation_id, mails}`. A thread's name is any
  of its tokens; when two meet, the one with fewer mails is renamed, so that no mail is renamed more
  than log2(n) times and a long thread costs no more per mail than a short one.
* A conversation's id is the least of its tokens. It depends on neither order nor concurrency, and
  every id that a conversation ever had is a token of it, so it still resolves.

Whoever joins a thread writes its document, so of two transactions that meet in a thread one is
begun again: none can add a mail to a thread while another renames it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import Database, Document, Index

INDEXES = (
    # Threads._rename
    Index("tokens", IndexModel([("account", ASCENDING), ("thread", ASCENDING)], name="of_thread")),
)


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread that a mail has joined."""

    name: str
    conversation_id: str
    merged: tuple[str, ...]
    """Threads that were renamed to this one: their rows have to follow."""
    id_changed: bool


class Threads:
    """The threads of all accounts."""

    def __init__(self, database: Database) -> None:
        self._tokens, self._threads = database["tokens"], database["threads"]

    async def join(
        self, account: str, tokens: Collection[str], new_mails: int, session: AsyncClientSession
    ) -> Thread:
        """Tie the tokens together; `new_mails` is 1 for a mail that was not there before."""
        keys = [f"{account}/{token}" for token in tokens]
        known = await self._tokens.find({"_id": {"$in": keys}}, session=session).to_list()
        names = sorted({token["thread"] for token in known})
        found = await self._of(account, names, session)
        if found:
            winner = max(found, key=lambda thread: (thread["mails"], thread["_id"]))
            name = winner["_id"].partition("/")[2]
        else:
            winner, name = None, min(tokens)
        losers = [name_ for name_ in names if name_ != name]
        if losers:
            await self._rename(account, losers, name, session)
        await self._tie(account, keys, name, {token["_id"] for token in known}, session)
        conversation_id = min([*(thread["conversation_id"] for thread in found), *tokens])
        await self._threads.update_one(
            {"_id": f"{account}/{name}", "account": account},
            {
                "$set": {"conversation_id": conversation_id},
                "$inc": {
                    "mails": new_mails + sum(t["mails"] for t in found if t is not winner),
                    "joined": 1,
                },
            },
            upsert=True,
            session=session,
        )
        id_changed = any(thread["conversation_id"] != conversation_id for thread in found)
        return Thread(name, conversation_id, tuple(losers), id_changed)

    async def resolve(self, account: str, token: str) -> str | None:
        """Return the name of the thread that a token, or any former conversation id, is in."""
        found = await self._tokens.find_one({"_id": f"{account}/{token}"})
        return str(found["thread"]) if found else None

    async def conversation_ids(self, account: str, names: Collection[str]) -> dict[str, str]:
        """Return the conversation ids of threads, by name."""
        found = await self._of(account, names)
        return {t["_id"].partition("/")[2]: t["conversation_id"] for t in found}

    async def _of(
        self, account: str, names: Collection[str], session: AsyncClientSession | None = None
    ) -> list[Document]:
        if not names:
            return []
        keys = [f"{account}/{name}" for name in names]
        return await self._threads.find({"_id": {"$in": keys}}, session=session).to_list()

    async def _rename(
        self, account: str, losers: list[str], name: str, session: AsyncClientSession
    ) -> None:
        of_losers = {"account": account, "thread": {"$in": losers}}
        await self._tokens.update_many(of_losers, {"$set": {"thread": name}}, session=session)
        gone = [f"{account}/{loser}" for loser in losers]
        await self._threads.delete_many({"_id": {"$in": gone}}, session=session)

    async def _tie(
        self,
        account: str,
        keys: Collection[str],
        name: str,
        known: Collection[str],
        session: AsyncClientSession,
    ) -> None:
        missing = [
            UpdateOne(
                {"_id": key, "account": account}, {"$setOnInsert": {"thread": name}}, upsert=True
            )
            for key in dict.fromkeys(keys)
            if key not in known
        ]
        if missing:
            await self._tokens.bulk_write(missing, session=session)
