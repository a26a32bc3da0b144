"""Every reason why a message becomes a dead letter is known, and explained to who has to act."""

import re

import pytest

from dev.generate import ROOT
from services.timeline.admin.dead_letters.reasons import OTHER, REASONS, label

PAGE = (ROOT / "docs/dead-letters.md").read_text()


def test_every_reason_that_a_service_gives_is_known() -> None:
    code = [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py")]
    given = {reason for path in code for reason in re.findall(r'Reject\("(\w+)"', path.read_text())}
    unread = set(re.findall(r'return "(\w+)"', _unread()))
    assert unread == {"header_too_long", "too_many_enclosed"}
    assert given | unread | {"delivery_limit"} == REASONS


def _unread() -> str:
    code = (ROOT / "services/matcher/decision/judge.py").read_text()
    return code[code.index("def unread") :].partition("\n    @")[0]


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_is_explained(reason: str) -> None:
    assert f"| `{reason}` |" in PAGE


def test_a_reason_that_nobody_knows_is_no_label() -> None:
    assert label("claim_missing") == "claim_missing"
    assert label("whatever@a.message.says") == OTHER
