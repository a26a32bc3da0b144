"""Acknowledgements together: none that is not meant, none lost, few frames."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from shared.broker.acknowledge import Acknowledgements
from tests.deadline import DEADLINE

NEVER = 3600.0


@dataclass(eq=False)
class Broker:
    """A channel, and what a broker does with its acknowledgements (AMQP 0-9-1, 1.8.3.13)."""

    unsettled: set[int]
    frames: list[tuple[int, bool]] = field(default_factory=list)
    fails: BaseException | None = None
    is_closed: bool = False

    async def basic_ack(self, tag: int, multiple: bool = False, wait: bool = True) -> None:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        self.frames.append((tag, multiple))
        covered = {one for one in self.unsettled if one == tag or (multiple and one < tag)}
        assert tag in covered, "an unknown tag closes the channel"
        self.unsettled -= covered


async def acknowledged(acknowledgements: Acknowledgements, *tags: int) -> None:
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*map(acknowledgements.acknowledge, tags))


async def test_those_in_a_row_are_one_frame() -> None:
    broker = Broker(set(range(1, 9)))
    await acknowledged(Acknowledgements(broker, 32, NEVER), *range(1, 9))
    assert broker.frames == [(8, True)]
    assert not broker.unsettled


async def test_one_is_never_covered_that_is_still_handled() -> None:
    broker = Broker(set(range(1, 7)))
    acknowledgements = Acknowledgements(broker, 16, NEVER)
    await acknowledged(acknowledgements, 5, 1, 4, 2)
    assert broker.frames == [(2, True), (4, False), (5, False)]
    assert broker.unsettled == {3, 6}


async def test_what_was_given_back_is_no_gap() -> None:
    broker = Broker({1, 3})
    acknowledgements = Acknowledgements(broker, 8, NEVER)
    acknowledgements.given_back(2)
    await acknowledged(acknowledgements, 1, 3)
    assert broker.frames == [(3, True)]


async def test_one_alone_is_sent_after_a_moment() -> None:
    broker = Broker({1})
    await acknowledged(Acknowledgements(broker, 32), 1)
    assert broker.frames == [(1, False)]


@pytest.mark.parametrize("prefetch", [1, 4, 7])
async def test_with_a_small_prefetch_each_is_sent_at_once(prefetch: int) -> None:
    broker = Broker({1, 2})
    acknowledgements = Acknowledgements(broker, prefetch, NEVER)
    await acknowledged(acknowledgements, 1)
    await acknowledged(acknowledgements, 2)
    assert broker.frames == [(1, False), (2, False)]


async def test_a_channel_that_is_gone_is_an_error_for_each() -> None:
    broker = Broker({1, 2}, fails=ConnectionError("gone"))
    acknowledgements = Acknowledgements(broker, 8, NEVER)
    results = await asyncio.gather(
        acknowledgements.acknowledge(1), acknowledgements.acknowledge(2), return_exceptions=True
    )
    assert [type(result) for result in results] == [ConnectionError, ConnectionError]


async def test_who_does_not_wait_any_more_keeps_nobody_waiting() -> None:
    broker = Broker({1, 2})
    acknowledgements = Acknowledgements(broker, 8, NEVER)
    first = asyncio.create_task(acknowledgements.acknowledge(1))
    await asyncio.sleep(0)
    first.cancel()
    await acknowledged(acknowledgements, 2)
    assert not broker.unsettled


@pytest.mark.parametrize("seed", range(50))
async def test_whatever_the_order_exactly_what_was_handled_is_acknowledged(seed: int) -> None:
    chance = random.Random(seed)
    count = chance.randint(1, 60)
    broker = Broker(set(range(1, count + 1)))
    acknowledgements = Acknowledgements(broker, chance.choice([1, 8, 32]), 0.0)
    left = set(chance.sample(range(1, count + 1), chance.randint(0, count)))

    async def handle(tag: int) -> None:
        for _ in range(chance.randint(0, 6)):
            await asyncio.sleep(0)
        if tag in left and chance.random() < 0.5:
            return
        if tag in left:
            broker.unsettled.discard(tag)
            acknowledgements.given_back(tag)
        else:
            await acknowledgements.acknowledge(tag)
            assert tag not in broker.unsettled

    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*map(handle, range(1, count + 1)))
    assert broker.unsettled <= left
    assert {tag for tag, _ in broker.frames}.isdisjoint(left)
