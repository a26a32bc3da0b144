"""The account's page in a browser, over the whole stack, by what a token allows; and the shell."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.pages.mails import AMINA, NORA, mail
from tests.e2e.pages.site import Site, answered, barriers, rows

LETTER = {
    "id": "a" * 32, "capture_id": None, "tag": "mail.received.v1", "reason": "handler_error",
    "detail": "It could not be read.", "queue": "matcher.received", "at": "2026-11-28T10:00:00Z",
    "size": 4200, "state": "waiting", "replays": 1, "expires_at": "2026-12-28T10:00:00Z",
    "settled": None,
}  # fmt: skip
HELD = {
    "id": "b" * 32,
    "captured_by": {"person_id": "u1", "at": "2026-11-28T10:00:00Z"},
    "authentication": {"verdict": "failed", "method": None, "domain": "x", "reason": "altered"},
    "mails": [
        {
            "subject": "New bank details", "date": "2026-11-28T10:00:00Z",
            "from": {"name": "Priya Raman", "address": "priya@client.example"},
            "to": [{"name": "Nora Keller", "address": "nora@agency.example"}], "cc": [],
            "snippet": "Please pay there.", "forwarded_by": None, "matches": [],
        }
    ],
}  # fmt: skip


def section(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_what_became_of_the_mail_is_drawn_and_told_in_numbers(site: Site) -> None:
    site.send(
        mail("s1", AMINA, NORA, "One", "x"),
        mail("s2", AMINA, NORA, "Two", "x"),
        mail("s3", "news@shop.example", NORA, "Offers", "x"),
    )
    with site.page(site.url("account")) as page:
        expect(page.locator(".figures .attached dd")).to_have_text("2")
        expect(page.locator(".figures .dismissed dd")).to_have_text("1")
        expect(page.get_by_role("img", name=re.compile("2 filed, 1 not kept"))).to_be_visible()
        expect(page.get_by_text("involves no candidate or contact")).to_be_visible()
        page.get_by_text("Show numbers").click()
        expect(page.locator("tbody tr")).to_have_count(30)
        section(page, "7 days")
        expect(page.locator("tbody tr")).to_have_count(7)
        assert barriers(page) == []


def test_a_mail_that_may_be_forged_gets_a_no_after_a_second_look(site: Site) -> None:
    url = site.url("account/quarantine")
    with site.page(site.url("account")) as page:
        decided: list[str] = []

        def decide(route: Route) -> None:
            decided.append(route.request.method)
            route.fulfill(status=204)

        page.route(f"**/v1/quarantine/{HELD['id']}*", decide)
        answered(page, "**/v1/quarantine?*", {"items": [HELD], "next_cursor": None})
        page.goto("about:blank")
        page.goto(url)
        held = page.locator(".held")
        expect(held).to_contain_text("May be forged")
        assert barriers(page) == []
        held.get_by_role("button", name="Delete").click()
        assert decided == []
        held.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("Nothing is held back")).to_be_visible()
        assert decided == ["DELETE"]


def test_what_waits_is_counted_and_a_yes_leads_to_the_inbox(site: Site) -> None:
    with site.page(f"{site.origin}/app/") as page:
        waiting = [HELD]

        def release(route: Route) -> None:
            waiting.clear()
            route.fulfill(status=204)

        page.route(
            "**/v1/quarantine?*",
            lambda route: route.fulfill(json={"items": waiting, "next_cursor": None}),
        )
        page.route(f"**/v1/quarantine/{HELD['id']}/release", release)
        page.goto("about:blank")
        page.goto(site.url())
        account = page.get_by_role("link", name=re.compile("^Account.*1 held back"))
        account.click()
        section(page, "Quarantine 1")
        held = page.locator(".held")
        expect(held).to_contain_text("could not be confirmed. It may be forged.")
        held.get_by_role("button", name="Release to the inbox").click()
        expect(page.locator("nav .count")).to_have_count(0)
        page.get_by_role("button", name="Open the inbox").click()
        expect(page).to_have_url(re.compile(r"/app/$"))
        expect(page.get_by_text("No email yet")).to_be_visible()


def test_the_companys_address_is_made_changed_and_switched_off(site: Site) -> None:
    with site.page(site.url("account/company")) as page:
        company = page.locator(".company")
        expect(company).to_contain_text("Not in use")
        assert barriers(page) == []
        company.get_by_role("button", name=re.compile("^Create the company")).click()
        code = company.locator(".address code")
        expect(code).to_be_visible()
        first = code.inner_text()
        # What reaches it belongs to who takes part; what has no team member is counted.
        site.send(
            mail("y1", AMINA, NORA, "For Nora", "x"),
            mail("y2", AMINA, "nobody@shop.example", "For nobody", "x"),
            capture=first,
        )
        [conversation] = site.client.inbox()
        assert conversation["subject"] == "For Nora"
        page.goto("about:blank")
        page.goto(site.url("account/company"))
        expect(company).to_contain_text("1 of the emails in the last")
        page.get_by_label("Steps for").select_option("postfix")
        expect(page.locator(".snippet").first).to_contain_text(first)
        assert barriers(page) == []
        page.get_by_role("button", name="Change the address").click()
        page.get_by_role("button", name="Yes, change it").click()
        expect(page.get_by_text("The old address works until")).to_contain_text(first)
        expect(code).not_to_have_text(first)
        expect(page.locator(".snippet").first).not_to_contain_text(first)
        page.get_by_role("button", name="Switch off").click()
        page.get_by_role("button", name="Yes, switch it off").click()
        expect(page.get_by_text("Switched off. Now remove the rule")).to_be_visible()
        expect(company).to_contain_text("Not in use")
        assert barriers(page) == []
    with site.page(site.url("account/company", site.token("timeline:read"))) as page:
        expect(page.get_by_text("You do not have access")).to_be_visible()
    with site.page(site.url("account/company"), locale="de-DE", width=360) as page:
        expect(page.get_by_role("heading", name="Eine Adresse für die ganze Firma")).to_be_visible()
        page.get_by_role("button", name="Firmenadresse erstellen").click()
        page.get_by_label("Anleitung für").select_option("postfix")
        expect(page.locator(".steps")).to_contain_text("Schreiben Sie die Adressen Ihres Teams")
        wide = page.locator(".account").evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide == 0
        assert barriers(page) == []


def test_a_dead_letter_is_given_up_with_a_reason(site: Site) -> None:
    with site.page(site.url("account")) as page:
        asked: list[str] = []

        def settle(route: Route) -> None:
            asked.append(f"{route.request.method} {route.request.url.partition('?')[2]}")
            settled = {"by": "u1", "at": "2026-11-28T11:00:00Z", "why": "a test"}
            route.fulfill(json={**LETTER, "state": "dropped", "settled": settled})

        page.route(f"**/v1/dead-letters/{LETTER['id']}?*", settle)
        answered(page, "**/v1/dead-letters?*", {"items": [LETTER], "next_cursor": None})
        section(page, "Dead letters")
        letter = page.locator(".letter")
        expect(letter).to_contain_text("Internal error")
        expect(letter).to_contain_text("Retried once before")
        letter.get_by_role("button", name="Discard").click()
        letter.get_by_label("Reason").fill("a test")
        letter.get_by_role("button", name="Discard").click()
        expect(letter).to_contain_text("By u1")
        assert asked == ["DELETE why=a+test"] or asked == ["DELETE why=a%20test"]
        assert barriers(page) == []


def test_who_has_an_address_and_what_would_become_of_a_mail(site: Site) -> None:
    with site.page(site.url("account/people")) as page:
        page.get_by_role("textbox", name="Address").fill("amina@work.example")
        page.get_by_role("button", name="Look up").click()
        expect(page.locator(".people li")).to_contain_text("Amina Diallo")
        raw = mail("e1", AMINA, f"{NORA}, x@shop.example", "Explain", "x").as_bytes()
        page.locator("input[type=file]").set_input_files(
            {"name": "explain.eml", "mimeType": "message/rfc822", "buffer": raw}
        )
        expect(page.get_by_text("It would be filed")).to_be_visible()
        expect(page.locator(".participants .badge")).to_have_text(
            ["in the directory: the email is filed here", "a colleague", "unknown"]
        )
        assert barriers(page) == []
        page.get_by_role("button", name="Show email").click()
        expect(page).to_have_url(re.compile(r"/app/people/c1$"))


def test_settings_are_changed_by_who_may(site: Site) -> None:
    with site.page(site.url("account/settings")) as page:
        page.get_by_label("Everyone sees only email that their own address captured").check()
        expect(page.get_by_text("Saved.")).to_be_visible()
        settings = site.client.json("GET", "timeline", "/v1/settings")
        assert settings["visibility"] == "owner"
        assert barriers(page) == []
    with site.page(site.url("account/settings", site.token("timeline:read"))) as page:
        expect(page.get_by_text("but not change them")).to_be_visible()
        expect(page.get_by_label("Everyone on the team sees all email")).to_be_disabled()


@pytest.mark.parametrize(
    ("scope", "sections"),
    [
        ("timeline:read", ["Activity", "Quarantine", "Settings"]),
        ("timeline:read ops", ["Activity", "Quarantine", "Dead letters", "Settings"]),
        ("timeline:read directory:read", ["Activity", "Quarantine", "People", "Settings"]),
    ],
)
def test_what_a_token_does_not_allow_is_not_offered(
    site: Site, scope: str, sections: list[str]
) -> None:
    with site.page(site.url("account", site.token(scope))) as page:
        expect(page.locator(".sections button")).to_have_text(sections)


def test_the_shell_leads_to_pages_and_back_and_keeps_what_is_preferred(site: Site) -> None:
    site.send(mail("w1", AMINA, NORA, "Here", "x"))
    with site.page() as page:
        expect(rows(page)).to_have_count(1)
        page.get_by_role("link", name="Set-up").click()
        expect(page).to_have_title(re.compile("Set-up"))
        assert page.evaluate("document.activeElement.id") == "content"
        page.go_back()
        expect(rows(page)).to_have_count(1)
        page.get_by_role("button", name="Appearance").click()
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
        page.get_by_role("combobox", name="Language").select_option("de")
        expect(page.get_by_role("link", name="Posteingang")).to_be_visible()
        stored = page.evaluate("Object.keys(localStorage).sort()")
        assert stored == ["satchel.language", "satchel.theme"]
        assert barriers(page) == []
        page.get_by_role("button", name="Abmelden", exact=True).click()
        expect(page.get_by_text("Sie haben sich abgemeldet.")).to_be_visible()
        assert barriers(page) == []


def test_without_a_token_the_page_says_how_to_sign_in(site: Site) -> None:
    with site.page(f"{site.origin}/app/setup") as page:
        expect(page.get_by_role("heading", name="Sign in to Satchel")).to_be_visible()
        expect(page.get_by_text("Open Satchel from your recruiting software.")).to_be_visible()
        assert barriers(page) == []
