"""`POST /v1/people:import`: a whole directory, as NDJSON in and NDJSON out.

Each line of the body is a person with their `person_id`. People are stored while the body comes;
the answer begins when all of it has been read, so that it gets through any proxy. It tells, a line
each: every bad line with what is wrong in it, how far it was (`{"lines", "stored", "failed"}`,
every 5,000 lines), and at the end the same with `"done": true`. A good line is stored whatever the
others are like, until there are more than 10,000 bad ones: then this is no directory. Importing
again is harmless.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pymongo
from fastapi import APIRouter, Response
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from starlette.types import Receive, Scope, Send

from services.matcher.api.people import NewPersonId, PersonIn, Writer
from services.matcher.decide import Person
from services.matcher.directory import Directory
from services.matcher.leaving import Leaving
from shared.database import DatabaseAway, database_errors
from shared.events import Kind
from shared.raw_body import BYTES
from shared.web import MAX_FIELD

_BATCH, _PROGRESS, _MAX_LINE = 500, 5000, 64 * 1024
_AT_ONCE = 500
"""Lines of the answer that are sent together."""
_MAX_BAD_LINES, _MAX_ERRORS = 10_000, 10
_BATCH_SECONDS = 120
"""Per batch. On a busy server an import slows down instead of failing."""
_PAUSE = 200
"""Lines after which others get their turn."""


class PersonLine(PersonIn):
    """One line of an import."""

    person_id: NewPersonId


class Import:
    """One import: takes lines, stores them in batches, and tells what happened."""

    def __init__(
        self,
        account: str,
        directory: Directory,
        leaving: Leaving,
    ) -> None:
        self._account, self._directory, self._leaving = account, directory, leaving
        self._batch: list[Person] = []
        self._lines = self._stored = self._failed = 0

    async def take(self, line: bytes) -> AsyncIterator[dict[str, Any]]:
        """Take one line; yield what there is to tell."""
        self._lines += 1
        if self._lines % _PAUSE == 0:
            await asyncio.sleep(0)
        if line.strip():
            try:
                person = _read(line)
            except ValidationError as error:
                self._failed += 1
                yield {"line": self._lines, "errors": _errors(error)}
            else:
                self._batch.append(person)
        if len(self._batch) >= _BATCH:
            await self._store()
        if self._lines % _PROGRESS == 0:
            yield self._tally()

    async def end(self) -> dict[str, Any]:
        """Store what is left; return the last line."""
        await self._store()
        return self._tally() | {"done": True}

    @property
    def hopeless(self) -> bool:
        """Whether there were too many bad lines to go on."""
        return self._failed > _MAX_BAD_LINES

    def failed(self, error: str) -> dict[str, Any]:
        """Return the last line of an import that was not finished."""
        return self._tally() | {"done": False, "error": error}

    async def _store(self) -> None:
        if not self._batch:
            return
        people = list({person.person_id: person for person in self._batch}.values())
        no_users = [person.person_id for person in people if person.kind is not Kind.USER]
        with pymongo.timeout(_BATCH_SECONDS):
            await self._directory.put_all(self._account, people)
            await self._leaving.leave(self._account, no_users)
        self._stored += len(self._batch)
        self._batch.clear()

    def _tally(self) -> dict[str, Any]:
        return {"lines": self._lines, "stored": self._stored, "failed": self._failed}


class _ImportResponse(Response):
    """Stores what the request brings, batch by batch, and answers when it has been read.

    Proxies cut a body whose answer has begun, so nothing is sent before its end. The database sets
    the pace of reading; lines to tell wait in memory, which the limits on bad lines bound.
    """

    def __init__(self, run: Import) -> None:
        super().__init__(media_type="application/x-ndjson")
        self._run = run
        self._told: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._read_all(receive)
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for some in batched(self._told, _AT_ONCE):
            await send({"type": "http.response.body", "body": b"".join(some), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read_all(self, receive: Receive) -> None:
        lines = _lines(receive)
        try:
            with database_errors():
                async for line in lines:
                    if self._run.hopeless:
                        break
                    async for told in self._run.take(line):
                        self._tell(told)
                end = await self._run.end()
            if self._run.hopeless:
                end = self._run.failed(f"more than {_MAX_BAD_LINES} bad lines")
            self._tell(end)
        except (DatabaseAway, PyMongoError):
            away = "the database is away: send the import again, what is stored does no harm"
            self._tell(self._run.failed(away))
        async for _ in lines:
            pass  # a client that only sends has to be read to the end

    def _tell(self, told: dict[str, Any]) -> None:
        self._told.append(json.dumps(told).encode() + b"\n")


def batched(lines: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Yield the lines, so many at a time."""
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def import_routes(directory: Directory, leaving: Leaving) -> APIRouter:
    """Return the route of imports."""
    router = APIRouter(tags=["directory"])

    @router.post(
        "/v1/people:import",
        response_class=Response,
        responses={200: {"content": {"application/x-ndjson": BYTES}}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/x-ndjson": BYTES},
            }
        },
    )
    async def import_people(caller: Writer) -> Response:
        """Store many people; the answer is NDJSON: bad lines, progress, and a last line `done`."""
        return _ImportResponse(Import(caller.account, directory, leaving))

    return router


async def _lines(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the request's lines; one that is too long is cut, and will not be valid."""
    rest = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        rest += message.get("body", b"")
        *lines, last = bytes(rest).split(b"\n")
        for line in lines:
            yield line[:_MAX_LINE]
        rest = bytearray(last[:_MAX_LINE])
    if rest:
        yield bytes(rest)


def _read(line: bytes) -> Person:
    person = PersonLine.model_validate_json(line)
    return person.person(person.person_id)


def _errors(error: ValidationError) -> list[dict[str, str]]:
    return [
        {
            "field": ".".join(map(str, problem["loc"]))[:MAX_FIELD] or "line",
            "message": problem["msg"].removeprefix("Value error, "),
        }
        for problem in error.errors(include_input=False, include_url=False)[:_MAX_ERRORS]
    ]
