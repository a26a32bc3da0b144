"""What `make bench ARGS="pages-browser"` measures, in small numbers: bytes, nodes, work, memory."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser

from bench.filling import Target, fill_conversations
from bench.mailbox import ACCOUNT
from bench.pages_browser.arriving import arriving
from bench.pages_browser.command import furnish
from bench.pages_browser.mailbox import plan
from bench.pages_browser.reader import NOTE_FIRST_ROWS, ROW, Reader
from bench.pages_browser.scrolling import scroll
from bench.pages_browser.sizes import sizes
from bench.pages_browser.using import use
from dev.client import Client
from dev.pages import DIST
from dev.sign_in import PAGES_SCOPES, sign_in_link
from dev.sign_in import Reader as SignedIn
from dev.stack import Stack

CONVERSATIONS, ROWS, ROUNDS = 1_200, 1_000, 6
KB = 1_000


@pytest.fixture(scope="module")
def sender(pages_stack: Stack) -> Iterator[Client]:
    """The reader of an inbox that is longer than a page of it."""
    client = Client(
        pages_stack.endpoints,
        pages_stack.token_secret,
        account=ACCOUNT,
        person="u1",
        scope=PAGES_SCOPES,
    )
    environment = pages_stack.environment
    target = Target(environment["MONGODB_URL"], environment["TIMELINE_DATABASE"], datetime.now(UTC))
    with closing(client):
        fill_conversations(target, plan(CONVERSATIONS), processes=1)
        yield client


@pytest.fixture(scope="module")
def reader(sender: Client, pages_stack: Stack, origin: str, chromium: Browser) -> Reader:
    link = sign_in_link(origin, pages_stack, SignedIn(ACCOUNT, "u1"))
    return Reader(chromium, origin, link.partition("#token=")[2])


def test_the_pages_code_is_small(reader: Reader, measured: list[str]) -> None:
    with reader.fresh() as context:
        context.add_init_script(NOTE_FIRST_ROWS)
        page = context.new_page()
        page.goto(reader.url())
        page.locator(ROW).first.wait_for()
        found = sizes(page, DIST)
    measured.append(
        f"pages: {found.first_scripts / KB:.1f} KB of JavaScript and {found.first_styles / KB:.1f} "
        f"KB of CSS for the first, {found.all / KB:.1f} KB for all"
    )
    assert found.first_files > 5  # it has looked
    assert 20 * KB < found.first_scripts <= 40 * KB
    assert 3 * KB < found.first_styles <= 10 * KB
    assert found.first_scripts < found.all <= 90 * KB


def test_rows_far_down_cost_what_the_first_do(reader: Reader, measured: list[str]) -> None:
    with reader.inbox() as page:
        found = scroll(page, ROWS)
    measured.append(
        f"pages: a row costs the page {found.first_work:.1f} ms at first, {found.last_work:.1f} ms "
        f"after {ROWS:,}; {found.most_nodes} nodes at most"
    )
    assert 100 < found.most_nodes < 1_200
    assert found.work_ratio < 5


@pytest.mark.full
def test_an_hour_of_use_leaves_nothing_behind(
    reader: Reader, sender: Client, measured: list[str]
) -> None:
    capture = furnish(sender)

    def send(message: EmailMessage) -> None:
        sender.send("bench@mail.example", [capture], message.as_bytes())

    with reader.inbox() as page:
        arrived = arriving(page, send, 1)
        assert len(arrived.waits) == 1, arrived.stopped
        found = use(page, send, ROUNDS)
    _, middle, end = found.held
    measured.append(
        f"pages: {middle.heap:.1f} MiB of heap after {middle.round} rounds of use, {end.heap:.1f} "
        f"after {end.round}; {middle.nodes} nodes, then {end.nodes}"
    )
    assert found.growth < 1.25
    assert found.growth_of_nodes < 1.25
    assert end.listeners < middle.listeners * 1.25
