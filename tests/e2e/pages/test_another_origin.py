"""Satchel in a page of another origin: its elements, a frame, and who may show neither.

The page of `docs/embedding.md` is run as it stands there, under the policy that it asks for.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, expect

from dev.gateway import Gateway
from dev.generate import ROOT
from dev.ports import free_port
from dev.stack import Stack
from tests.deadline import DEADLINE
from tests.e2e.pages.host import Host
from tests.e2e.pages.mails import AMINA, HOSTILE, MEI, NORA, mail
from tests.e2e.pages.site import Site, barriers

DOCUMENT = (ROOT / "docs" / "embedding.md").read_text()
ELEMENTS = """<!doctype html><html lang="en"><title>Host</title>
<link rel="icon" href="data:,"><body><main><h1>Candidate</h1>
<satchel-timeline person="c3" style="display:block;height:500px"></satchel-timeline>
<satchel-inbox style="display:block;height:700px"></satchel-inbox>
<satchel-setup></satchel-setup></main>
<script type="module" src="/host.js"></script>"""
SCRIPT = """import "{origin}/app/satchel.js";
window.told = [];
for (const name of ["satchel-open", "satchel-unread", "satchel-back"])
  addEventListener(name, event => window.told.push([name, event.detail]));
const source = async () => (await fetch("/satchel-token", {{ method: "POST" }})).text();
for (const name of ["satchel-timeline", "satchel-inbox", "satchel-setup"])
  document.querySelector(name).token = source;
document.documentElement.style.setProperty("--satchel-accent", "rgb(122, 62, 157)");
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with Host(free_port()) as host:
        yield host


@pytest.fixture(scope="module")
def stranger() -> Iterator[Host]:
    """A page that no setting names."""
    with Host(free_port()) as stranger:
        yield stranger


@pytest.fixture(scope="module")
def open_to_host(pages_stack: Stack, host: Host) -> Iterator[str]:
    """The origin of replicas that let the host embed."""
    settings = {"CORS_ORIGINS": host.origin, "EMBED_ORIGINS": host.origin}
    replicas = [pages_stack.add(service, 1) for service in ("matcher", "timeline")]
    for replica in replicas:
        pages_stack.restart(replica, settings)
    ports = {one.service: one.http_port for one in replicas}
    with Gateway(free_port(), pages_stack.http_ports | ports) as gateway:
        yield gateway.origin
    for replica in replicas:
        replica.process.stop()
        pages_stack.replicas.remove(replica)


@pytest.fixture
def embedded(pages_stack: Stack, open_to_host: str, chromium: Browser) -> Iterator[Site]:
    site = Site(pages_stack, open_to_host, chromium, f"embedded{time.monotonic_ns()}")
    yield site
    site.client.close()


@contextmanager
def browsing(browser: Browser, seen: list[Request]) -> Iterator[Page]:
    """Open a page; notes what it asks for."""
    context: BrowserContext = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(DEADLINE * 1000)
    page = context.new_page()
    page.on("request", lambda request: seen.append(request))
    yield page
    context.close()


def allowed_by(policy_for: str) -> str:
    """Return the policy that the document says a host's page must have."""
    [table] = re.findall(r"## What your page must allow\n\n(.+?)\n\n", DOCUMENT, re.DOTALL)
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", table, re.MULTILINE)
    assert len(rows) == 5
    needed = {name: needs.replace("Satchel's origin", policy_for) for name, needs in rows}
    own = {"script-src": "'self'", "connect-src": "'self'", "style-src": "'self'"}
    rules = [f"{one} {own.get(one, '')} {what.replace('`', '')}" for one, what in needed.items()]
    return "; ".join(["default-src 'none'", *rules])


def test_the_document_runs_as_it_stands(embedded: Site, host: Host, chromium: Browser) -> None:
    embedded.send(mail("d1", AMINA, NORA, "As documented", "x"))
    [snippet] = re.findall(r"```html\n(.+?)```", DOCUMENT, re.DOTALL)
    assert "https://satchel.example/" in snippet
    html = snippet.replace("https://satchel.example", embedded.origin)
    host.token = lambda: embedded.token("timeline:read")
    with browsing(chromium, []) as page:
        # The reader had Satchel's own app open before: what their browser kept of it serves both.
        page.goto(embedded.url())
        expect(page.locator("satchel-inbox .row")).to_have_count(1)
        page.goto(host.page("/documented", html))
        expect(page.locator("satchel-timeline")).to_contain_text("As documented")


