"""`make demo`: a stack, a recruiter's week of mail over SMTP, and what became of it.

On a terminal it stays, with its pages, until Ctrl-C; without one, or with `KEEP=0`, it ends.
"""

import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from rich.console import Console

from dev.client import Client
from dev.demo_dns import Signer, demo_dns
from dev.demo_mails import (
    ACCOUNT,
    EXPECTED_INBOX,
    EXPECTED_SETUP,
    EXPECTED_TALLY,
    EXPECTED_TIMELINE,
    FORGED,
    NEWCOMER,
    PEOPLE,
    PROFILE,
    READ,
    RECRUITERS,
)
from dev.demo_provider import DemoProvider
from dev.demo_tables import (
    inbox_table,
    owners,
    profiles,
    setup_table,
    states,
    tally_table,
    timeline_table,
)
from dev.demo_week import forgery, question, week
from dev.gateway import Gateway
from dev.pages import build
from dev.ports import free_port
from dev.sign_in import PAGES_SCOPES, READER_SCOPES, Reader, sign_in_link
from dev.stack import Stack, own_databases
from dev.terminal import command, say
from shared.runtime.mistake import Mistake

_NAMES_SECONDS = 60


def demo() -> int:
    """Play the demo; return 0 when all became what it should. Stay with it on a terminal."""
    stays = sys.stdout.isatty() and os.environ.get("KEEP") != "0"
    has_pages = _has_pages()
    signer = Signer()
    with (
        tempfile.TemporaryDirectory(prefix="satchel-demo-") as folder,
        demo_dns(signer) as authenticating,
        DemoProvider() as provider,
        Stack(
            Path(folder),
            environment=own_databases() | authenticating | provider.settings,
            say=say,
        ) as stack,
    ):
        code = play(stack, signer)
        if code == 0 and has_pages:
            provider.serve(
                Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person=RECRUITERS[0])
            )
            with Gateway(free_port(), stack.http_ports) as gateway:
                say_where(stack, gateway.origin)
                if stays:
                    _stay()
        return code


def _has_pages() -> bool:
    """Build the pages; without them the demo has tables alone, and says so."""
    try:
        build()
    except Mistake as mistake:
        say(f"make demo: without pages, since they could not be built: {mistake}")
        return False
    return True


def say_where(stack: Stack, origin: str) -> None:
    """Print the one link: to the recruiter's pages, whose menu changes to the newcomer."""
    nora, lena = PEOPLE[RECRUITERS[0]][1], PEOPLE[NEWCOMER][1]
    link = sign_in_link(
        origin,
        stack,
        Reader(ACCOUNT, RECRUITERS[0], name=nora),
        Reader(ACCOUNT, NEWCOMER, READER_SCOPES, name=lena),
    )
    sys.stdout.write(
        f"""
The pages, signed in as {nora} for a day. The menu (three dots) changes to {lena},
who has not finished her set-up:

  {link}

"""
    )
    sys.stdout.flush()


def _stay() -> None:
    sys.stdout.write("Ctrl-C stops everything.\n")
    sys.stdout.flush()
    try:
        signal.pause()
    except KeyboardInterrupt:
        say("stopping")


def play(stack: Stack, signer: Signer | None = None) -> int:
    """Fill the directory, send the mails, show the outcome.

    With a signer, whose keys the stack's DNS must have, mail is signed, and a forged one is
    quarantined: without authentication nothing can be.
    """
    client = Client(stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1")
    for person, (kind, name, addresses) in PEOPLE.items():
        say(f"directory: {person} is the {kind} {name}, {', '.join(addresses)}")
        client.put_person(person, kind, name, addresses)
    capture = {user: client.mint(user) for user in (*RECRUITERS, NEWCOMER)}
    expected = dict(EXPECTED_TALLY)
    now = datetime.now(UTC)
    setups = [_setup(client)]
    asked = question(now, capture["u1"], "u1")
    say(f"smtp to u1: {asked.says}")
    client.send(asked.envelope, [capture["u1"]], signer.signed(asked.raw) if signer else asked.raw)
    client.await_captures(1)
    setups.append(_setup(client))
    for sample in (*week(now, capture), question(now, capture[NEWCOMER], NEWCOMER)):
        say(f"smtp to {' and '.join(sample.owners)}: {sample.says}")
        raw = signer.signed(sample.raw) if signer else sample.raw
        for owner in sample.owners:
            client.send(sample.envelope, [capture[owner]], raw)
    if signer:
        expected |= FORGED
        _forge(stack, client, signer.signed(forgery(now)), capture["u1"])
    tally = client.await_captures(sum(expected.values()))
    setups.append(_setup(client))
    mails, conversations = client.timeline(PROFILE), _inbox_with_names(client)

    console = Console(width=None if sys.stdout.isatty() else 110)
    for table in (
        setup_table(setups),
        inbox_table(conversations),
        timeline_table(PROFILE, mails),
        tally_table(tally),
    ):
        console.print()
        console.print(table)
    console.print()
    wrong = _differences(mails, conversations, tally, expected)
    wrong += [
        f"set-up {number} should be {wanted}, but is {is_}"
        for number, (wanted, is_) in enumerate(
            zip(EXPECTED_SETUP, map(states, setups), strict=True), start=1
        )
        if wanted != is_
    ]
    for difference in wrong:
        say(f"make demo: {difference}")
    if not wrong:
        console.print("All of it is as it must be.")
        _mark_read(client, conversations)
    return 1 if wrong else 0


def _forge(stack: Stack, client: Client, signed: bytes, capture: str) -> None:
    """Let what fails authentication wait for a yes, and send a mail that was altered."""
    admin = Client(
        stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1", scope=PAGES_SCOPES
    )
    wanted = {"visibility": "team", "quarantine": "failed"}
    admin.json("PUT", "timeline", "/v1/settings", json=wanted)
    admin.close()
    say("smtp to u1: a forgery in the client's name, which waits for a yes")
    client.send(
        "envelope@elsewhere.example", [capture], signed.replace(b"our letter", b"this mail")
    )


def _mark_read(client: Client, conversations: list[dict[str, Any]]) -> None:
    for conversation in conversations:
        if conversation["subject"] in READ:
            path = f"/v1/conversations/{conversation['id']}/read"
            client.request("PUT", "timeline", path).raise_for_status()


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


def _differences(
    mails: list[dict[str, Any]],
    conversations: list[dict[str, Any]],
    tally: dict[str, int],
    outcomes: dict[str, int],
) -> list[str]:
    listed = tuple(
        (c["subject"], c["mail_count"], sorted(p["name"] for p in c["profiles"]))
        for c in conversations
    )
    shown = tuple(
        (mail["subject"], mail["direction"], owners(mail), profiles(mail)) for mail in mails
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
        f"{word} should be {outcomes.get(word, 0)}, but is {tally.get(word, 0)}"
        for word in sorted(outcomes.keys() | tally.keys())
        if outcomes.get(word, 0) != tally.get(word, 0)
    ]
    return differences


if __name__ == "__main__":
    sys.exit(command("make demo", demo))
