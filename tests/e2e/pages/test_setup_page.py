"""The set-up page in a browser, over the whole stack: from no address to both halves."""

import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.pages.site import Site, barriers

CODE = "483920571"
LINK = "https://mail-settings.google.com/mail/vf-%5BPAGES%5D-none"


def question(capture: str, mailbox: str = "ben@agency.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Gmail Team <forwarding-noreply@google.com>", capture
    message["Subject"] = f"(#{CODE}) Gmail Forwarding Confirmation - Receive Mail"
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{mailbox}-question@pages.example>"
    message.set_content(
        f"{mailbox} has requested to automatically forward mail to your email address {capture}.\n"
        f"\nConfirmation code: {CODE}\n\n{LINK}\n"
    )
    return message


def told(page: Page, **more: Any) -> None:
    """Let the API tell this of the set-up, besides."""

    def answer(route: Route) -> None:
        told = route.fetch().json()
        route.fulfill(body=json.dumps({**told, **more}), content_type="application/json")

    page.route("**/v1/setup", answer)


def at(hours_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()


def test_from_no_address_to_the_providers_question(site: Site) -> None:
    """A recruiter makes their address and reads the code, without a reload."""
    with site.page(site.url("setup", site.token(person="u2"))) as page:
        page.get_by_role("button", name="Create my address").click()
        expect(page.get_by_role("button", name="Save as a contact")).to_be_visible()
        [address] = site.client_of("u2").json("GET", "timeline", "/v1/setup")["capture_addresses"]
        expect(page.locator(".address code")).to_have_text(address["address"])
        site.client.send(
            "x@google.com", [address["address"]], question(address["address"]).as_bytes()
        )
        asked = page.locator(".question")
        expect(asked).to_contain_text("Gmail asks for your confirmation")
        expect(asked).to_contain_text("ben@agency.example")
        expect(asked.locator("code")).to_have_text(CODE)
        link = asked.get_by_role("link", name="Confirm at mail-settings.google.com")
        expect(link).to_have_attribute("href", LINK)
        expect(link).to_have_attribute("rel", "noopener noreferrer")
        expect(page.get_by_text("Needs your confirmation")).to_be_visible()
        assert barriers(page) == []


def test_the_card_and_the_copy_are_of_the_address(site: Site) -> None:
    with site.page(site.url("setup"), permissions=["clipboard-read", "clipboard-write"]) as page:
        page.get_by_role("button", name="Copy", exact=True).first.click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == site.capture
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save as a contact").click()
        card = saving.value.path().read_text().replace("\n ", "")  # RFC 6350 section 3.2
        assert site.capture in card


def test_a_question_that_is_not_the_providers_is_warned_of(site: Site) -> None:
    asked = {
        "provider": "gmail", "requested_by": "nora@agency.example", "code": CODE, "link": LINK,
        "capture_address": site.capture, "at": at(0.1), "expires_at": at(-23), "doubtful": False,
        "authentication": None,
    }  # fmt: skip
    failed = {"verdict": "failed", "method": None, "domain": "google.com", "reason": "altered"}
    with site.page(f"{site.origin}/app/") as page:
        for more, said in (
            ({}, None),
            ({"doubtful": True}, "Nothing proves that this is from Gmail"),
            ({"requested_by": "somebody@else.example"}, "does not have this mailbox as yours"),
            ({"doubtful": True, "authentication": failed}, "This is not from Gmail"),
        ):
            page.unroute_all()
            told(page, confirmations=[{**asked, **more}])
            page.goto("about:blank")
            page.goto(site.url("setup"))
            question = page.locator(".question")
            expect(question).to_contain_text("One of the two is enough")
            expect(question.locator(".button.primary")).to_have_count(0 if said else 1)
            expect(question.locator(".note")).to_contain_text([said] if said else [])
        assert barriers(page) == []


def test_help_is_where_it_is_needed_and_stays(site: Site) -> None:
    with site.page(site.url("setup")) as page:
        # No relay sends test mails here: the page says what to do in their place.
        page.get_by_role("button", name="Send a test email").click()
        expect(page.get_by_text("Test emails are not available here.")).to_be_visible()
        received = page.locator(".step").filter(has_text="Email you receive")
        received.get_by_text("Is the confirmation request missing?").click()
        received.get_by_role("button", name="Show the next emails").click()
        expect(received.get_by_text("Watching until")).to_be_visible()
        page.goto("about:blank")
        page.goto(site.url("setup"))
        expect(received.get_by_text("Watching until")).to_be_visible()


def test_what_the_user_does_not_have_is_named_in_words(site: Site) -> None:
    reader = site.token("timeline:read")
    with site.page(site.url("setup", reader)) as page:
        page.get_by_label("Steps for").select_option("postfix")
        expect(page.get_by_text("This needs the company")).to_be_visible()
        expect(page.locator(".steps em")).to_have_text(re.compile("^the company.s capture addr"))
        snippets = page.locator(".snippet")
        expect(snippets.first).to_contain_text(re.compile("<the company.s capture address>"))
        expect(snippets.first.get_by_role("button")).to_have_count(0)
        expect(snippets.nth(1).get_by_role("button")).to_have_count(1)
        numbers = page.locator(".step .number")
        assert [one for one in numbers.all_inner_texts() if one] == ["2", "3"]
        assert barriers(page) == []


def test_another_providers_steps_can_be_chosen(site: Site) -> None:
    with site.page(site.url("setup")) as page:
        page.get_by_label("Steps for").select_option(label="Fastmail")
        expect(page.get_by_text("You chose these steps")).to_be_visible()
        expect(page.locator(".steps code").first).to_have_text(site.capture)


def test_another_address_takes_the_place_of_one_that_too_many_know(site: Site) -> None:
    with site.page(site.url("setup")) as page:
        page.get_by_role("button", name="Change the address").click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".address code")).to_have_text(site.capture)
        page.get_by_role("button", name="Change the address").click()
        page.get_by_role("button", name="Yes, change it").click()
        expect(page.get_by_text("You have a new address")).to_be_visible()
        expect(page.locator(".address code")).not_to_have_text(site.capture)
        expect(page.get_by_text("Your old address works until")).to_be_visible()


