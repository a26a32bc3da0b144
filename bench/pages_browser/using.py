"""What the pages keep of an hour's use: the heap and the document at its start, middle and end.

A round stands for a minute of a reader who never reloads, so 60 of them for an hour: two mails
arrive, both are opened; the list is scrolled two windows down and back; a word is searched for and
the search removed; the candidate's profile, the set-up and the account are visited. What a page
still holds after the garbage was collected is compared between the middle of the hour and its end:
what is kept for a reason (code, the first lists, pages of the list) is there by the middle. The
start is after two rounds that are not counted, which bring all of the code.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from playwright.sync_api import Error, Page

from bench.pages_browser.arriving import written
from bench.pages_browser.reader import ROW
from dev.terminal import say

_WORDS = ("candidate", "friday", "thanks")
_WARM_ROUNDS, _TOLD_EVERY = 2, 5
_SCROLLED, _ASIDE = 1200, 2
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """What a page holds after its garbage was collected."""

    round: int
    heap: float
    """MiB."""
    nodes: int
    listeners: int


@dataclass(frozen=True, slots=True)
class Use:
    """After the first rounds, in the middle, and at the end; less when it stopped early."""

    rounds: int
    held: tuple[Held, ...]
    stopped: str = ""
    """Why it ended early, if it did."""

    @property
    def growth(self) -> float:
        """The heap at the end, in heaps of the middle."""
        return self.held[2].heap / self.held[1].heap

    @property
    def growth_of_nodes(self) -> float:
        """The nodes at the end, in nodes of the middle."""
        return self.held[2].nodes / self.held[1].nodes


def use(page: Page, send: Callable[[EmailMessage], None], rounds: int) -> Use:
    """Use an open inbox for so many rounds."""
    held: list[Held] = []
    number = -_WARM_ROUNDS
    try:
        while True:
            if number in (0, rounds // 2, rounds):
                held.append(_held(page, number))
            if number == rounds:
                return Use(rounds, tuple(held))
            _round(page, send, number)
            number += 1
            if number % _TOLD_EVERY == 0:
                say(f"{number} of {rounds} rounds of use")
    except Error as error:
        why = str(error).partition("\n")[0]
        return Use(rounds, tuple(held), f"round {number + 1} of {rounds} did not end: {why}")


def _round(page: Page, send: Callable[[EmailMessage], None], number: int) -> None:
    for _ in range(2):
        subject = f"round {secrets.token_hex(5)}"
        send(written(subject, number))
        row = page.locator(ROW).filter(has_text=subject)
        waiting = page.locator(".rows > .new")  # it does not move rows under the pointer
        row.or_(waiting).first.wait_for()
        if waiting.is_visible():
            waiting.click()
        row.locator(".row-open").click()
        page.mouse.move(_ASIDE, _ASIDE)
        page.locator(".conversation h2").filter(has_text=subject).wait_for()
        page.locator(".conversation .mail[data-open=true] .body").wait_for()
    scroller = page.locator("satchel-inbox .scroller")
    for top in (_SCROLLED, 2 * _SCROLLED, 0):
        scroller.evaluate("(element, top) => element.scrollTop = top", top)
        page.wait_for_timeout(50)
    field = page.get_by_role("combobox")
    field.fill(_WORDS[number % len(_WORDS)])
    field.press("Enter")
    page.wait_for_timeout(300)
    field.fill("")
    field.press("Enter")
    page.locator(ROW).first.wait_for()
    page.locator(".profiles .chip").first.click()
    page.locator("satchel-timeline .entry").first.wait_for()
    for name in ("Set-up", "Account", "Inbox"):
        page.get_by_role("link", name=name).click()
        page.wait_for_timeout(100)
    page.locator(ROW).first.wait_for()


def _held(page: Page, number: int) -> Held:
    session = page.context.new_cdp_session(page)
    for _ in range(3):  # what finalizers let go of is collected by the next one
        session.send("HeapProfiler.collectGarbage")
    heap: dict[str, Any] = session.send("Runtime.getHeapUsage")
    counted: dict[str, Any] = session.send("Memory.getDOMCounters")
    session.detach()
    return Held(number, heap["usedSize"] / _MIB, counted["nodes"], counted["jsEventListeners"])
