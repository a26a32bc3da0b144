"""Which SMTP sessions are connected, and which one is closed for another."""

import pytest

from services.ingest.metrics import SMTP_SESSIONS
from services.ingest.smtp.connections import ConnectionLimiter
from tests.clock import Clock


class Client:
    def __init__(
        self, *, is_busy: bool = False, is_steady: bool = False, is_filing: bool = False
    ) -> None:
        self.left, self.is_busy, self.is_filing = False, is_busy, is_filing
        self.is_steady = is_steady

    def make_room(self) -> None:
        self.left = True

    def dismiss(self, _: str) -> None: ...

    def hang_up(self) -> None: ...


def came(limiter: ConnectionLimiter, client: Client, address: str = "") -> bool:
    """Return whether the client has a place; without an address its network is its own."""
    address = address or f"a network of {id(client)}"
    return limiter.allows(address) and limiter.enter(client, address)


def test_one_account_has_a_quarter_of_the_places() -> None:
    limiter = ConnectionLimiter(8, 8, 100)
    clients = [Client() for _ in range(9)]
    assert all(came(limiter, client) for client in clients[:8])
    assert [limiter.names(client, "a") for client in clients[:3]] == [True, True, False]
    assert limiter.names(clients[0], "b"), "it has its place"
    assert came(limiter, clients[8])
    assert [client.left for client in clients] == [False, False, True] + [False] * 6
    limiter.leave(clients[0])
    limiter.leave(clients[0])
    assert limiter.names(clients[3], "a")


def test_who_waited_longest_without_a_name_makes_room() -> None:
    limiter = ConnectionLimiter(4, 8, 100)
    clients = [Client() for _ in range(6)]
    assert all(came(limiter, client) for client in clients[:4])
    assert limiter.names(clients[0], "a")
    assert came(limiter, clients[4])
    assert came(limiter, clients[5])
    assert [client.left for client in clients] == [False, True, True, False, False, False]
    assert limiter.clients() == [clients[0], *clients[3:]]
    assert len(limiter) == 4
    assert SMTP_SESSIONS._value.get() == 4


def test_who_made_room_has_a_name_no_more_and_counts_for_no_address() -> None:
    limiter = ConnectionLimiter(1, 1, 100)
    first, second = Client(), Client()
    assert came(limiter, first, "192.0.2.1")
    limiter.leave(first)
    assert came(limiter, second, "192.0.2.1")
    assert limiter.names(first, "a"), "too late to matter"
    assert limiter.names(second, "a")


def test_of_few_places_an_account_may_have_one() -> None:
    limiter = ConnectionLimiter(3, 8, 100)
    clients = [Client(), Client()]
    assert all(came(limiter, client) for client in clients)
    assert [limiter.names(client, "a") for client in clients] == [True, False]
    assert limiter.names(clients[1], "b")


def test_an_account_of_eleven_places_may_have_two() -> None:
    limiter = ConnectionLimiter(11, 11, 100)
    clients = [Client() for _ in range(3)]
    assert all(came(limiter, client) for client in clients)
    assert [limiter.names(client, "a") for client in clients] == [True, True, False]


def test_an_address_has_so_many_places_and_each_that_is_left_is_free_again() -> None:
    limiter = ConnectionLimiter(8, 2, 100)
    clients = [Client() for _ in range(4)]
    assert [came(limiter, client, "192.0.2.1") for client in clients[:3]] == [True, True, False]
    limiter.leave(clients[0])
    assert came(limiter, clients[2], "192.0.2.1")
    assert not came(limiter, clients[3], "192.0.2.1")
    for client in clients:
        limiter.leave(client)
    assert len(limiter) == 0
    assert SMTP_SESSIONS._value.get() == 0
    assert not limiter._taken, "no memory is kept of who left"
    assert not limiter._sessions


def test_who_leaves_makes_no_room_twice() -> None:
    limiter = ConnectionLimiter(1, 8, 100)
    first, second, third = Client(), Client(), Client()
    assert came(limiter, first)
    limiter.leave(first)
    assert came(limiter, second)
    assert came(limiter, third)
    assert (first.left, second.left) == (False, True)


def test_what_is_no_address_counts_as_it_is_written() -> None:
    limiter = ConnectionLimiter(8, 1, 100)
    clients = [Client() for _ in range(3)]
    names = ["a socket", "another", "a socket"]
    asked = zip(clients, names, strict=True)
    assert [came(limiter, client, name) for client, name in asked] == [True, True, False]


