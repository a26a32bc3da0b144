"""Values of a parameter that `make test-full` alone tries."""

from typing import Any

import pytest


def in_full(*values: Any) -> list[Any]:
    """Return parameters for `--full`: what holds for one of a kind holds for these."""
    return [pytest.param(value, marks=pytest.mark.full) for value in values]
