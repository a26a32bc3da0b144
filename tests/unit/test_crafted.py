"""Mails that were crafted to be expensive cost little more than ordinary ones of their size.

They have 128 KB here: what costs grows as the mail does. `--full` reads them at their full size, up
to 1 MB, as `make bench ARGS="crafted"` does.
"""

import asyncio
from collections.abc import Iterator

import pytest

from bench.crafted import MATCHED, MAX_MATCHED_RATIO, MAX_RATIO, crafted_mail
from bench.fuzz import ALLOWANCE, MAX_GROWTH
from bench.ordinary import ordinary_mail
from bench.reading import read_for_matcher, read_for_timeline
from bench.structures import STRUCTURES
from tests.cost import ratio

SIZE = 128 * 1024
TRIES = 2
"""More of them where noise spoils one."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def size(request: pytest.FixtureRequest) -> int | None:
    return None if request.config.getoption("--full") else SIZE


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_crafted_mail_costs_the_timeline_at_most_ten_ordinary_ones(
    name: str, size: int | None
) -> None:
    _, raw = crafted_mail(name, size)
    ordinary = ordinary_mail(len(raw))
    cost = ratio(lambda: read_for_timeline(raw), lambda: read_for_timeline(ordinary), TRIES)
    assert cost <= MAX_RATIO


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_crafted_mail_costs_the_matcher_at_most_ten_ordinary_ones(
    name: str, size: int | None, runner: asyncio.Runner
) -> None:
    _, raw = crafted_mail(name, size)
    ordinary = ordinary_mail(len(raw))
    cost = ratio(
        lambda: read_for_matcher(raw, runner), lambda: read_for_matcher(ordinary, runner), TRIES
    )
    assert cost <= (MAX_MATCHED_RATIO if name == MATCHED else MAX_RATIO)


@pytest.mark.parametrize("name", STRUCTURES)
def test_of_a_crafted_mail_little_more_is_stored_than_it_has(name: str, size: int | None) -> None:
    _, raw = crafted_mail(name, size)
    assert read_for_timeline(raw).size <= MAX_GROWTH * len(raw) + ALLOWANCE


def test_an_ordinary_mail_has_the_size_that_is_asked_for() -> None:
    assert len(ordinary_mail(SIZE)) == SIZE
    assert ordinary_mail(SIZE) == ordinary_mail(SIZE)
