"""The conformance cases against this stack, over SMTP and over HTTP; and a runner that can fail."""

import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.__main__ import main
from conformance.case import CASES, Case, all_cases
from conformance.installation import SCOPES, Installation
from conformance.run import run
from dev.stack import Stack
from shared.http.auth import sign
from tests.deadline import DEADLINE

_accounts = itertools.count(1)


def installation(stack: Stack, transport: str) -> Installation:
    def token(account: str, person: str) -> str:
        return sign(
            stack.token_secret,
            issuer=stack.token_issuer,
            account=account,
            person_id=person,
            scope=SCOPES,
            expires_at=int(time.time()) + 3600,
        )

    at = stack.endpoints
    return Installation(
        ingest=f"http://127.0.0.1:{at.ingest_port}",
        matcher=f"http://127.0.0.1:{at.matcher_port}",
        timeline=f"http://127.0.0.1:{at.timeline_port}",
        token=token,
        smtp=("127.0.0.1", at.smtp_port) if transport == "smtp" else None,
        patience=DEADLINE,
        verify=False,
    )


def cases() -> Iterator[Any]:
    """Yield each case with each transport; without `--full` with one, in turn."""
    for number, case in enumerate(all_cases()):
        for turn, transport in enumerate(("smtp", "http")):
            marks = [] if number % 2 == turn else [pytest.mark.full]
            yield pytest.param(case, transport, id=f"{case.name}-{transport}", marks=marks)


@pytest.mark.parametrize(("case", "transport"), list(cases()))
def test_a_mail_that_was_read_wrong_is_read_right(stack: Stack, case: Case, transport: str) -> None:
    assert run(case, installation(stack, transport), f"case{next(_accounts)}") == []


def command(stack: Stack, *more: str) -> Sequence[str]:
    """Return the arguments with which an operator asks this stack."""
    at = stack.endpoints
    token = (
        f'{sys.executable} -m dev.sign_in --account "$ACCOUNT" --person "$PERSON" --scope "$SCOPE"'
    )
    return [
        f"--origin=http://127.0.0.1:{at.timeline_port}",
        f"--matcher=http://127.0.0.1:{at.matcher_port}",
        f"--ingest=http://127.0.0.1:{at.ingest_port}",
        f"--token-command={token}",
        f"--patience={DEADLINE}",
        *more,
    ]


def test_an_operator_runs_a_case_by_name(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGN_WITH", stack.token_secret)
    monkeypatch.setenv("TOKEN_ISSUER", stack.token_issuer)
    smtp = f"--smtp=127.0.0.1:{stack.endpoints.smtp_port}"
    assert main(command(stack, smtp, "decision-never-capture")) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok     decision-never-capture",
        "1 of 1 cases passed",
    ]


def test_what_is_not_right_is_named(
    stack: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A case that asks for another decision, of the same mail, fails."""
    monkeypatch.setenv("SIGN_WITH", stack.token_secret)
    monkeypatch.setenv("TOKEN_ISSUER", stack.token_issuer)
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    mail = (CASES / "decision-stranger-is-forgotten" / "mail1.eml").read_bytes()
    (wrong / "mail1.eml").write_bytes(mail)
    (wrong / "case.json").write_text('{"timeline": {"c1": [{}]}, "inbox": []}')
    assert main(command(stack, f"--cases={tmp_path}")) == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED wrong",
        "       tally: expected {'attached': 1}, got {'no_match': 1}",
        "       u1 sees timeline of c1: expected [{}], got []",
        "0 of 1 cases passed",
    ]
