"""A siege, smaller than `make bench ARGS="siege"`: ingest stays small and serves who has mail."""

import asyncio

from bench.siege.at_once import Size, besiege
from tests.e2e.account import Account
from tests.memory import forget_peak, peak


def test_a_siege_leaves_ingest_small_and_a_normal_sender_is_served(
    account: Account, measured: list[str]
) -> None:
    ingest = account.stack.of("ingest")[0]
    forget_peak(ingest.process.pid)
    size = Size(megabytes=100, recipients=1200, commands=1100, connections=150, seconds=3)
    findings = asyncio.run(besiege(ingest.ports["INGEST_SMTP_PORT"], account.capture, size))
    assert [set(told) & {"421", "552"} for told in list(findings.answers.values())[:4]] == [
        {"552"},
        *([{"421"}] * 3),
    ]
    assert findings.answers["as many from one address"]["421"] == 50
    assert findings.unserved == []
    assert len(findings.waits) >= 3
    most = peak(ingest.process.pid)
    assert most < 200, f"{most} MiB"
    measured.append(f"siege: ingest {most:.0f} MiB, 250 after {max(findings.waits):.2f} s at most")
