"""Nobody is let in: every operation of every service with every token that must not open it.

The operations come from the OpenAPI documents. The algorithms and keys of tokens have unit tests.
"""

import base64
import itertools
import json
import re
import time
from collections.abc import Mapping
from typing import Any

import httpx
import jwt
import pytest

from dev.client import Client
from dev.stack import Stack
from tests.e2e.account import Account
from tests.e2e.operations import ALL_SCOPES, EVENTS, INSTEAD, SCOPES, Operation, operations

PROBLEM = "application/problem+json"
REFUSES = {"POST /v1/setup:prove": 409, "POST /v1/account:erase": 422}
"""The stack has no relay (test_round_trip.py), and the account that is named is another one
(test_erase_account.py): each says so."""
OTHER_SECRET = "o" * 64


def with_a_mail(stack: Stack) -> Account:
    account = Account(stack)
    account.send("cand@mail.example", headers="X-Secret: zqheader\r\n", body="zqbody")
    assert account.outcome() == {"attached": 1}
    return account


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    return with_a_mail(stack)


@pytest.fixture(scope="module")
def quiet(stack: Stack) -> Account:
    """An account of which nothing is asked but by another, and of which all is known."""
    account = with_a_mail(stack)
    while not all(item["name"] for item in named(account)):  # what is announced takes a moment
        time.sleep(0.1)
    return account


def named(account: Account) -> list[dict[str, Any]]:
    """Return the profiles of the account's conversations."""
    inbox = account.client.json("GET", "timeline", "/v1/inbox")
    return [profile for conversation in inbox["items"] for profile in conversation["profiles"]]


@pytest.fixture(scope="module")
def asked(account: Account) -> list[Operation]:
    return operations(account)


