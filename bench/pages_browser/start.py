"""How soon an inbox can be used: cold, with nothing in the cache, and warm.

From the beginning of the navigation, by the browser's own clock, until the first rows are painted:
from then on they can be opened, searched and scrolled. Cold is a new profile of the browser, warm
one that has the page's files and loads everything else again.
"""

from dataclasses import dataclass
from statistics import median

from playwright.sync_api import BrowserContext

from bench.pages_browser.reader import PATIENCE, Reader

_TIMES = 5
_NOTE = """
(() => {
  const look = () => {
    const inbox = document.querySelector('satchel-inbox');
    if (inbox?.shadowRoot?.querySelector('.row'))
      requestAnimationFrame(() => { window.usableAt = performance.now(); });
    else requestAnimationFrame(look);
  };
  look();
})()
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Medians, in milliseconds, and how many times each was done."""

    cold: float
    warm: float
    times: int


def start(reader: Reader, times: int = _TIMES) -> Start:
    """Open the inbox so many times."""
    cold: list[float] = []
    warm: list[float] = []
    for _ in range(times):
        with reader.fresh() as context:
            context.add_init_script(_NOTE)
            cold.append(_usable(reader, context))
            warm.append(_usable(reader, context))
    return Start(median(cold), median(warm), times)


def _usable(reader: Reader, context: BrowserContext) -> float:
    page = context.new_page()
    page.goto(reader.url())
    page.wait_for_function("window.usableAt !== undefined", timeout=PATIENCE * 1000)
    milliseconds: float = page.evaluate("window.usableAt")
    page.close()
    return milliseconds
