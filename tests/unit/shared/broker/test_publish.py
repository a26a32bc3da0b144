"""A publisher writes ahead, but not to a broker that does not answer."""

import asyncio
from typing import Any, cast

import aiormq
import pytest
from aiormq.channel import Channel

from shared.broker import Publisher, PublishFailed
from shared.contracts.topology import uses
from tests.broker_parts import received


class SilentChannel:
    """Notes whether each publish waits until it is written; answers when it is told to."""

    def __init__(self) -> None:
        self.waited: list[bool] = []
        self.answers = True

    async def basic_publish(self, _: bytes, *, wait: bool, **__: Any) -> object:
        self.waited.append(wait)
        if not self.answers:
            await asyncio.Event().wait()
        return aiormq.spec.Basic.Ack()


async def test_nothing_piles_up_for_a_broker_that_does_not_answer() -> None:
    publisher, channel = (
        Publisher("amqp://nowhere/", "test", uses(), deadline=0.01),
        SilentChannel(),
    )
    publisher._channels["small"] = cast(Channel, channel)
    publisher._ready.set()
    await publisher.publish(received())
    channel.answers = False
    for _ in range(2):
        with pytest.raises(PublishFailed, match="timeout"):
            await publisher.publish(received())
    channel.answers = True
    await publisher.publish(received())
    await publisher.publish(received())
    assert channel.waited == [False, False, True, True, False]
