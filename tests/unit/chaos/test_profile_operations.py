"""The operator of a fault run, with services that do what they are asked at once."""

from typing import Any, cast

import httpx
import pytest

from chaos.mailing import Mailing
from chaos.profile_account import ProfileAccount
from chaos.profile_model import Mail
from chaos.profile_operations import Operator
from dev.stack import Stack

_ALL = {
    *("detach", "put back", "make private", "show again", "delete mail", "hand over"),
    *("merge", "undo", "delete person", "add again", "block", "unblock", "erase"),
}


class PerfectAccount(ProfileAccount):
    """Shows what the model says, but for what a test adds and leaves out."""

    def __init__(self, seed: int) -> None:
        super().__init__(cast(Stack, None), "account", seed, Mailing())
        self.asked: list[str] = []
        self.added: list[str] = []
        self.left_out: set[str] = set()
        self.fill()

    def ask(
        self, who: str, method: str, service: str, path: str, *, ok: str = "", **options: Any
    ) -> httpx.Response:
        if method != "GET":
            self.asked.append(f"{who} {method} {path} {options.get('json')}")
        answer = {"id": "id", "address": "capture@x", "state": "done", "mail_ids": ["mail"]}
        return httpx.Response(200, json=answer)

    def upload(self, mail: Mail, raw: bytes, key: str = "") -> str:
        assert mail.word.encode() in raw
        return key or mail.word

    def state(self, capture_id: str) -> str:
        word, _, again = capture_id.partition(" ")
        return "attached" if self.model.mails[word].matches and not again else "dismissed"

    def timeline(self, person: str, viewer: str) -> list[str]:
        return [*(self.model.timeline(person, viewer).must - self.left_out), *self.added]


def test_a_round_has_every_operation_once() -> None:
    account = PerfectAccount(1)
    operator = Operator(account)
    for _ in range(5):
        operator.play_round()
    assert set(account.told.operations) == _ALL
    assert max(account.told.operations.values()) == 5
    assert (account.told.wrong, account.told.complaints) == (0, [])
    assert account.forgotten
    assert not account.forgotten & account.shown


def test_the_seed_determines_the_order_and_who_is_meant() -> None:
    def asked(seed: int) -> list[str]:
        account = PerfectAccount(seed)
        Operator(account).play_round()
        return account.asked

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_what_a_profile_shows_is_compared_with_the_model() -> None:
    account = PerfectAccount(1)
    operator = Operator(account)
    mail, _, _ = account.mail_to("c1")
    assert operator.fits("c1", "u1") == (0, 0, 0)
    account.left_out = {mail.word}
    assert operator.fits("c1", "u1") == (1, 0, 0)
    account.left_out, account.added = set(), [mail.word]
    assert operator.fits("c1", "u1") == (0, 0, 1)
    mail.deleted = True
    assert operator.fits("c1", "u1") == (0, 1, 0)


def test_mail_in_flight_when_it_is_looked_at_may_be_shown_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = PerfectAccount(1)
    operator = Operator(account)
    mail = account.model.sent("zq", "u1", ["c1"])
    assert operator.fits("c1", "u1") == (0, 0, 0)

    def settled_meanwhile(person: str, viewer: str) -> list[str]:
        mail.settled = True
        return []

    monkeypatch.setattr(account, "timeline", settled_meanwhile)
    assert operator.fits("c1", "u1") == (0, 0, 0)
    assert operator.fits("c1", "u1") == (1, 0, 0)