def full(clock: Clock, *, busy: int = 0) -> tuple[ConnectionLimiter, list[Client]]:
    """Return four limiter, each taken by who named an account, and their clients."""
    limiter = ConnectionLimiter(4, 8, 100, clock)
    clients = [Client(is_busy=n < busy) for n in range(4)]
    for n, client in enumerate(clients):
        assert came(limiter, client)
        assert limiter.names(client, str(n))
    return limiter, clients


def test_the_session_longest_without_a_mail_is_closed() -> None:
    clock = Clock()
    limiter, clients = full(clock, busy=1)
    assert not came(limiter, Client()), "each has just come"
    clock.now += 20
    limiter.brought_mail(clients[1])
    assert came(limiter, Client())
    assert [client.left for client in clients] == [False, False, True, False]
    assert came(limiter, Client())
    assert [client.left for client in clients] == [False, False, True, True]
    assert came(limiter, Client()), "no other is idle; of who has no recipient the first makes room"
    assert [client.left for client in clients] == [False, False, True, True]


def test_another_recipient_is_no_mail() -> None:
    clock = Clock()
    limiter, clients = full(clock)
    clock.now += 20
    assert limiter.names(clients[0], "again")
    assert came(limiter, Client())
    assert clients[0].left


def test_a_session_with_a_mail_in_flight_keeps_its_place() -> None:
    clock = Clock()
    limiter, clients = full(clock, busy=4)
    clock.now += 1000
    assert not came(limiter, Client())
    assert not any(client.left for client in clients)


def test_a_network_has_its_own_number_of_places() -> None:
    limiter = ConnectionLimiter(100, 2, 5)
    found = [came(limiter, Client(), f"192.0.2.{n}") for n in range(8)]
    assert found == [True] * 5 + [False] * 3
    assert came(limiter, Client(), "192.0.3.1")
    for session in limiter.clients():
        limiter.leave(session)
    assert not limiter._taken


def test_when_nobody_makes_room_who_comes_is_refused() -> None:
    limiter = ConnectionLimiter(4, 8, 100)
    clients = [Client() for _ in range(5)]
    for n, client in enumerate(clients[:4]):
        assert came(limiter, client)
        assert limiter.names(client, str(n))
    assert not came(limiter, clients[4])


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
    limiter = ConnectionLimiter(8, 1, 100)
    assert came(limiter, Client(), address)
    assert came(limiter, Client(), neighbour) is not is_counted_with_it


def filled(
    limiter: ConnectionLimiter, *networks: int, busy: str = "", steady: str = "", filing: str = ""
) -> list[Client]:
    """Fill the limiter with sessions of these networks, each named for an account of its own.

    `busy`, `steady` and `filing` name sessions by their number.
    """
    clients = []
    for number, network in enumerate(networks):
        is_filing = str(number) in filing
        is_steady = str(number) in steady
        is_busy = is_filing or is_steady or str(number) in busy
        client = Client(is_busy=is_busy, is_steady=is_steady, is_filing=is_filing)
        assert came(limiter, client, f"192.0.{network}.{number + 1}")
        assert limiter.names(client, f"account {number}")
        clients.append(client)
    return clients


@pytest.mark.parametrize(
    ("networks", "busy", "filing", "leaving"),
    [
        ((1, 2, 2, 1, 2), "", "", 1),  # the first of the network that has most
        ((1, 2, 2, 1, 2), "1", "", 2),  # an idle one before a busy one
        ((1, 2, 2, 1, 2), "01234", "", 1),
        ((1, 2, 2, 1, 2), "01234", "1", 2),  # a mail that is being filed is let be
        ((1, 2, 2, 1, 2), "", "124", 0),  # nor is another mail of its network at hand
        ((1, 2, 2, 1, 2), "", "01234", None),
        ((1, 2, 3, 4, 5), "", "", None),  # none has more than one
        ((9, 9, 1, 1, 2), "", "", None),  # the newcomer's own has as many as any
        ((9, 1, 1, 3, 2), "", "", None),  # one more is not enough: they would take turns
        ((9, 1, 1, 1, 2), "", "", 1),
    ],
)
def test_when_nobody_is_idle_the_network_that_has_most_makes_room(
    networks: tuple[int, ...], busy: str, filing: str, leaving: int | None
) -> None:
    limiter = ConnectionLimiter(5, 8, 100, Clock())
    clients = filled(limiter, *networks, busy=busy, filing=filing)
    assert limiter.enter(Client(), "192.0.9.200") == (leaving is not None)
    expected = [] if leaving is None else [leaving]
    assert [n for n, client in enumerate(clients) if client.left] == expected
    assert len(limiter) == 5


