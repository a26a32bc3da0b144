"""Bytes of mail in flight: limits, shares, and what is evicted."""

import math

import pytest

from services.ingest.metrics import BYTES_IN_FLIGHT
from shared.runtime.in_flight import InFlight, Reservation
from tests.clock import Clock

MIB = 1024 * 1024


def test_one_account_cannot_have_all_bytes() -> None:
    in_flight = InFlight(100, 60)
    first, second, other = (
        in_flight.reserve(["a"]),
        in_flight.reserve(["a", "b"]),
        in_flight.reserve(["c"]),
    )
    assert first.grow(40)
    assert not second.grow(21), "61 of a"
    assert not second.grow(1), "once it may not, it never may"
    assert other.grow(60)
    assert not in_flight.reserve(["d"]).grow(1)
    first.release()
    first.release()
    assert in_flight.reserve(["a"]).grow(40)
    assert not in_flight.idle.is_set()


@pytest.mark.parametrize(("size", "fits"), [(60, True), (61, False)])
def test_an_account_may_have_its_share_to_the_last_byte(size: int, fits: bool) -> None:
    hold = InFlight(100, 60).reserve(["a"])
    assert hold.grow(size) is fits
    assert hold.size == (size if fits else 0)


@pytest.mark.parametrize(("size", "fits"), [(40, True), (41, False)])
def test_all_may_have_all_to_the_last_byte(size: int, fits: bool) -> None:
    in_flight = InFlight(100, 60)
    assert in_flight.reserve(["a"]).grow(60)
    assert in_flight.reserve(["b"]).grow(size) is fits


def test_a_mail_grows_by_what_is_new_of_it_and_may_shrink() -> None:
    in_flight = InFlight(100, 60, report=BYTES_IN_FLIGHT.set)
    mail, other = in_flight.reserve(["a"]), in_flight.reserve(["b"])
    assert all(mail.grow(size) for size in (20, 40, 60))
    assert other.grow(40)
    assert mail.grow(10)
    assert other.grow(60)
    assert BYTES_IN_FLIGHT._value.get() == 70


def test_a_mail_for_several_accounts_counts_for_each() -> None:
    in_flight = InFlight(1000, 60)
    assert in_flight.reserve(["a", "b"]).grow(50)
    assert not in_flight.reserve(["b", "c"]).grow(11)
    assert in_flight.reserve(["c"]).grow(60)


@pytest.mark.parametrize(("size", "fits"), [(60, True), (61, False)])
def test_a_mail_for_no_account_has_the_share_of_one(size: int, fits: bool) -> None:
    assert InFlight(100, 60).reserve([]).grow(size) is fits


def test_what_was_refused_counts_no_more() -> None:
    in_flight = InFlight(100, 60)
    refused = in_flight.reserve(["a"])
    assert refused.grow(50)
    assert not refused.grow(70)
    assert in_flight.reserve(["a"]).grow(60)


def test_it_is_idle_when_the_last_mail_is_released() -> None:
    in_flight = InFlight(100, 60, report=BYTES_IN_FLIGHT.set)
    assert in_flight.idle.is_set()
    holds = [in_flight.reserve(["a"]) for _ in range(2)]
    assert holds[0].grow(30)
    for hold in holds:
        assert not in_flight.idle.is_set()
        hold.release()
    assert in_flight.idle.is_set()
    assert BYTES_IN_FLIGHT._value.get() == 0
    assert not in_flight._by_account, "no memory is kept of who is quiet"


class Evicting:
    """Mails in flight, and the names of those evicted, in order."""

    def __init__(self, most: int = 1_000_000, share: int = 1_000_000) -> None:
        self.clock = Clock()
        self.in_flight = InFlight(most, share, self.clock, BYTES_IN_FLIGHT.set)
        self.evicted: list[str] = []

    def mail(self, name: str, account: str = "a") -> Reservation:
        return self.in_flight.reserve([account], lambda: self.evicted.append(name))


def test_the_rate_of_a_mail_is_a_moving_average() -> None:
    flight = Evicting()
    mail = flight.mail("mail")
    assert mail.rate() == 0
    assert mail.grow(500_000)
    assert mail.rate() == pytest.approx(100_000)
    flight.clock.now += 5
    assert mail.rate() == pytest.approx(100_000 / math.e)
    assert mail.grow(100), "a smaller size is no negative arrival"
    assert mail.rate() == pytest.approx(100_000 / math.e)
    assert mail.grow(5100)
    assert mail.rate() == pytest.approx(100_000 / math.e + 1000)