def test_elements_share_a_stream_take_a_theme_and_tell_what_happens(
    embedded: Site, host: Host, chromium: Browser
) -> None:
    embedded.send(
        mail("h1", MEI, NORA, "Please look at this", "What a hostile mail says.", html=HOSTILE)
    )
    host.script("/host.js", SCRIPT.format(origin=embedded.origin))
    tokens = [embedded.token(seconds=-60)]  # the first has expired already
    host.token = lambda: tokens.pop() if tokens else embedded.token("timeline:read")
    host.tokens_given = 0
    seen: list[Request] = []
    refused: list[str] = []
    streams: list[int] = []

    def note(answer: Response) -> None:
        if answer.url.endswith("/v1/events") and answer.status != 401:
            streams.append(answer.status)

    with browsing(chromium, seen) as page:
        page.on("response", note)
        page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
        page.goto(host.page("/elements", ELEMENTS, policy=allowed_by(embedded.origin)))
        inbox, timeline = page.locator("satchel-inbox"), page.locator("satchel-timeline")
        expect(inbox.locator(".row")).to_have_count(1)
        expect(timeline.locator(".entry")).to_have_count(1)
        expect(page.locator("satchel-setup .address code")).to_have_text(embedded.capture)
        assert host.tokens_given == 2, "the elements share a session, and its token"
        number = page.locator("satchel-setup .step .number").last
        expect(number).to_have_css("color", "rgb(122, 62, 157)")

        inbox.locator(".row-open").click()
        body = inbox.frame_locator("iframe").get_by_text("What a hostile mail says.")
        expect(body).to_be_visible()
        timeline.locator(".mail .head").click()
        expect(timeline.frame_locator("iframe").get_by_text("What a hostile")).to_be_visible()
        assert page.title() == "Host"
        assert page.url == f"{host.origin}/elements"
        overlay = inbox.frame_locator("iframe").get_by_text("overlay")
        assert overlay.evaluate("e => getComputedStyle(e).position") == "static"
        origins = {"/".join(one.url.split("/")[:3]) for one in seen if "://" in one.url}
        assert origins == {host.origin, embedded.origin}
        assert streams == [200]

        embedded.post(mail("h2", AMINA, NORA, "While it is open", "x", hours_ago=0.5))
        expect(inbox.locator(".row")).to_have_count(2)
        opened = page.evaluate("window.told.filter(([name]) => name === 'satchel-open').length")
        assert opened == 1
        page.wait_for_function(
            "window.told.some(([name, what]) => name === 'satchel-unread' && what.unread === 1)"
        )
        found = [one for one in barriers(page) if not one.startswith("heading-order")]
        assert found == []
        ours = [said for said in refused if "Content Security Policy" in said]
        assert ours == [], "the document names all that a host has to allow"


def test_the_app_is_shown_in_a_frame_of_who_is_named_alone(
    embedded: Site, host: Host, stranger: Host, chromium: Browser
) -> None:
    embedded.send(mail("f1", AMINA, NORA, "In a frame", "x"))
    token = embedded.token("timeline:read")
    html = (
        f'<!doctype html><title>Host</title><iframe src="{embedded.origin}/app/people/c1'
        f'#token={token}" width="900" height="700"></iframe>'
    )
    with browsing(chromium, []) as page:
        page.goto(host.page("/frame", html))
        frame = page.frame_locator("iframe")
        expect(frame.locator("satchel-timeline .entry")).to_have_count(1)
        with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
            page.goto(stranger.page("/frame", html))
        expect(frame.locator("satchel-timeline")).to_have_count(0)


def test_who_is_not_named_gets_neither_the_elements_nor_the_mail(
    embedded: Site, stranger: Host, chromium: Browser
) -> None:
    token = embedded.token("timeline:read")
    asked = f"""async () => {{
      const module = await import("{embedded.origin}/app/satchel.js").then(() => true, () => false);
      const ask = (path) => fetch("{embedded.origin}" + path,
        {{ headers: {{ Authorization: "Bearer {token}" }} }}).then(() => true, () => false);
      return [module, await ask("/v1/inbox"), await ask("/v1/setup/guides")];
    }}"""
    with browsing(chromium, []) as page:
        page.goto(stranger.page("/", "<!doctype html><title>Stranger</title>"))
        assert page.evaluate(asked) == [False, False, False]
