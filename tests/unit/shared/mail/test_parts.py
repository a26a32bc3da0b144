"""Parts of a service: they run together, and stop in time."""

import asyncio

import pytest

from shared.runtime.dependencies import place
from shared.runtime.process import Together, running, unless
from tests.deadline import DEADLINE


class Part:
    """Runs until it is stopped, or fails at once."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.ended = error, False
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        if self.error is not None:
            raise self.error
        await self._stopping.wait()
        self.ended = True

    def stop(self) -> None:
        self._stopping.set()


async def test_parts_that_are_together_end_together() -> None:
    parts, stopping = [Part(), Part()], asyncio.Event()
    async with running(Together(*parts), stopping):
        await asyncio.sleep(0)
        assert not stopping.is_set()
    assert all(part.ended for part in parts)


async def test_when_one_fails_the_others_are_stopped_and_its_error_is_raised() -> None:
    other, stopping = Part(), asyncio.Event()

    async def serve() -> None:
        async with running(Together(other, Part(OSError("the port is taken"))), stopping):
            await stopping.wait()

    with pytest.raises(OSError, match="the port is taken"):
        await asyncio.wait_for(serve(), DEADLINE)
    assert other.ended


async def test_work_is_cut_once_it_is_to_stop() -> None:
    stopping = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stopping.set)

    async def never_done() -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(DEADLINE):
        await unless(stopping, never_done())


async def test_the_error_of_work_is_raised() -> None:
    async def fails() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await unless(asyncio.Event(), fails())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://user:word@rabbit:5672/mail?heartbeat=1", "rabbit:5672/mail"),
        ("amqp://user:a/b@rabbit/", "rabbit/"),
        ("mongodb://u:p@a:1,b:2/?replicaSet=rs0", "a:1,b:2/"),
        ("mongodb://127.0.0.1:27017/?replicaSet=rs0", "127.0.0.1:27017/"),
        ("file:///var/lib/satchel", "/var/lib/satchel"),
        ("s3://bucket/prefix", "bucket/prefix"),
    ],
)
def test_a_place_is_named_without_credentials(url: str, shown: str) -> None:
    assert place(url) == shown
