"""Whose secret `make token` signs with."""

import pytest

import dev.sign_in
from shared.http.auth import TokenVerifier


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
