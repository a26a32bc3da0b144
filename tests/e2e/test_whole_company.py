"""An address of the account, through a whole stack: made by an administrator, seen by each user."""

from functools import partial
from typing import Any

import pytest

from dev.client import Client
from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account

ADDRESSES = "/v1/capture-addresses"
ACCOUNT = {"scope": "account"}


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    account = Account(stack)
    account.client.put_person("u2", "user", "User Two", ["two@team.example"])
    account.client.put_person("u3", "user", "User Three", ["three@team.example"])
    return account


@pytest.fixture(scope="module")
def admin(account: Account) -> Client:
    return account.client_for("admin", "account:write")


def mint(client: Client) -> dict[str, Any]:
    return dict(client.json("POST", "matcher", ADDRESSES, json=ACCOUNT))


def of_account(client: Client) -> dict[str, str]:
    page = client.json("GET", "matcher", ADDRESSES, params=ACCOUNT)
    assert all((one["scope"], one["person_id"]) == ("account", None) for one in page["items"])
    return {one["address"]: one["state"] for one in page["items"]}


def sees_as_own(client: Client, conversations: int) -> bool:
    return len(client.inbox(owner="me")) == conversations


def test_only_who_may_change_the_account_makes_sees_and_changes_it(
    account: Account, admin: Client
) -> None:
    other = Account(account.stack)
    made = mint(admin)["address"]
    assert mint(admin)["address"] == made, "there is one"
    user = account.client_for("u1", "timeline:read")
    directory = account.client
    for client, code in ((user, 403), (directory, 403)):
        assert client.request("POST", "matcher", ADDRESSES, json=ACCOUNT).status_code == code
        rotated = client.request("POST", "matcher", f"{ADDRESSES}/{made}:rotate")
        assert rotated.status_code == code
        assert client.request("DELETE", "matcher", f"{ADDRESSES}/{made}").status_code == code
    assert user.request("GET", "matcher", ADDRESSES, params=ACCOUNT).status_code == 403
    stranger = other.client_for("admin", "account:write")
    assert made not in of_account(stranger)
    assert stranger.request("DELETE", "matcher", f"{ADDRESSES}/{made}").status_code == 404
    assert admin.request("GET", "matcher", f"{ADDRESSES}/{made}/contact.vcf").status_code == 404
    assert made in str(directory.json("GET", "matcher", ADDRESSES))
    assert made not in str(user.json("GET", "timeline", "/v1/setup"))


@pytest.mark.parametrize(
    "body", [{}, {"scope": "account", "person_id": "u1"}, {"scope": "team"}, {"person_id": ""}]
)
def test_an_address_is_of_a_user_or_of_the_account(admin: Client, body: dict[str, str]) -> None:
    assert admin.request("POST", "matcher", ADDRESSES, json=body).status_code == 422


def test_rotated_the_old_one_counts_for_a_while(admin: Client) -> None:
    old = mint(admin)["address"]
    new = admin.json("POST", "matcher", f"{ADDRESSES}/{old}:rotate", json={"grace_hours": 1})
    assert (new["scope"], new["person_id"]) == ("account", None)
    assert of_account(admin) | {old: "grace", new["address"]: "active"} == of_account(admin)


def test_each_user_who_takes_part_sees_it_as_their_own(account: Account, admin: Client) -> None:
    capture = mint(admin)["address"]
    account.send("cand@mail.example, two@team.example", capture=capture)
    account.send("cand@mail.example", sender="stranger@x.example", capture=capture)
    account.client.await_captures(2)
    for user, sees in (("u1", 1), ("u2", 1), ("u3", 0)):  # their shares follow the tally
        client = account.client_for(user)
        assert eventually(partial(sees_as_own, client, sees), 0.1), user
    tally = account.client.tally()
    assert (tally["attached"], tally["no_user"]) == (1, 1)
    halves = account.client_for("u2").json("GET", "timeline", "/v1/setup")["halves"]
    assert (halves["sent"]["state"], halves["received"]["state"]) == ("nothing_yet", "working")
    halves = account.client.json("GET", "timeline", "/v1/setup")["halves"]
    assert (halves["sent"]["state"], halves["received"]["state"]) == ("working", "nothing_yet")


def test_a_users_own_never_capture_list_takes_their_share_alone(stack: Stack) -> None:
    account = Account(stack)
    account.client.put_person("u2", "user", "User Two", ["two@team.example"])
    capture = mint(account.client_for("admin", "account:write"))["address"]
    lists = {"own": {"addresses": [], "domains": ["mail.example"]}}
    account.client.json("PUT", "matcher", "/v1/never-capture", json=lists)
    account.send("cand@mail.example, two@team.example", capture=capture)
    account.send("cand@mail.example", capture=capture)
    account.client.await_captures(2)
    assert (account.client.tally()["attached"], account.client.tally()["never_capture"]) == (1, 1)
    for user, sees in (("u2", 1), ("u1", 0)):
        assert eventually(partial(sees_as_own, account.client_for(user), sees), 0.1), user


def test_a_confirmation_is_for_who_made_it(account: Account, admin: Client) -> None:
    capture = mint(admin)["address"]
    reader = account.client_for("admin", "timeline:read")
    account.send(
        capture,
        sender="forwarding-noreply@google.com",
        capture=capture,
        body="https://mail-settings.google.com/mail/vf-example",
    )

    def asked(client: Client) -> int:
        return len(client.json("GET", "timeline", "/v1/setup")["confirmations"])

    assert eventually(lambda: asked(reader) == 1, 0.1)
    assert asked(account.client) == 0
