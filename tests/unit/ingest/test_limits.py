"""What a sender and an account may take: rates, bytes in hand, places."""

import math
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.ingest.limits import MIB
from services.ingest.metrics import BYTES_IN_HAND, SMTP_SESSIONS
from services.ingest.places import Places
from services.ingest.rates import Rates, SharedRates
from services.ingest.settings import IngestSettings
from shared.in_hand import Hold, InHand


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


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


def test_one_account_cannot_have_all_bytes() -> None:
    in_hand = InHand(100, 60)
    first, second, other = in_hand.hold(["a"]), in_hand.hold(["a", "b"]), in_hand.hold(["c"])
    assert first.may_hold(40)
    assert not second.may_hold(21), "61 of a"
    assert not second.may_hold(1), "once it may not, it never may"
    assert other.may_hold(60)
    assert not in_hand.hold(["d"]).may_hold(1)
    first.release()
    first.release()
    assert in_hand.hold(["a"]).may_hold(40)
    assert not in_hand.idle.is_set()


@pytest.mark.parametrize(("size", "fits"), [(60, True), (61, False)])
def test_an_account_may_have_its_share_to_the_last_byte(size: int, fits: bool) -> None:
    hold = InHand(100, 60).hold(["a"])
    assert hold.may_hold(size) is fits
    assert hold.size == (size if fits else 0)


@pytest.mark.parametrize(("size", "fits"), [(40, True), (41, False)])
def test_all_may_have_all_to_the_last_byte(size: int, fits: bool) -> None:
    in_hand = InHand(100, 60)
    assert in_hand.hold(["a"]).may_hold(60)
    assert in_hand.hold(["b"]).may_hold(size) is fits


def test_a_mail_grows_by_what_is_new_of_it_and_may_shrink() -> None:
    in_hand = InHand(100, 60, tell=BYTES_IN_HAND.set)
    mail, other = in_hand.hold(["a"]), in_hand.hold(["b"])
    assert all(mail.may_hold(size) for size in (20, 40, 60))
    assert other.may_hold(40)
    assert mail.may_hold(10)
    assert other.may_hold(60)
    assert BYTES_IN_HAND._value.get() == 70


def test_a_mail_for_several_accounts_counts_for_each() -> None:
    in_hand = InHand(1000, 60)
    assert in_hand.hold(["a", "b"]).may_hold(50)
    assert not in_hand.hold(["b", "c"]).may_hold(11)
    assert in_hand.hold(["c"]).may_hold(60)


@pytest.mark.parametrize(("size", "fits"), [(60, True), (61, False)])
def test_a_mail_for_no_account_has_the_share_of_one(size: int, fits: bool) -> None:
    assert InHand(100, 60).hold([]).may_hold(size) is fits


def test_what_was_refused_counts_no_more() -> None:
    in_hand = InHand(100, 60)
    refused = in_hand.hold(["a"])
    assert refused.may_hold(50)
    assert not refused.may_hold(70)
    assert in_hand.hold(["a"]).may_hold(60)


def test_it_is_idle_when_the_last_mail_is_released() -> None:
    in_hand = InHand(100, 60, tell=BYTES_IN_HAND.set)
    assert in_hand.idle.is_set()
    holds = [in_hand.hold(["a"]) for _ in range(2)]
    assert holds[0].may_hold(30)
    for hold in holds:
        assert not in_hand.idle.is_set()
        hold.release()
    assert in_hand.idle.is_set()
    assert BYTES_IN_HAND._value.get() == 0
    assert not in_hand._by_account, "no memory is kept of who is quiet"


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


class Guest:
    def __init__(self, *, is_busy: bool = False) -> None:
        self.left, self.is_busy = False, is_busy

    def make_room(self) -> None:
        self.left = True

    def dismiss(self, _: str) -> None: ...

    def hang_up(self) -> None: ...


def test_one_account_has_a_quarter_of_the_places() -> None:
    places = Places(8, 8, 100)
    guests = [Guest() for _ in range(9)]
    assert all(places.enter(guest) for guest in guests[:8])
    assert [places.names(guest, "a") for guest in guests[:3]] == [True, True, False]
    assert places.names(guests[0], "b"), "it has its place"
    assert places.enter(guests[8])
    assert [guest.left for guest in guests] == [False, False, True] + [False] * 6
    places.leave(guests[0])
    places.leave(guests[0])
    assert places.names(guests[3], "a")


def test_who_waited_longest_without_a_name_makes_room() -> None:
    places = Places(4, 8, 100)
    guests = [Guest() for _ in range(6)]
    assert all(places.enter(guest) for guest in guests[:4])
    assert places.names(guests[0], "a")
    assert places.enter(guests[4])
    assert places.enter(guests[5])
    assert [guest.left for guest in guests] == [False, True, True, False, False, False]
    assert places.guests() == [guests[0], *guests[3:]]
    assert len(places) == 4
    assert SMTP_SESSIONS._value.get() == 4


