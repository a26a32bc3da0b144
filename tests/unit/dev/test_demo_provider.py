"""The demo's mailboxes: whose mail they take, where it goes, and what their owners write."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from dev.client import Client
from dev.demo_provider import DemoProvider, first_mail, owner_of

CAPTURE = "lena.0000@in.satchel.example"


class Stack:
    """A client that notes what is sent; Lena alone has a capture address, and an old one."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[str], bytes]] = []

    def json(self, method: str, service: str, path: str, **options: Any) -> dict[str, Any]:
        addresses = [("old@in.satchel.example", "grace"), (CAPTURE, "active")]
        items = [{"address": address, "state": state} for address, state in addresses]
        return {"items": items if options["params"]["person_id"] == "u3" else []}

    def send(self, sender: str, recipients: Iterable[str], raw: bytes) -> None:
        self.sent.append((sender, list(recipients), raw))


async def delivered(provider: DemoProvider, recipient: str) -> str:
    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos = "return--1@in.satchel.example", [recipient]
    envelope.original_content = b"Subject: test mail\r\n\r\n"
    return await provider.handle_DATA(cast(SMTP, None), cast(Session, None), envelope)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is to be done later, which a test does at once."""
    due: list[Any] = []

    def timer(_: float, act: Any, words: tuple[Any, ...]) -> Any:
        return SimpleNamespace(start=lambda: due.append(lambda: act(*words)), daemon=False)

    monkeypatch.setattr("dev.demo_provider.threading.Timer", timer)
    return due


async def test_a_test_mail_comes_back_and_its_owner_writes_once(later: list[Any]) -> None:
    provider, stack = DemoProvider(), Stack()
    provider.serve(cast(Client, stack))
    for _ in range(2):
        assert (await delivered(provider, "Lena@agency.example")).startswith("250")
    back = ("return--1@in.satchel.example", [CAPTURE], b"Subject: test mail\r\n\r\n")
    assert stack.sent == [back, back]
    [writes] = later
    writes()
    sender, recipients, raw = stack.sent[2]
    assert (sender, recipients) == ("lena@agency.example", [CAPTURE])
    assert b"To: Jonas Lindqvist <jonas@lindqvist.example>" in raw
    assert b"in.satchel.example" not in raw  # a Bcc


@pytest.mark.usefixtures("later")
async def test_mail_to_anyone_else_and_before_the_stack_is_there_is_not_taken() -> None:
    provider = DemoProvider()
    assert (await delivered(provider, "lena@agency.example")).startswith("451")
    provider.serve(cast(Client, Stack()))
    assert (await delivered(provider, "amina.diallo@mail.example")).startswith("550")
    assert owner_of("ben@home.example") == "u2"


def test_what_a_recruiter_writes_is_signed_with_their_name() -> None:
    mail = first_mail("Lena Brandt", "lena@agency.example", "Mei Tanaka", "mei@mail.example")
    assert mail["From"] == "Lena Brandt <lena@agency.example>"
    assert mail.get_content().startswith("Hello Mei,")
