"""`make demo`: a stack, sample mails over SMTP, and what became of them."""

import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dev.client import Client
from dev.demo_mails import (
    ACCOUNT,
    EXPECTED_INBOX,
    EXPECTED_SETUP,
    EXPECTED_TALLY,
    EXPECTED_TIMELINE,
    PEOPLE,
    PROFILE,
    SAMPLES,
    question,
)
from dev.stack import Stack, own_databases
from dev.terminal import command, say

_NAMES_SECONDS = 60


def demo() -> int:
    """Play the demo; return 0 when all became what it should."""
    with (
        tempfile.TemporaryDirectory(prefix="satchel-demo-") as folder,
        Stack(Path(folder), environment=own_databases(), say=say) as stack,
    ):
        return play(stack)


def play(stack: Stack) -> int:
    """Fill the directory, send the mails, show the outcome."""
    client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
    for person, (kind, name, addresses) in PEOPLE.items():
        say(f"directory: {person} is the {kind} {name}, {', '.join(addresses)}")
        client.put_person(person, kind, name, addresses)
    capture = {user: client.mint(user) for user in ("u1", "u2")}
    setups = [_setup(client)]
    say("smtp to u1: Gmail asks whether it may forward")
    client.send("forwarding-noreply@google.com", [capture["u1"]], question(capture["u1"]))
    client.await_captures(1)
    setups.append(_setup(client))
    for number, sample in enumerate(SAMPLES, start=1):
        say(f"smtp to {' and '.join(sample.owners)}: {sample.says}")
        for owner in sample.owners:
            client.send(sample.sender, [capture[owner]], sample.raw(number))
    tally = client.await_captures(sum(len(sample.owners) for sample in SAMPLES) + 1)
    setups.append(_setup(client))
    mails, conversations = client.timeline(PROFILE), _inbox_with_names(client)

    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print()
    console.print(_setup_table(setups))
    console.print()
    console.print(_inbox_table(conversations))
    console.print()
    console.print(_timeline_table(mails))
    console.print()
    console.print(_tally_table(tally))
    console.print()
    wrong = _differences(mails, conversations, tally)
    wrong += [
        f"set-up {number} should be {expected}, but is {is_}"
        for number, (expected, is_) in enumerate(
            zip(EXPECTED_SETUP, map(_states, setups), strict=True), start=1
        )
        if expected != is_
    ]
    for difference in wrong:
        say(f"make demo: {difference}")
    if not wrong:
        console.print("All of it is as it must be.")
    return 1 if wrong else 0


def _inbox_with_names(client: Client) -> list[dict[str, Any]]:
    """Return the inbox once the timeline has heard of everybody: half a second after a change."""
    deadline = time.monotonic() + _NAMES_SECONDS
    while True:
        inbox = client.inbox()
        nameless = [p for c in inbox for p in c["profiles"] if not p["name"]]
        if not nameless or time.monotonic() > deadline:
            return inbox
        time.sleep(0.05)


def _setup(client: Client) -> dict[str, Any]:
    """Return the caller's set-up."""
    return dict(client.json("GET", "timeline", "/v1/setup"))


def _states(setup: dict[str, Any]) -> tuple[str, str]:
    return setup["halves"]["sent"]["state"], setup["halves"]["received"]["state"]


def _setup_table(setups: list[dict[str, Any]]) -> Table:
    _, name, _ = PEOPLE["u1"]
    table = Table(title=f"Set-up of {name}, from the API", title_justify="left")
    for column in ("after", "mail I send", "mail I receive", "what waits for an answer"):
        table.add_column(column, no_wrap=True)
    moments = ("the address was minted", "Gmail's question", "the mails below")
    for moment, setup in zip(moments, setups, strict=True):
        asked = [f"{q['provider']}: {q['code']}" for q in setup["confirmations"]]
        waits = setup["halves"]["received"]["state"] == "awaiting_confirmation"
        table.add_row(moment, *_states(setup), ", ".join(asked) if waits else "")
    return table


def _inbox_table(conversations: list[dict[str, Any]]) -> Table:
    table = Table(title="Inbox of the account, from the API", title_justify="left")
    for column in ("last mail", "mails", "subject", "profiles", "newest words"):
        table.add_column(column, no_wrap=column in ("last mail", "profiles"))
    for conversation in conversations:
        subject = conversation["subject"]
        table.add_row(
            conversation["last_mail_at"][:16].replace("T", " "),
            str(conversation["mail_count"]),
            f"[bold]{subject}[/bold]" if conversation["unread"] else subject,
            ", ".join(profile["name"] for profile in conversation["profiles"]),
            conversation["snippet"],
        )
    return table


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
    table.add_row("a provider's question, for its owner", str(tally.get("confirmation", 0)))
    for reason, count in sorted(tally.items()):
        if reason not in ("attached", "confirmation"):
            table.add_row(f"dismissed: {reason}", str(count))
    return table


def _owners(mail: dict[str, Any]) -> list[str]:
    return sorted(capture["person_id"] for capture in mail["captured_by"])


def _profiles(mail: dict[str, Any]) -> list[str]:
    return sorted({match["person_id"] for match in mail["matches"]})


def _differences(
    mails: list[dict[str, Any]], conversations: list[dict[str, Any]], tally: dict[str, int]
) -> list[str]:
    listed = tuple(
        (c["subject"], c["mail_count"], sorted(p["name"] for p in c["profiles"]))
        for c in conversations
    )
    shown = tuple(
        (mail["subject"], mail["direction"], _owners(mail), _profiles(mail)) for mail in mails
    )
    differences = [
        f"conversation {number} should be {expected}, but is {is_}"
        for number, (expected, is_) in enumerate(zip_longest(EXPECTED_INBOX, listed), start=1)
        if expected != is_
    ]
    differences += [
        f"mail {number} should be {expected}, but is {is_}"
        for number, (expected, is_) in enumerate(zip_longest(EXPECTED_TIMELINE, shown), start=1)
        if expected != is_
    ]
    differences += [
        f"{word} should be {EXPECTED_TALLY.get(word, 0)}, but is {tally.get(word, 0)}"
        for word in sorted(EXPECTED_TALLY.keys() | tally.keys())
        if EXPECTED_TALLY.get(word, 0) != tally.get(word, 0)
    ]
    return differences


if __name__ == "__main__":
    sys.exit(command("make demo", demo))
