"""A running stack with its pages, and a browser before it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from dev.client import Client
from dev.generate import ROOT
from dev.stack import Stack
from shared.http.auth import sign
from tests.deadline import DEADLINE
from tests.e2e.pages.mails import PEOPLE

SCOPES = "directory:write mail:write timeline:read timeline:write account:write ops"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
ROW = "satchel-inbox .row"
_AXE = """
async () => {
  const found = await axe.run(document, {
    iframes: false, resultTypes: ['violations'], rules: {'target-size': {enabled: true}}
  });
  return found.violations.map(one => `${one.id}: ${one.nodes.map(n => n.html).join(' | ')}`);
}
"""


@dataclass
class Seen:
    """What a page did that it should not have done."""

    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    """Requests to anywhere else."""


class Site:
    """The pages of one account."""

    def __init__(self, stack: Stack, origin: str, browser: Browser, account: str) -> None:
        self.stack, self.browser, self.account = stack, browser, account
        self.client = self.client_of("u1")
        for person, (kind, name, addresses) in PEOPLE.items():
            self.client.put_person(person, kind, name, addresses)
        self.capture = self.client.mint("u1")
        self.origin = origin
        self.sent = 0

    def client_of(self, person: str) -> Client:
        """Return a client for a person of the account."""
        secret = self.stack.token_secret
        return Client(
            self.stack.endpoints, secret, account=self.account, person=person, scope=SCOPES
        )

    def send(self, *mails: EmailMessage, capture: str | None = None) -> None:
        """Send mails by SMTP, and wait until the timeline has them."""
        for mail in mails:
            self.post(mail, capture=capture)
        self.client.await_captures(self.sent)

    def post(self, mail: EmailMessage, *, capture: str | None = None) -> None:
        """Send a mail by SMTP, and wait for nothing."""
        self.client.send("envelope@x.example", [capture or self.capture], mail.as_bytes())
        self.sent += 1

    def token(self, scope: str = SCOPES, *, person: str = "u1", seconds: int = 24 * 3600) -> str:
        """Return a token."""
        return sign(
            self.stack.token_secret,
            issuer=self.stack.token_issuer,
            account=self.account,
            person_id=person,
            scope=scope,
            expires_at=int(time.time()) + seconds,
        )

    def url(self, path: str = "", token: str | None = None) -> str:
        """Return the address of a page, with a token."""
        return f"{self.origin}/app/{path}#token={token or self.token()}"

    @contextmanager
    def page(
        self, url: str | None = None, *, width: int = 1280, height: int = 800, **options: Any
    ) -> Iterator[Page]:
        """Open a page in a context of its own; it must not fail, nor ask anybody else."""
        seen = Seen()
        context: BrowserContext = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale=options.pop("locale", "en-GB"),
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(DEADLINE * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: _note(seen, request.url, self.origin))
        page.goto(url or self.url())
        try:
            yield page
        finally:
            context.close()
        assert seen.errors == []
        assert seen.strangers == []


def _note(seen: Seen, url: str, origin: str) -> None:
    if not url.startswith((f"{origin}/", "data:", "blob:", "about:")):
        seen.strangers.append(url)


def rows(page: Page) -> Locator:
    """Return the rows of the inbox."""
    return page.locator(ROW)


def row(page: Page, words: str) -> Locator:
    """Return the row with these words."""
    return rows(page).filter(has_text=words)


def open_row(page: Page, words: str) -> None:
    """Open a conversation, and wait for its mail."""
    row(page, words).locator(".row-open").click()
    expect(page.locator(f"{ROW}[data-chosen=true]").filter(has_text=words)).to_have_count(1)
    expect(page.locator(".conversation .mail[data-open=true] .body").first).to_be_visible()


def barriers(page: Page) -> list[str]:
    """Return what axe finds; its code is put in past the policy of the page."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_AXE)
    return found


def answered(page: Page, pattern: str, body: object, status: int = 200) -> None:
    """Let the page get this answer."""
    kind = "application/problem+json" if status >= 400 else "application/json"
    page.route(
        pattern,
        lambda route: route.fulfill(status=status, body=json.dumps(body), content_type=kind),
    )


def saved(page: Page, button: Locator, folder: Path) -> tuple[str, bytes]:
    """Return the name and the bytes of what a button saves."""
    with page.expect_download() as waiting:
        button.click()
    file = folder / "saved"
    waiting.value.save_as(file)
    return waiting.value.suggested_filename, file.read_bytes()
