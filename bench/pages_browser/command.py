"""`make bench ARGS="pages-browser"`: the pages in a headless Chromium, before a whole stack.

It fills an inbox of `--conversations`, opens it cold and warm, scrolls through `--rows`, sends
mails until they are rows while the services are at half of their load, and uses the pages for
`--minutes`: a round of use stands for each (`using.py` says what it does).

Each part ends by itself: with a figure, or with a line that says why there is none. Then it exits
with 1, after all other figures.

Milliseconds say as much about the machine as about the pages: sizes, nodes and ratios are the
figures to look at. `make test` holds them, with small numbers.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import structlog
from rich.console import Console

from bench.mailbox import ACCOUNT
from bench.pages import database_server
from bench.pages_browser.arriving import CANDIDATES, USER, arriving_under_load
from bench.pages_browser.mailbox import fill_inbox
from bench.pages_browser.reader import NOTE_FIRST_ROWS, ROW, Reader
from bench.pages_browser.report import Result, tables
from bench.pages_browser.scrolling import scroll
from bench.pages_browser.sizes import sizes
from bench.pages_browser.start import start
from bench.pages_browser.using import use
from dev.browser import chromium
from dev.client import Client
from dev.gateway import Gateway
from dev.pages import DIST, build
from dev.ports import free_port
from dev.sign_in import PAGES_SCOPES, sign_in_link
from dev.sign_in import Reader as SignedIn
from dev.stack import Stack, own_databases
from dev.terminal import say

_WIDTH = 100


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    given = _parser().parse_args(arguments)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    build()
    name = f"satchel_inbox_{given.conversations}"
    with (
        tempfile.TemporaryDirectory(prefix="satchel-bench-") as folder,
        database_server(given.data or Path(folder) / "mongodb", given.cache_gb) as url,
    ):
        fill_inbox(url, name, given.conversations)
        settings = own_databases() | {"TIMELINE_DATABASE": name}
        with (
            Stack(Path(folder), environment=settings, say=say) as stack,
            Gateway(free_port(), stack.http_ports) as gateway,
        ):
            result = _measure(stack, gateway.origin, given)
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    for table in tables(result):
        console.print(table)
    if given.json:
        given.json.write_text(json.dumps(asdict(result), indent=2) + "\n")
    for line in result.missing:
        console.print(line)
    return 1 if result.missing else 0


def _measure(stack: Stack, origin: str, given: argparse.Namespace) -> Result:
    load, _, _ = os.getloadavg()
    client = Client(
        stack.endpoints, stack.token_secret, account=ACCOUNT, person="u1", scope=PAGES_SCOPES
    )
    with closing(client), chromium() as browser:
        capture = furnish(client)

        def send(message: EmailMessage) -> None:
            client.send("bench@mail.example", [capture], message.as_bytes())

        link = sign_in_link(origin, stack, SignedIn(ACCOUNT, "u1"))
        reader = Reader(browser, origin, link.partition("#token=")[2])
        with reader.fresh() as context:
            context.add_init_script(NOTE_FIRST_ROWS)
            page = context.new_page()
            page.goto(reader.url())
            page.locator(ROW).first.wait_for()
            measured = sizes(page, DIST)
        say(f"{measured}; opening the inbox, cold and warm")
        begun = start(reader)
        with reader.inbox() as page:
            say(f"{begun}; scrolling through {given.rows:,} rows")
            scrolled = scroll(page, min(given.rows, given.conversations - 100))
        with reader.inbox() as page:
            say(f"{scrolled}; {given.mails} mails on their way to a row, at half load")
            arrived = arriving_under_load(stack, page, send, given.mails, load=given.load)
        with reader.inbox() as page:
            say(f"{arrived}; using the pages for {given.minutes} minutes, in as many rounds")
            used = use(page, send, given.minutes)
    return Result(given.conversations, load, measured, begun, scrolled, arrived, used)


def furnish(client: Client) -> str:
    """Put the reader and candidates into the directory; return the reader's capture address."""
    for number, who in enumerate((USER, *CANDIDATES)):
        name, address = parseaddr(who)
        person, kind = (f"rolan{number}", "candidate") if number else ("u1", "user")
        client.put_person(person, kind, name, [address])
    return client.mint("u1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=pages-browser",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--conversations", type=int, default=100_000, help="of the inbox (%(default)s)"
    )
    parser.add_argument("--rows", type=int, default=10_000, help="that scroll by (%(default)s)")
    parser.add_argument(
        "--mails", type=int, default=60, help="that are followed to their row (%(default)s)"
    )
    parser.add_argument(
        "--load",
        type=int,
        default=1500,
        help="mails that tell how many a second the services carry (%(default)s)",
    )
    parser.add_argument(
        "--minutes", type=int, default=60, help="of use, a round for each (%(default)s)"
    )
    parser.add_argument("--data", type=Path, help="keep the inbox in this folder, or take it there")
    parser.add_argument(
        "--cache-gb", type=float, default=1.0, help="of the private MongoDB (%(default)s)"
    )
    parser.add_argument("--json", "--save", type=Path, help="write the result there too")
    return parser
