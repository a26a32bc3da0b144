"""What it takes to scroll through thousands of rows: nodes of the document, and time for a row.

The page is scrolled half a window at a time, as a wheel does it, and goes on once all rows in sight
have come. Time is told twice: by the clock, with the answers of the API in it, and as what the
page's own thread worked, which is what grows when a list is not virtual.
"""

import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

_SAMPLE = 100
"""Rows that are timed together."""
_SCROLL = """
async ([from, to]) => {
  const root = document.querySelector('satchel-inbox').shadowRoot;
  const scroller = root.querySelector('.scroller');
  const height = root.querySelector('li').offsetHeight;
  const frame = () => new Promise(resolve => requestAnimationFrame(resolve));
  const inSight = Math.ceil(scroller.clientHeight / height);
  const step = Math.max(1, Math.floor(inSight / 2));
  const shows = place => root.querySelector(`li[data-place="${place}"] .row`) !== null;
  let most = 0;
  for (let place = from; place < to; place += step) {
    const until = performance.now() + 120000;
    do {
      scroller.scrollTop = place * height;
      await frame();
      if (performance.now() > until) throw new Error(`row ${place} did not come`);
    } while (!shows(place) || root.querySelector('.scroller > ul .skeleton-row'));
    most = Math.max(most, root.querySelectorAll('*').length);
  }
  return most;
}
"""


@dataclass(frozen=True, slots=True)
class Scrolling:
    """Milliseconds for a row of the first hundred, and for one of the last."""

    rows: int
    most_nodes: int
    first_clock: float
    last_clock: float
    first_work: float
    last_work: float

    @property
    def clock_ratio(self) -> float:
        """How many times as long a row takes at the end, by the clock."""
        return self.last_clock / self.first_clock

    @property
    def work_ratio(self) -> float:
        """How many times as much the page works for a row at the end."""
        return self.last_work / self.first_work


def scroll(page: Page, rows: int) -> Scrolling:
    """Scroll an open inbox through so many rows."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    samples: list[tuple[float, float]] = []
    most = 0
    for begin in range(0, rows, _SAMPLE):
        clock, work = _now(session)
        most = max(most, page.evaluate(_SCROLL, [begin, begin + _SAMPLE]))
        later, worked = _now(session)
        samples.append(((later - clock) / _SAMPLE, (worked - work) / _SAMPLE))
    session.detach()
    last = samples[-max(1, len(samples) // 10) :]  # the last tenth, since one alone is noise
    return Scrolling(
        rows=rows,
        most_nodes=most,
        first_clock=samples[0][0],
        last_clock=sum(clock for clock, _ in last) / len(last),
        first_work=samples[0][1],
        last_work=sum(work for _, work in last) / len(last),
    )


def _now(session: CDPSession) -> tuple[float, float]:
    """Return the clock, and what the page's thread has worked, in milliseconds."""
    told: dict[str, Any] = session.send("Performance.getMetrics")
    metrics = {one["name"]: one["value"] for one in told["metrics"]}
    return time.monotonic() * 1000, metrics["TaskDuration"] * 1000
