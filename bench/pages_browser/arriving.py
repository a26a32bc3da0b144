"""How soon a mail is a row of an inbox that somebody looks at: from its 250 until it is painted.

While it is measured, mails of other accounts keep the services at half of the load that they can
carry: as many as possible are sent first, which says how many that is (as `bench way --latency`
does). The inbox looks for what is new at most every 0.7 seconds; that wait is part of the figure.

A machine that runs browser, services and senders at once may not keep up with half of what it
carries without a browser. So everything has a limit, the report says how many mails of the load
waited at the end, and rows that did come are told even when a later one did not.
"""

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, localtime

from playwright.sync_api import Page

from bench.pages_browser.reader import PATIENCE
from bench.way.load import Load
from bench.way.run import Way, paced, watching
from bench.way.visible import Visible
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack
from dev.terminal import say
from shared.runtime.mistake import Mistake

USER = "Anna Berg <anna.berg@agency.example>"
CANDIDATES = tuple(
    f"{name} Rolan <{name.lower()}.rolan@mail.example>"
    for name in ("Tavi", "Ines", "Marek", "Yuki", "Sanna", "Pedro", "Oona", "Ravi", "Lotte", "Emre")
)
"""More than one, as a recruiter has them: a profile that gets all mails of an hour is long."""

_LOAD = Load(mails=1500, size=4000, accounts=8)
_SESSIONS, _WARM_MAILS, _BATCH = 20, 200, 500
_BEGIN_SECONDS, _PAUSE_SECONDS = 2.0, 0.3
_LONGEST_SECONDS = 900.0
"""For all rows together: no further mail is sent then."""
_TOLD_EVERY = 5
_HTML = """<table width="600" style="border:1px solid #dde3ea"><tr><td style="padding:24px">
<p>Hello,</p><p><b>Friday at ten</b> is fine.</p></td></tr></table>"""
_OBSERVE = """
() => {
  window.seenAt = {};
  const root = document.querySelector('satchel-inbox').shadowRoot;
  const note = () => {
    for (const subject of root.querySelectorAll('.row .subject')) {
      const words = subject.textContent;
      if (!words.startsWith('arriving ') || words in window.seenAt) continue;
      window.seenAt[words] = 0;
      requestAnimationFrame(() => { window.seenAt[words] = Date.now(); });
    }
  };
  new MutationObserver(note).observe(root, {childList: true, subtree: true, characterData: true});
}
"""

_SEEN = """
async ([words, patience]) => {
  const until = performance.now() + patience;
  while (!window.seenAt[words]) {
    if (performance.now() > until) return null;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  return window.seenAt[words];
}
"""


@dataclass(frozen=True, slots=True)
class Arriving:
    """Seconds from a 250 to the row."""

    asked: int
    """Mails that were to be followed."""
    mails: int = 0
    """Mails that became rows."""
    full_rate: float = 0.0
    """Mails a second that became visible, when as many as possible were sent."""
    rate: float = 0.0
    """Mails a second that became visible while rows were awaited."""
    waiting: int = 0
    """Mails of the load that had their 250 and were not visible, when the last row had come."""
    p50: float | None = None
    p95: float | None = None
    stopped: str = ""
    """Why it ended early, if it did."""


@dataclass(slots=True)
class Rows:
    """Mails that became rows."""

    waits: list[float]
    """How long each took, sorted."""
    stopped: str = ""
    """Why there are no more, if there should be."""

    def at(self, share: float) -> float | None:
        """Return the wait that so large a share of them did not exceed; None without any."""
        return self.waits[int(len(self.waits) * share)] if self.waits else None


