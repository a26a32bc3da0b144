"""What the library does when a broker hangs up, and what must not become of it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aio_pika.exceptions import ChannelInvalidStateError

from shared.broker import Publisher
from shared.broker.connection import AWAY
from shared.broker.consume import _is_lost
from shared.events import MailReceived
from shared.topology import uses


async def test_a_broker_that_hangs_up_at_once_is_tried_again() -> None:
    # The library raises StopAsyncIteration then, which would end a loop over attempts.
    calls = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    publisher = Publisher(url, "test", uses(publishes=[MailReceived]))
    running = asyncio.create_task(publisher.run())
    async with server, asyncio.timeout(10):
        while calls < 3:
            assert not running.done()
            await asyncio.sleep(0.01)
        publisher.stop()
        await running


def test_the_end_of_an_iteration_means_that_the_broker_is_away() -> None:
    assert issubclass(StopAsyncIteration, AWAY)


@pytest.mark.parametrize("closed", [True, False])
def test_a_delivery_of_a_closed_channel_is_lost(closed: bool) -> None:
    class Message:
        @property
        def channel(self) -> Any:
            if closed:  # as aio-pika's does
                raise ChannelInvalidStateError
            return SimpleNamespace(is_closed=False)

    assert _is_lost(cast(Any, Message())) is closed
