"""Which conversation a token belongs to.

A conversation's id is one of its tokens. An id that was given up in a merge is still a token, so
both resolve (`write/conversations.py`).
"""

from collections.abc import Iterable

from services.timeline.query.parts import records_of
from services.timeline.write.conversations import token_id
from services.timeline.write.records import Token
from shared.storage.database import BY_ID, Database, of_ids


class Conversations:
    """The conversations of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._tokens = database[Token.collection]

    async def resolve(self, account: str, token: str) -> str | None:
        """Return the id of the conversation that a token or a former id belongs to."""
        return (await self.of_tokens(account, [token])).get(token)

    async def of_tokens(self, account: str, tokens: Iterable[str]) -> dict[str, str]:
        """Return the ids of the conversations that tokens belong to, by token."""
        ids = {token_id(account, token): token for token in tokens}
        found = self._tokens.find(of_ids(account, ids)).hint(BY_ID)
        return {ids[t.id]: t.conversation for t in await records_of(Token, found)}
