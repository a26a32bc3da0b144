"""An import's answer: after the body, kept alive while the database is slow."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Collection, Sequence
from tempfile import TemporaryFile
from typing import IO

import httpx
import pytest

from dev.openapi import TOKEN_SECRET
from services.matcher.api import import_people as room
from services.matcher.api.import_places import ImportPlaces
from services.matcher.api.leaving import Leaving
from services.matcher.decision.decide import Person
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.settings import Settings
from tests.clock import Clock
from tests.deadline import DEADLINE
from tests.memory_directory import MemoryDirectory, MemoryVersions
from tests.signed_in import bearer

GOOD = b'{"person_id": "c1", "kind": "candidate", "name": "C", "addresses": []}'


class SlowDirectory(MemoryDirectory):
    """A directory that takes its time."""

    read_to_the_end = False
    stored_early = False

    async def put_all(self, account: str, people: Sequence[Person]) -> None:
        self.stored_early |= not self.read_to_the_end
        await asyncio.sleep(0.2)
        for person in people:
            await self.put(account, person)


class NobodyLeaves(Leaving):
    """No person has anything to lose."""

    def __init__(self) -> None:
        pass

    async def leave(self, account: str, person_ids: Collection[str]) -> None:
        """Do nothing."""


@pytest.fixture
def directory() -> SlowDirectory:
    return SlowDirectory(MemoryVersions())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def places(clock: Clock) -> ImportPlaces:
    return ImportPlaces(2, 1, clock)


@pytest.fixture
async def client(
    directory: SlowDirectory, places: ImportPlaces
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("t", "t", Settings(token_secret=TOKEN_SECRET), Readiness({}))
    app.include_router(room.import_routes(directory, NobodyLeaves(), places))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://matcher",
        headers=bearer(scope="directory:write"),
    ) as client:
        yield client


async def test_silence_is_broken_by_spaces_that_json_passes_over(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_SILENCE_SECONDS", 0.02)
    answer = await client.post("/v1/people:import", content=GOOD)
    assert answer.text.startswith(" ")
    [line] = answer.text.splitlines()
    assert json.loads(line) == {"lines": 1, "stored": 1, "failed": 0, "done": True}


async def test_nothing_is_stored_before_the_body_has_been_read(
    client: httpx.AsyncClient, directory: SlowDirectory
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(1200):
            yield GOOD + b"\n"
        await asyncio.sleep(0)
        directory.read_to_the_end = True

    answer = await client.post("/v1/people:import", content=body())
    assert json.loads(answer.text.splitlines()[-1])["stored"] == 1200
    assert not directory.stored_early


@pytest.mark.parametrize(
    ("line", "is_good"),
    [
        (GOOD, True),
        (GOOD.replace(b"}", b" " * (64 * 1024 - len(GOOD) - 1) + b"}"), True),
        (GOOD.replace(b"}", b" " * (64 * 1024 - len(GOOD) + 1) + b"}"), False),
        (GOOD.replace(b"}", b" " * (200 * 1024) + b"}"), False),
    ],
)
async def test_a_line_that_is_too_long_is_one_bad_line(
    client: httpx.AsyncClient, *, line: bytes, is_good: bool
) -> None:
    answer = await client.post("/v1/people:import", content=line + b"\n" + GOOD)
    end = json.loads(answer.text.splitlines()[-1])
    assert end == {"lines": 2, "stored": 1 + is_good, "failed": int(not is_good), "done": True}


async def test_a_body_over_the_limit_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 100)
    answer = await client.post("/v1/people:import", content=GOOD * 2)
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


class Upload:
    """An import that is on its way until it is told to end."""

    def __init__(self, client: httpx.AsyncClient, account: str) -> None:
        self._may_end, self.has_begun = asyncio.Event(), asyncio.Event()
        headers = bearer(scope="directory:write", account=account)
        self.answer = asyncio.create_task(
            client.post("/v1/people:import", content=self._body(), headers=headers)
        )

    async def _body(self) -> AsyncIterator[bytes]:
        self.has_begun.set()
        yield GOOD
        await self._may_end.wait()
        yield b"\n"

    async def end(self) -> httpx.Response:
        """Return the answer to it."""
        self._may_end.set()
        return await self.answer


async def under_way(client: httpx.AsyncClient, account: str) -> Upload:
    upload = Upload(client, account)
    await upload.has_begun.wait()
    return upload


async def test_imports_at_a_time_are_limited_of_an_account_and_in_all(
    client: httpx.AsyncClient, places: ImportPlaces
) -> None:
    async with asyncio.timeout(DEADLINE):
        first, second = [await under_way(client, account) for account in ("a", "b")]
        more = [await Upload(client, account).answer for account in ("a", "c")]
        assert [answer.status_code for answer in more] == [429, 503]
        assert [answer.json()["code"] for answer in more] == ["too_many_imports", "busy"]
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in more)
        assert len(places) == 2
        assert [(await upload.end()).status_code for upload in (first, second)] == [200, 200]
        assert (await (await under_way(client, "a")).end()).status_code == 200
        assert len(places) == 0


async def test_an_upload_that_stalls_makes_room_for_another_account(
    client: httpx.AsyncClient, clock: Clock, places: ImportPlaces
) -> None:
    async with asyncio.timeout(DEADLINE):
        stalled = await under_way(client, "a")
        clock.now += 10
        other = await under_way(client, "b")
        clock.now += 10
        newcomer = await under_way(client, "c")
        answer = await stalled.answer
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert (await Upload(client, "d").answer).status_code == 503, "no other is slow"
        assert [(await one.end()).status_code for one in (other, newcomer)] == [200, 200]
        assert len(places) == 0


async def test_a_refused_import_leaves_no_place_taken(
    client: httpx.AsyncClient, places: ImportPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 100)
    for _ in range(3):
        assert (await client.post("/v1/people:import", content=GOOD * 2)).status_code == 413
    assert len(places) == 0


async def test_what_is_spooled_has_no_name_that_a_crash_could_leave_behind(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[os.stat_result] = []

    def watched() -> IO[bytes]:
        file = TemporaryFile()  # noqa: SIM115 - it is closed by what is tested
        made.append(os.fstat(file.fileno()))
        return file

    monkeypatch.setattr(room, "TemporaryFile", watched)
    assert (await client.post("/v1/people:import", content=GOOD)).status_code == 200
    assert [(one.st_nlink, one.st_mode & 0o077) for one in made] == [(0, 0)]


async def test_an_import_whose_answer_nobody_reads_ends(
    directory: SlowDirectory, places: ImportPlaces
) -> None:
    place = places.enter("a")
    file = TemporaryFile()  # noqa: SIM115 - it is closed by what is tested
    file.write(GOOD)
    file.seek(0)
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    await room._store_all(room.Import("a", directory, NobodyLeaves()), file, place, lines)
    assert file.closed
    assert len(places) == 0
