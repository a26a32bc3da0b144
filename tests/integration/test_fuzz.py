"""Ten thousand mutated mails, a tenth of them without `--full`; `make fuzz` reads as many more."""

import pytest

from bench.fuzz import Found, run
from bench.mutations import Mutations

MUTATIONS = 10_000


def _mutations(share: float) -> int:
    return MUTATIONS if share == 1 else MUTATIONS // 10


@pytest.fixture(scope="module")
def found(share: float) -> Found:
    return run(mutations=_mutations(share), seed=1)


def test_every_mutated_mail_is_read_soon_and_can_be_stored(
    found: Found, share: float, measured: list[str]
) -> None:
    seconds, number = found.slowest
    rate = found.mails / found.seconds
    measured.append(
        f"{found.mails:,} mutated mails, {rate:,.0f} /s, slowest {number}: {seconds * 1000:,.0f} ms"
    )
    assert found.failures == []
    assert found.mails == _mutations(share)


def test_the_number_of_a_mail_makes_it_again() -> None:
    assert Mutations(2).mail(17) == Mutations(2).mail(17)
    assert len({Mutations(seed).mail(17) for seed in range(5)}) == 5
