"""A set-up from nothing to working, as its owner sees it: over SMTP, HTTP and the live stream."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from queue import Empty, Queue
from typing import Any

import httpx
import pymongo
import pytest

from dev.client import Client
from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.listening import Listening
from tests.mails import mail

GMAIL = "https://mail-settings.google.com/mail/vf-%5Bexample%5D-abc123"
NOTHING = {"state": "nothing_yet", "first_seen_at": None, "last_seen_at": None}


def setup(client: Client) -> dict[str, Any]:
    return dict(client.json("GET", "timeline", "/v1/setup"))


def states(client: Client) -> tuple[str, str]:
    halves = setup(client)["halves"]
    return halves["sent"]["state"], halves["received"]["state"]


def kinds(client: Client) -> list[str]:
    return [notice["kind"] for notice in setup(client)["notices"]]


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def told(client: Client) -> Iterator[Callable[[float], bool]]:
    """Listen; what is yielded says whether the page is told of its set-up within some seconds."""
    events: Queue[str] = Queue()
    ready = threading.Event()

    def read() -> None:
        try:
            with client.stream("timeline", "/v1/events", timeout=DEADLINE) as answer:
                listening = Listening(answer, setup=True)
                while True:
                    kind = listening.next().kind
                    if kind == "ready":
                        ready.set()
                    elif kind == "setup":
                        events.put(kind)
        except (httpx.HTTPError, EOFError, RuntimeError):
            pass

    threading.Thread(target=read, daemon=True).start()
    assert ready.wait(DEADLINE)

    def is_told(seconds: float) -> bool:
        try:
            return events.get(timeout=seconds) == "setup"
        except Empty:
            return False

    yield is_told
    client.close()


def confirmation(account: Account) -> bytes:
    headers = (
        "Subject: (#482915637) Gmail Forwarding Confirmation\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
    )
    body = f"user@team.example has requested to forward.\r\n\r\n{GMAIL}\r\n"
    return mail(
        "Gmail Team <forwarding-noreply@google.com>", account.capture, headers=headers, body=body
    ).encode()


class TestHalves:
    def test_each_turns_from_nothing_to_working_and_its_owner_is_told(
        self, account: Account
    ) -> None:
        client = account.client
        assert setup(client)["halves"] == {"sent": NOTHING, "received": NOTHING}
        with told(account.client_for("u1")) as is_told:
            client.upload(account.capture, confirmation(account))
            assert is_told(DEADLINE)
            eventually(lambda: states(client) == ("nothing_yet", "awaiting_confirmation"))
            # The forwarded mail matches no profile, as most mail does.
            account.send("user@team.example", sender="shop@x.example")
            assert is_told(DEADLINE)
            eventually(lambda: states(client) == ("nothing_yet", "working"))
            account.send("cand@mail.example")
            assert is_told(DEADLINE)
            eventually(lambda: states(client) == ("working", "working"))
        assert account.outcome(3) == {"attached": 1, "no_match": 1, "confirmation": 1}
        halves = setup(client)["halves"]
        for half in halves.values():
            assert half["first_seen_at"] == half["last_seen_at"]
        before = halves["received"]
        account.send("user@team.example", sender="other@x.example")
        account.outcome(4)
        after = setup(client)["halves"]["received"]
        assert after["first_seen_at"] == before["first_seen_at"]
        assert after["last_seen_at"] > before["last_seen_at"]

    def test_it_is_ones_own_alone(self, account: Account) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        colleague = account.client_for("u2")
        with told(account.client_for("u2")) as is_told:
            account.send("cand@mail.example", headers=f"Cc: {account.capture}\r\n")
            account.outcome()
            eventually(lambda: kinds(account.client) == ["leak"])
            assert not is_told(1)
        assert setup(colleague) == {
            "capture_addresses": [],
            "confirmations": [],
            "halves": {"sent": NOTHING, "received": NOTHING},
            "watched": [],
            "notices": [],
            "round_trip": None,
        }
        other = Account(account.stack)
        assert states(other.client) == ("nothing_yet", "nothing_yet")

    def test_a_forward_by_hand_and_a_stranger_prove_nothing(self, account: Account) -> None:
        account.send(account.capture, headers="X-Note: by hand\r\n")
        account.send(account.capture, sender="spam@x.example")
        account.send("somebody@x.example", sender="spam@x.example")
        account.outcome()
        assert states(account.client) == ("nothing_yet", "nothing_yet")

    def test_a_dead_forward_is_noticed(self, account: Account) -> None:
        """The mailbox forwarded daily, and has not for a week: told by the days alone."""
        account.send("user@team.example", sender="shop@x.example")
        account.outcome()
        stopped_at = datetime.now(UTC) - timedelta(days=8)
        age(account, stopped_at)
        assert states(account.client) == ("nothing_yet", "silent")
        [notice] = setup(account.client)["notices"]
        assert (notice["kind"], notice["half"]) == ("silent_half", "received")
        assert notice["since"][:16] == f"{stopped_at:%Y-%m-%dT%H:%M}"
        with told(account.client_for("u1")) as is_told:
            account.send("user@team.example", sender="shop@x.example")
            assert is_told(DEADLINE)
            assert states(account.client) == ("nothing_yet", "working")
            assert kinds(account.client) == []


@dataclass(frozen=True)
class Provider:
    """How a provider asks, and how what it forwards then looks."""

    asks_from: str
    question: str
    forwards: str
    """The header of a forwarded mail that matches no profile; `{capture}` is the target."""
    kind: str = "text/plain"
    is_known: bool = True


PROVIDERS = {
    "gmail": Provider(
        "Gmail Team <forwarding-noreply@google.com>",
        f"user@team.example has requested to forward.\r\n\r\n{GMAIL}\r\n",
        "X-Forwarded-To: {capture}\r\nX-Forwarded-For: user@team.example {capture}\r\n"
        "Delivered-To: user@team.example\r\nTo: user@team.example\r\n",
    ),
    "proton": Provider(
        "Proton Mail <no-reply@mail.proton.me>",
        '<a href="https://account.proton.me/email-forwarding/accept#eyJ0.eyJz.c2ln">Accept</a>',
        "To: User One <user@team.example>\r\n",
        kind="text/html",
    ),
    "cloudflare": Provider(
        "Cloudflare <noreply@notify.cloudflare.com>",
        "Verify: https://dash.cloudflare.com/email_fwdr/verify?token=9Cexample_-token",
        "To: someone@x.example\r\nCc: user@team.example\r\n",
    ),
    "unknown": Provider(
        "Postmaster <no-reply@provider.example>",
        "Bestätigen: https://provider.example/ja?t=1",
        "List-Id: <news.x.example>\r\nX-Original-To: user@team.example\r\nTo: news@x.example\r\n",
        is_known=False,
    ),
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_user_of_any_provider_goes_from_nothing_to_both_halves(
    account: Account, name: str
) -> None:
    provider, client = PROVIDERS[name], account.client
    client.json("POST", "matcher", "/v1/setup:watch")
    asking = mail(
        provider.asks_from,
        account.capture,
        headers=f"Subject: (#482915637) Confirm\r\nMIME-Version: 1.0\r\nContent-Type: "
        f"{provider.kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        body=provider.question,
    )
    client.send("bounces@provider.example", [account.capture], asking.encode())
    account.outcome(1)
    if provider.is_known:
        [shown] = setup(client)["confirmations"]
        assert shown["provider"] == name
        assert shown["link"] in provider.question
        assert states(client) == ("nothing_yet", "awaiting_confirmation")
    else:
        eventually(lambda: bool(setup(client)["watched"]))
        [watched] = setup(client)["watched"]
        assert watched["links"] == ["https://provider.example/ja?t=1"]
        assert states(client) == ("nothing_yet", "nothing_yet")
    forwarded = f"From: shop@x.example\r\n{provider.forwards}Subject: Offers\r\n\r\nBuy.\r\n"
    raw = forwarded.replace("{capture}", account.capture).encode()
    client.send("bounces@x.example", [account.capture], raw)
    account.outcome(2)
    assert states(client) == ("nothing_yet", "working")
    account.send("stranger@x.example")
    account.outcome(3)
    assert states(client) == ("working", "working")
    assert kinds(client) == []


def age(account: Account, last: datetime) -> None:
    """Let the received half have had mail on thirty days, the last of them then."""
    environment = account.stack.environment
    days = [date.isoformat((last - timedelta(n)).date()) for n in reversed(range(30))]
    owned = {"account": account.name, "owner": "u1"}
    with pymongo.MongoClient[dict[str, Any]](environment["MONGODB_URL"]) as client:
        database = client[environment["TIMELINE_DATABASE"]]
        seen = {"received.days": days, "received.first": last - timedelta(29)}
        assert database["setups"].update_one(owned, {"$set": seen}).modified_count == 1
        database["half_days"].update_many(owned, {"$set": {"day": days[-1], "last": last}})


class TestLeak:
    @pytest.mark.parametrize("to", ["cand@mail.example", "stranger@x.example"])
    def test_an_address_that_outsiders_saw_is_told_until_it_is_rotated(
        self, account: Account, to: str
    ) -> None:
        account.send(to, headers=f"Cc: Satchel <{account.capture}>\r\n")
        account.outcome()
        [notice] = setup(account.client)["notices"]
        assert notice["kind"] == "leak"
        assert notice["capture_address"] == account.capture
        assert notice["mail_date"] == "2026-01-15T09:00:01Z"
        account.client.json(
            "POST", "matcher", f"/v1/capture-addresses/{account.capture}:rotate", json={}
        )
        eventually(lambda: kinds(account.client) == [])
        states_ = {a["state"] for a in setup(account.client)["capture_addresses"]}
        assert states_ == {"active", "grace"}

    def test_a_bcc_or_colleagues_alone_give_nothing_away(self, account: Account) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        account.send("cand@mail.example", headers=f"Bcc: {account.capture}\r\n")
        account.send("two@team.example", headers=f"Cc: {account.capture}\r\n")
        account.outcome()
        assert kinds(account.client) == []


class TestWindow:
    question = "Open https://provider.example/confirm?t=1 to confirm."

    def watch(self, client: Client) -> dict[str, Any]:
        return dict(client.json("POST", "matcher", "/v1/setup:watch"))

    def window(self, client: Client) -> Any:
        return client.json("GET", "matcher", "/v1/setup:watch")["window"]

    def ask(self, account: Account, subject: str = "Bestätigen") -> None:
        account.sent += 1
        headers = f"Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
        sender = "Provider <no-reply@provider.example>"
        raw = mail(sender, account.capture, headers=headers, body=self.question)
        account.client.send("bounces@provider.example", [account.capture], raw.encode())

    def test_a_question_of_any_provider_can_be_answered(self, account: Account) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        self.ask(account, "Too early")
        account.outcome()
        assert self.window(account.client) is None
        window = self.watch(account.client)
        assert window["mails_left"] == 5
        assert self.window(account.client) == window
        assert self.window(account.client_for("u2")) is None
        with told(account.client_for("u1")) as is_told:
            self.ask(account, "Confirm")
            assert is_told(DEADLINE)
        eventually(lambda: len(setup(account.client)["watched"]) == 1)
        assert self.window(account.client) == {**window, "mails_left": 4}
        [shown] = setup(account.client)["watched"]
        assert shown["sender"] == {"name": "Provider", "address": "no-reply@provider.example"}
        assert (shown["subject"], shown["text"]) == ("Confirm", self.question)
        assert shown["links"] == ["https://provider.example/confirm?t=1"]
        assert account.outcome() == {"no_match": 2}
        assert account.client.inbox() == []
        assert setup(account.client_for("u2"))["watched"] == []

    def test_five_are_shown_newest_first(self, account: Account) -> None:
        self.watch(account.client)
        for number in range(7):
            self.ask(account, f"Mail {number}")
            account.outcome()
        eventually(lambda: len(setup(account.client)["watched"]) == 5)
        assert self.window(account.client) is None, "it has shown all of its mails"
        subjects = [shown["subject"] for shown in setup(account.client)["watched"]]
        assert subjects == [f"Mail {number}" for number in (4, 3, 2, 1, 0)]

    def test_it_is_for_who_has_a_capture_address(self, account: Account) -> None:
        for person in ("u2", "c1"):
            client = account.client_for(person)
            assert client.request("POST", "matcher", "/v1/setup:watch").status_code == 404
        assert account.client_for("u1", scope="").request(
            "POST", "matcher", "/v1/setup:watch"
        ).status_code in (200, 401)
