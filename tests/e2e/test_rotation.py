"""Secrets are rotated as `docs/rotation.md` says, while mail comes in. Real processes."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from dev.client import Client
from dev.stack import Stack, own_databases
from tests.e2e.account import Account

pytestmark = pytest.mark.full  # twelve starts of services

SERVICES = ("timeline", "matcher", "ingest")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a broker of its own, whose passwords are changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AMQP_URL", raising=False)
        with Stack(tmp_path_factory.mktemp("rotation"), environment=own_databases()) as started:
            yield started


def test_new_broker_passwords_lose_no_mail(stack: Stack) -> None:
    assert stack.broker is not None
    account = Account(stack)
    account.send("cand@mail.example")
    for service in SERVICES:
        url = stack.broker.url_of(service)
        old = str(urlsplit(url).password)
        stack.broker.ctl("change_password", service, "another")
        account.send("cand@mail.example")  # connections that are open go on
        stack.restart(stack.of(service)[0], {"AMQP_URL": url.replace(old, "another")})
        account.send("cand@mail.example")
        stack.broker.ctl("change_password", service, old)  # for the tests below
    assert account.outcome() == {"attached": account.sent}
    assert len(account.shown()) == account.sent == 7


def give(stack: Stack, told: dict[str, str]) -> Iterator[str]:
    """Restart each service with these settings; say which, once it is there."""
    for service in SERVICES:
        stack.restart(stack.of(service)[0], told)
        yield service


def status(client: Client, service: str = "timeline") -> int:
    path = "/v1/inbox" if service == "timeline" else "/v1/people"
    return client.request("GET", service, path).status_code


def test_with_the_former_secret_beside_it_no_token_is_refused(stack: Stack) -> None:
    former, secret = stack.token_secret, "o" * 48
    account = Account(stack)
    old = account.client
    for _ in give(stack, {"TOKEN_SECRET": secret, "TOKEN_FORMER_SECRET": former}):
        assert (status(old), status(old, "matcher")) == (200, 200)
        account.send("cand@mail.example")
    stack.token_secret = secret
    new = account.client_for("u1")
    assert {status(one, service) for one in (old, new) for service in SERVICES[:2]} == {200}
    assert list(give(stack, {"TOKEN_SECRET": secret})) == list(SERVICES)
    assert {status(old, service) for service in SERVICES[:2]} == {401}
    assert {status(new, service) for service in SERVICES[:2]} == {200}
    account.client = new
    assert account.outcome() == {"attached": account.sent}


def test_a_new_token_secret_alone_ends_the_old_tokens(stack: Stack) -> None:
    old = Account(stack).client
    assert list(give(stack, {"TOKEN_SECRET": "n" * 48})) == list(SERVICES)
    assert {status(old, service) for service in SERVICES[:2]} == {401}
    stack.token_secret = "n" * 48
    assert status(Account(stack).client) == 200
