"""A headless Chromium: for measurements and pictures of the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from dev.install import ensure_chromium

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run one. Raises Unavailable where there is none."""
    with launched(ensure_chromium()) as browser:
        yield browser


@contextmanager
def launched(program: Path) -> Iterator[Browser]:
    """Run this one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()
