"""One stack with built pages, and one browser, for the tests of the pages."""

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from dev.browser import launched
from dev.gateway import Gateway
from dev.install import Unavailable, ensure_chromium
from dev.pages import build
from dev.ports import free_port
from dev.stack import Stack, own_databases
from tests.deadline import DEADLINE
from tests.e2e.pages.mails import week
from tests.e2e.pages.site import Site

_numbers = itertools.count(1)
expect.set_options(timeout=DEADLINE * 1000)


@pytest.fixture(scope="package")
def pages_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that serves what was built from the sources as they are."""
    build()
    with Stack(tmp_path_factory.mktemp("pages"), environment=own_databases()) as stack:
        yield stack


@pytest.fixture(scope="package")
def origin(pages_stack: Stack) -> Iterator[str]:
    """Where all services are, as behind their ingress."""
    with Gateway(free_port(), pages_stack.http_ports) as gateway:
        yield gateway.origin


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium. It ends with its file: beside it no other event loop can run."""
    try:
        program = ensure_chromium()
    except Unavailable as missing:
        pytest.skip(str(missing))
    with launched(program) as browser:
        yield browser


@pytest.fixture
def site(pages_stack: Stack, origin: str, chromium: Browser) -> Iterator[Site]:
    """An account without mail."""
    site = Site(pages_stack, origin, chromium, f"pages{next(_numbers)}")
    yield site
    site.client.close()


@pytest.fixture(scope="module")
def full(pages_stack: Stack, origin: str, chromium: Browser) -> Iterator[Site]:
    """An account with a week of mail, which tests read and change little."""
    site = Site(pages_stack, origin, chromium, f"pages{next(_numbers)}")
    site.send(*week())
    yield site
    site.client.close()
