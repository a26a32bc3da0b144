"""Rules about the code that no other tool checks."""

import re
from pathlib import Path

import pytest

from dev.generate import ROOT

SHIPPED = sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")])
EVERY = sorted(
    path
    for folder in ("bench", "chaos", "conformance", "dev", "ops", "services", "shared", "tests")
    for path in ROOT.glob(f"{folder}/**/*.py")
)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_group_is_repeated_possessively(path: Path) -> None:
    """Python 3.11.0 to 3.11.4 match `(..)*+` wrongly (CPython gh-106052), `(?>(..)*)` right."""
    assert not re.search(r"\)[*+?]\+", path.read_text())


@pytest.mark.parametrize("path", EVERY, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_warning_is_ignored_without_a_reason_beside_it(path: Path) -> None:
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        ignored = re.search(r"# (?:noqa: [\w, ]+|type: ignore\[[\w, -]+\])(.*)$", line)
        if ignored:
            assert ignored[1].strip(), f"{path.name}:{number}: {line.strip()}"
