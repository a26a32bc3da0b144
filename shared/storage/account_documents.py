"""Deletes what a database has of an account, whatever collections there are.

Every document of an account names it in `account`. So all collections are searched, and a new one
is not forgotten. What has no such field, the caller deletes.

Each batch is deleted in one transaction with a change of the job that asks for it. So a
replica that has lost the lease deletes nothing once another has ended the job, and nothing is
counted twice.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.storage.database import Database, Document

_BATCH = 500
_SECONDS = 30
"""For a batch, conflicts with live writes and all."""


class JobEnded(Exception):
    """The job is another replica's now, or has ended."""


class AccountDocuments:
    """What one job deletes."""

    def __init__(
        self,
        client: AsyncMongoClient[Document],
        database: Database,
        jobs: str,
        job: Document,
        is_held: Callable[[], Awaitable[bool]],
        *,
        batch: int = _BATCH,
    ) -> None:
        """`job` is the query that finds the job in the collection `jobs` until it has ended.

        `is_held` renews the lease of the job before each batch.
        """
        self._is_held = is_held
        self._client, self._database, self._batch = client, database, batch
        self._jobs, self._job = database[jobs], job

    async def delete_all(
        self, account: str, *, kept: Collection[str], counted: Mapping[str, str]
    ) -> None:
        """Delete all documents of the account but those of the collections `kept`.

        `counted` maps collections to fields of the job that count them. Raises JobEnded.
        """
        own = {"name": {"$not": {"$regex": "^system\\."}}}
        names = await self._database.list_collection_names(filter=own)
        for name in sorted({*names} - {*kept}):
            await self.delete(name, {"account": account}, counted.get(name))

    async def delete(self, collection: str, which: Document, counted: str | None = None) -> None:
        """Delete documents of a collection, a batch at a time. Raises JobEnded."""
        batch: list[Any] = []
        with pymongo.timeout(0):  # no deadline, however many there are; None is the client's
            async for found in self._database[collection].find(which, {"_id": 1}):
                batch.append(found["_id"])
                if len(batch) == self._batch:
                    await self._delete(collection, which, batch, counted)
                    batch.clear()
            if batch:
                await self._delete(collection, which, batch, counted)

    async def _delete(
        self, collection: str, which: Document, ids: Sequence[Any], counted: str | None
    ) -> None:
        if not await self._is_held():
            raise JobEnded
        documents = {**which, "_id": {"$in": list(ids)}}

        async def deleted(session: AsyncClientSession) -> None:
            done = await self._database[collection].delete_many(documents, session=session)
            steps = {"steps": 1} | ({counted: done.deleted_count} if counted else {})
            change = {"$inc": steps}
            held = await self._jobs.update_one(self._job, change, session=session)
            if not held.matched_count:
                raise JobEnded

        async with self._client.start_session() as session:
            with pymongo.timeout(_SECONDS):
                await session.with_transaction(deleted)
