"""A reader of the pages, who is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page

ROW = "satchel-inbox .row"
PATIENCE = 120.0
"""Seconds that anything may take: a safety net."""
NOTE_FIRST_ROWS = """
(() => {
  const look = () => {
    const inbox = document.querySelector('satchel-inbox');
    if (inbox?.shadowRoot?.querySelector('.row')) {
      window.firstFiles = performance.getEntriesByType('resource').map(one => one.name);
      requestAnimationFrame(() => { window.usableAt = performance.now(); });
    } else requestAnimationFrame(look);
  };
  look();
})()
"""
"""A script of a page: notes when its first rows are painted, and what had been loaded for them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Opens the pages, with a token."""

    browser: Browser
    origin: str
    token: str

    @contextmanager
    def fresh(self) -> Iterator[BrowserContext]:
        """Give a context that has nothing in its cache."""
        context = self.browser.new_context(
            viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE * 1000)
        yield context
        context.close()

    def url(self, path: str = "") -> str:
        """Return the address of a page, which signs in."""
        return f"{self.origin}/app/{path}#token={self.token}"

    @contextmanager
    def inbox(self) -> Iterator[Page]:
        """Give the inbox once it has rows."""
        with self.fresh() as context:
            page = context.new_page()
            page.goto(self.url())
            page.locator(ROW).first.wait_for()
            yield page
