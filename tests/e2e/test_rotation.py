"""Secrets are rotated as `docs/rotation.md` says, while mail comes in. Real processes."""

from collections.abc import Iterator

import pytest

from dev.stack import Stack, own_databases
from tests.e2e.account import Account

pytestmark = pytest.mark.full  # eight starts of services


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a broker of its own, whose password is changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AMQP_URL", raising=False)
        with Stack(tmp_path_factory.mktemp("rotation"), environment=own_databases()) as started:
            yield started


def test_a_new_broker_password_loses_no_mail(stack: Stack) -> None:
    assert stack.broker is not None
    account = Account(stack)
    account.send("cand@mail.example")
    stack.broker.ctl("change_password", "guest", "another")
    account.send("cand@mail.example")  # connections that are open go on
    url = stack.broker.url.replace("guest:guest@", "guest:another@")
    for service in ("ingest", "matcher", "timeline"):
        stack.restart(stack.of(service)[0], {"AMQP_URL": url})
        account.send("cand@mail.example")
    assert account.outcome() == {"attached": account.sent}
    assert len(account.shown()) == account.sent == 5


def test_a_new_token_secret_ends_the_old_tokens(stack: Stack) -> None:
    assert stack.broker is not None
    stack.broker.ctl("change_password", "guest", "guest")  # whatever the test above has left
    told = {"TOKEN_SECRET": "n" * 48}
    before = Account(stack)
    old = before.client
    for service in ("ingest", "matcher", "timeline"):
        stack.restart(stack.of(service)[0], told)
    assert old.request("GET", "timeline", "/v1/inbox").status_code == 401
    assert old.request("GET", "matcher", "/v1/people").status_code == 401
    stack.token_secret = told["TOKEN_SECRET"]
    new = before.client_for("u1")
    assert new.request("GET", "timeline", "/v1/inbox").status_code == 200
