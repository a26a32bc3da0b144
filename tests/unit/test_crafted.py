"""Mails that were crafted to be expensive, at their full size: 100 KB to 1 MB."""

import pytest

from bench.crafted import MAX_SECONDS, measure
from bench.fuzz import ALLOWANCE, MAX_GROWTH
from bench.structures import STRUCTURES


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Load what is loaded when it is first used."""
    measure("comments")


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_crafted_mail_is_read_soon(name: str) -> None:
    measured = measure(name)
    assert measured.timeline < MAX_SECONDS
    assert measured.matcher < MAX_SECONDS
    assert measured.stored <= MAX_GROWTH * measured.size + ALLOWANCE
