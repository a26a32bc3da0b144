"""An import's answer: after the body, kept alive while the database is slow."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence

import httpx
import pytest

from dev.openapi import TOKEN_SECRET
from services.matcher.api import import_people as room
from services.matcher.api.leaving import Leaving
from services.matcher.decision.decide import Person
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.settings import Settings
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
async def client(directory: SlowDirectory) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("t", "t", Settings(token_secret=TOKEN_SECRET), Readiness({}))
    app.include_router(room.import_routes(directory, NobodyLeaves()))
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
