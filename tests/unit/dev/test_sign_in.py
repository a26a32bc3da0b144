"""Whose secret `make token` signs with, and the one link that `make demo` and `make up` print."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import jwt
import pytest

import dev.demo
import dev.sign_in
import dev.up
from dev.client import Endpoints
from dev.stack import Stack
from shared.http.auth import TokenVerifier

SECRET = "s" * 48
ORIGIN = "http://127.0.0.1:8000"


async def test_a_secret_in_the_environment_signs_before_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cluster's secret, beside a stack that runs here and the file of docker compose."""
    monkeypatch.setattr("sys.argv", ["make token", "--account", "acme", "--person", "u1"])
    monkeypatch.setattr(dev.sign_in, "running", lambda: pytest.fail("another stack's secret"))
    monkeypatch.setenv("SIGN_WITH", "c" * 48)
    monkeypatch.setenv("TOKEN_ISSUER", "cluster")
    assert dev.sign_in.sign_in() == 0
    token = capsys.readouterr().out.strip()
    caller = await TokenVerifier(issuer="cluster", secret="c" * 48).verify(token)
    assert (caller.account, caller.person_id) == ("acme", "u1")


@pytest.fixture
def stack() -> Stack:
    """One that is said to run."""
    told = SimpleNamespace(
        token_secret=SECRET,
        token_issuer="satchel",
        endpoints=Endpoints(2525, 8001, 8002, 8003),
        folder=Path("/data"),
    )
    return cast(Stack, told)


def only_link(printed: str) -> list[str]:
    """Return the tokens of the one URL that was printed."""
    [link] = re.findall(r"\S*://\S*", printed)
    origin, _, fragment = link.partition("/app/#")
    assert origin == ORIGIN
    return [part.removeprefix("token=") for part in fragment.split("&")]


async def test_the_demo_prints_one_link_and_its_menu_leads_to_the_unfinished_set_up(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.demo.say_where(stack, ORIGIN)
    printed = capsys.readouterr().out
    nora, lena = only_link(printed)
    verifier = TokenVerifier(issuer="satchel", secret=SECRET)
    assert ((await verifier.verify(nora)).person_id) == "u1"
    assert ((await verifier.verify(lena)).person_id) == "u3"
    for token, name in ((nora, "Nora Keller"), (lena, "Lena Brandt")):
        assert jwt.decode(token, options={"verify_signature": False})["name"] == name
        assert name in printed


async def test_a_stack_prints_one_link_whose_token_is_for_the_api_too(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.up.say_where(stack, ORIGIN, 5.0)
    printed = capsys.readouterr().out
    [token] = only_link(printed)
    caller = await TokenVerifier(issuer="satchel", secret=SECRET).verify(token)
    assert (caller.account, caller.person_id) == ("acme", "u1")
    for port in ("127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003", "127.0.0.1:2525"):
        assert port in printed
