"""How many bytes of mail are explained in a second."""

import pytest

from services.matcher.api.explain_rate import ExplainRate
from shared.http.web import Problem
from tests.clock import Clock

BURST = 32


def refused(rate: ExplainRate, account: str) -> tuple[int, int]:
    with pytest.raises(Problem) as caught:
        rate.check(account)
    return caught.value.status, int(caught.value.headers["Retry-After"])


def test_an_account_that_has_used_up_its_bytes_waits_and_others_do_not() -> None:
    clock = Clock()
    rate = ExplainRate(100, clock)
    for _ in range(2):
        rate.check("a")
        rate.charge("a", BURST * 100)
    assert refused(rate, "a") == (429, BURST)
    rate.check("b")
    clock.now += BURST - 1
    assert refused(rate, "a") == (429, 1)
    clock.now += 1
    rate.check("a")


def test_many_accounts_together_have_the_rate_of_four() -> None:
    clock = Clock()
    rate = ExplainRate(100, clock)
    for number in range(5):
        rate.check(f"account {number}")
        rate.charge(f"account {number}", BURST * 100)
    assert refused(rate, "another") == (503, BURST // 4)
    clock.now += BURST // 4
    rate.check("another")


def test_a_rate_of_none_limits_nothing() -> None:
    rate = ExplainRate(0, Clock())
    for _ in range(100):
        rate.check("a")
        rate.charge("a", 10**9)


def test_who_is_quiet_again_needs_no_memory() -> None:
    clock = Clock()
    rate = ExplainRate(100, clock)
    for number in range(5000):
        clock.now += 10
        rate.charge(str(number), 100)
    assert len(rate._full_at) < 2000
