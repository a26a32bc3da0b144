"""Stores bounces: each says that a mail could not be delivered.

`bounces`: `{_id: "<account>/<owner>/<bounce's mail id>", account, token, owner, recipients, at}`,
where `token` is the bounced mail's in its conversation (`conversations.py`). Which bounces count
for a mail is decided when it is shown (`query/bounces.py`).
"""

from pymongo.asynchronous.client_session import AsyncClientSession

from shared.database import BY_ID, Database, Document, of_ids


class Bounces:
    """The bounces of all accounts, for writing."""

    def __init__(self, database: Database) -> None:
        self._bounces = database["bounces"]

    async def keep(self, bounce: Document, session: AsyncClientSession) -> None:
        """Keep a bounce; a repetition changes nothing."""
        which = {"_id": bounce["_id"], "account": bounce["account"]}
        await self._bounces.replace_one(which, bounce, upsert=True, session=session)

    async def forget(self, mail: Document, content: str, session: AsyncClientSession) -> None:
        """Forget what one content of a mail said, unless its owner has another that may say it."""
        keys: dict[str, set[str]] = {}
        for capture in mail["captures"]:
            keys.setdefault(capture["person_id"], set()).add(capture["content"])
        owners = [person_id for person_id, of_owner in keys.items() if of_owner == {content}]
        ids = [f"{mail['account']}/{owner}/{mail['_id']}" for owner in owners]
        await self._bounces.delete_many(of_ids(mail["account"], ids), hint=BY_ID, session=session)
