"""The relay, against an SMTP server of a library."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from dev.ports import free_port
from shared.runtime.relay import Relay, RelayAway, RelayRefused, relay_place

MAIL = b"From: a@x.example\r\n\r\nHello\r\n"


@dataclass
class Server:
    """What it takes, and how it answers."""

    taken: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    to_rcpt: str = "250 OK"
    to_data: str = "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.to_rcpt

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 - as well
        self.taken.append(envelope)
        return self.to_data

    def authenticate(
        self, _: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)  # answers 235 or 535


@pytest.fixture
def served() -> Iterator[tuple[Server, int]]:
    server, port = Server(), free_port()
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=port,
        authenticator=server.authenticate,
        auth_require_tls=False,
        enable_SMTPUTF8=False,
    )
    controller.start()
    yield server, port
    controller.stop()


def relay(port: int, **options: Any) -> Relay:
    same = {"url": f"smtp://127.0.0.1:{port}", "sender": "s@x.example", "hostname": "x.example"}
    return Relay(**{**same, "starttls": False, **options})


def send(port: int, recipient: str = "user@team.example", **options: Any) -> None:
    sending = relay(port, **options).send(MAIL, envelope_sender="r@x.example", recipient=recipient)
    asyncio.run(sending)


def test_it_takes_the_mail_with_the_envelope_that_is_given(served: tuple[Server, int]) -> None:
    server, port = served
    send(port)
    [envelope] = server.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("r@x.example", ["user@team.example"])
    assert envelope.original_content == MAIL


def test_it_signs_in_where_it_has_credentials(served: tuple[Server, int]) -> None:
    server, port = served
    send(port, user="satchel", password="right")
    assert server.logins == [(b"satchel", b"right")]
    with pytest.raises(RelayAway) as error:
        send(port, user="satchel", password="wrong")
    assert str(error.value) == "the relay answered 535"
    assert len(server.taken) == 1


def test_without_starttls_nothing_is_said(served: tuple[Server, int]) -> None:
    server, port = served
    with pytest.raises(RelayAway):
        send(port, starttls=True, user="satchel", password="right")
    assert (server.taken, server.logins) == ([], [])


def test_a_recipient_refused_for_good_is_the_recipients_matter(served: tuple[Server, int]) -> None:
    server, port = served
    server.to_rcpt = "550 5.1.1 <user@team.example>: User unknown"
    with pytest.raises(RelayRefused, match=r"5\.1\.1"):
        send(port)


@pytest.mark.parametrize(
    ("to_rcpt", "to_data"),
    [("451 4.7.1 later", "250 OK"), ("250 OK", "554 5.7.1 no"), ("250 OK", "451 later")],
)
def test_all_else_says_nothing_of_the_recipient(
    served: tuple[Server, int], to_rcpt: str, to_data: str
) -> None:
    server, port = served
    server.to_rcpt, server.to_data = to_rcpt, to_data
    with pytest.raises(RelayAway):
        send(port)


def test_a_closed_port_is_an_unavailable_relay() -> None:
    with pytest.raises(RelayAway):
        send(free_port())


def test_an_address_that_it_cannot_carry_is_refused(served: tuple[Server, int]) -> None:
    with pytest.raises(RelayRefused, match=r"5\.6\.7"):
        send(served[1], "jürgen@team.example")


@pytest.mark.parametrize(
    "url",
    ["", "relay", "http://relay", "smtp://", "smtp://u:p@relay:25", "smtp://relay/x", "smtp://r:x"],
)
def test_what_is_no_place_of_a_relay_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|holds|ends|[Pp]ort"):
        relay_place(url)


def test_a_place_has_a_port() -> None:
    assert relay_place("smtp://relay.example") == ("smtp", "relay.example", 587)
    assert relay_place("smtps://relay.example") == ("smtps", "relay.example", 465)
    assert relay_place("smtp://relay.example:25") == ("smtp", "relay.example", 25)
