"""Which SMTP sessions are connected, and which one is closed for another."""

import pytest

from services.ingest.metrics import SMTP_SESSIONS
from services.ingest.places import Places
from tests.clock import Clock


class Guest:
    def __init__(self, *, is_busy: bool = False, is_filing: bool = False) -> None:
        self.left, self.is_busy, self.is_filing = False, is_busy, is_filing

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


def test_the_session_longest_without_a_mail_is_closed() -> None:
    clock = Clock()
    places, guests = full(clock, busy=1)
    assert not places.enter(Guest()), "each has just come"
    clock.now += 20
    places.brought_mail(guests[1])
    assert places.enter(Guest())
    assert [guest.left for guest in guests] == [False, False, True, False]
    assert places.enter(Guest()), "whoever came last has named nobody yet"
    assert [guest.left for guest in guests] == [False, False, True, False]


def test_another_recipient_is_no_mail() -> None:
    clock = Clock()
    places, guests = full(clock)
    clock.now += 20
    assert places.names(guests[0], "again")
    assert places.enter(Guest())
    assert guests[0].left


def test_a_session_with_a_mail_in_flight_keeps_its_place() -> None:
    clock = Clock()
    places, guests = full(clock, busy=4)
    clock.now += 1000
    assert not places.enter(Guest())
    assert not any(guest.left for guest in guests)


def test_a_network_has_its_own_number_of_places() -> None:
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


def filled(places: Places, *networks: int, busy: str = "", filing: str = "") -> list[Guest]:
    """Fill the places with sessions of these networks, each named for an account of its own.

    `busy` and `filing` name sessions by their number.
    """
    guests = []
    for number, network in enumerate(networks):
        is_filing = str(number) in filing
        guest = Guest(is_busy=is_filing or str(number) in busy, is_filing=is_filing)
        assert places.enter(guest)
        assert places.comes_from(guest, f"192.0.{network}.{number + 1}")
        assert places.names(guest, f"account {number}")
        guests.append(guest)
    return guests


@pytest.mark.parametrize(
    ("networks", "busy", "filing", "leaving"),
    [
        ((1, 2, 2, 1, 2), "", "", 1),  # the first of the network that has most
        ((1, 2, 2, 1, 2), "1", "", 2),  # an idle one before a busy one
        ((1, 2, 2, 1, 2), "01234", "", 1),
        ((1, 2, 2, 1, 2), "01234", "1", 2),  # a mail that is being filed is let be
        ((1, 2, 2, 1, 2), "", "124", None),
        ((1, 2, 3, 4, 5), "", "", None),  # nobody has more than one
        ((9, 9, 1, 1, 2), "", "", None),  # the newcomer's own has as many as any
        ((9, 1, 1, 3, 2), "", "", None),  # one more is not enough: they would take turns
        ((9, 1, 1, 1, 2), "", "", 1),
    ],
)
def test_when_nobody_is_idle_the_network_that_has_most_makes_room(
    networks: tuple[int, ...], busy: str, filing: str, leaving: int | None
) -> None:
    places = Places(5, 8, 100, Clock())
    guests = filled(places, *networks, busy=busy, filing=filing)
    assert places.enter(Guest(), "192.0.9.200") == (leaving is not None)
    expected = [] if leaving is None else [leaving]
    assert [n for n, guest in enumerate(guests) if guest.left] == expected
    assert len(places) == 5


def test_who_comes_through_a_proxy_counts_as_of_a_network_of_its_own() -> None:
    places = Places(3, 8, 100, Clock())
    guests = filled(places, 1, 1, 1)
    assert places.enter(Guest())
    assert [guest.left for guest in guests] == [True, False, False]


def test_an_account_whose_sessions_fill_its_share_is_reached_from_elsewhere() -> None:
    clock = Clock()
    places = Places(12, 12, 100, clock)
    crowd = [Guest() for _ in range(3)]
    for guest in crowd:
        assert places.enter(guest)
        assert places.comes_from(guest, "192.0.1.1")
        assert places.names(guest, "a")
    other, same, third = Guest(), Guest(), Guest()
    for guest, address in ((same, "192.0.1.2"), (other, "192.0.2.1"), (third, "192.0.3.1")):
        assert places.enter(guest, address)
        assert places.comes_from(guest, address)
    assert not places.names(same, "a"), "its network has them all"
    assert places.names(other, "a")
    assert [guest.left for guest in crowd] == [True, False, False]
    assert places.names(third, "a")
    assert [guest.left for guest in crowd] == [True, True, False]
    clock.now += 11
    assert places.names(same, "a"), "one of them is idle"
    assert [guest.left for guest in crowd] == [True, True, True]
    assert not other.left
    assert not third.left
