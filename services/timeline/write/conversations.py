"""Conversations as connected components: which mails belong together.

Mails are connected by the ids that they name: Message-ID, In-Reply-To and References within the
account, never by subject. Each id is a *token*; each mail ties its tokens together.

* `tokens`: `{_id: "<account>/<token>", account, thread}`. Which conversation an id belongs to.
* `threads`: `{_id: "<account>/<thread>", account, mails}`. A conversation is named after its first
  mail that was seen. This name is its id, stored as `thread`; it stays while mails are added.
* When conversations merge, those with fewer mails take the name of the largest. So no mail is
  renamed more than log2(n) times, and a long conversation costs no more per mail than a short one.
  A former name is a token of the conversation, so it still resolves.

Which mails are together depends on neither order nor concurrency; only which of their names a
conversation has does.

Every join writes the conversation's document, so of two transactions in one conversation one is
retried: none can add a mail to a conversation while another renames it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import BY_ID, Database, Document, Index, of_id, of_ids

INDEXES = (
    # Conversations._rename
    Index("tokens", IndexModel([("account", ASCENDING), ("thread", ASCENDING)], name="of_thread")),
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation that a mail has joined."""

    name: str
    """The conversation's id."""
    merged: tuple[str, ...]
    """Conversations that were renamed to this one: their rows have to follow."""


class Conversations:
    """The conversations of all accounts."""

    def __init__(self, database: Database) -> None:
        self._tokens, self._conversations = database["tokens"], database["threads"]

    async def join(
        self, account: str, tokens: Sequence[str], new_mails: int, session: AsyncClientSession
    ) -> Conversation:
        """Tie a mail's tokens together, its own being the first.

        `new_mails` is 1 for a mail that was not there before, else 0.
        """
        keys = [f"{account}/{token}" for token in tokens]
        found = self._tokens.find(of_ids(account, keys), session=session).hint(BY_ID)
        known = await found.to_list()
        names = sorted({token["thread"] for token in known})
        conversations = await self._of(account, names, session)
        largest = max(
            conversations,
            key=lambda conversation: (conversation["mails"], conversation["_id"]),
            default=None,
        )
        name = largest["_id"].partition("/")[2] if largest else tokens[0]
        losers = [name_ for name_ in names if name_ != name]
        if losers:
            await self._rename(account, losers, name, session)
        await self._tie(account, keys, name, {token["_id"] for token in known}, session)
        gained = new_mails + sum(t["mails"] for t in conversations if t is not largest)
        await self._conversations.update_one(
            of_id(account, f"{account}/{name}"),
            {"$inc": {"mails": gained, "joined": 1}},  # written by everyone who joins
            upsert=True,
            session=session,
        )
        return Conversation(name, tuple(losers))

    async def resolve(self, account: str, token: str) -> str | None:
        """Return the name of the conversation that a token or a former name belongs to."""
        return (await self.of_tokens(account, [token])).get(token)

    async def of_tokens(
        self, account: str, tokens: Iterable[str], session: AsyncClientSession | None = None
    ) -> dict[str, str]:
        """Return the names of the conversations that tokens belong to, by token."""
        keys = [f"{account}/{token}" for token in tokens]
        found = self._tokens.find(of_ids(account, keys), session=session).hint(BY_ID)
        return {token["_id"].partition("/")[2]: token["thread"] async for token in found}

    async def _of(
        self, account: str, names: Collection[str], session: AsyncClientSession
    ) -> list[Document]:
        if not names:
            return []
        keys = [f"{account}/{name}" for name in names]
        found = self._conversations.find(of_ids(account, keys), session=session).hint(BY_ID)
        return await found.to_list()

    async def _rename(
        self, account: str, losers: list[str], name: str, session: AsyncClientSession
    ) -> None:
        of_losers = {"account": account, "thread": {"$in": losers}}
        await self._tokens.update_many(of_losers, {"$set": {"thread": name}}, session=session)
        gone = [f"{account}/{loser}" for loser in losers]
        await self._conversations.delete_many(of_ids(account, gone), hint=BY_ID, session=session)

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