def claims(holder: Account, /, **changed: Any) -> dict[str, Any]:
    """Return what a good token says, all scopes included; what is changed to None is left out."""
    good = {
        "account": holder.name,
        "sub": "u1",
        "scope": " ".join(sorted(ALL_SCOPES)),
        "aud": "satchel",
        "iss": "satchel",
        "exp": int(time.time()) + 3600,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def with_header(client: Client, value: str | None) -> Client:
    """Return the client with another Authorization."""
    client._http.headers.pop("Authorization", None)
    if value is not None:
        client._http.headers["Authorization"] = value
    return client


def bearing(holder: Account, client: Client | None = None, /, **changed: Any) -> Client:
    """Return a client, or this one, with a token that says this."""
    token = jwt.encode(claims(holder, **changed), holder.stack.token_secret, algorithm="HS256")
    return with_header(client or holder.client_for("u1"), f"Bearer {token}")


def bad_authorizations(account: Account) -> dict[str, str | None]:
    """Return what must open nothing, by what is wrong with it."""
    secret = account.stack.token_secret

    def signed(key: str = secret, algorithm: str = "HS256", **changed: Any) -> str:
        return "Bearer " + jwt.encode(claims(account, **changed), key, algorithm=algorithm)

    good = signed().removeprefix("Bearer ")
    header, body, mac = good.split(".")
    forged = _base64({**claims(account), "account": "other"})
    now = int(time.time())
    return {
        "nothing": None,
        "no token": "Bearer",
        "no JWT": "Bearer " + "a" * 20 + ".b.c",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "two tokens": f"Bearer {good} {good}",
        "another secret": signed(OTHER_SECRET),
        "expired": signed(exp=now - 1),
        "expired long ago": signed(exp=1),
        "not valid yet": signed(nbf=now + 3600),
        "expires at no time": signed(exp="soon"),
        "another audience": signed(aud="other"),
        "another issuer": signed(iss="other"),
        "HS512": signed(algorithm="HS512"),
        "none": signed("", "none"),
        "nOnE": f"Bearer {_base64({'alg': 'nOnE', 'typ': 'JWT'})}.{body}.",
        "no signature": f"Bearer {header}.{body}.",
        "another body": f"Bearer {header}.{forged}.{mac}",
        **{f"no {name}": signed(secret, "HS256", **{name: None}) for name in claims(account)},
        "no sub": signed(secret, "HS256", sub=None, scope="timeline:write mail:write"),
        "no account's name": signed(account="a/b"),
        "an operator as account": signed(account={"$ne": ""}),
        "a list as account": signed(account=[account.name]),
        "an operator as person": signed(sub={"$ne": ""}),
        "scope is no text": signed(scope=sorted(ALL_SCOPES)),
        "scopes within a scope": signed(scope={"all": f" {' '.join(sorted(ALL_SCOPES))} "}),
    }


def _base64(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_good_token_opens_every_operation(account: Account, asked: list[Operation]) -> None:
    """What the other tests change is what closes it."""
    client = bearing(account)
    for operation in asked:
        answer = operation.ask(client)
        reachable = answer.status_code < 300 or bool(operation.in_path)  # there is no such variant
        reachable = reachable or answer.status_code == REFUSES.get(operation.name)
        assert reachable, (operation.name, answer.text)
        assert answer.status_code not in (401, 403, 405), operation.name


def test_every_operation_refuses_every_wrong_token(
    account: Account, asked: list[Operation]
) -> None:
    wrong = bad_authorizations(account)
    clients = {what: with_header(account.client_for("u1"), a) for what, a in wrong.items()}
    for operation, (what, client) in itertools.product(asked, clients.items()):
        answer = operation.ask(client)
        assert answer.status_code == 401, (operation.name, what, answer.text)
        assert answer.headers["content-type"] == PROBLEM, (operation.name, what)
        assert answer.headers["www-authenticate"] == "Bearer", (operation.name, what)


def test_a_token_in_the_url_or_a_cookie_opens_nothing(
    account: Account, asked: list[Operation]
) -> None:
    token = bearing(account)._http.headers["Authorization"].removeprefix("Bearer ")
    client = with_header(account.client_for("u1"), None)
    for operation in asked:
        params = {name: operation.query[name] for name in operation.required}
        params |= {"access_token": token, "token": token}
        cookie = {"Cookie": f"token={token}; access_token={token}; Authorization=Bearer {token}"}
        answer = operation.ask(client, params=params, headers=cookie)
        assert answer.status_code == 401, operation.name


def test_every_operation_needs_exactly_its_scope(account: Account, asked: list[Operation]) -> None:
    client = account.client_for("nobody")
    for operation in asked:
        if operation.scope is None:
            answer = operation.ask(bearing(account, client, sub="nobody", scope=""))
            assert answer.status_code not in (401, 403), (operation.name, answer.text)
            continue
        area, _, verb = operation.scope.partition(":")
        enough = {operation.scope} | INSTEAD.get(operation.name, set())
        if verb == "read":
            enough.add(f"{area}:write")
        others = " ".join({*ALL_SCOPES, "*", f"{area}:*", f"{area}:write", area} - enough)
        if verb == "write":
            others += f" {area}:read"
        answer = operation.ask(bearing(account, client, sub="nobody", scope=others))
        assert answer.status_code == 403, (operation.name, answer.text)
        assert answer.headers["content-type"] == PROBLEM, operation.name
        assert f"needs the scope {operation.scope}" in answer.json()["detail"], operation.name
        for scope in enough:
            answer = operation.ask(bearing(account, client, sub="nobody", scope=scope))
            assert answer.status_code not in (401, 403), (operation.name, scope, answer.text)


def test_every_scope_is_of_an_operation_that_is_there(asked: list[Operation]) -> None:
    assert {operation.name for operation in asked} == SCOPES.keys()


class TestForeignToken:
    """A good token with all scopes, of another account."""

    @pytest.mark.parametrize("name", ["other", "{}.x", "{}-x", "{}x", "A{}"])
    def test_it_reads_nothing_and_changes_nothing(self, quiet: Account, name: str) -> None:
        asked = operations(quiet)
        before = seen_by(quiet, asked)
        foreign = bearing(quiet, account=name.format(quiet.name))
        answers = [(operation, operation.ask(foreign)) for operation in asked]
        after = seen_by(quiet, asked)
        assert {name: after[name] for name in after if after[name] != before[name]} == {}
        [mail] = quiet.client.timeline("c1")
        secret = [mail["id"], mail["conversation_id"], mail["subject"], "zqheader", "zqbody"]
        for operation, answer in answers:
            assert answer.status_code < 500, (operation.name, answer.text)
            if operation.path != EVENTS:
                told = [word for word in (*secret, quiet.capture) if word in answer.text]
                assert told == [], (operation.name, answer.text)

    def test_it_finds_what_nobody_has(self, account: Account, asked: list[Operation]) -> None:
        """What is another account's is told apart from what is not there by nothing."""
        foreign = bearing(account, account="other2")
        nobodys = {"mail_id": "b" * 32, "conversation_id": "b" * 32, "person_id": "nobody"}
        nobodys["address"] = account.capture.replace(".", "x.", 1)
        for operation in asked:
            if not operation.in_path or (
                operation.method == "PUT" and "person_id" in operation.path
            ):
                continue
            theirs = operation.ask(foreign)
            made_up = operation.at(**nobodys).ask(foreign)
            assert _bare(theirs) == _bare(made_up), operation.name


def seen_by(account: Account, asked: list[Operation]) -> dict[str, tuple[int, str]]:
    """Return what an account sees of itself, by operation."""
    client = bearing(account)
    reads = [o for o in asked if o.method == "GET" and o.path != EVENTS]
    return {operation.name: _bare(operation.ask(client)) for operation in reads}


def _bare(answer: httpx.Response) -> tuple[int, str]:
    """Return what an answer says, without the id of its request."""
    return answer.status_code, re.sub(r'"request_id":"[^"]*"', "", answer.text)
