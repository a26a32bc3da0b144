"""The inbox in a browser, over the whole stack: rows, filters, search, live, marks, keys."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.deadline import eventually
from tests.e2e.pages.mails import AMINA, JONAS, MEI, NORA, mail
from tests.e2e.pages.site import Site, answered, barriers, open_row, row, rows
from tests.marks import in_full

ROW_PIXELS = 76
LONG = 100_000


def test_a_mail_appears_without_reload(site: Site) -> None:
    with site.page() as page:
        expect(page.get_by_text("No email yet")).to_be_visible()
        site.post(mail("n1", AMINA, NORA, "The first", "Hello."))
        expect(row(page, "The first")).to_be_visible()
        site.post(mail("n2", JONAS, NORA, "The second", "Hello.", hours_ago=0.5))
        expect(rows(page).first).to_contain_text("The second")
        expect(page).to_have_title(re.compile(r"^\(2\) Inbox"))


@pytest.mark.parametrize("filter_", ["unread", "search", *in_full("mine", "person")])
def test_a_mail_appears_in_a_filtered_inbox(site: Site, filter_: str) -> None:
    site.send(
        mail("f1", AMINA, NORA, "About budgets", "A budget."),
        mail("f2", JONAS, NORA, "Elsewhere", "Nothing."),
    )
    with site.page() as page:
        expect(rows(page)).to_have_count(2)
        if filter_ in ("unread", "mine"):
            page.get_by_role("button", name=filter_.title()).first.click()
        else:
            page.get_by_role("combobox").fill("budget" if filter_ == "search" else "amina")
            if filter_ == "person":
                page.get_by_role("option", name="Only email with Amina Diallo").click()
                expect(page.get_by_role("button", name="Remove With Amina Diallo")).to_be_visible()
            expect(rows(page)).to_have_count(1)
        site.post(mail("f3", AMINA, NORA, "More budgets", "Another budget.", hours_ago=0.8))
        expect(rows(page).first).to_contain_text("More budgets")
        site.post(mail("f4", JONAS, NORA, "Far away", "Nothing.", hours_ago=0.9))
        seen = 4 if filter_ in ("unread", "mine") else 2
        site.client.await_captures(4)
        expect(rows(page)).to_have_count(seen)


def test_nothing_moves_under_the_reader(site: Site) -> None:
    """What is new waits while the list is scrolled, and comes when it is asked for."""
    site.send(*(mail(f"s{n}", AMINA, NORA, f"Row {n}", "x", hours_ago=50 - n) for n in range(30)))
    with site.page(height=600) as page:
        scroller = page.locator("satchel-inbox .scroller")
        expect(rows(page).first).to_contain_text("Row 29")
        scroller.evaluate(f"element => element.scrollTop = {ROW_PIXELS * 9}")
        expect(row(page, "Row 20")).to_be_visible()
        before = row(page, "Row 20").bounding_box()
        site.post(mail("s30", JONAS, NORA, "Brand new", "x", hours_ago=0.8))
        site.post(mail("s31", MEI, NORA, "Newer still", "x", hours_ago=0.5))
        new = page.get_by_role("button", name="2 new")
        expect(new).to_be_visible()
        assert row(page, "Row 20").bounding_box() == before
        assert barriers(page) == []
        new.click()
        expect(rows(page).first).to_contain_text("Newer still")
        assert scroller.evaluate("element => element.scrollTop") == 0


def test_reading_marks_as_read_and_so_does_the_button_for_all(site: Site) -> None:
    site.send(*(mail(f"r{n}", AMINA, NORA, f"Subject {n}", "x") for n in range(3)))
    with site.page() as page:
        expect(page.locator(".segments .count")).to_have_text("3")
        open_row(page, "Subject 0")
        expect(row(page, "Subject 0")).to_have_attribute("data-unread", "false")
        assert eventually(lambda: len(site.client.inbox(unread=True)) == 2)
        page.get_by_role("button", name="Unread").first.click()
        expect(rows(page)).to_have_count(2)
        open_row(page, "Subject 1")
        expect(row(page, "Subject 1")).to_have_attribute("data-unread", "false")
        expect(rows(page)).to_have_count(2)  # it does not vanish under the reader's hand
        page.get_by_role("button", name="All", exact=True).click()
        page.get_by_role("button", name="Mark all as read").click()
        page.locator(".mark-all .primary").click()
        expect(page.locator(".row[data-unread=true]")).to_have_count(0)
        assert eventually(lambda: site.client.inbox(unread=True) == [])


def test_a_search_is_explained_and_says_when_nothing_is_found(full: Site) -> None:
    with full.page() as page:
        page.get_by_role("button", name="Search help").click()
        page.get_by_role("button", name="has:attachment").click()
        expect(page.get_by_role("combobox")).to_have_value("has:attachment ")
        expect(row(page, "Your interview on Friday")).to_be_visible()
        expect(row(page, "Salary expectations")).to_have_count(0)
        page.get_by_role("combobox").fill("from:jonas salary")
        expect(rows(page)).to_have_count(1)
        page.get_by_role("combobox").fill("zzzzzz")
        expect(page.get_by_text("Nothing found")).to_be_visible()
        page.get_by_role("button", name="Remove all filters").click()
        expect(row(page, "Salary expectations")).to_be_visible()
        page.get_by_role("combobox").fill("before:yesterday")
        expect(page.get_by_text("need a day such as")).to_be_visible()


def test_every_key_does_what_the_list_of_keys_says(full: Site) -> None:
    with full.page() as page:
        expect(rows(page).first).to_contain_text("Salary expectations")
        page.keyboard.press("j")
        expect(rows(page).nth(0).locator(".row-open")).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("o")
        expect(page.locator(".conversation h2")).to_have_text("Salary expectations")
        page.keyboard.press("j")
        expect(page.locator(".conversation h2")).to_have_text("Please look at this")
        expect(rows(page).nth(1)).to_have_attribute("data-unread", "false")
        page.keyboard.press("e")
        expect(rows(page).nth(1)).to_have_attribute("data-unread", "true")
        page.keyboard.press("u")
        expect(page.get_by_text("Choose a conversation")).to_be_visible()
        expect(rows(page).nth(1).locator(".row-open")).to_be_focused()
        page.keyboard.press("/")
        expect(page.get_by_role("combobox")).to_be_focused()
        page.keyboard.type("jou?")
        expect(page.get_by_role("combobox")).to_have_value("jou?")
        assert page.get_by_role("dialog").count() == 0
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.get_by_role("checkbox", name="Single-key shortcuts are on").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.keyboard.press("?")
        page.keyboard.press("o")
        assert page.get_by_role("dialog").count() == 0
        expect(page.get_by_text("Choose a conversation")).to_be_visible()


# -- a hundred thousand conversations, answered by the test --------------------------------------


def _conversation(number: int) -> dict[str, Any]:
    at = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(minutes=number)
    return {
        "id": f"{number:032d}".translate(str.maketrans("0189", "abcd")),
        "subject": f"Conversation {number}",
        "participants": [{"name": f"Person {number}", "address": f"p{number}@mail.example"}],
        "profiles": [],
        "last_mail_at": at.isoformat(),
        "mail_count": 1,
        "unread": number % 3 == 0,
        "snippet": "What it says.",
        "has_attachments": False,
    }


def _endless(route: Route) -> None:
    query = parse_qs(urlsplit(route.request.url).query)
    start = int(query.get("cursor", ["0"])[0])
    end = min(LONG, start + int(query["limit"][0]))
    page = {
        "items": [_conversation(number) for number in range(start, end)],
        "next_cursor": str(end) if end < LONG else None,
        "partial": 0,
    }
    route.fulfill(body=json.dumps(page), content_type="application/json")


@pytest.fixture
def endless(site: Site) -> Iterator[Page]:
    with site.page("about:blank", height=900) as page:
        page.route("**/v1/inbox?*", _endless)
        page.goto(site.url())
        expect(row(page, "Conversation 0")).to_be_visible()
        yield page


NODES = "() => document.querySelector('satchel-inbox').shadowRoot.querySelectorAll('*').length"


def _scroll(page: Page, place: int) -> None:
    """Scroll to a place; a list that is not so long yet goes on loading."""
    scroller = page.locator("satchel-inbox .scroller")
    words = f"Conversation {place}"
    item = page.locator(f"li[data-place='{place}'] .row").filter(has_text=words)

    def arrived() -> bool:
        scroller.evaluate(f"element => element.scrollTop = {place * ROW_PIXELS}")
        return item.count() == 1

    assert eventually(arrived)


def test_many_rows_scroll_by_in_few_nodes(endless: Page, share: float, measured: list[str]) -> None:
    page, most, far = endless, 0, int(10_000 * share)
    for place in range(40, far, 40):
        _scroll(page, place)
        most = max(most, page.evaluate(NODES))
    assert most < 1_200
    measured.append(f"pages: at most {most} nodes while {far:,} rows scrolled by")
    # Back: what was given up comes again, at the same place.
    for place in (far // 2, far // 2 + 30, 40, 0):
        _scroll(page, place)


@pytest.mark.parametrize("height", [320, 2_000])
def test_a_list_fills_a_window_of_any_height(site: Site, height: int) -> None:
    with site.page("about:blank", height=height, width=2_880) as page:
        page.route("**/v1/inbox?*", _endless)
        page.goto(site.url())
        last = (height - 200) // ROW_PIXELS
        expect(page.locator(f"li[data-place='{max(0, last)}'] .row")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 2_880


def test_the_place_is_kept_on_return(site: Site) -> None:
    """On a phone the conversation covers the list; and another page covers both."""
    site.send(*(mail(f"k{n}", AMINA, NORA, f"Row {n}", "x", hours_ago=90 - n) for n in range(60)))
    with site.page(width=360, height=640) as page:
        scroller = page.locator("satchel-inbox .scroller")
        expect(rows(page).first).to_contain_text("Row 59")
        scroller.evaluate(f"element => element.scrollTop = {ROW_PIXELS * 30}")
        expect(row(page, "Row 29")).to_be_visible()
        before = scroller.evaluate("element => element.scrollTop")
        open_row(page, "Row 27")
        expect(scroller).to_be_hidden()
        page.locator(".profiles .chip").click()
        expect(page.locator("satchel-timeline h2")).to_have_text("Amina Diallo")
        page.go_back()
        page.go_back()
        expect(row(page, "Row 27")).to_be_visible()
        assert scroller.evaluate("element => element.scrollTop") == before


# -- states -----------------------------------------------------------------------------------


def test_an_expired_token_is_said_and_a_missing_one_as_well(site: Site) -> None:
    with site.page(site.url(token=site.token(seconds=-10))) as page:
        expect(page.get_by_text("You are signed out").first).to_be_visible()
        assert barriers(page) == []
    with site.page(f"{site.origin}/app/") as page:
        expect(page.get_by_role("heading", name="Sign in to Satchel")).to_be_visible()


def test_who_may_not_read_is_told_so(site: Site) -> None:
    with site.page(site.url(token=site.token("mail:write"))) as page:
        expect(page.get_by_text("You do not have access")).to_be_visible()
        assert barriers(page) == []


def test_an_error_says_that_nothing_is_lost_and_can_be_tried_again(full: Site) -> None:
    with full.page("about:blank") as page:
        answered(
            page,
            "**/v1/inbox?*",
            {"title": "Unavailable", "detail": "unavailable"},
            status=503,
        )
        page.goto(full.url())
        expect(page.get_by_text("Nothing is lost")).to_be_visible()
        assert barriers(page) == []
        page.unroute("**/v1/inbox?*")
        page.get_by_role("button", name="Try again").click()
        expect(row(page, "Salary expectations")).to_be_visible()


def test_a_lost_stream_is_one_quiet_line(full: Site) -> None:
    with full.page("about:blank") as page:
        page.route("**/v1/events", lambda route: route.abort())
        page.goto(full.url())
        expect(row(page, "Salary expectations")).to_be_visible()
        expect(page.get_by_text("Live updates paused")).to_be_visible()
        open_row(page, "Salary expectations")
        assert barriers(page) == []
        page.unroute("**/v1/events")
        expect(page.get_by_text("Live updates paused")).to_have_count(0)


def test_a_network_that_is_away_is_told_from_an_error(full: Site) -> None:
    with full.page() as page:
        expect(row(page, "Salary expectations")).to_be_visible()
        page.route("**/v1/inbox?*", lambda route: route.abort())
        page.get_by_role("combobox").fill("salary")
        expect(page.get_by_text("No connection")).to_be_visible()
        page.unroute("**/v1/inbox?*")
        page.get_by_role("button", name="Try again").click()
        expect(rows(page)).to_have_count(1)


def test_it_speaks_german(full: Site) -> None:
    with full.page(locale="de-DE") as page:
        expect(page.get_by_role("link", name="Posteingang")).to_be_visible()
        expect(page.get_by_text("Wählen Sie eine Unterhaltung")).to_be_visible()
        open_row(page, "Your interview on Friday")
        page.get_by_role("button", name="Details").click()
        expect(page.get_by_text("Warum ist das hier?").first).to_be_visible()
        assert page.evaluate("document.documentElement.lang") == "de-DE"


def test_a_link_for_several_readers_changes_between_them(site: Site) -> None:
    """As the demo prints it: one is asked to answer a provider's question, the other is not."""
    site.client.put_person("u3", "user", "Lena Brandt", ["lena@agency.example"])
    lena = site.token("timeline:read", person="u3")
    with site.page(f"{site.url('setup')}&token={lena}") as page:
        expect(page.get_by_role("heading", name="Your capture address")).to_be_visible()
        expect(page.get_by_text("You have no capture address yet.")).to_have_count(0)
        assert "token" not in page.url
        menu = page.get_by_role("button", name="Appearance")
        menu.click()
        page.get_by_role("button", name="Switch to u3").click()
        expect(page.get_by_text("You have no capture address yet.")).to_be_visible()
        expect(page.locator("#content")).to_be_focused()
        menu.click()
        expect(page.get_by_text("Signed in as u3")).to_be_visible()
        page.get_by_role("button", name="Switch to u1").click()
        expect(page.get_by_text("You have no capture address yet.")).to_have_count(0)
        menu.click()
        expect(page.get_by_text("Signed in as u1")).to_be_visible()


def test_code_that_does_not_come_is_asked_for_again(site: Site) -> None:
    with site.page() as page:
        expect(page.get_by_text("No email yet")).to_be_visible()
        page.route("**/assets/SetupElement-*.js", lambda route: route.abort())
        page.get_by_role("link", name="Set-up").click()
        failure = page.locator("satchel-setup .failure")
        expect(failure).to_contain_text("This could not be loaded")
        page.unroute("**/assets/SetupElement-*.js")
        failure.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name="Set up your email")).to_be_visible()
