"""How soon a mail is a row of an inbox that somebody looks at: from its 250 until it is painted.

While it is measured, mails of other accounts keep the services at half of the load that they can
carry: as many as possible are sent first, which says how many that is (as `bench way --latency`
does). The inbox looks for what is new at most every 0.7 seconds; that wait is part of the figure.
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
from dev.ledger import Ledger, Letter
from dev.senders import Senders
from dev.stack import Stack

USER = "Anna Berg <anna.berg@agency.example>"
CANDIDATE = "Tavi Rolan <tavi.rolan@mail.example>"

_LOAD = Load(mails=1500, size=4000, accounts=8)
_SESSIONS, _WARM_MAILS, _BATCH = 20, 200, 500
_BEGIN_SECONDS, _PAUSE_SECONDS = 2.0, 0.3
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
async words => {
  while (!window.seenAt[words]) await new Promise(resolve => setTimeout(resolve, 5));
  return window.seenAt[words];
}
"""


@dataclass(frozen=True, slots=True)
class Arriving:
    """Seconds from a 250 to the row."""

    mails: int
    full_rate: float
    """Mails a second that became visible, when as many as possible were sent."""
    rate: float
    """Mails a second that became visible while rows were awaited."""
    p50: float
    p95: float


def arriving(page: Page, send: Callable[[EmailMessage], None], mails: int) -> list[float]:
    """Send so many mails, one after the other; return how long each took to be a row, sorted."""
    page.evaluate(_OBSERVE)
    waits: list[float] = []
    for _ in range(mails):
        subject = f"arriving {secrets.token_hex(6)}"
        message = written(subject)
        send(message)
        accepted = time.time()
        waits.append(page.evaluate(_SEEN, subject) / 1000 - accepted)
        time.sleep(_PAUSE_SECONDS)
    return sorted(waits)


def arriving_under_load(
    stack: Stack, page: Page, send: Callable[[EmailMessage], None], mails: int
) -> Arriving:
    """Return how soon mails were rows while the stack was at half of its load."""
    with watching(stack) as visible:
        way = Way(stack, _LOAD, _SESSIONS, visible)
        way.send(_WARM_MAILS, "warm")
        started, receipts = way.send(_LOAD.mails, "full")
        full = _LOAD.mails / (way.waits(receipts).last - started)
        with _loading(stack, way, full / 2):
            time.sleep(_BEGIN_SECONDS)
            before, begun = len(visible.seen), time.monotonic()
            waits = arriving(page, send, mails)
            rate = (len(visible.seen) - before) / (time.monotonic() - begun)
    return Arriving(
        mails=mails,
        full_rate=full,
        rate=rate,
        p50=waits[len(waits) // 2],
        p95=waits[int(len(waits) * 0.95)],
    )


@contextmanager
def _loading(stack: Stack, way: Way, rate: float) -> Iterator[None]:
    """Send so many mails a second until the end."""
    over = threading.Event()

    def letters() -> Iterator[Letter]:
        for batch in itertools.count():
            for letter in way.letters(_BATCH, f"half{batch}"):
                if over.is_set():
                    return
                yield letter

    ports = [replica.ports["INGEST_SMTP_PORT"] for replica in stack.of("ingest")]
    senders = Senders(paced(letters(), rate), Ledger(), ports, sessions=_SESSIONS)
    senders.start()
    try:
        yield
    finally:
        over.set()
        senders.wait(PATIENCE)


def written(subject: str) -> EmailMessage:
    """Return a mail of a candidate to the reader."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = CANDIDATE, USER, subject
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{secrets.token_hex(12)}@bench.example>"
    message.set_content("Hello,\n\nFriday at ten is fine.\n\nThanks\n")
    message.add_alternative(_HTML, subtype="html")
    return message