def test_who_made_room_has_a_name_no_more_and_counts_for_no_address() -> None:
    places = Places(1, 1, 100)
    first, second = Guest(), Guest()
    assert places.enter(first)
    assert places.enter(second)
    assert places.names(first, "a"), "too late to matter"
    assert places.comes_from(first, "192.0.2.1")
    assert places.comes_from(second, "192.0.2.1")
    assert places.names(second, "a")


def test_of_few_places_an_account_may_have_one() -> None:
    places = Places(3, 8, 100)
    guests = [Guest(), Guest()]
    assert all(places.enter(guest) for guest in guests)
    assert [places.names(guest, "a") for guest in guests] == [True, False]
    assert places.names(guests[1], "b")


def test_an_account_of_eleven_places_may_have_two() -> None:
    places = Places(11, 11, 100)
    guests = [Guest() for _ in range(3)]
    assert all(places.enter(guest) for guest in guests)
    assert [places.names(guest, "a") for guest in guests] == [True, True, False]


def test_an_address_has_so_many_places_and_each_that_is_left_is_free_again() -> None:
    places = Places(8, 2, 100)
    guests = [Guest() for _ in range(4)]
    assert all(places.enter(guest) for guest in guests)
    assert [places.comes_from(guest, "192.0.2.1") for guest in guests[:3]] == [True, True, False]
    places.leave(guests[0])
    assert places.comes_from(guests[2], "192.0.2.1")
    assert not places.comes_from(guests[3], "192.0.2.1")
    for guest in guests:
        places.leave(guest)
    assert len(places) == 0
    assert SMTP_SESSIONS._value.get() == 0
    assert not places._taken, "no memory is kept of who left"
    assert not places._sessions


def test_who_leaves_makes_no_room_twice() -> None:
    places = Places(1, 8, 100)
    first, second, third = Guest(), Guest(), Guest()
    assert places.enter(first)
    places.leave(first)
    assert places.enter(second)
    assert places.enter(third)
    assert (first.left, second.left) == (False, True)


def test_what_is_no_address_counts_as_it_is_written() -> None:
    places = Places(8, 1, 100)
    guests = [Guest() for _ in range(3)]
    assert all(places.enter(guest) for guest in guests)
    names = ["a socket", "another", "a socket"]
    asked = zip(guests, names, strict=True)
    assert [places.comes_from(guest, name) for guest, name in asked] == [True, True, False]


def full(clock: Clock, *, busy: int = 0) -> tuple[Places, list[Guest]]:
    """Return four places, each taken by who named an account, and their guests."""
    places = Places(4, 8, 100, clock)
    guests = [Guest(is_busy=n < busy) for n in range(4)]
    for n, guest in enumerate(guests):
        assert places.enter(guest)
        assert places.names(guest, str(n))
    return places, guests


def test_who_named_an_address_longest_ago_and_brings_no_mail_makes_room() -> None:
    clock = Clock()
    places, guests = full(clock, busy=1)
    assert not places.enter(Guest()), "each has just come"
    clock.now += 20
    places.brought_mail(guests[1])
    assert places.enter(Guest())
    assert [guest.left for guest in guests] == [False, False, True, False]
    assert places.enter(Guest()), "whoever came last has named nobody yet"
    assert [guest.left for guest in guests] == [False, False, True, False]


def test_naming_again_is_no_mail() -> None:
    clock = Clock()
    places, guests = full(clock)
    clock.now += 20
    assert places.names(guests[0], "again")
    assert places.enter(Guest())
    assert guests[0].left


def test_who_has_a_mail_under_way_keeps_its_place() -> None:
    clock = Clock()
    places, guests = full(clock, busy=4)
    clock.now += 1000
    assert not places.enter(Guest())
    assert not any(guest.left for guest in guests)


def test_a_network_has_so_many_places_and_its_neighbour_others() -> None:
    places = Places(100, 2, 5)
    came = []
    for n in range(8):
        guest = Guest()
        assert places.enter(guest)
        came.append(places.comes_from(guest, f"192.0.2.{n}"))
    assert came == [True] * 5 + [False] * 3
    other = Guest()
    assert places.enter(other)
    assert places.comes_from(other, "192.0.3.1")
    for session in places.guests():
        places.leave(session)
    assert not places._taken


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


class Leaving:
    """Mails in hand, and those that made room, in order."""

    def __init__(self, most: int = 1_000_000, share: int = 1_000_000) -> None:
        self.clock = Clock()
        self.in_hand = InHand(most, share, self.clock, BYTES_IN_HAND.set)
        self.left: list[str] = []

    def mail(self, name: str, account: str = "a") -> Hold:
        return self.in_hand.hold([account], lambda: self.left.append(name))


