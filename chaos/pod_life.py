"""`make pod-life`: the whole life of a pod of each service, as in a cluster.

    start      the broker is not there: the pods live, are unready, and say what they wait for
    broker     it appears, and the pods get ready
    load       SMTP sessions by way of a Service; pages are read and the directory is written
    update     a second pod of each service starts, then the first leaves: out of the Service,
               preStop, SIGTERM. At that moment ingest has guests in every state of SMTP and in half
               of an upload; matcher and timeline have deliveries in flight that they cannot finish,
               since the database is silent (with --short, the timeline can)
    reckoning  every 250 is there exactly once; who heard none has sent again

Probes, preStop and grace periods are those of `deploy/k8s/base`. Prints what happened and which
promises were kept, and JSON with `--json FILE`; exits 0 when all were.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from chaos.life import SHORT, Life, Pace
from chaos.life_report import Report, promises_table, story_table
from chaos.proxy import Wires
from chaos.scene import wired
from dev.stack import Stack, own_databases
from dev.terminal import command, say
from shared.runtime.mistake import Mistake


def live(folder: Path, pace: Pace, *, sabotage: str | None = None) -> Report:
    """Start servers in the folder, play it, and stop them."""
    given_servers = [name for name in ("AMQP_URL", "MONGODB_URL") if os.environ.get(name)]
    if given_servers:
        raise Mistake(f"it needs servers of its own: unset {' and '.join(given_servers)}")
    with (
        Wires() as wires,
        Stack(
            folder,
            replicas=0,
            environment=own_databases(),
            modules={sabotage: "chaos.sabotage"} if sabotage else {},
            settings_of=wired(wires),
            say=say,
        ) as stack,
    ):
        assert stack.broker is not None
        stack.broker.stop()  # its place is known now
        return Life(stack, wires, pace, say).play()


def main(arguments: Sequence[str] | None = None) -> int:
    """Play it, print, and tell by the exit code."""
    parser = argparse.ArgumentParser(prog="make pod-life", description=__doc__)
    parser.add_argument("--short", action="store_true", help="probes and preStop in a hurry")
    parser.add_argument("--folder", type=Path, help="keep logs and data there")
    parser.add_argument("--json", type=Path, help="write the report there too")
    parser.add_argument(
        "--sabotage",
        choices=["ingest", "matcher", "timeline"],
        help="acknowledge before publishing, there: it must fail",
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="satchel-pods-") as folder:
        pace = SHORT if given.short else Pace()
        report = live(given.folder or Path(folder), pace, sabotage=given.sabotage)
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(story_table(report))
    console.print(promises_table(report))
    if given.json:
        given.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(command("make pod-life", main))