@pytest.mark.parametrize(
    ("seconds", "came", "leaves"),
    [
        (4.9, 0, False),  # it has just begun
        (5.0, 0, True),
        (60.0, 0, True),
        (60.0, 5 * 64 * 1024, False),  # fast enough
        (60.0, 5 * 64 * 1024 - 10, True),
    ],
)
def test_only_a_slow_mail_is_evicted(seconds: float, came: int, leaves: bool) -> None:
    flight = Evicting()
    mail = flight.mail("mail")
    assert mail.grow(1)
    flight.clock.now += seconds
    assert mail.grow(1 + came)
    assert flight.in_flight.reserve(["b"]).grow(1_000_000 - came) is leaves
    assert flight.evicted == ["mail"] * leaves
    assert mail.size == (0 if leaves else 1 + came)
    assert mail.grow(1 + came) is not leaves, "refused for good"


def test_the_slowest_is_evicted_first_and_no_more_than_necessary() -> None:
    flight = Evicting()
    first, second, third = (flight.mail(name) for name in ("first", "second", "third"))
    for hold, came in ((first, 300_000), (second, 200_000), (third, 300_000)):
        assert hold.grow(came)
    flight.clock.now += 100
    assert first.grow(300_002)
    assert second.grow(200_001)
    assert third.grow(300_003)
    new = flight.in_flight.reserve(["b"])
    assert new.grow(300_000)
    assert flight.evicted == ["second"]
    assert new.grow(400_000)
    assert flight.evicted == ["second", "first"]
    assert BYTES_IN_FLIGHT._value.get() == 700_003


def test_over_its_share_an_account_evicts_its_own_mail() -> None:
    flight = Evicting(share=500_000)
    own, other = flight.mail("own", "a"), flight.mail("other", "b")
    assert other.grow(100_000)
    assert own.grow(450_000)
    flight.clock.now += 100
    assert flight.in_flight.reserve(["a"]).grow(100_000)
    assert flight.evicted == ["own"]


@pytest.mark.parametrize("of_other", [400_000, 498_999])
def test_over_its_share_an_account_evicts_its_own_mail_although_another_is_slower(
    of_other: int,
) -> None:
    """Until all of it is taken, to the last byte, other mail does not delay it."""
    flight = Evicting(share=500_000)
    own, other, growing = flight.mail("own"), flight.mail("other", "b"), flight.mail("growing")
    assert own.grow(200_000)
    assert other.grow(of_other)
    assert growing.grow(250_000)
    flight.clock.now += 100
    assert own.grow(200_002)
    assert other.grow(of_other + 1)
    most = 1_000_000 - other.size - own.size
    assert growing.grow(most if of_other > 400_000 else 300_000)
    assert flight.evicted == ["own"]


def test_of_a_mail_for_two_accounts_only_the_one_over_its_share_makes_room() -> None:
    flight = Evicting(most=2_000_000, share=500_000)
    over, up_to_it = flight.mail("over", "a"), flight.mail("up to it", "b")
    assert over.grow(450_000)
    assert up_to_it.grow(399_999)
    flight.clock.now += 100
    assert over.grow(450_002)
    assert up_to_it.grow(400_000)
    assert flight.in_flight.reserve(["a", "b"]).grow(100_000)
    assert flight.evicted == ["over"]


def test_a_complete_an_empty_and_an_uploaded_mail_are_not_evicted() -> None:
    flight = Evicting()
    here, nothing = flight.mail("here"), flight.mail("nothing")
    uploaded = flight.in_flight.reserve(["a"])
    assert here.grow(400_000)
    assert uploaded.grow(300_000)
    here.complete()
    flight.clock.now += 100
    assert not flight.in_flight.reserve(["b"]).grow(400_000)
    assert not flight.evicted
    here.evict()
    assert (here.size, nothing.size) == (0, 0)
    assert not flight.evicted, "its session is not ended"


def test_a_mail_does_not_evict_itself() -> None:
    flight = Evicting()
    mail = flight.mail("mail")
    assert mail.grow(900_000)
    flight.clock.now += 1000
    assert not mail.grow(1_000_001)
    assert not flight.evicted


def test_room_that_is_reserved_ahead_is_no_arrival() -> None:
    clock = Clock()
    in_flight = InFlight(100 * MIB, 100 * MIB, clock)
    ended: list[str] = []
    stalled = in_flight.reserve(["a"], lambda: ended.append("stalled"))
    steady = in_flight.reserve(["b"], lambda: ended.append("steady"))
    for mail in (stalled, steady):
        assert mail.grow(40 * MIB, arrived=0)
    for second in range(1, 10):
        clock.now += 1
        assert steady.grow(40 * MIB, arrived=second * MIB)
    assert in_flight.reserve(["c"]).grow(30 * MIB)
    assert ended == ["stalled"]
    assert not in_flight.reserve(["d"]).grow(60 * MIB), "a steady one makes no room"
    assert ended == ["stalled"]
