"""`make chaos`: sends mail, breaks things meanwhile, and reconciles at the end.

Prints tables, and JSON with `--json FILE`. Exits 0 when nothing was lost, doubled or refused. The
same seed makes the same letters and the same schedule of faults.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import ChainMap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from chaos.faults import strikes
from chaos.letters import letters
from chaos.mounts import enter_own_mounts, own_folder
from chaos.profile_lives import ProfileLives
from chaos.proxy import Wires
from chaos.reconcile import Owner
from chaos.report import Report, faults_table, outcome_table
from chaos.scene import Scene, wired
from chaos.schedule import FULL_BLOBS, KINDS, Fault, schedule
from chaos.servers import NotPossible
from chaos.settle import reckoning_of
from chaos.siege import Siege, limits
from chaos.watch import Struck, Watch, felt
from dev import process
from dev.client import Client
from dev.ledger import Ledger
from dev.senders import Senders
from dev.stack import SERVICES, Stack, own_databases
from dev.terminal import command, say
from dev.warm import WarmStarts
from shared.runtime.mistake import Mistake

ACCOUNTS = tuple(f"chaos{number}" for number in range(1, 5))
"""Several: batches of the timeline are of all, and a fault meets more than one of them."""
_USER = "recruiter@agency.example"
_CANDIDATES = [f"candidate{number}@mail.example" for number in range(8)]
_USERS = 3
_ACCEPT_SECONDS = 300
_SENDER_PATIENCE_SECONDS = 12.0
_TEST_COMMANDS = ("--setParameter", "enableTestCommands=1")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do."""

    seed: int
    mails: int
    """At least so many are accepted."""
    each: int
    """So many faults of each kind."""
    short: bool
    rate: float
    sessions: int
    kinds: Collection[str] = KINDS
    gap: float = 2.0
    """Seconds between two faults."""
    quiet: float = 20.0
    """Seconds of quiet after which what is not there is lost."""
    siege: bool = False
    """Whether attacks go on meanwhile, on other accounts, with the limits on."""
    life: bool = False
    """Whether profiles live meanwhile, on accounts of their own."""
    say: Callable[[str], None] = field(default=say)


def run(folder: Path, plan: Plan, *, sabotage: str | None = None) -> Report:
    """Start a stack in the folder, and do what was planned."""
    blobs = folder / "blobs"
    with (
        own_folder(blobs) as blob_folder,
        Wires() as wires,
        limits(plan.rate if plan.siege else 0) as limited,
        Stack(
            folder,
            replicas=2,
            environment={**own_databases(), "BLOB_URL": f"file://{blobs}", **limited},
            modules={sabotage: "chaos.sabotage"} if sabotage else {},
            settings_of=wired(wires),
            mongod_options=_TEST_COMMANDS,
            say=plan.say,
        ) as stack,
    ):
        return _run(stack, wires, blob_folder, plan)


def _run(stack: Stack, wires: Wires, blob_folder: Path | None, plan: Plan) -> Report:
    owners = {account: _fill(stack, account) for account in ACCOUNTS}
    ledger = Ledger()
    ports = [
        wires.lay(replica.name, "senders", replica.ports["INGEST_SMTP_PORT"]).port
        for replica in stack.of("ingest")
    ]
    senders = Senders(
        letters(
            plan.seed,
            sender=_USER,
            candidates=_CANDIDATES,
            addresses=[list(of_account) for of_account in owners.values()],
        ),
        ledger,
        ports,
        sessions=plan.sessions,
        rate=plan.rate,
        patience=_SENDER_PATIENCE_SECONDS,
    )
    lives = ProfileLives(stack, plan.seed, plan.say) if plan.life else None
    mailing = lives.mailing if lives is not None else None
    scene = Scene(stack, wires, ledger, senders, blob_folder, plan.say, mailing)
    watch = Watch(scene)
    siege = Siege(stack) if plan.siege else None
    started = time.monotonic()
    senders.start()
    watch.start()
    if siege is not None:
        siege.start()
    if lives is not None:
        lives.start()
    struck, left_out = _break_things(scene, plan)
    while len(ledger.receipts) < plan.mails:
        if time.monotonic() - started > _ACCEPT_SECONDS + plan.mails / plan.rate * 3:
            raise TimeoutError(f"only {len(ledger.receipts)} of {plan.mails} mails were accepted")
        time.sleep(0.2)
    senders.finish()
    if not senders.wait(_ACCEPT_SECONDS):
        raise TimeoutError("some mails were not accepted, with nothing broken any more")
    if siege is not None:
        siege.stop()
    if lives is not None:
        plan.say("nothing is broken any more; operators finish what they do to profiles")
        lives.stop()
    sent = time.monotonic()
    plan.say(f"{len(ledger.receipts)} accepted; waiting until all is settled")
    reckoning = reckoning_of(scene, ChainMap(*owners.values()), plan.quiet)
    settled = time.monotonic()
    lived = lives.outcome(scene, plan.quiet) if lives is not None else None
    watch.stop()
    return Report(
        seed=plan.seed,
        faults=felt(watch.samples, struck),
        left_out=left_out,
        reckoning=reckoning,
        sending_seconds=sent - started,
        drain_seconds=settled - sent,
        slowest_stop_seconds=scene.slowest_stop,
        complaints=scene.complaints,
        refusals=ledger.refused,
        siege=siege.told if siege is not None else {},
        lives=lived,
    )


