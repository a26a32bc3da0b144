"""`make chaos`: sends mail, kills things meanwhile, and reconciles at the end.

Prints a table, and JSON with `--json FILE`. Exits 0 when nothing was lost, doubled or refused. The
same seed makes the same letters and the same schedule.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos.faults import kills
from chaos.letters import letters
from chaos.reconcile import Reckoning, dead_captures, drained, reconcile
from dev.client import Client
from dev.ledger import Ledger
from dev.rabbitmq import PrivateRabbitMQ
from dev.senders import Senders
from dev.stack import Stack, own_databases
from dev.terminal import Mistake, command, say

ACCOUNT = "chaos"
_CANDIDATE, _USER = "candidate@mail.example", "recruiter@agency.example"
_DRAIN_SECONDS, _QUIET_SECONDS = 180, 20


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, and how it ended."""

    seed: int
    faults: dict[str, int]
    reckoning: Reckoning
    sending_seconds: float
    drain_seconds: float

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "seed": self.seed,
            "faults": self.faults,
            **self.reckoning.as_dict(),
            "sending_seconds": round(self.sending_seconds, 1),
            "drain_seconds": round(self.drain_seconds, 1),
        }


def run(
    stack: Stack,
    *,
    mails: int,
    sessions: int,
    rounds: int,
    rate: float,
    seed: int,
    say: Callable[[str], None] = say,
) -> Report:
    """Send `mails` at `rate` a second while `rounds` of faults strike; reconcile."""
    broker = stack.broker
    if broker is None:
        raise Mistake("the run kills the broker, so it needs its own: unset AMQP_URL")
    client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
    client.put_person("u1", "user", "Recruiter", [_USER])
    client.put_person("c1", "candidate", "Candidate", [_CANDIDATE])
    ledger = Ledger()
    senders = Senders(
        letters(mails, seed, candidate=_CANDIDATE, sender=_USER),
        ledger,
        [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")],
        client.mint("u1"),
        sessions=sessions,
        rate=rate,
    )
    faults = kills(stack, broker, rounds, seed)
    started = time.monotonic()
    senders.start()
    struck: Counter[str] = Counter()
    for fault in faults:
        if not senders.sending:
            say(f"only {struck.total()} of {len(faults)} faults: the mails ran out, send more")
            break
        say(f"{len(ledger.receipts):>6} of {mails} accepted, next: {fault.kind}")
        fault.strike()
        struck[fault.kind] += 1
        time.sleep(0.5)
    if not senders.wait(300):
        raise TimeoutError(f"only {len(ledger.receipts)} of {mails} mails were accepted")
    sent = time.monotonic()
    say(f"{len(ledger.receipts):>6} of {mails} accepted; waiting until all is settled")
    reckoning = _settled(stack, broker, ledger)
    settled = time.monotonic()
    return Report(seed, dict(struck), reckoning, sent - started, settled - sent)


def _settled(stack: Stack, broker: PrivateRabbitMQ, ledger: Ledger) -> Reckoning:
    """Return the reckoning once it is clean, or once nothing was under way for a while.

    The broker's counts may be some seconds old: what looks lost at first may be in somebody's hand.
    What is lost stays lost.
    """
    quiet_since: float | None = None
    deadline = time.monotonic() + _DRAIN_SECONDS
    while True:
        reckoning = reconcile(stack, ACCOUNT, ledger, asyncio.run(dead_captures(broker.url)))
        now = time.monotonic()
        quiet_since = (quiet_since or now) if drained(broker) else None
        is_quiet = quiet_since is not None and now - quiet_since > _QUIET_SECONDS
        if reckoning.clean or is_quiet or now > deadline:
            return reckoning
        time.sleep(0.5)


def table(report: Report) -> Table:
    """Return the report as a table."""
    shown = Table(title=f"Fault run, seed {report.seed}", title_justify="left")
    shown.add_column("")
    shown.add_column("count", justify="right")
    for kind, count in sorted(report.faults.items()):
        shown.add_row(kind, str(count))
    shown.add_section()
    for name, count in report.reckoning.as_dict().items():
        shown.add_row(name.replace("_", " "), str(count))
    shown.add_section()
    shown.add_row("seconds of sending", f"{report.sending_seconds:.0f}")
    shown.add_row("seconds until settled", f"{report.drain_seconds:.0f}")
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and tell by the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="kills of each thing, mail lasting")
    parser.add_argument("--rate", type=float, default=60.0, help="mails a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the report there too")
    parser.add_argument(
        "--sabotage", choices=["matcher", "timeline"], help="acknowledge before publishing, there"
    )
    given = parser.parse_args(arguments)
    modules = {given.sabotage: "chaos.sabotage"} if given.sabotage else {}
    with (
        tempfile.TemporaryDirectory(prefix="satchel-chaos-") as folder,
        Stack(
            Path(folder), replicas=2, environment=own_databases(), modules=modules, say=say
        ) as stack,
    ):
        report = run(
            stack,
            mails=given.mails,
            sessions=given.sessions,
            rounds=given.rounds,
            rate=given.rate,
            seed=given.seed,
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table(report))
    if given.json:
        given.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.reckoning.clean else 1


if __name__ == "__main__":
    sys.exit(command("make chaos", main))
