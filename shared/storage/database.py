"""MongoDB, for the services that have a database of their own.

* Writes are acknowledged by a majority and journalled; reads come from the primary, so that what an
  API call has acknowledged is seen by the next decision.
* Every operation has a deadline. What a deadline or a lost server interrupts is `DatabaseAway`:
  never an answer, always a reason to wait.
* Indexes are declared beside the queries that need them, built by `--migrate`, and a service is not
  ready while one is missing.
"""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pymongo
import structlog
from fastapi import FastAPI, Request, Response
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    DocumentTooLarge,
    DuplicateKeyError,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
)

from shared.http.codes import Code
from shared.http.problems import Problem, problem_response
from shared.storage.metrics import DATABASE_AWAY, CommandTimes

Document = dict[str, Any]
Database = AsyncDatabase[Document]

_PERMANENT = (DocumentTooLarge, DuplicateKeyError, InvalidOperation)
"""Not ConfigurationError: a server that is starting "supports no sessions" yet."""
_PERMANENT_CODES = {2, 9, 14, 66, 121, 257, 388, 10334, 11000, 17280, 17419, 17420}
"""BadValue, FailedToParse, TypeMismatch, ImmutableField, DocumentValidationFailure, a transaction
that is too large or too large for the cache, and documents or keys that are too large: the same
operation would fail again. https://www.mongodb.com/docs/manual/reference/error-codes/"""
_CLOSE_SECONDS = 1.0
_UNAUTHORIZED = (13, 8000)
_REFUSALS = {
    8000: "the credentials are refused",  # what Atlas says
    18: "the credentials are refused",
    13: "the user may not do what is needed",
}
log = structlog.get_logger()


class DatabaseAway(Exception):
    """The database did not answer in time, or cannot serve right now."""


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn errors that may go away into DatabaseAway; let all others through."""
    try:
        yield
    except PyMongoError as error:
        if isinstance(error, _PERMANENT) or not _PERMANENT_CODES.isdisjoint(_codes(error)):
            raise
        DATABASE_AWAY.inc()
        raise DatabaseAway(type(error).__name__) from error


def is_duplicate(error: PyMongoError) -> bool:
    """Return whether the error says that an id or a unique key is taken."""
    return 11000 in _codes(error)


def is_too_large(error: PyMongoError) -> bool:
    """Return whether the error says that a document, an answer included, exceeds 16 MiB."""
    return 10334 in _codes(error)


def _codes(error: PyMongoError) -> set[int | None]:
    """Return the server's codes; a bulk write has one for each write that failed."""
    if isinstance(error, BulkWriteError):
        return {failed["code"] for failed in (error.details or {}).get("writeErrors", ())}
    return {error.code} if isinstance(error, OperationFailure) else set()


def connect(url: str, service: str) -> AsyncMongoClient[Document]:
    """Return a client. It connects when it is first used."""
    return AsyncMongoClient(
        url,
        appname=service,
        tz_aware=True,
        uuidRepresentation="standard",
        w="majority",
        journal=True,
        readPreference="primary",
        timeoutMS=10_000,
        serverSelectionTimeoutMS=5_000,
        maxPoolSize=64,
        event_listeners=[CommandTimes()],
    )


@asynccontextmanager
async def left_in_time(client: AsyncMongoClient[Document]) -> AsyncIterator[None]:
    """Close the client at the end, without waiting for a server that does not answer."""
    try:
        yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await client.close()


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a query needs."""

    collection: str
    model: IndexModel

    @property
    def name(self) -> str:
        """The index's name in the database."""
        name: str = self.model.document["name"]
        return name

    @property
    def expires(self) -> int | None:
        """After how many seconds documents expire by this index; None if they do not."""
        return _expires(self.model.document)


BY_ID: Any = "_id_"
"""The hint that makes MongoDB look documents up by their ids, whatever else is asked of them."""


def of_id(account: str, id_: str) -> Document:
    """Return the query for one of an account's documents, by the whole shard key."""
    return {"_id": id_, "account": account}


def of_ids(account: str, ids: Iterable[object]) -> Document:
    """Return the query for an account's documents by their ids: by the whole shard key."""
    return {"_id": {"$in": list(ids)}, "account": account}


async def migrate(database: Database, indexes: Sequence[Index]) -> None:
    """Build missing indexes, all of a collection at once, so that its documents are read once.

    If the expiry of an index has changed, it is changed first. Safe to run again, and while
    services run.
    """
    for collection in dict.fromkeys(index.collection for index in indexes):
        wanted = [index for index in indexes if index.collection == collection]
        with pymongo.timeout(0):  # no deadline, however much there is; None is the client's
            present = await database[collection].index_information()
            for index in wanted:
                if index.name in present and index.expires != _expires(present[index.name]):
                    await _change_expiry(database, index)
            await database[collection].create_indexes([index.model for index in wanted])
        log.info("indexes built", collection=collection, indexes=[index.name for index in wanted])


async def _change_expiry(database: Database, index: Index) -> None:
    """Let documents expire after the time that an index says now."""
    change: Document = {"name": index.name, "expireAfterSeconds": index.expires}
    try:
        if index.expires is None:  # no command takes it away
            await database[index.collection].drop_index(index.name)
        else:
            await database.command("collMod", index.collection, index=change)
    except OperationFailure as error:
        if error.code not in _UNAUTHORIZED:
            raise
        # The role readWrite has no collMod. Until it is built again, nothing expires.
        await database[index.collection].drop_index(index.name)
    log.info("index changed", collection=index.collection, index=index.name, expires=index.expires)


def _expires(present: Mapping[str, Any]) -> int | None:
    seconds = present.get("expireAfterSeconds")
    return None if seconds is None else int(seconds)


def what_is_missing(
    database: Database, indexes: Sequence[Index] = ()
) -> Callable[[], Awaitable[str | None]]:
    """Return a check that says why the database cannot be used; None if it can."""

    async def why_not() -> str | None:
        try:
            if not indexes:
                await database.command("ping")
            for collection in {index.collection for index in indexes}:
                present = await database[collection].index_information()
                for index in indexes:
                    if index.collection != collection:
                        continue
                    if index.name not in present:
                        return f"the index {index.name} of {collection} is not built: --migrate"
                    if index.expires != _expires(present[index.name]):
                        return f"the index {index.name} of {collection} is an older one: --migrate"
        except OperationFailure as error:
            return _REFUSALS.get(error.code or 0, f"it refuses: error {error.code}")
        except PyMongoError as error:
            return f"no primary answers ({type(error).__name__})"
        return None

    return why_not


def answer_outages(app: FastAPI) -> None:
    """Let an app answer 503 while the database is unavailable."""

    async def on_error(request: Request, error: Exception) -> Response:
        try:
            with database_errors():
                raise error
        except DatabaseAway:
            problem = Problem(Code.DATABASE_UNAVAILABLE, "the database is unavailable, try again")
            return problem_response(problem)

    app.add_exception_handler(PyMongoError, on_error)
    app.add_exception_handler(DatabaseAway, on_error)  # what a writer has tried again for long
