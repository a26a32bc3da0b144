"""Sign-in by OpenID Connect at a real provider, and what the pages keep of it."""

import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dev.local_http import get
from dev.ports import free_port
from dev.process import Process
from dev.stack import Stack
from tests.deadline import DEADLINE

PROVIDER = Path(__file__).with_name("provider.mjs")


@dataclass(frozen=True, slots=True)
class SigningIn:
    """A timeline whose readers sign in at a provider."""

    origin: str
    issuer: str


@pytest.fixture(scope="module")
def signing_in(pages_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SigningIn]:
    """A second replica of the timeline, and the provider that it trusts."""
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
    replica = pages_stack.add("timeline", 1)
    issuer_port = free_port()
    here = SigningIn(f"http://127.0.0.1:{replica.http_port}", f"http://127.0.0.1:{issuer_port}")
    provider = Process(
        [node, PROVIDER, str(issuer_port), f"{here.origin}/app/"],
        log=tmp_path_factory.mktemp("provider") / "provider.log",
    )
    provider.start()
    try:
        await_provider(here.issuer, provider)
        settings = {
            "TOKEN_ISSUER": here.issuer,
            "TOKEN_JWKS_URL": f"{here.issuer}/jwks",
            "TOKEN_ACCOUNT_CLAIM": "org",
            "SIGN_IN_CLIENT_ID": "satchel-pages",
            "SIGN_IN_RESOURCE": "urn:satchel:api",
        }
        pages_stack.restart(replica, settings)
        yield here
    finally:
        replica.process.stop()
        pages_stack.replicas.remove(replica)
        provider.stop()


def await_provider(issuer: str, provider: Process) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            if get(f"{issuer}/.well-known/openid-configuration").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert provider.alive, provider.tail()
        assert time.monotonic() < deadline, provider.tail()
        time.sleep(0.05)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(DEADLINE * 1000)
    yield context
    context.close()


def sign_in(page: Page, person: str) -> None:
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=login]").fill(person)
    page.locator("input[name=password]").fill("anything")
    page.get_by_role("button").first.click()
    page.get_by_role("button", name="Continue").click()


def test_a_reader_signs_in_and_is_where_they_wanted_to_be(
    signing_in: SigningIn, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{signing_in.origin}/app/account/settings")
    sign_in(page, "nora")
    expect(page).to_have_url(f"{signing_in.origin}/app/account/settings")
    expect(page.get_by_text("Who sees which email?")).to_be_visible()
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_text("No email yet")).to_be_visible()
    page.get_by_role("button", name="Appearance").click()
    expect(page.get_by_text("Signed in as nora · signedin")).to_be_visible()
    stored = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage)]")
    assert stored == ["{}", "{}"]
    assert [c for c in context.cookies() if c["value"].startswith("ey")] == []
    # After a reload the provider, which knows the reader still, is asked again.
    page.reload()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No email yet")).to_be_visible()


def test_an_unrequested_answer_does_not_sign_in(
    signing_in: SigningIn, context: BrowserContext
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{signing_in.origin}/app/?code=stolen&state=guessed")
    expect(page.get_by_role("alert")).to_contain_text("Signing in did not work")
    expect(page).to_have_url(re.compile(r"/app/$"))
    assert [url for url in asked if url.startswith(signing_in.issuer)] == []


def test_a_provider_that_refuses_leaves_a_way_to_try_again(
    signing_in: SigningIn, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{signing_in.origin}/app/")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=re.compile("Cancel", re.I)).click()
    expect(page.get_by_role("alert")).to_contain_text("Signing in did not work")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