def arriving(
    page: Page,
    send: Callable[[EmailMessage], None],
    mails: int,
    *,
    patience: float = PATIENCE,
    longest: float = _LONGEST_SECONDS,
    beside: Callable[[], str] = lambda: "nothing beside",
) -> Rows:
    """Send so many mails, one after the other; return how long each took to be a row.

    It ends when one is no row after `patience` seconds, and after the `longest` time for all.
    `beside` says, for the progress, what else goes on.
    """
    page.evaluate(_OBSERVE)
    rows = Rows([])
    begun = time.monotonic()
    for number in range(1, mails + 1):
        if time.monotonic() - begun > longest:
            rows.stopped = f"{number - 1} of {mails} mails took {longest:,.0f} s"
            break
        subject = f"arriving {secrets.token_hex(6)}"
        send(written(subject))
        accepted = time.time()
        seen: float | None = page.evaluate(_SEEN, [subject, patience * 1000])
        if seen is None:
            rows.stopped = f"mail {number} of {mails} was no row after {patience:,.0f} s"
            break
        rows.waits.append(seen / 1000 - accepted)
        if number % _TOLD_EVERY == 0 or number == mails:
            say(f"row {number} of {mails} after {rows.waits[-1]:.2f} s; {beside()}")
        time.sleep(_PAUSE_SECONDS)
    rows.waits.sort()
    return rows


def arriving_under_load(
    stack: Stack,
    page: Page,
    send: Callable[[EmailMessage], None],
    mails: int,
    *,
    load: int = _LOAD.mails,
) -> Arriving:
    """Return how soon mails were rows while the stack was at half of its load.

    `load` mails, as many as possible, tell how much the whole of it is.
    """
    with watching(stack) as visible:
        way = Way(stack, _LOAD, _SESSIONS, visible)
        try:
            way.send(min(_WARM_MAILS, load), "warm")
            started, receipts = way.send(load, "full")
        except (TimeoutError, Mistake) as error:
            return Arriving(mails, stopped=f"the load could not be measured: {error}")
        full = load / (way.waits(receipts).last - started)
        say(f"the stack carries {full:.1f} mails a second: {full / 2:.1f} go on")
        with _loading(stack, way, full / 2) as ledger:
            time.sleep(_BEGIN_SECONDS)
            before, begun = len(visible.seen), time.monotonic()

            def rate() -> float:
                return (len(visible.seen) - before) / (time.monotonic() - begun)

            rows = arriving(
                page,
                send,
                mails,
                beside=lambda: f"{rate():.1f} visible a second, {waiting_of(ledger, visible)} wait",
            )
            reached, waiting = rate(), waiting_of(ledger, visible)
        _settled(ledger, visible)
    return Arriving(
        asked=mails,
        mails=len(rows.waits),
        full_rate=full,
        rate=reached,
        waiting=waiting,
        p50=rows.at(0.5),
        p95=rows.at(0.95),
        stopped=rows.stopped,
    )


def waiting_of(ledger: Ledger, visible: Visible) -> int:
    """Return how many mails have their 250 and are not visible."""
    receipts = list(ledger.receipts)
    return sum(receipt.capture_id not in visible.seen for receipt in receipts)


def _settled(ledger: Ledger, visible: Visible) -> None:
    """Wait until what was accepted is visible, so that it is no load for what is measured next."""
    deadline = time.monotonic() + PATIENCE
    while (waiting := waiting_of(ledger, visible)) and time.monotonic() < deadline:
        say(f"{waiting} mails of the load are on their way still")
        time.sleep(1)


@contextmanager
def _loading(stack: Stack, way: Way, rate: float) -> Iterator[Ledger]:
    """Send so many mails a second until the end; give what was accepted."""
    over, ledger = threading.Event(), Ledger()

    def letters() -> Iterator[Letter]:
        for batch in itertools.count():
            for letter in way.letters(_BATCH, f"half{batch}"):
                if over.is_set():
                    return
                yield letter

    ports = [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")]
    senders = Senders(paced(letters(), rate), ledger, ports, sessions=_SESSIONS)
    senders.start()
    try:
        yield ledger
    finally:
        over.set()
        senders.finish()
        senders.wait(PATIENCE)


def written(subject: str, number: int = 0) -> EmailMessage:
    """Return a mail of a candidate to the reader; the next number is the next candidate."""
    message = EmailMessage()
    message["From"], message["To"] = CANDIDATES[number % len(CANDIDATES)], USER
    message["Subject"] = subject
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{secrets.token_hex(12)}@bench.example>"
    message.set_content("Hello,\n\nFriday at ten is fine.\n\nThanks\n")
    message.add_alternative(_HTML, subtype="html")
    return message