def test_what_the_api_tells_of_the_halves_is_shown(site: Site) -> None:
    url = site.url("setup")
    with site.page(url) as page:
        working = {"state": "working", "first_seen_at": at(90), "last_seen_at": at(1)}
        told(page, halves={"sent": working, "received": working}, notices=[], watched=[])
        page.goto("about:blank")
        page.goto(url)
        expect(page.get_by_text("Everything works.")).to_be_visible()
        expect(page.locator(".step[data-done=true]")).to_have_count(4)
        expect(page.locator(".badge.ok")).to_have_text(["Working", "Working"])
        assert barriers(page) == []


def test_what_needs_the_user_is_said_first(site: Site) -> None:
    url = site.url("setup")
    with site.page(url) as page:
        silent = {"state": "silent", "first_seen_at": at(900), "last_seen_at": at(200)}
        seen = {
            "received_at": at(0.1),
            "sender": {"name": "", "address": "noreply@mailhost.example"},
            "subject": "Please confirm",
            "text": "<b>Open</b> the link.",
            "links": ["https://mailhost.example/confirm?token=1"],
        }
        told(
            page,
            halves={"sent": {"state": "nothing_yet", "last_seen_at": None}, "received": silent},
            notices=[
                {"kind": "leak", "since": at(3), "mail_date": at(4), "half": None},
                {"kind": "silent_half", "since": at(200), "half": "received"},
                {"kind": "of_tomorrow", "since": at(1)},
            ],
            watched=[seen],
            round_trip={
                "state": "bounced", "address": "nora@agency.example", "sent_at": at(2),
                "at": at(2), "reason": "It is not allowed.", "advice": "Ask an administrator.",
            },
        )  # fmt: skip
        page.goto("about:blank")
        page.goto(url)
        notices = page.locator(".notices li")
        expect(notices).to_have_count(3)
        expect(notices.first).to_contain_text("have seen your capture address")
        expect(page.get_by_text("No more email")).to_be_visible()
        expect(page.get_by_text("Ask an administrator.")).to_be_visible()
        mail = page.locator(".watched > li")
        expect(mail).to_contain_text("<b>Open</b> the link.")
        expect(mail.get_by_role("link")).to_have_count(0)
        assert barriers(page) == []


@pytest.mark.parametrize("width", [360, 2880])
def test_it_fits(site: Site, width: int) -> None:
    with site.page(site.url("setup"), width=width) as page:
        expect(page.locator(".step").first).to_be_visible()
        wide = page.locator(".setup").evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide == 0


def test_it_speaks_german(site: Site) -> None:
    with site.page(site.url("setup"), locale="de-DE") as page:
        expect(page.get_by_role("heading", name="E-Mail einrichten")).to_be_visible()
        page.get_by_label("Anleitung für").select_option(label="Anderer Anbieter")
        expect(page.locator(".steps").last).to_contain_text("Als Kontakt speichern")
        expect(page.locator(".steps").last).to_have_attribute("lang", "de")
        expect(page.get_by_text("nur auf Englisch")).to_have_count(0)
        expect(page).to_have_title("Einrichten – Satchel")  # noqa: RUF001 - the dash is the title's own