def test_a_newcomer_keeps_its_place_while_idle_sessions_have_all_others() -> None:
    clock = Clock()
    limiter = ConnectionLimiter(5, 8, 100, clock)
    clients = filled(limiter, 1, 2, 3, 4, 5)
    clock.now += 11
    first, second = Client(), Client()
    assert came(limiter, first, "192.0.8.1")
    assert came(limiter, second, "192.0.9.1")
    assert not first.left, "it is about to name a recipient"
    assert [client.left for client in clients] == [True, True, False, False, False]


def test_a_session_without_a_recipient_makes_room_before_one_that_named_one() -> None:
    clock = Clock()
    limiter = ConnectionLimiter(3, 8, 100, clock)
    named = filled(limiter, 1, 2)
    stranger = Client(is_busy=True)  # it sends chunks without a recipient
    assert came(limiter, stranger, "192.0.3.1")
    clock.now += 11
    assert came(limiter, Client(), "192.0.9.1")
    assert [client.left for client in [*named, stranger]] == [False, False, True]


def test_networks_that_fill_all_places_with_new_sessions_do_not_push_out_a_newcomer() -> None:
    limiter = ConnectionLimiter(6, 8, 100, Clock())
    crowd = [Client() for _ in range(6)]
    assert all(came(limiter, client, f"192.0.{n % 2}.1") for n, client in enumerate(crowd))
    newcomer = Client()
    assert came(limiter, newcomer, "192.0.9.1")
    for n in range(20):
        came(limiter, Client(), f"192.0.{n % 2}.1")
    assert not newcomer.left
    assert len(limiter) == 6


def test_a_network_with_few_sessions_is_not_evicted_for_one_with_many() -> None:
    clock = Clock()
    limiter = ConnectionLimiter(5, 8, 100, clock)
    clients = filled(limiter, 1, 2, 2, 2, steady="123")
    stranger = Client()
    assert came(limiter, stranger, "192.0.3.1")
    clock.now += 1000
    assert not came(limiter, Client(), "192.0.2.200")
    assert not any(client.left for client in [*clients, stranger])


def test_who_is_over_a_limit_takes_nobodys_place() -> None:
    clock = Clock()
    limiter = ConnectionLimiter(3, 1, 2, clock)
    clients = [Client() for _ in range(3)]
    for client, address in zip(clients, ("192.0.1.1", "192.0.1.2", "192.0.2.1"), strict=True):
        assert came(limiter, client, address)
    clock.now += 1000
    assert not came(limiter, Client(), "192.0.1.1")
    assert not came(limiter, Client(), "192.0.1.3")
    assert not any(client.left for client in clients)


def test_a_mail_that_comes_at_a_steady_rate_keeps_its_place() -> None:
    limiter = ConnectionLimiter(32, 32, 100, Clock())
    clients = filled(limiter, *[1, 1, *range(2, 32)], steady="01")
    assert not came(limiter, Client(), "192.0.200.1"), "no network has more than a sixteenth"
    clients[1].is_steady = False
    assert came(limiter, Client(), "192.0.200.1"), "it has fallen behind"
    assert [n for n, client in enumerate(clients) if client.left] == [1]


def test_of_a_network_that_fills_the_places_the_mail_that_began_last_is_lost() -> None:
    limiter = ConnectionLimiter(5, 8, 100, Clock())
    clients = filled(limiter, 1, 2, 2, 2, 1, steady="01234")
    assert came(limiter, Client(), "192.0.9.1")
    assert [client.left for client in clients] == [False, False, False, True, False]


def test_an_account_whose_sessions_fill_its_share_is_reached_from_elsewhere() -> None:
    clock = Clock()
    limiter = ConnectionLimiter(12, 12, 100, clock)
    crowd = [Client() for _ in range(3)]
    for client in crowd:
        assert came(limiter, client, "192.0.1.1")
        assert limiter.names(client, "a")
    other, same, third = Client(), Client(), Client()
    for client, address in ((same, "192.0.1.2"), (other, "192.0.2.1"), (third, "192.0.3.1")):
        assert came(limiter, client, address)
    assert not limiter.names(same, "a"), "its network has them all"
    assert limiter.names(other, "a")
    assert [client.left for client in crowd] == [True, False, False]
    assert limiter.names(third, "a")
    assert [client.left for client in crowd] == [True, True, False]
    clock.now += 11
    assert limiter.names(same, "a"), "one of them is idle"
    assert [client.left for client in crowd] == [True, True, True]
    assert not other.left
    assert not third.left
