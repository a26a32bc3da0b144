"""What libraries do when a server goes or comes, and what must not become of it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aio_pika
import pytest
from aio_pika.exceptions import ChannelInvalidStateError
from pymongo.errors import ConfigurationError

from shared.broker import Publisher, PublishFailed
from shared.broker.deliveries import _is_lost
from shared.contracts.event_examples import examples
from shared.contracts.events import MailReceived
from shared.contracts.topology import uses
from shared.storage.database import DatabaseAway, database_errors
from tests.deadline import DEADLINE


async def test_a_broker_that_hangs_up_before_its_first_word_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = 0

    async def hung_up(*_: object) -> None:
        nonlocal calls
        calls += 1
        raise StopAsyncIteration  # the library's word for it, which ends a loop over attempts

    monkeypatch.setattr(aio_pika.Connection, "connect", hung_up)
    url = "amqp://guest:guest@127.0.0.1:1/"
    publisher = Publisher(url, "test", uses(publishes=[MailReceived]))
    running = asyncio.create_task(publisher.run())
    async with asyncio.timeout(DEADLINE):
        while calls < 2:
            assert not running.done()
            await asyncio.sleep(0.01)
        publisher.stop()
        await running


async def test_whatever_the_library_raises_is_no_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("a channel that is gone")

    monkeypatch.setattr(Publisher, "_send_once", broken)
    publisher = Publisher("amqp://127.0.0.1:1/", "test", uses(publishes=[MailReceived]))
    with pytest.raises(PublishFailed) as failed:
        await publisher.publish(examples()[MailReceived.tag])
    assert not failed.value.definite


def test_a_database_that_starts_is_away() -> None:
    with pytest.raises(DatabaseAway), database_errors():
        raise ConfigurationError("Sessions are not supported by this MongoDB deployment")


@pytest.mark.parametrize("closed", [True, False])
def test_a_delivery_of_a_closed_channel_is_lost(closed: bool) -> None:
    class Message:
        @property
        def channel(self) -> Any:
            if closed:  # as aio-pika's does
                raise ChannelInvalidStateError
            return SimpleNamespace(is_closed=False)

    assert _is_lost(cast(Any, Message())) is closed