def test_the_pace_of_a_mail_is_what_came_lately() -> None:
    leaving = Leaving()
    mail = leaving.mail("mail")
    assert mail.pace() == 0
    assert mail.may_hold(500_000)
    assert mail.pace() == pytest.approx(100_000)
    leaving.clock.now += 5
    assert mail.pace() == pytest.approx(100_000 / math.e)
    assert mail.may_hold(100), "what is not held any more did not go backwards"
    assert mail.pace() == pytest.approx(100_000 / math.e)
    assert mail.may_hold(5100)
    assert mail.pace() == pytest.approx(100_000 / math.e + 1000)


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
def test_only_a_mail_that_comes_slowly_makes_room(seconds: float, came: int, leaves: bool) -> None:
    leaving = Leaving()
    mail = leaving.mail("mail")
    assert mail.may_hold(1)
    leaving.clock.now += seconds
    assert mail.may_hold(1 + came)
    assert leaving.in_hand.hold(["b"]).may_hold(1_000_000 - came) is leaves
    assert leaving.left == ["mail"] * leaves
    assert mail.size == (0 if leaves else 1 + came)
    assert mail.may_hold(1 + came) is not leaves, "it is not held any more"


def test_the_slowest_makes_room_first_and_no_more_than_needed() -> None:
    leaving = Leaving()
    first, second, third = (leaving.mail(name) for name in ("first", "second", "third"))
    for hold, came in ((first, 300_000), (second, 200_000), (third, 300_000)):
        assert hold.may_hold(came)
    leaving.clock.now += 100
    assert first.may_hold(300_002)
    assert second.may_hold(200_001)
    assert third.may_hold(300_003)
    new = leaving.in_hand.hold(["b"])
    assert new.may_hold(300_000)
    assert leaving.left == ["second"]
    assert new.may_hold(400_000)
    assert leaving.left == ["second", "first"]
    assert BYTES_IN_HAND._value.get() == 700_003


def test_for_an_account_its_own_mails_make_room() -> None:
    leaving = Leaving(share=500_000)
    own, other = leaving.mail("own", "a"), leaving.mail("other", "b")
    assert other.may_hold(100_000)
    assert own.may_hold(450_000)
    leaving.clock.now += 100
    assert leaving.in_hand.hold(["a"]).may_hold(100_000)
    assert leaving.left == ["own"]


def test_what_is_all_here_or_holds_nothing_or_has_no_session_makes_no_room() -> None:
    leaving = Leaving()
    here, nothing = leaving.mail("here"), leaving.mail("nothing")
    uploaded = leaving.in_hand.hold(["a"])
    assert here.may_hold(400_000)
    assert uploaded.may_hold(300_000)
    here.arrived()
    leaving.clock.now += 100
    assert not leaving.in_hand.hold(["b"]).may_hold(400_000)
    assert not leaving.left
    here.evict()
    assert (here.size, nothing.size) == (0, 0)
    assert not leaving.left, "what is all here is not told"


def test_a_mail_makes_no_room_for_itself() -> None:
    leaving = Leaving()
    mail = leaving.mail("mail")
    assert mail.may_hold(900_000)
    leaving.clock.now += 1000
    assert not mail.may_hold(1_000_001)
    assert not leaving.left


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


def test_when_nobody_makes_room_who_comes_is_refused() -> None:
    places = Places(4, 8, 100)
    guests = [Guest() for _ in range(5)]
    for n, guest in enumerate(guests[:4]):
        assert places.enter(guest)
        assert places.names(guest, str(n))
    assert not places.enter(guests[4])


@pytest.mark.parametrize(
    ("address", "neighbour", "is_counted_with_it"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8::8000:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1%eth1", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_address_is_what_one_customer_has(
    address: str, neighbour: str, is_counted_with_it: bool
) -> None:
    places = Places(8, 1, 100)
    first, second = Guest(), Guest()
    assert places.enter(first)
    assert places.enter(second)
    assert places.comes_from(first, address)
    assert places.comes_from(second, neighbour) is not is_counted_with_it


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smtp_tls_cert_file": "/nowhere"}, "needed together"),
        ({"smtp_require_tls": True}, "needs SMTP_TLS_CERT_FILE"),
        ({"smtp_tls_cert_file": "/nowhere", "smtp_tls_key_file": "/nowhere"}, "No such file"),
        ({"smtp_proxy_networks": "10.0.0.0/8, x"}, "SMTP_PROXY_NETWORKS"),
        ({"max_bytes_in_hand": 1}, "must not be less"),
    ],
)
def test_wrong_settings_are_one_line(settings: dict[str, object], message: str) -> None:
    needed = {"token_secret": "t" * 32, "capture_keys": "k1:" + "s" * 20}
    with pytest.raises(ValidationError, match=message) as raised:
        IngestSettings.model_validate(needed | settings)
    assert "\n" not in raised.value.errors()[0]["msg"]
