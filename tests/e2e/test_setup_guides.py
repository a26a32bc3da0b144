"""The set-up guide of a user's own mailbox, by who takes its mail, or as they choose."""

from typing import Any

import httpx
import pytest

from dev.client import Client
from dev.dns_server import DnsServer
from dev.stack import Stack
from tests.e2e.account import Account

MAILBOXES = ["One@Agency-Guides.Test", "one@second-guides.test"]


@pytest.fixture(scope="module")
def account(stack: Stack, dns: DnsServer) -> Account:
    dns.mail_hosts["agency-guides.test"] = ["10 aspmx.l.google.com."]
    account = Account(stack)
    account.client.put_person("u1", "user", "User One", MAILBOXES)
    return account


def asked(client: Client, **params: str) -> httpx.Response:
    return client.request("GET", "matcher", "/v1/setup/guides", params=params)


def guides(client: Client, **params: str) -> dict[str, Any]:
    answer = asked(client, **params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_it_is_that_of_the_provider_of_ones_first_mailbox(account: Account) -> None:
    told = guides(account.client)
    assert told["mailboxes"] == MAILBOXES
    assert told["mailbox"] == MAILBOXES[0]
    assert told["chosen_by"] == "mail_hosts"
    assert told["guide"]["id"] == "workspace"
    assert told["values"] == {"capture_address": account.capture, "address": MAILBOXES[0]}
    kinds = {choice["id"]: choice["kind"] for choice in told["choices"]}
    assert kinds["thunderbird"] == "client"
    assert kinds["shared-mailbox"] == "company"
    assert kinds["generic"] == "provider"


def test_another_mailbox_of_ones_own_can_be_meant_in_any_form(account: Account) -> None:
    told = guides(account.client, address="ONE@second-guides.TEST")
    assert told["mailbox"] == told["values"]["address"] == MAILBOXES[1]
    assert told["chosen_by"] == "nothing"
    assert told["guide"]["id"] == "generic"


def test_any_guide_can_be_chosen_and_nobody_is_asked_then(account: Account, dns: DnsServer) -> None:
    dns.asked.clear()
    told = guides(account.client, guide="thunderbird", address=MAILBOXES[1])
    assert told["chosen_by"] == "caller"
    assert told["guide"]["sends"]["automatic"] == "yes"
    assert told["guide"]["receives"] is None
    assert "second-guides.test" not in dns.asked


def test_an_address_of_somebody_else_is_not_asked_for(account: Account, dns: DnsServer) -> None:
    account.client.put_person("u2", "user", "Two", ["two@theirs-guides.test"])
    dns.asked.clear()
    for address in ("two@theirs-guides.test", "cand@mail.example", "x@nobodys-guides.test", "x"):
        assert asked(account.client, address=address).status_code == 404
    assert [name for name in dns.asked if name.endswith(("-guides.test", ".example"))] == []


def test_the_accounts_own_address_is_told_to_who_may_change_the_account(account: Account) -> None:
    admin = account.client_for("u1", "account:write")
    body = {"scope": "account"}
    minted = admin.json("POST", "matcher", "/v1/capture-addresses", json=body)["address"]
    assert guides(admin, guide="postfix")["values"]["account_capture_address"] == minted
    assert "account_capture_address" not in guides(account.client, guide="postfix")["values"]


def test_it_is_in_the_readers_language_where_there_is_one(account: Account) -> None:
    told = guides(account.client, language="de-AT")
    assert (told["language"], told["guide"]["id"]) == ("de", "workspace")
    assert told["guide"]["receives"]["steps"][-1].endswith("„Änderungen speichern“.")
    assert "Anderer Anbieter" in {choice["name"] for choice in told["choices"]}
    assert guides(account.client, language="fr")["language"] == "en"
    assert guides(account.client)["language"] == "en"
    assert asked(account.client, language="de, en").status_code == 422


def test_what_is_no_guide_is_not_found_or_refused(account: Account) -> None:
    assert asked(account.client, guide="nobody").status_code == 404
    assert asked(account.client, guide="../generic").status_code == 422


@pytest.mark.parametrize("person", ["c1", "nobody"])
def test_who_is_no_user_gets_the_generic_guide(account: Account, person: str) -> None:
    told = guides(account.client_for(person))
    assert told["mailbox"] is None
    assert told["mailboxes"] == []
    assert told["values"] == {}
    assert told["chosen_by"] == "nothing"
    assert told["guide"]["id"] == "generic"


def test_it_is_about_the_tokens_own_person_whatever_its_scopes(
    account: Account, stack: Stack
) -> None:
    assert guides(account.client_for("u1", ""))["mailboxes"] == MAILBOXES
    account.client.put_person("u3", "user", "Three", ["three@agency-guides.test"])
    theirs = guides(account.client_for("u3"))
    assert theirs["mailboxes"] == ["three@agency-guides.test"]
    assert theirs["values"] == {"address": "three@agency-guides.test"}, "no capture address yet"
    assert guides(Account(stack).client_for("u3"))["mailboxes"] == [], "of another account"


def test_a_new_capture_address_stands_in_the_guide_at_once(stack: Stack) -> None:
    account = Account(stack)
    path = f"/v1/capture-addresses/{account.capture}"
    new = account.client.request("POST", "matcher", f"{path}:rotate").json()["address"]
    assert guides(account.client)["values"]["capture_address"] == new
    account.client.request("DELETE", "matcher", f"/v1/capture-addresses/{new}")
    assert "capture_address" not in guides(account.client)["values"]
