"""Mails a second: rates of accounts and networks."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.limits import MIB
from services.ingest.rates import Rates, SharedRates
from tests.clock import Clock


def take(rates: Rates, account: str) -> int:
    """Send a mail if it is taken; else return the seconds to wait."""
    seconds = rates.wait(account)
    if not seconds:
        rates.took(account, 0)
    return seconds


def test_an_account_has_its_burst_then_its_rate_whatever_others_do() -> None:
    clock = Clock()
    rates = Rates(10, 20, clock=clock)
    assert [take(rates, "a") for _ in range(20)] == [0] * 20
    assert take(rates, "a") == 1
    assert take(rates, "b") == 0
    clock.now += 0.1
    assert (take(rates, "a"), take(rates, "a")) == (0, 1)
    rates.charge("a", 30)
    assert take(rates, "a") == 4, "3 seconds for those, and a tenth for this one"
    clock.now += 60
    assert [take(rates, "a") for _ in range(21)] == [0] * 20 + [1], "no more than a burst is saved"


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from("abc")), max_size=300))
def test_nobody_has_more_than_burst_and_rate(steps: list[tuple[float, str]]) -> None:
    clock = Clock()
    rates = Rates(5, 7, clock=clock)
    taken = dict.fromkeys("abc", 0)
    for pause, account in steps:
        clock.now += pause
        taken[account] += take(rates, account) == 0
        assert taken[account] <= 7 + 5 * (clock.now - Clock.now) + 1e-6


def test_the_more_waits_the_slower_is_who_floods_and_who_is_quiet_does_not_notice() -> None:
    clock, pressure = Clock(), [1.0]
    rates = Rates(10, 20, lambda: pressure[0], clock)
    taken = dict.fromkeys((1.0, 0.0, 5.0, 1000.0), 0)
    for factor in taken:
        pressure[0] = factor
        for step in range(1000):
            clock.now += 0.01
            taken[factor] += take(rates, "floods") == 0
            if step % 100 == 0:
                assert take(rates, "quiet") == 0
    assert taken[1.0] == pytest.approx(10 * 10 + 20, abs=2)
    assert taken[0.0] == pytest.approx(10 * 10, abs=2)
    assert taken[5.0] == pytest.approx(2 * 10, abs=2)
    assert taken[1000.0] == pytest.approx(1 * 10, abs=2)


def test_a_full_bucket_is_enough_for_a_mail() -> None:
    rates = Rates(1, 2, lambda: 100.0, Clock())
    assert (take(rates, "a"), take(rates, "b")) == (0, 0)
    assert take(rates, "a") > 0


def test_no_memory_is_kept_of_who_is_quiet() -> None:
    clock = Clock()
    rates = Rates(10, 20, clock=clock)
    for n in range(100_000):
        clock.now += 0.01
        assert take(rates, f"account {n}") == 0
    assert len(rates._full_at) < 3000


def test_a_rate_of_zero_limits_nothing() -> None:
    rates = Rates(0, 1)
    assert [take(rates, "a") for _ in range(1000)] == [0] * 1000


def test_a_bucket_is_forgotten_when_it_is_full_and_not_before() -> None:
    clock = Clock()
    rates = Rates(1, 2000, clock=clock)
    for n in range(1024):
        rates.charge(f"account {n}", 10)
    clock.now += 10
    rates.charge("flood", 3000)
    assert set(rates._full_at) == {"flood"}, "the others are full at this moment"
    assert take(rates, "flood") == 1001
    for n in range(1024):
        rates.charge(f"account {n}", 10)
    assert len(rates._full_at) == 1025, "none of these is full"
    assert rates._forget_at == 2 * 1025
    clock.now += 10
    for n in range(1025):
        rates.charge(f"other {n}", 10)
    assert len(rates._full_at) == 2050, "so long it is not looked through again"
    rates.charge("last", 10)
    assert len(rates._full_at) == 1027
    assert rates._forget_at == 2 * 1027


def test_a_mail_costs_one_at_least_and_ten_at_most() -> None:
    for pressure, cost in ((0.0, 1), (1.0, 1), (3.0, 3), (10.0, 10), (11.0, 10)):
        clock = Clock()
        rates = Rates(1, 100, partial(float, pressure), clock)
        assert take(rates, "a") == 0
        rates.charge("a", 100 - cost)
        assert take(rates, "a") == cost
        clock.now += cost
        assert take(rates, "a") == 0


def test_who_must_wait_is_told_whole_seconds_and_pays_nothing() -> None:
    clock = Clock()
    rates = Rates(10, 1, clock=clock)
    assert take(rates, "a") == 0
    for _ in range(3):
        assert take(rates, "a") == 1
    clock.now += 0.1
    assert take(rates, "a") == 0


def test_nothing_is_charged_where_there_is_no_rate_or_no_token() -> None:
    none, some = Rates(0, 5), Rates(1, 5)
    none.charge("a", 100)
    some.charge("a", 0)
    assert not none._full_at
    assert not some._full_at


def test_commands_alone_use_up_no_rate() -> None:
    rates = Rates(10, 20, clock=Clock())
    assert [rates.wait("a") for _ in range(1000)] == [0] * 1000
    assert [rates.wait("a", ahead) > 0 for ahead in (0, 19, 20, 1000)] == [False, False, True, True]


def test_a_network_uses_up_its_share_of_an_account_and_no_more() -> None:
    clock = Clock()
    rates = SharedRates(Rates(10, 20, clock=clock), 0.5)
    for _ in range(10):
        assert not rates.wait("a", "bad")
        rates.took("a", "bad", 0)
    assert rates.wait("a", "bad")
    assert not rates.wait("b", "bad"), "of another account"
    for n in range(10):
        assert not rates.wait("a", f"good {n}")
        rates.took("a", f"good {n}", 0)
    assert rates.wait("a", "good 11"), "the account has its rate"


def test_a_large_mail_costs_once_more_for_each_mib() -> None:
    for size, cost in ((0, 1), (MIB - 1, 1), (MIB, 2), (5 * MIB, 6)):
        rates = Rates(1, 100, clock=Clock())
        rates.took("a", size)
        rates.charge("a", 100 - cost)
        assert rates.wait("a") == 1
        assert rates.wait("b") == 0


def test_a_part_is_a_share_of_rate_and_burst() -> None:
    clock = Clock()
    part = Rates(10, 20, clock=clock).part(0.25)
    assert [take(part, "a") for _ in range(6)] == [0] * 5 + [1]
    clock.now += 0.4
    assert [take(part, "a") for _ in range(2)] == [0, 1], "two and a half a second"
    small = Rates(1, 1, clock=clock).part(0.1)
    assert [take(small, "a") for _ in range(2)] == [0, 10], "one at once at least"


def test_without_a_share_a_network_may_use_up_all() -> None:
    rates = SharedRates(Rates(10, 20, clock=Clock()))
    for _ in range(20):
        assert not rates.wait("a", "relay")
        rates.took("a", "relay", 0)
    assert rates.wait("a", "relay")


def test_a_clock_that_begins_at_zero_is_as_good() -> None:
    clock = Clock()
    clock.now = 0.0
    assert take(Rates(1, 1, clock=clock), "a") == 0


def test_a_mail_that_is_counted_already_costs_its_size_alone() -> None:
    """Each MiB costs one more."""
    rates = Rates(1, 4, clock=Clock())
    for size, is_counted, wait in (
        (MIB - 1, True, 0),
        (3 * MIB, True, 0),
        (0, False, 1),
        (MIB, True, 2),
        (MIB, False, 4),
    ):
        rates.took("a", size, is_counted=is_counted)
        assert rates.wait("a") == wait


def test_one_network_has_all_of_an_accounts_rate_unless_a_share_is_said() -> None:
    for rates, most in (
        (SharedRates(Rates(1, 4, clock=Clock())), 4),
        (SharedRates(Rates(1, 4, clock=Clock()), 0.5), 2),
    ):
        taken = 0
        while not rates.wait("a", "n1"):
            rates.took("a", "n1", 0)
            taken += 1
        assert taken == most
