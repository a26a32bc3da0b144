"""What the step-by-step tests of a service begin with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.matcher.__main__ import INDEXES
from services.matcher.directory import person_of
from shared.database import connect, migrate
from shared.events import Kind
from tests.fakes import Recorder
from tests.matcher_parts import ACCOUNT, Replica


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def matcher(
    mongodb_url: str, database_name: str, tmp_path: Path, recorder: Recorder
) -> AsyncIterator[Replica]:
    async with connect(mongodb_url, "test") as client:
        database = client[database_name]
        await migrate(database, INDEXES)
        matcher = Replica(database, tmp_path, recorder)
        people = matcher.directory
        await people.put(ACCOUNT, person_of("u1", Kind.USER, "User", ["user@team.example"]))
        await people.put(
            ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["cand@mail.example", "c@x.example"])
        )
        await people.put("globex", person_of("c9", Kind.CANDIDATE, "C", ["other@mail.example"]))
        yield matcher
        await client.drop_database(database_name)
