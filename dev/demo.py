"""`make demo`: a stack, sample mails over SMTP, and what became of them."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dev.client import Client
from dev.demo_mails import (
    ACCOUNT,
    EXPECTED_TALLY,
    EXPECTED_TIMELINE,
    PEOPLE,
    PROFILE,
    SAMPLES,
)
from dev.install import Unavailable
from dev.stack import Stack, StackError
from dev.up import say, stop_on_sigterm


def main() -> int:
    """Play the demo; return 0 when all became what it should."""
    stop_on_sigterm()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="satchel-demo-") as folder,
            Stack(Path(folder), environment=_own_databases(folder), say=say) as stack,
        ):
            return play(stack)
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except (StackError, Unavailable) as error:
        say(f"make demo: {error}")
        return 1


def play(stack: Stack) -> int:
    """Fill the directory, send the mails, show the outcome."""
    client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
    for person, (kind, name, addresses) in PEOPLE.items():
        client.put_person(person, kind, name, addresses)
    capture = {user: client.mint(user) for user in ("u1", "u2")}
    for number, sample in enumerate(SAMPLES, start=1):
        say(f"smtp: {sample.says}")
        for owner in sample.owners:
            client.send(sample.sender, [capture[owner]], sample.raw(number))
    tally = client.await_captures(sum(len(sample.owners) for sample in SAMPLES))
    mails = client.timeline(PROFILE)

    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print()
    console.print(_timeline_table(mails))
    console.print(_tally_table(tally))
    wrong = _differences(mails, tally)
    for difference in wrong:
        say(f"make demo: {difference}")
    return 1 if wrong else 0


def _timeline_table(mails: list[dict[str, Any]]) -> Table:
    _, name, _ = PEOPLE[PROFILE]
    table = Table(title=f"Timeline of {name} ({PROFILE}), from the API", title_justify="left")
    for column in ("date", "direction", "from", "subject", "captured by", "profiles"):
        table.add_column(column, no_wrap=column != "subject")
    for mail in mails:
        table.add_row(
            mail["date"][:16].replace("T", " "),
            mail["direction"],
            mail["from"]["address"],
            mail["subject"],
            ", ".join(_owners(mail)),
            ", ".join(_profiles(mail)),
        )
    return table


def _tally_table(tally: dict[str, int]) -> Table:
    table = Table(title="What became of the captures", title_justify="left")
    table.add_column("outcome")
    table.add_column("captures", justify="right")
    table.add_row("attached", str(tally.get("attached", 0)))
    for reason, count in sorted(tally.items()):
        if reason != "attached":
            table.add_row(f"dismissed: {reason}", str(count))
    return table


def _owners(mail: dict[str, Any]) -> list[str]:
    return sorted(capture["person_id"] for capture in mail["captured_by"])


def _profiles(mail: dict[str, Any]) -> list[str]:
    return sorted({match["person_id"] for match in mail["matches"]})


def _differences(mails: list[dict[str, Any]], tally: dict[str, int]) -> list[str]:
    shown = tuple(
        (mail["subject"], mail["direction"], _owners(mail), _profiles(mail)) for mail in mails
    )
    differences = []
    if shown != EXPECTED_TIMELINE:
        differences.append(f"the timeline should be {EXPECTED_TIMELINE}, but is {shown}")
    if tally != EXPECTED_TALLY:
        differences.append(f"the tally should be {EXPECTED_TALLY}, but is {tally}")
    return differences


def _own_databases(folder: str) -> dict[str, str]:
    """Keep out of the way of other stacks on a database server that was given."""
    suffix = Path(folder).name.removeprefix("satchel-demo-")
    return {
        "MATCHER_DATABASE": f"satchel_demo_matcher_{suffix}",
        "TIMELINE_DATABASE": f"satchel_demo_timeline_{suffix}",
    }


if __name__ == "__main__":
    sys.exit(main())