def _fill(stack: Stack, account: str) -> dict[str, Owner]:
    """Put users and candidates there; return the owners of the account's capture addresses."""
    client = Client(stack.endpoints, stack.token_secret, account=account, person="u0")
    owners = {}
    for number in range(_USERS):
        addresses = [_USER] if number == 0 else [f"recruiter{number}@agency.example"]
        client.put_person(f"u{number}", "user", "Recruiter", addresses)
        owners[client.mint(f"u{number}")] = Owner(account, f"u{number}")
    for number, address in enumerate(_CANDIDATES):
        client.put_person(f"c{number}", "candidate", "Candidate", [address])
    return owners


def _break_things(scene: Scene, plan: Plan) -> tuple[list[Struck], dict[str, str]]:
    """Strike as scheduled; return when what was struck, and what was left out and why."""
    left_out: dict[str, str] = {}
    without = set(KINDS) - set(plan.kinds)
    if FULL_BLOBS not in without and scene.blob_folder is None:
        left_out[FULL_BLOBS] = "no file system of one's own here: neither root nor user namespaces"
        without.add(FULL_BLOBS)
    faults = schedule(plan.seed, plan.each, short=plan.short, without=without)
    do = strikes()
    struck: list[Struck] = []
    began = time.monotonic()
    for number, fault in enumerate(faults, start=1):
        time.sleep(plan.gap)
        plan.say(
            f"{time.monotonic() - began:6.0f} s {len(scene.ledger.receipts):>6} accepted, "
            f"fault {number} of {len(faults)}: {_described(fault)}"
        )
        start = time.monotonic()
        try:
            do[fault.kind](scene, fault)
        except NotPossible as why:
            scene.complaints.append(f"{fault.kind}: not done, {why}")
            scene.say(scene.complaints[-1])
            continue
        struck.append(Struck(fault.kind, start, time.monotonic()))
        _revive(scene, fault)
    time.sleep(plan.gap)
    return struck, left_out


def _revive(scene: Scene, fault: Fault) -> None:
    """Start what died by itself, and note it: nothing that we break from outside may end it."""
    for replica in scene.stack.replicas:
        if not replica.process.alive:
            scene.complaints.append(f"{replica.name} died by itself at: {fault.kind}")
            scene.say(scene.complaints[-1])
            replica.start()


def _described(fault: Fault) -> str:
    return f"{fault.kind} ({', '.join(map(str, fault.victims))}; {fault.seconds} s)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and tell by the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    given = _parser().parse_args(words)
    unknown = [kind for kind in given.kinds if kind not in KINDS]
    if unknown:
        raise Mistake(f"no such kind of fault: {', '.join(unknown)}; there are: {', '.join(KINDS)}")
    given_servers = [name for name in ("AMQP_URL", "MONGODB_URL") if os.environ.get(name)]
    if given_servers:
        raise Mistake(f"the run breaks broker and database: unset {' and '.join(given_servers)}")
    enter_own_mounts("chaos.run", words)
    if given.short:
        process.warm_starts = WarmStarts([f"services.{service}" for service in SERVICES])
    plan = Plan(
        seed=given.seed,
        mails=given.mails or (300 if given.short else 10_000),
        each=given.each or (1 if given.short else 5),
        short=given.short,
        rate=given.rate,
        sessions=given.sessions,
        kinds=given.kinds or KINDS,
        gap=0.2 if given.short else 2.0,
        quiet=given.quiet,
        siege=given.siege,
        life=given.life,
    )
    with tempfile.TemporaryDirectory(prefix="satchel-chaos-") as folder:
        report = run(given.folder or Path(folder), plan, sabotage=given.sabotage)
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(faults_table(report))
    console.print(outcome_table(report))
    if given.json:
        given.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mails", type=int, help="accepted at least (10000; short: 300)")
    parser.add_argument("--each", type=int, help="faults of each kind (5; short: 1)")
    parser.add_argument("--short", action="store_true", help="a minute: each kind once, briefly")
    parser.add_argument("--kinds", type=_kinds, default=[], help="only these, comma-separated")
    parser.add_argument("--rate", type=float, default=20.0, help="mails a second")
    parser.add_argument("--sessions", type=int, default=20, help="of senders")
    parser.add_argument("--quiet", type=float, default=20.0, help="seconds until missing is lost")
    parser.add_argument(
        "--siege", action="store_true", help="attack other accounts meanwhile, with limits on"
    )
    parser.add_argument(
        "--life",
        action="store_true",
        help="merge, delete, block, erase and more meanwhile, on other accounts, and compare",
    )
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    parser.add_argument("--json", type=Path, help="write the report there too")
    parser.add_argument(
        "--sabotage",
        choices=["ingest", "matcher", "timeline"],
        help="acknowledge before publishing, there: the run must fail",
    )
    return parser


def _kinds(text: str) -> list[str]:
    return [kind.strip() for kind in text.split(",") if kind.strip()]


if __name__ == "__main__":
    sys.exit(command("make chaos", main))
