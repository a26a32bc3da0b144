"""Every page in every state that a reader can meet (`dev/page_states.py`): can everybody use it?

For each state, in one load: axe finds nothing, nothing is wider than a phone or a very wide screen,
nothing moves for who asked for stillness, and the Tab key gets everywhere. Each state is looked at
on a desk and on a phone, one of them dark; axe, which is slow, takes turns: of four states each
sees another look. `--full` shows axe all four looks of every state.
"""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.page_states import STATES, State
from dev.screenshots import fill, token_of
from dev.stack import Stack
from tests.deadline import DEADLINE
from tests.e2e.pages.site import barriers

Look = tuple[int, Literal["light", "dark"]]
PHONE, DESK, WALL = 360, 1_280, 2_880
LOOKS: tuple[Look, ...] = (
    (DESK, "light"),
    (PHONE, "dark"),
    (DESK, "dark"),
    (PHONE, "light"),
)
WALKED = {
    "inbox", "inbox-empty", "conversation-files", "conversation-invitation", "profile",
    "setup-unfinished", "setup-needs-you", "account", "account-people", "account-settings",
}  # fmt: skip
"""States whose controls are walked through by the Tab key."""
_TOO_WIDE = """
() => {
  const found = [];
  const meant = '.frame, .frame *, .scrolled, pre, .sections';
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      const { overflowX } = getComputedStyle(element);
      const scrolls = overflowX === 'auto' || overflowX === 'scroll';
      if (scrolls && !element.matches(meant) && element.scrollWidth > element.clientWidth + 1)
        found.push(`${element.className}: ${element.scrollWidth} in ${element.clientWidth}`);
    }
  };
  look(document);
  if (document.documentElement.scrollWidth > innerWidth)
    found.push(`the page: ${document.documentElement.scrollWidth} in ${innerWidth}`);
  return found;
}
"""
_MOVING = """
() => document.getAnimations().filter(one => one.playState === 'running').map(one =>
  one.effect?.target?.className)
"""
_CONTROLS = """
() => {
  const kinds = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const found = [];
  const look = root => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (element.tagName === 'IFRAME' || element.disabled || element.tabIndex < 0) continue;
      if (!element.matches(kinds)) continue;
      if (element.type === 'radio' && !element.checked) continue;
      if (!element.checkVisibility({visibilityProperty: true})) continue;
      element.dataset.control = found.length;
      found.push(element.outerHTML.slice(0, 120));
    }
  };
  look(document);
  return found;
}
"""
_FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  return {
    control: element.dataset.control === undefined ? null : Number(element.dataset.control),
    shown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1,
    inSight: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    what: element.outerHTML.slice(0, 120),
  };
}
"""


@pytest.fixture(scope="module")
def week(pages_stack: Stack) -> Stack:
    """The stack with the demo's account in it."""
    fill(pages_stack, None)
    return pages_stack


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a reader who asked for stillness; it must not fail."""
    errors: list[str] = []
    state = request.node.callspec.params.get("state")
    context = chromium.new_context(
        viewport={"width": DESK, "height": 800},
        locale=state.language if isinstance(state, State) else "en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(DEADLINE * 1000)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.unroute_all(behavior="ignoreErrors")  # some answers are never given
    context.close()
    assert errors == []


def _named(state: State) -> str:
    return state.name


@pytest.mark.parametrize("state", STATES, ids=_named)
def test_everybody_can_use_a_page_in_each_of_its_states(
    week: Stack, origin: str, page: Page, state: State, share: float
) -> None:
    state.show(page, origin, token_of(state, week))
    if state.name in WALKED:
        _walk(page)
    turn = STATES.index(state) % 4
    first = turn // 2 * 2
    for look in LOOKS if share == 1 else LOOKS[first : first + 2]:
        width, scheme = look
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(_TOO_WIDE) == [], width
        assert page.evaluate(_MOVING) == []
        if share == 1 or look == LOOKS[turn]:
            assert barriers(page) == [], look
    page.set_viewport_size({"width": WALL, "height": 1_600})
    assert page.evaluate(_TOO_WIDE) == []


def _walk(page: Page) -> None:
    """The Tab key reaches every control, and shows where it is."""
    page.evaluate("document.activeElement?.blur()")
    controls: list[str] = page.evaluate(_CONTROLS)
    assert len(controls) > 5
    reached: list[int] = []
    for _ in range(2 * len(controls) + 10):  # the frames of mails have stops of their own
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None or focused["control"] is None:
            continue
        if reached and focused["control"] == reached[0]:
            break
        reached.append(focused["control"])
        assert focused["shown"], focused["what"]
        assert focused["inSight"], focused["what"]
    missed = set(range(len(controls))) - set(reached)
    assert [controls[number] for number in sorted(missed)] == []


def test_the_states_are_of_every_page_and_kind() -> None:
    """A page that is added needs its states."""
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names)
    for page in ("inbox", "conversation", "profile", "setup", "account"):
        assert any(name == page or name.startswith(f"{page}-") for name in names), page
        assert any(re.fullmatch(f"{page}-error", name) for name in names), page
    for page in ("inbox", "profile", "setup", "account"):
        for kind in ("expired", "offline"):
            assert f"{page}-{kind}" in names


def test_the_list_of_keys_opens_and_closes_without_a_mouse(
    week: Stack, origin: str, chromium: Browser
) -> None:
    state = next(state for state in STATES if state.name == "inbox")
    page = chromium.new_page(locale="en-GB", reduced_motion="reduce")
    state.show(page, origin, token_of(state, week))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    listed = dialog.locator("kbd").all_inner_texts()
    assert listed == ["j", "k", "o", "u", "e", "/", "?"]
    page.keyboard.press("j")  # it is modal: keys wait
    expect(page.locator(".row-open:focus")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.close()
