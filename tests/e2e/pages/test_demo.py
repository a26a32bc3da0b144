"""`make demo` on a terminal, for a recruiter who is given its link and no text."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.generate import ROOT
from dev.pages import build
from tests.deadline import DEADLINE, eventually
from tests.e2e.pages.site import barriers, open_row, row, rows, saved

_LINK = re.compile(r"\S*://\S*")


class Terminal:
    """A program that believes it has a person before it."""

    def __init__(self, *words: str) -> None:
        self._end, other = pty.openpty()
        self.process = subprocess.Popen(
            words, cwd=ROOT, stdin=other, stdout=other, stderr=other, start_new_session=True
        )
        os.close(other)
        self.shown = ""
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._end, 65536)
            except OSError:  # a terminal whose program has ended
                return
            self.shown += data.decode(errors="replace")

    def stop(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(DEADLINE)
        finally:
            self.process.kill()
        self._reading.join(DEADLINE)
        os.close(self._end)
        return code


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    """A demo that has said where it is."""
    build()
    terminal = Terminal(sys.executable, "-m", "dev.demo")
    try:
        eventually(lambda: "Ctrl-C stops" in terminal.shown or terminal.process.poll() is not None)
        yield terminal
    finally:
        assert terminal.stop() == 0, terminal.shown[-2000:]


@pytest.fixture
def page(terminal: Terminal, chromium: Browser) -> Iterator[Page]:
    """What the one link opens."""
    [link] = set(_LINK.findall(terminal.shown.partition("All of it is as it must be.")[2]))
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(DEADLINE * 1000)
    page = context.new_page()
    page.goto(link)
    yield page
    context.close()


def test_a_candidates_last_answer_and_cv_are_found_and_explained(
    page: Page, tmp_path: Path
) -> None:
    expect(rows(page)).to_have_count(8)
    page.get_by_role("combobox").first.fill("amina")
    page.get_by_role("option").filter(has_text="Amina Diallo").click()
    open_row(page, "My CV is attached")
    conversation = page.locator(".conversation")
    expect(conversation.get_by_text("Friday at ten").first).to_be_visible()
    name, content = saved(page, conversation.get_by_text("Amina Diallo CV.pdf"), tmp_path)
    assert (name, content[:5]) == ("Amina Diallo CV.pdf", b"%PDF-")
    conversation.get_by_role("button", name="Why is this here?").first.click()
    why = page.get_by_role("region", name="Why is this here?")
    expect(why).to_contain_text("amina@work.example (From) belongs to Amina Diallo.")
    page.locator(".profiles .chip").first.click()
    expect(page.locator("satchel-timeline .entry")).to_have_count(5)


def test_a_mail_that_was_held_back_is_released(page: Page) -> None:
    page.get_by_role("link", name="1 held back").click()
    page.get_by_role("button", name="Quarantine").click()
    page.get_by_role("button", name="Release to the inbox").click()
    page.get_by_role("button", name="Open the inbox").click()
    open_row(page, "New bank details")
    expect(page.locator(".conversation")).to_contain_text("May be forged")


def test_an_unfinished_set_up_is_finished(page: Page) -> None:
    page.get_by_role("link", name="Set-up").click()
    expect(page.get_by_text("Everything works.")).to_be_visible()
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("button", name="Switch to Lena Brandt").click()
    expect(page.locator(".question")).to_contain_text("Gmail asks for your confirmation")
    assert barriers(page) == []
    page.get_by_role("button", name="Send a test email").click()
    expect(page.get_by_text("Receiving works.")).to_be_visible()
    expect(page.get_by_role("button", name="Send another test email")).to_have_count(0)
    expect(page.get_by_text("Everything works.")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("link", name="Inbox").click()
    expect(row(page, "A role in Rotterdam")).to_be_visible()
