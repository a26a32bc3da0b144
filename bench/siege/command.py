"""Starts a stack with its limits on, attacks it, and prints tables; 1 when a promise is broken."""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

import bench.siege
from bench.processes import ProcessMeter
from bench.siege.at_once import Findings, Size, besiege
from bench.siege.rounds import Round, Siege
from dev.dns_server import DnsServer
from dev.siege.attacks import ATTACKS
from dev.siege.ground import FULL, Scale, furnished
from dev.stack import SERVICES, Stack, own_databases
from dev.terminal import say
from shared.runtime.mistake import Mistake

AT_ONCE = "all at once"
_MOST_OF_INGEST = 200
"""MiB, while all of `at_once.py` goes on."""


def main(arguments: Sequence[str]) -> int:
    """Attack and print."""
    given = _parser().parse_args(arguments)
    names = [AT_ONCE, *(attack.name for attack in ATTACKS)]
    wanted = [name.strip() for name in given.attacks.split(",") if name.strip()] or names
    if unknown := [name for name in wanted if name not in names]:
        raise Mistake(f"no such attack: {', '.join(unknown)}; there are: {', '.join(names)}")
    size = Size(**{name: getattr(given, name) for name in Size.__dataclass_fields__})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    console = Console(width=None if sys.stdout.isatty() else 140)
    kept = True
    if AT_ONCE in wanted:
        kept = _at_once(console, size)
    attacks = [attack for attack in ATTACKS if attack.name in wanted]
    if attacks:
        scale = replace(FULL if given.full else Scale(), mails=given.mails, patience=given.patience)
        rounds = []
        with (
            DnsServer() as dns,
            tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
            Stack(
                Path(folder), environment=own_databases() | scale.settings(dns), say=say
            ) as stack,
        ):
            for done in Siege(stack, dns, scale).rounds(attacks):
                rounds.append(done)
                say(f"{done.name}: {done.fared.visible} of {done.fared.sent} visible")
        console.print(rounds_table(rounds))
        console.print(answers_table(rounds))
        if given.json:
            told = [asdict(done) for done in rounds]
            given.json.write_text(json.dumps(told, indent=2) + "\n")
        kept = kept and all(done.fared.visible == done.fared.sent for done in rounds)
    return 0 if kept else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench", description=bench.siege.__doc__)
    parser.add_argument("--attacks", default="", help=f"only these, by comma; `{AT_ONCE}` is one")
    parser.add_argument("--full", action="store_true", help="crafted mails of 29 MB instead of 2")
    parser.add_argument("--json", type=Path, help="write what was found there too")
    parser.add_argument("--mails", type=int, default=20, help="of the bystander")
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds until its mail counts as lost"
    )
    for name, value in Size.__dataclass_fields__.items():
        told = f"of `{AT_ONCE}`"
        parser.add_argument(f"--{name}", type=type(value.default), default=value.default, help=told)
    return parser


def _at_once(console: Console, size: Size) -> bool:
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        Stack(Path(folder), environment=own_databases(), say=say) as stack,
    ):
        capture = furnished(stack.endpoints, stack.token_secret, "bench").mint("u1")
        meter = ProcessMeter(stack)
        before = meter.memory("VmHWM")["ingest"]
        findings = asyncio.run(besiege(stack.endpoints.smtp_port, capture, size))
        after = meter.memory("VmHWM")["ingest"]
    console.print(table(findings, before, after))
    return after < _MOST_OF_INGEST and not findings.unserved


def table(findings: Findings, before: float, after: float) -> Table:
    """Return what was found when all came at once."""
    shown = Table(title="All at once", title_justify="left", show_header=False)
    for attack, answers in findings.answers.items():
        told = ", ".join(f"{code} x {count:,}" for code, count in sorted(answers.items()))
        shown.add_row(attack, told)
    waits = sorted(findings.waits)
    shown.add_row("peak memory of ingest", f"{before:.0f} MiB before, {after:.0f} MiB")
    shown.add_row("normal sender", f"{len(waits)} mails taken, {len(findings.unserved)} not")
    if waits:
        half, most = waits[len(waits) // 2] * 1000, waits[-1] * 1000
        shown.add_row("connecting to 250, p50 and most", f"{half:,.0f} ms, {most:,.0f} ms")
    return shown


def rounds_table(rounds: Sequence[Round]) -> Table:
    """Return how the bystander fared in each attack, beside the round without one."""
    shown = Table(title="One attack after the other", title_justify="left")
    for column in (
        "attack",
        "accepted, visible of",
        "told to wait",
        "to 250: p50, most",
        "to visible: p50, most",
        "ratio of p50",
        "of the target",
        "places",
        "MiB before > most: ingest, matcher, timeline",
        "processor",
    ):
        shown.add_column(column, justify="left" if column == "attack" else "right")
    for done in rounds:
        fared, quiet = done.fared, rounds[0].fared
        ratios = (
            _half(fared.accept_waits) / max(_half(quiet.accept_waits), 1e-3),
            _half(fared.visible_waits) / max(_half(quiet.visible_waits), 1e-3),
        )
        shown.add_row(
            done.name,
            f"{fared.accepted}, {fared.visible} of {fared.sent}",
            str(fared.told_to_wait),
            _waits(fared.accept_waits),
            _waits(fared.visible_waits),
            ", ".join(f"{ratio:.1f}" for ratio in ratios),
            f"{done.of_target} of {fared.sent}",
            f"{done.places} of 10",
            ", ".join(f"{done.before[name]:.0f} > {done.most[name]:.0f}" for name in SERVICES),
            ", ".join(f"{done.processor[name] / 10:.0f} %" for name in SERVICES),
        )
    return shown


def answers_table(rounds: Sequence[Round]) -> Table:
    """Return what the attackers were told."""
    shown = Table(title="What attackers were told", title_justify="left", show_header=False)
    for done in rounds[1:]:
        told = ", ".join(f"{code} x {count:,}" for code, count in sorted(done.told.items()))
        shown.add_row(done.name, told)
    return shown


def _half(waits: Sequence[float]) -> float:
    return sorted(waits)[len(waits) // 2] if waits else float("nan")


def _waits(waits: Sequence[float]) -> str:
    if not waits:
        return "-"
    return f"{_half(waits) * 1000:,.0f} ms, {max(waits) * 1000:,.0f} ms"
