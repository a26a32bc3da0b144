"""`POST /v1/people:import`: a whole directory, as NDJSON in and NDJSON out.

Each line of the body is a person with their `person_id`. The whole body is read before the answer
begins, so that it gets through any proxy. The answer then reports, a line each: every bad line and
its error; the progress (`{"lines", "stored", "failed"}`) every 5,000 lines; and at the end the same
with `"done": true`. Good lines are stored even if others are bad, until there are more than 10,000
bad ones: then this is no directory. Imports are idempotent.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from tempfile import TemporaryFile
from typing import IO, Any

import pymongo
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from services.matcher.api.import_places import ImportPlace, ImportPlaces
from services.matcher.api.leaving import Leaving
from services.matcher.api.people import NewPersonId, PersonIn, Writer
from services.matcher.decision.decide import Person
from services.matcher.directory.people import Directory
from shared.contracts.events import Kind
from shared.http.raw_body import BYTES
from shared.http.web import MAX_FIELD, Code, Problem
from shared.storage.database import DatabaseAway, database_errors

_BATCH, _PROGRESS, _MAX_LINE = 500, 5000, 64 * 1024
MAX_BYTES = 256 * 1024 * 1024
"""Of a body: it lies in a temporary file meanwhile."""
_MAX_BAD_LINES, _MAX_ERRORS = 10_000, 10
_BATCH_SECONDS = 120
"""Per batch. On a busy server an import slows down instead of failing."""
_SILENCE_SECONDS = 10.0
"""nginx gives an answer up that is silent for a minute, HAProxy as it is configured."""
_PAUSE = 200
"""Lines after which others get their turn."""


_BODY = """One JSON object a line, each a person: `{person_id, kind, name, addresses[]}` as \
`PUT /v1/people/{person_id}` takes it. Empty lines are passed over. At most 64 KiB a line."""
_ANSWER = """One JSON object a line, once the whole body has been read:

