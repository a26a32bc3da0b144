import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from chaos.proxy import Wire, Wires
from tests.deadline import DEADLINE


def echo(server: socket.socket) -> None:
    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1000):
                connection.sendall(data)

    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=echo, args=(server,), daemon=True).start()
    with Wires() as wires:
        yield wires.lay("client", "server", server.getsockname()[1])
    server.close()


@pytest.fixture
def client(wire: Wire) -> Iterator[socket.socket]:
    with connect(wire) as connection:
        assert ask(connection) == b"hello"
        yield connection


def connect(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=DEADLINE)


def ask_anew(wire: Wire) -> bytes:
    with connect(wire) as connection:
        return ask(connection)


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"hello")
    return connection.recv(100)


def assert_silent(connection: socket.socket) -> None:
    """Ask; no answer comes for a while."""
    connection.settimeout(0.3)
    with pytest.raises(TimeoutError):
        ask(connection)
    connection.settimeout(DEADLINE)


def test_a_cut_wire_resets_old_and_new_connections(wire: Wire, client: socket.socket) -> None:
    wire.become("cut")
    with pytest.raises(ConnectionError):
        ask(client)
    with pytest.raises(ConnectionError):
        ask_anew(wire)
    wire.become("flow")
    assert ask_anew(wire) == b"hello"


def test_bytes_vanish_in_a_half_open_wire_for_good(wire: Wire, client: socket.socket) -> None:
    wire.become("half_open")
    with connect(wire) as new:
        for connection in (client, new):
            assert_silent(connection)
        wire.become("flow")
        for connection in (client, new):
            assert_silent(connection)
    with connect(wire) as later:
        assert ask(later) == b"hello"
    assert wire.vanished >= 4 * len(b"hello")


def test_what_is_stalled_arrives_when_it_is_mended(wire: Wire, client: socket.socket) -> None:
    wire.become("stall")
    assert_silent(client)
    wire.become("flow")
    assert client.recv(100) == b"hello"


def test_a_slow_wire_is_slow(
    wire: Wire, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.proxy.SLOW_LATENCY_SECONDS", 0.5)
    wire.become("slow")
    assert_silent(client)
    assert client.recv(100) == b"hello"
