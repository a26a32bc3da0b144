"""What every test of a whole stack begins with."""

import pytest

from dev.stack import Stack
from tests.e2e.account import Account


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack)
