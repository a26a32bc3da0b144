"""What waits to be written, and how a batch is taken and split."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from services.timeline.write.lanes import (
    MAX_BYTES,
    MAX_REQUESTS,
    Lane,
    Pending,
    answer_all,
    by_account,
    drop_all,
    fail_all,
    halves,
    size_of,
)
from services.timeline.write.records import RAW_IN_DATABASE_BYTES
from services.timeline.write.requests import Answer, Replace, Request
from tests.write_parts import attach, confirm, dismiss


def pending(request: Request | None = None, account: str = "acme") -> Pending:
    request = request or dismiss(account=account)
    return Pending(request, asyncio.get_running_loop().create_future())


def filled(*waiting: Pending) -> Lane:
    lane = Lane()
    for one in waiting:
        lane.put(one)
    return lane


def accounts(batch: Sequence[Pending]) -> list[str]:
    return [one.account for one in batch]


async def test_what_waits_comes_in_its_order_live_before_backfill() -> None:
    old = [pending(dismiss(backfill=True)), pending(attach(backfill=True))]
    old.append(pending(confirm(backfill=True)))
    live = [pending(), pending(attach()), pending(confirm())]
    lane = filled(old[0], live[0], old[1], live[1], live[2], old[2])
    assert lane.drain(one_account=False) == [*live, *old]
    assert lane.drain(one_account=False) == []


async def test_a_batch_mixes_accounts_where_it_may() -> None:
    many = [pending(account=account) for account in "abcab"]
    assert filled(*many).drain(one_account=False) == many


async def test_a_lane_with_live_mail_left_is_still_filled() -> None:
    lane = filled(*(pending() for _ in range(MAX_REQUESTS + 1)))
    lane.drain(one_account=False)
    assert lane.filled.is_set()
    assert len(lane.drain(one_account=False)) == 1
    assert not lane.filled.is_set()


async def test_a_lane_is_filled_until_nothing_waits() -> None:
    lane = Lane()
    assert not lane.filled.is_set()
    many = [pending(dismiss(backfill=at > MAX_REQUESTS)) for at in range(2 * MAX_REQUESTS + 1)]
    lane = filled(*many)
    sizes = []
    while lane.filled.is_set():
        sizes.append(len(lane.drain(one_account=False)))
    assert sizes == [MAX_REQUESTS, MAX_REQUESTS, 1]


async def test_a_batch_has_so_many_bytes_and_one_request_more_at_most() -> None:
    large = attach()
    content = replace(large.projection.content, text="x" * (MAX_BYTES // 12))
    large = replace(large, projection=replace(large.projection, content=content))
    lane = filled(*(pending(large) for _ in range(7)))
    assert [len(lane.drain(one_account=False)) for _ in range(3)] == [3, 3, 1]


async def test_a_batch_of_one_account_leaves_the_others_in_their_order() -> None:
    live = [pending(account=account) for account in "abacb"]
    old = [pending(dismiss(account=account, backfill=True)) for account in "bab"]
    lane = filled(*live, *old)
    assert lane.drain(one_account=True) == [live[0], live[2], old[1]]
    assert lane.filled.is_set()
    assert lane.drain(one_account=True) == [live[1], live[4], old[0], old[2]]
    assert accounts(lane.drain(one_account=True)) == ["c"]
    assert not lane.filled.is_set()


async def test_a_full_batch_of_one_account_loses_none_of_the_others() -> None:
    many = [pending(account="ab"[at % 2]) for at in range(4 * MAX_REQUESTS)]
    lane = filled(*many)
    taken: list[Pending] = []
    while batch := lane.drain(one_account=True):
        assert len({*accounts(batch)}) == 1
        taken += batch
    assert len(taken) == len(many)
    for account in "ab":
        assert [one for one in taken if one.account == account] == [
            one for one in many if one.account == account
        ]


@pytest.mark.parametrize(("count", "first"), [(2, 1), (3, 2), (64, 32)])
async def test_halves_are_all_of_it(count: int, first: int) -> None:
    batch = [pending() for _ in range(count)]
    one, other = halves(batch)
    assert [*one, *other] == batch
    assert len(one) == first


async def test_a_batch_is_split_by_account_where_it_has_several() -> None:
    batch = [pending(account=account) for account in "abab"]
    assert by_account(batch) == [[batch[0], batch[2]], [batch[1], batch[3]]]
    assert by_account(batch[:1]) == []


async def test_everybody_who_waits_gets_an_answer_an_error_or_nothing() -> None:
    batch = [pending() for _ in range(4)]
    answers = [Answer(outcome=str(number)) for number in range(4)]
    batch[0].answer.cancel()
    answer_all(batch[:2], answers[:2])
    fail_all(batch[:3], OSError("away"))
    drop_all(batch)
    assert batch[0].answer.cancelled()
    assert batch[1].answer.result() == answers[1]
    assert isinstance(batch[2].answer.exception(), OSError)
    assert batch[3].answer.cancelled()
    with pytest.raises(ValueError, match="argument 2 is"):
        answer_all(batch, answers[:1])


def test_a_request_counts_as_what_it_writes() -> None:
    request = attach()
    content = replace(request.projection.content, text="x" * 100, html="y" * 10)
    projection = replace(request.projection, content=content)
    raw = len(request.raw)
    assert size_of(replace(request, projection=projection)) == raw + 8192 + 410
    large = replace(request, projection=projection, raw=b"x" * (RAW_IN_DATABASE_BYTES + 1))
    assert size_of(large) == 8192 + 410, "the blob store has its bytes"
    several = Replace(mail_id="m", content=content, projections=(projection, projection))
    assert size_of(several) == 2 * (8192 + 410)
    plain = replace(projection, content=replace(content, html=None))
    assert size_of(replace(request, projection=plain)) == raw + 8192 + 400
    assert size_of(dismiss()) == size_of(confirm()) == 1024
