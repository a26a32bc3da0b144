"""How soon an inbox can be used: cold, with nothing in the cache, and warm.

From the beginning of the navigation, by the browser's own clock, until the first rows are painted:
from then on they can be opened, searched and scrolled. Cold is a new profile of the browser, warm
one that has the page's files and loads everything else again.
"""

from dataclasses import dataclass
from statistics import median

from playwright.sync_api import BrowserContext

from bench.pages_browser.reader import NOTE_FIRST_ROWS, Reader

_TIMES = 5
_USABLE = """
async () => {
  while (window.usableAt === undefined) await new Promise(resolve => setTimeout(resolve, 5));
  return window.usableAt;
}
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
            context.add_init_script(NOTE_FIRST_ROWS)
            cold.append(_usable(reader, context))
            warm.append(_usable(reader, context))
    return Start(median(cold), median(warm), times)


def _usable(reader: Reader, context: BrowserContext) -> float:
    page = context.new_page()
    page.goto(reader.url())
    milliseconds: float = page.evaluate(_USABLE)
    page.close()
    return milliseconds
