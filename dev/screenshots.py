"""`make screenshots`: pictures of every page and state, from a running demo, in a real browser.

They go to `.satchel/screenshots`, at 360, 1,280 and 2,560 pixels and in both themes;
`index.html` beside them shows all. `ARGS="--only setup,menu"` takes those with one of these in
their names, `ARGS="--docs"` writes the two of the README as well.
"""

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from dev.browser import chromium
from dev.client import Client
from dev.demo import play
from dev.demo_dns import Signer, demo_dns
from dev.gateway import Gateway
from dev.generate import ROOT
from dev.page_states import EMPTY, FULL, NEWEST, NORA, STATES, State
from dev.pages import build
from dev.ports import free_port
from dev.sign_in import PAGES_SCOPES
from dev.stack import Stack, own_databases
from dev.terminal import command, say
from shared.http.auth import sign
from shared.runtime.mistake import Mistake

FOLDER = ROOT / ".satchel" / "screenshots"
SIZES = ((360, 740), (1280, 800), (2560, 1440))
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
README = {"conversation-html-1280-light": "inbox.png", "setup-unfinished-1280-light": "setup.png"}
_IMAGES = ROOT / "docs" / "images"
_PATIENCE = 60_000


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures of a stack's pages."""

    stack: Stack
    origin: str
    browser: Browser

    def take(self, state: State) -> Iterator[Path]:
        """Take all pictures of a state."""
        with self._page(state) as page:
            page.mouse.move(1, 1)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                    page.wait_for_timeout(150)  # what measures itself has done so
                    path = FOLDER / f"{state.name}-{width}-{theme}.png"
                    page.screenshot(path=path, animations="disabled", caret="hide")
                    yield path

    @contextmanager
    def _page(self, state: State) -> Iterator[Page]:
        """Open a page in a wide window, and bring it into the state."""
        width, height = SIZES[1]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale=state.language,
            timezone_id="Europe/Berlin",
            reduced_motion="reduce",
        )
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        state.show(page, self.origin, token_of(state, self.stack))
        yield page
        page.unroute_all(behavior="ignoreErrors")  # some answers are never given
        context.close()


def token_of(state: State, stack: Stack) -> str | None:
    """Return the token that the state's reader has."""
    if state.person is None:
        return None
    return sign(
        stack.token_secret,
        issuer=stack.token_issuer,
        account=state.account,
        person_id=state.person,
        scope=state.scope or PAGES_SCOPES,
        expires_at=int(time.time()) + (-3600 if state.expired else 24 * 3600),
    )


def screenshots() -> int:
    """Take them."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", default="", help="states with one of these in their names")
    parser.add_argument("--docs", action="store_true", help="write those of the README, too")
    given = parser.parse_args()
    words = given.only.split(",")
    states = [state for state in STATES if any(word in state.name for word in words)]
    if not states:
        raise Mistake(f"no state has {given.only!r} in its name")
    build()
    FOLDER.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    with _demo() as (stack, origin), chromium() as browser:
        camera = Camera(stack, origin, browser)
        for number, state in enumerate(states, start=1):
            say(f"{number} of {len(states)}: {state.name}")
            try:
                taken = list(camera.take(state))
            except Exception as error:  # the others can still be looked at
                failed.append(f"{state.name}: {str(error).splitlines()[0]}")
                continue
            if given.docs:
                _keep(taken)
    (FOLDER / "index.html").write_text(_index())
    say(f"pictures are in {FOLDER}; index.html shows all")
    for one in failed:
        say(f"make screenshots: {one}")
    return 1 if failed else 0


@contextmanager
def _demo() -> Iterator[tuple[Stack, str]]:
    """Run the demo's week, and an account that has nothing yet."""
    signer = Signer()
    with (
        tempfile.TemporaryDirectory(prefix="satchel-pictures-") as folder,
        demo_dns(signer) as authenticating,
        Stack(Path(folder), environment=own_databases() | authenticating, say=say) as stack,
        Gateway(free_port(), stack.http_ports) as gateway,
    ):
        fill(stack, signer)
        yield stack, gateway.origin


def fill(stack: Stack, signer: Signer | None) -> None:
    """Play the demo's week, and make an account without mail and a user without an address."""
    with contextlib.redirect_stdout(io.StringIO()):
        code = play(stack, signer)
    if code:
        raise Mistake("the demo did not become what it should")
    for account, person, name in ((EMPTY, NORA, "Nora Keller"), (FULL, NEWEST, "Tom Peters")):
        client = Client(stack.endpoints, stack.token_secret, account=account, person=person)
        client.put_person(person, "user", name, [f"{name.split()[0].lower()}@firm.example"])
        client.close()


def _keep(taken: list[Path]) -> None:
    for path in taken:
        if name := README.get(path.stem):
            _IMAGES.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, _IMAGES / name)


def _index() -> str:
    pictures = "".join(
        f"<figure><a href={path.name}><img src={path.name} loading=lazy height=300></a>"
        f"<figcaption>{path.stem}</figcaption></figure>"
        for path in sorted(FOLDER.glob("*.png"))
    )
    return (
        "<!doctype html><meta charset=utf-8><title>Satchel's pages</title><style>body{display:flex;"
        f"flex-wrap:wrap;gap:16px;background:#888;font:12px sans-serif}}</style>{pictures}"
    )


if __name__ == "__main__":
    sys.exit(command("make screenshots", screenshots))
