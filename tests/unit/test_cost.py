"""What `tests/cost.py` says of a call's cost."""

import gc
from collections.abc import Callable, Iterable
from itertools import chain, repeat

import pytest

from tests.cost import LINEAR, growth, ratio


class Clock:
    """Time that passes only where a work lets it pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: Iterable[float]) -> Callable[[], None]:
        """A work whose calls take these times."""
        times = iter(seconds)

        def work() -> None:
            self.now += next(times)

        return work


def test_ratio_is_how_many_times_as_long_a_work_takes() -> None:
    clock = Clock()
    work, reference = clock.taking(repeat(0.35)), clock.taking(repeat(0.1))
    assert ratio(work, reference, clock=clock) == pytest.approx(3.5)


def test_calls_shorter_than_the_clocks_steps_are_measured_together() -> None:
    clock = Clock()
    work, reference = clock.taking(repeat(6e-6)), clock.taking(repeat(2e-6))
    assert ratio(work, reference, clock=clock) == pytest.approx(3, rel=0.01)


def test_noise_in_some_tries_does_not_change_the_ratio() -> None:
    clock = Clock()
    noisy = chain.from_iterable(repeat((0.9, 0.2, 0.3, 0.2, 0.7)))
    assert ratio(clock.taking(noisy), clock.taking(repeat(0.1)), clock=clock) == pytest.approx(2)


def test_noise_in_every_early_try_costs_more_tries() -> None:
    clock = Clock()
    noise = (0.5 * 1.2**tries for tries in range(9, 0, -1))
    work = clock.taking(chain(noise, repeat(0.2)))
    assert ratio(work, clock.taking(repeat(0.1)), clock=clock) == pytest.approx(2)


def test_tries_end_though_the_noise_does_not() -> None:
    clock = Clock()
    work = clock.taking(2.0**tries for tries in range(60))
    assert ratio(work, clock.taking(repeat(1.0)), clock=clock) == pytest.approx(1)


@pytest.mark.parametrize(("power", "expected"), [(1, 2), (2, 4), (3, 8)])
def test_growth_is_two_for_linear_and_four_for_quadratic_time(power: int, expected: int) -> None:
    clock = Clock()

    def work_of_size(size: int) -> Callable[[], None]:
        return clock.taking(repeat(1e-6 * size**power))

    assert growth(work_of_size, 1000, clock=clock) == pytest.approx(expected)


def test_noise_at_one_size_is_no_growth_and_quadratic_time_stays_one() -> None:
    clock = Clock()

    def noisy_at_first(size: int) -> Callable[[], None]:
        return clock.taking(repeat(1e-6 * size * (2 if size == 4000 else 1)))

    def partly_quadratic(size: int) -> Callable[[], None]:
        return clock.taking(repeat(1e-6 * size + 3e-10 * size**2))

    assert growth(noisy_at_first, 1000, clock=clock) < LINEAR
    assert growth(partly_quadratic, 1000, clock=clock) > LINEAR


def test_real_linear_work_passes_and_real_quadratic_work_does_not() -> None:
    def linear(size: int) -> Callable[[], object]:
        return lambda: sum(range(size))

    def quadratic(size: int) -> Callable[[], object]:
        return lambda: [sum(range(size)) for _ in range(size)]

    assert growth(linear, 20_000) < LINEAR < growth(quadratic, 200)


def test_measuring_leaves_the_garbage_collector_as_it_was() -> None:
    ratio(lambda: None, lambda: None)
    assert gc.isenabled()