* `{line, errors[{field, message}]}`: a line that was not stored, counted from 1
* `{lines, stored, failed}`: how far it is, every 5,000 lines
* `{lines, stored, failed, done, error}`: the last line. `done` is true when all good lines are \
stored; else `error` says why not, and the import may be sent again as a whole."""
_EXAMPLE = """\
{"person_id": "c1", "kind": "candidate", "name": "Anna", "addresses": ["anna@mail.example"]}
{"person_id": "u1", "kind": "user", "name": "Recruiter One", "addresses": ["one@agency.example"]}
"""


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
        self.is_refused = False
        """The account is being erased since the import began."""

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
        """Whether there were too many bad lines to go on, or nothing may be stored any more."""
        return self.is_refused or self._failed > _MAX_BAD_LINES

    def failed(self, error: str) -> dict[str, Any]:
        """Return the last line of an import that was not finished."""
        return self._tally() | {"done": False, "error": error}

    async def _store(self) -> None:
        if not self._batch:
            return
        people = list({person.person_id: person for person in self._batch}.values())
        no_users = [person.person_id for person in people if person.kind is not Kind.USER]
        with pymongo.timeout(_BATCH_SECONDS):
            self.is_refused = await self._directory.is_erasing(self._account)
            if self.is_refused:
                self._batch.clear()
                return
            await self._directory.put_all(self._account, people)
            await self._leaving.leave(self._account, no_users)
        self._stored += len(self._batch)
        self._batch.clear()

    def _tally(self) -> dict[str, Any]:
        return {"lines": self._lines, "stored": self._stored, "failed": self._failed}


def import_routes(directory: Directory, leaving: Leaving, places: ImportPlaces) -> APIRouter:
    """Return the route of imports, so many at a time."""
    router = APIRouter(tags=["directory"])

    @router.post(
        "/v1/people:import",
        response_class=Response,
        responses={
            200: {"description": _ANSWER, "content": {"application/x-ndjson": BYTES}},
            429: {"description": "The account has enough imports under way; see Retry-After"},
            503: {"description": "There is no room for an import right now; see Retry-After"},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": _BODY,
                "content": {"application/x-ndjson": {**BYTES, "example": _EXAMPLE}},
            }
        },
    )
    async def import_people(request: Request, caller: Writer) -> StreamingResponse:
        """Create or replace many people. The answer is NDJSON: bad lines, progress, a last line."""
        place = places.enter(caller.account)
        try:
            body = await _spooled(request, place)
        except BaseException:
            place.leave()
            raise
        lines: asyncio.Queue[bytes | None] = asyncio.Queue()  # the limit on bad lines bounds it
        run = Import(caller.account, directory, leaving)
        # Not begun by the answer: an answer that is not read would keep its file and its place.
        work = asyncio.create_task(_store_all(run, body, place, lines))
        work.add_done_callback(lambda _: place.leave())  # also when it is cancelled before it began
        return StreamingResponse(_told(work, lines), media_type="application/x-ndjson")

    return router


async def _spooled(request: Request, place: ImportPlace) -> IO[bytes]:
    """Return the whole body as a file. Raises the problems 413 and 503.

    Proxies cut a body whose answer has begun, and give up on an answer that is slow to begin: so
    nothing is answered before the body's end, and nothing is stored before it either.
    """
    loop, patience = asyncio.get_running_loop(), asyncio.timeout(None)
    place.end_upload = lambda: patience.reschedule(loop.time())
    file, size = TemporaryFile(), 0  # noqa: SIM115 - `_store_all` closes it
    try:
        async with patience:
            async for piece in request.stream():
                size += len(piece)
                if size > MAX_BYTES:
                    detail = f"an import has at most {MAX_BYTES} bytes: send it in parts"
                    raise Problem(Code.REQUEST_TOO_LARGE, detail)
                file.write(piece)
                place.grow(size)
        place.complete()
        file.seek(0)
    except TimeoutError as error:
        file.close()
        raise Problem(Code.BUSY, "the import came too slowly while others wait") from error
    except OSError as error:
        file.close()
        raise Problem(Code.BUSY, "there is no disk space for the import right now") from error
    except BaseException:
        file.close()
        raise
    return file


async def _told(
    work: asyncio.Task[None], lines: asyncio.Queue[bytes | None]
) -> AsyncIterator[bytes]:
    """Yield the lines to tell, as they come. A space before a line keeps the connection alive.

    JSON passes over it. Without it a proxy would give an import up that a busy database slows down.
    """
    try:
        while True:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    line = await lines.get()
            except TimeoutError:
                line = b" "
            if line is None:
                break
            yield line
        await work
    finally:
        work.cancel()


async def _store_all(
    run: Import, body: IO[bytes], place: ImportPlace, lines: asyncio.Queue[bytes | None]
) -> None:
    with body:
        try:
            with database_errors():
                for line in _lines(body):
                    async for told in run.take(line):
                        lines.put_nowait(_encoded(told))
                    if run.hopeless:
                        break
                end = await run.end()
            if run.hopeless:
                is_refused, bad = run.is_refused, f"more than {_MAX_BAD_LINES} bad lines"
                end = run.failed("the account is being erased" if is_refused else bad)
            lines.put_nowait(_encoded(end))
        except (DatabaseAway, PyMongoError):
            away = "the database is unavailable: send the import again; it is idempotent"
            lines.put_nowait(_encoded(run.failed(away)))
        finally:
            place.leave()
            lines.put_nowait(None)


def _encoded(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode() + b"\n"


def _lines(body: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines; one that is too long is cut, and will not be valid."""
    while line := body.readline(_MAX_LINE):
        rest = line
        while len(rest) == _MAX_LINE and not rest.endswith(b"\n"):
            rest = body.readline(_MAX_LINE)
        yield line.removesuffix(b"\n")


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
