"""What every test of a whole stack begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.stack import Stack
from tests.e2e.account import Account
from tests.e2e.parts import Parts


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack)


@pytest.fixture
def parts(tmp_path: Path, amqp_url: str, mongodb_url: str) -> Iterator[Parts]:
    parts = Parts(tmp_path, amqp_url, mongodb_url)
    yield parts
    parts.end()
