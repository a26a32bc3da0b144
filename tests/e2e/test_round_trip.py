"""A round trip by real mail servers: a relay, a provider that forwards, or fails to, and back."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.client import Client
from dev.install import Unavailable
from dev.ports import free_port
from dev.stack import Stack, own_databases
from tests.deadline import eventually
from tests.e2e.account import Account
from tests.mail_servers import MailServer

DOMAIN = "in.satchel.test"
REFUSAL = "error:5.7.520 Access denied, Your organization does not allow external forwarding."
"""As Microsoft 365 refuses."""
MAILBOXES = {
    "u1": "good@provider.example",
    "u2": "lost@provider.example",
    "u3": "blocked@provider.example",
    "u4": "anna@rewriting.example",
    "u5": "nobody@provider.example",
}
FORWARDS = {"u2": "x@lost.invalid", "u3": "x@blocked.invalid"}
"""Those whose mail does not get here."""


@dataclass
class World:
    """A stack with a relay, and providers whose users forward to it."""

    stack: Stack
    account: Account
    relay: MailServer
    providers: list[MailServer] = field(default_factory=list)

    def client(self, person: str, scope: str | None = None) -> Client:
        return self.account.client_for(person, scope)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    smtp = free_port()
    here = f"smtp:[127.0.0.1]:{smtp}"
    routes = {DOMAIN: here, "lost.invalid": "discard:", "blocked.invalid": REFUSAL}
    forwards: dict[str, str] = {}
    with ExitStack() as running:
        try:
            provider = MailServer(
                "provider.example", mailboxes="provider.example", routes=routes, forwards=forwards
            )
            rewriting = MailServer(
                "rewriting.example",
                mailboxes="rewriting.example",
                routes=routes,
                forwards=forwards,
                sender_canonical_maps="static:srs0=abc=rewritten@rewriting.example",
                sender_canonical_classes="envelope_sender",
            )
            to = {one.name: f"smtp:[127.0.0.1]:{one.port}" for one in (provider, rewriting)}
            relay = running.enter_context(
                MailServer(
                    "relay.example",
                    routes={DOMAIN: here, **to},
                    smtpd_tls_security_level="encrypt",
                )
            )
        except Unavailable as missing:
            if "missing" in str(missing) or "root" in str(missing):
                pytest.skip(str(missing))
            raise
        environment = own_databases() | {
            "CAPTURE_DOMAIN": DOMAIN,
            "RELAY_URL": f"smtp://127.0.0.1:{relay.port}",
            "RELAY_CA_FILE": str(relay.certificate),
            "RELAY_SENDER": "satchel@agency.example",
        }
        folder: Path = tmp_path_factory.mktemp("round-trips")
        stack = Stack(folder, environment=environment, ports={"INGEST_SMTP_PORT": smtp})
        running.enter_context(stack)
        account = Account(stack)
        for person, mailbox in MAILBOXES.items():
            account.client.put_person(person, "user", person, [mailbox])
            capture = account.client.mint(person)
            if person != "u5":
                forwards[mailbox] = FORWARDS.get(person, capture)
        for one in (provider, rewriting):
            running.enter_context(one)
        yield World(stack, account, relay, [provider, rewriting])


def asked(client: Client, **body: str) -> httpx.Response:
    return client.request("POST", "matcher", "/v1/setup:prove", json=body)


def prove(client: Client, **body: str) -> dict[str, Any]:
    answer = asked(client, **body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def setup(client: Client) -> dict[str, Any]:
    return dict(client.json("GET", "timeline", "/v1/setup"))


def becomes(world: World, client: Client, state: str) -> dict[str, Any]:
    """Return the round trip once it is in this state."""

    def is_so() -> bool:
        return (setup(client)["round_trip"] or {}).get("state") == state

    happened = eventually(is_so, 0.1)
    logs = "\n".join(server.log[-2000:] for server in (world.relay, *world.providers))
    assert happened, (setup(client), logs)
    return dict(setup(client)["round_trip"])


@pytest.mark.parametrize("person", ["u1", "u4"], ids=["as it is", "envelope rewritten"])
def test_a_mailbox_that_forwards_is_proven_to(world: World, person: str) -> None:
    client = world.client(person)
    assert setup(client)["round_trip"] is None
    sent = prove(client)
    assert (sent["state"], sent["address"]) == ("sent", MAILBOXES[person])
    told = becomes(world, client, "returned")
    assert (told["address"], told["repeated"], told["reason"]) == (MAILBOXES[person], False, None)
    halves = setup(client)["halves"]
    assert (halves["received"]["state"], halves["sent"]["state"]) == ("working", "nothing_yet")
    assert setup(client)["notices"] == []
    assert client.inbox() == []
    assert world.account.outcome(0) == {}, "neither attached nor dismissed"


def test_a_forward_that_the_organisation_blocks_is_told_with_what_to_do(world: World) -> None:
    client = world.client("u3")
    prove(client)
    told = becomes(world, client, "bounced")
    assert told["status"] == "5.7.520"
    assert "blocks automatic forwarding" in told["reason"]
    assert "administrator" in told["advice"]
    assert [notice["kind"] for notice in setup(client)["notices"]] == ["round_trip_failed"]
    assert setup(client)["halves"]["received"]["state"] == "nothing_yet"


def test_a_mailbox_that_does_not_exist_is_told(world: World) -> None:
    client = world.client("u5")
    prove(client)
    told = becomes(world, client, "bounced")
    assert (told["status"], told["reason"]) == ("5.1.1", "There is no such mailbox.")


def test_a_forward_that_gets_lost_proves_nothing(world: World) -> None:
    client = world.client("u2")
    prove(client)

    def is_lost() -> bool:
        lines = world.providers[0].log.splitlines()
        return any("x@lost.invalid" in line and "status=sent" in line for line in lines)

    assert eventually(is_lost), world.providers[0].log[-2000:]
    assert becomes(world, client, "sent")["address"] == MAILBOXES["u2"]


def test_the_weekly_check_is_the_accounts_to_switch(world: World) -> None:
    admin, user = world.client("u1", "account:write"), world.client("u1")
    path = "/v1/setup/round-trips"
    assert user.json("GET", "matcher", path) == {"repeat": "never"}
    assert user.request("PUT", "matcher", path, json={"repeat": "weekly"}).status_code == 403
    assert admin.json("PUT", "matcher", path, json={"repeat": "weekly"}) == {"repeat": "weekly"}
    assert user.json("GET", "matcher", path) == {"repeat": "weekly"}
    assert Account(world.stack).client.json("GET", "matcher", path) == {"repeat": "never"}
    assert admin.request("PUT", "matcher", path, json={"repeat": "daily"}).status_code == 422


def test_who_is_deleted_is_told_nothing_any_more(world: World) -> None:
    world.account.client.put_person("u7", "user", "Seven", ["seven@provider.example"])
    world.account.client.mint("u7")
    client = world.client("u7")
    prove(client)
    becomes(world, client, "bounced")
    world.account.client.delete_person("u7")
    assert eventually(lambda: setup(client)["round_trip"] is None, 0.1)


def test_a_user_cannot_test_the_mailbox_of_another(world: World) -> None:
    client = world.client("u1")
    for address in (MAILBOXES["u2"], "anybody@elsewhere.example", "x", ""):
        assert asked(client, address=address).status_code == 404
    assert asked(client, address="GOOD@provider.example").status_code == 202
    capture = setup(client)["capture_addresses"][0]["address"]
    world.account.client.put_person("u1", "user", "u1", [capture, MAILBOXES["u1"]])
    assert asked(client, address=capture).status_code == 404, "it would prove nothing"
    assert prove(client)["address"] == MAILBOXES["u1"]


def test_who_is_no_user_or_has_no_capture_address_is_told_so(world: World) -> None:
    assert asked(world.client("c1")).status_code == 409
    assert asked(world.client("nobody")).status_code == 409
    world.account.client.put_person("u9", "user", "Nine", ["nine@provider.example"])
    answer = asked(world.client("u9"))
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert "capture address" in answer.json()["detail"]


def test_eight_on_a_day_are_enough(world: World) -> None:
    world.account.client.put_person("u8", "user", "Eight", ["eight@lost.invalid"])
    world.account.client.mint("u8")
    client = world.client("u8")
    codes = [asked(client).status_code for _ in range(10)]
    assert codes == [202] * 8 + [429] * 2


def test_while_the_relay_is_away_it_says_so_and_counts_nothing(world: World) -> None:
    [matcher] = world.stack.of("matcher")
    world.stack.restart(matcher, {"RELAY_URL": f"smtp://127.0.0.1:{free_port()}"})
    try:
        client = world.client("u4")
        assert {asked(client).status_code for _ in range(9)} == {503}
        assert becomes(world, client, "failed")["address"] == MAILBOXES["u4"]
    finally:
        world.stack.restart(matcher, {})


@pytest.mark.full
def test_a_relay_without_tls_is_not_used_unless_it_may_be(world: World) -> None:
    [matcher] = world.stack.of("matcher")
    plain = world.providers[0]
    url = {"RELAY_URL": f"smtp://127.0.0.1:{plain.port}"}
    client = world.client("u1")
    try:
        world.stack.restart(matcher, {**url, "RELAY_CA_FILE": ""})  # it is not known to anyone
        assert asked(client).status_code == 503
        world.stack.restart(matcher, {**url, "RELAY_CA_FILE": "", "RELAY_STARTTLS": "false"})
        assert asked(client).status_code == 202
    finally:
        world.stack.restart(matcher, {})


def test_without_a_relay_it_says_what_to_do_instead(world: World) -> None:
    [matcher] = world.stack.of("matcher")
    world.stack.restart(matcher, {"RELAY_URL": ""})
    try:
        answer = asked(world.client("u1"))
        assert answer.status_code == 409
        assert "write to good@provider.example" in answer.json()["detail"]
    finally:
        world.stack.restart(matcher, {})
