"""A profile that is merged, parted and erased in the account's page; the window; the audit log."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.deadline import eventually
from tests.e2e.pages.mails import AMINA, JONAS, NORA, mail
from tests.e2e.pages.site import Site, barriers, saved
from tests.e2e.test_erase import verified

READS = "directory:read timeline:read account:read"


def look_up(within: Page | Locator, address: str) -> None:
    within.get_by_role("textbox", name="Address").fill(address)
    within.get_by_role("button", name="Look up").click()


def await_subjects(site: Site, person: str, expected: list[str]) -> None:
    """Wait until a profile has these mails; it is told of what happens in the directory."""
    assert eventually(
        lambda: sorted(one["subject"] for one in site.client.timeline(person)) == expected
    )


def is_wider_than_the_page(page: Page) -> bool:
    wide: bool = page.locator(".account").evaluate(
        "e => e.scrollWidth > e.clientWidth || document.documentElement.scrollWidth > innerWidth"
    )
    return wide


def test_a_profile_is_merged_into_another_and_parted_again(site: Site) -> None:
    site.send(mail("m1", AMINA, NORA, "Of Amina", "x"), mail("m2", JONAS, NORA, "Of Jonas", "x"))
    with site.page(site.url("account/people")) as page:
        look_up(page, "jonas@lindqvist.example")
        opener = page.get_by_role("button", name="Merge into…")
        opener.click()
        dialog = page.get_by_role("dialog", name="Merge Jonas Lindqvist")
        expect(dialog.get_by_role("textbox", name="Address")).to_be_focused()
        look_up(dialog, "jonas@lindqvist.example")
        expect(dialog).to_contain_text("This is the same profile")
        look_up(dialog, "nora@agency.example")
        expect(dialog).to_contain_text("Neither candidate nor contact")
        expect(dialog.get_by_role("button", name="Choose")).to_have_count(0)
        look_up(dialog, "amina@work.example")
        dialog.get_by_role("button", name="Choose").click()
        expect(dialog).to_contain_text("will be shown on the profile of Amina Diallo")
        expect(dialog.get_by_role("button", name="Merge", exact=True)).to_be_focused()
        assert barriers(page) == []
        await_subjects(site, "c1", ["Of Amina"])
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("The email of Jonas Lindqvist is now on the profile of")
        assert barriers(page) == []
        await_subjects(site, "c1", ["Of Amina", "Of Jonas"])
        dialog.get_by_role("button", name="Undo").click()
        expect(dialog).to_contain_text("Each profile shows its own email again")
        await_subjects(site, "c1", ["Of Amina"])
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(opener).to_be_focused()
        merges = page.get_by_role("region", name="Merged profiles")
        expect(merges).to_contain_text("Jonas Lindqvist → Amina Diallo")
        expect(merges).to_contain_text("Undone by Nora Keller")
        assert barriers(page) == []


def test_a_merge_of_another_day_is_undone_from_the_list_and_a_refusal_is_explained(
    site: Site,
) -> None:
    site.client.json("POST", "matcher", "/v1/people/c2:merge", json={"into": "c3"})
    with site.page(site.url("account/people")) as page:
        look_up(page, "jonas@lindqvist.example")
        page.get_by_role("button", name="Merge into…").click()
        dialog = page.get_by_role("dialog")
        look_up(dialog, "amina@work.example")
        dialog.get_by_role("button", name="Choose").click()
        dialog.get_by_role("button", name="Merge", exact=True).click()
        expect(dialog.get_by_role("alert")).to_contain_text("merged into another. Undo that first")
        dialog.get_by_role("button", name="Choose someone else").click()
        expect(dialog.get_by_role("textbox", name="Address")).to_be_focused()
        page.keyboard.press("Escape")
        merges = page.get_by_role("region", name="Merged profiles")
        merges.get_by_role("button", name="Undo: Jonas Lindqvist → Mei Tanaka").click()
        expect(merges.locator(".badge")).to_have_text("Undone")
    [merge] = site.client.json("GET", "matcher", "/v1/merges")["items"]
    assert merge["state"] == "undone"


def test_a_person_is_erased_and_the_receipt_verifies(site: Site, tmp_path: Path) -> None:
    site.send(
        mail("e1", AMINA, NORA, "Of Amina alone", "x"),
        mail("e2", AMINA, NORA, "Of two", "x", Cc=JONAS),
    )
    with site.page(site.url("account/people")) as page:
        look_up(page, "amina@work.example")
        page.get_by_role("button", name="Erase…").click()
        dialog = page.get_by_role("dialog", name="Erase Amina Diallo for good")
        expect(dialog).to_contain_text("This cannot be undone")
        erase = dialog.get_by_role("button", name="Erase for good")
        expect(erase).to_be_disabled()
        dialog.get_by_role("textbox", name="type the person").fill("c2")
        expect(erase).to_be_disabled()
        page.keyboard.press("Enter")
        assert barriers(page) == []
        await_subjects(site, "c1", ["Of Amina alone", "Of two"])
        dialog.get_by_role("textbox", name="type the person").fill("c1")
        erase.click()
        expect(dialog).to_contain_text("Erased.")
        counts = dialog.locator("dd")
        expect(counts).to_have_text(["1", "1", "0", "0"])
        assert barriers(page) == []
        name, receipt = saved(
            page, dialog.get_by_role("button", name="Download the receipt"), tmp_path
        )
        said = verified(site.client, receipt.decode())
        assert name.endswith(".jws")
        assert said["person_ids"] == ["c1"]
        assert said["erased"]["mails_deleted"] == 1
        _, keys = saved(page, dialog.get_by_role("button", name="Download the keys"), tmp_path)
        assert b'"Ed25519"' in keys
        page.keyboard.press("Escape")
        # Nobody is left to be found; the receipt is.
        expect(page.get_by_role("textbox", name="Address")).to_be_focused()
        expect(page.locator(".people li")).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text="No one in the")).to_be_visible()
        erasures = page.get_by_role("region", name="Erased people")
        erasures.get_by_text("Id c1").click()
        expect(erasures.get_by_role("button", name="Download the receipt")).to_be_visible()
        assert barriers(page) == []
    assert [one["subject"] for one in site.client.timeline("c2")] == ["Of two"]


def test_an_erasure_that_takes_long_is_followed_and_one_that_is_refused_explained(
    site: Site,
) -> None:
    erasure: dict[str, Any] = {
        "id": "a" * 32, "person_id": "c1", "person_ids": ["c1", "c9"], "state": "running",
        "asked_by": "u1", "asked_at": "2026-11-28T10:00:00Z", "done_at": None, "receipt": None,
        "erased": {},
    }  # fmt: skip
    counted = {"mails_deleted": 9_000, "mails_redacted": 3, "quarantined": 0, "dead_letters": 0}
    answers = [
        (409, {"code": "erasure_key_missing", "title": "Conflict", "status": 409}),
        (202, erasure),
    ]

    def asked(route: Route) -> None:
        status, body = answers.pop(0)
        route.fulfill(status=status, json=body)

    with site.page(site.url("account/people")) as page:
        page.route("**/v1/people/c1:erase", asked)
        page.route(f"**/v1/erasures/{erasure['id']}", lambda route: route.fulfill(json=erasure))
        look_up(page, "amina@work.example")
        page.get_by_role("button", name="Erase…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="type the person").fill("c1")
        dialog.get_by_role("button", name="Erase for good").click()
        expect(dialog.get_by_role("alert")).to_contain_text("cannot sign a receipt")
        dialog.get_by_role("button", name="Erase for good").click()
        expect(dialog.get_by_role("status").first).to_contain_text("Erasing.")
        expect(dialog).to_contain_text("Erased together: c1 and c9")
        assert barriers(page) == []
        erasure.update(state="done", erased={**counted, "failed": 2}, receipt="a.b.c")
        expect(dialog).to_contain_text("9,000")
        expect(dialog).to_contain_text("2 emails could not be erased")
        assert barriers(page) == []


def test_who_may_only_read_sees_what_was_done_and_changes_nothing(site: Site) -> None:
    site.client.json("POST", "matcher", "/v1/people/c2:merge", json={"into": "c3"})
    with site.page(site.url("account/people", site.token(READS))) as page:
        look_up(page, "amina@work.example")
        expect(page.locator(".people .button")).to_have_text(["Show email"])
        merges = page.get_by_role("region", name="Merged profiles")
        expect(merges).to_contain_text("Jonas Lindqvist → Mei Tanaka")
        expect(merges.get_by_role("button")).to_have_count(0)
        page.goto("about:blank")
        page.goto(site.url("account/settings", site.token(READS)))
        expect(page.get_by_label("Days to keep it")).to_be_disabled()
        expect(page.get_by_role("button", name="Save")).to_have_count(0)
    with site.page(site.url("account/settings", site.token("timeline:read"))) as page:
        expect(page.get_by_text("but not change them")).to_be_visible()
        expect(page.get_by_label("Days to keep it")).to_have_count(0)


def test_the_rematch_window_is_set_and_not_over_somebody_elses(site: Site) -> None:
    def kept() -> int:
        days: int = site.client.json("GET", "matcher", "/v1/rematch-window")["days"]
        return days

    with site.page(site.url("account/settings")) as page:
        days = page.get_by_label("Days to keep it")
        expect(days).to_have_value("0")
        save = page.get_by_role("button", name="Save")
        days.fill("31")
        save.click()
        expect(page.get_by_text("Enter a whole number")).to_be_visible()
        assert kept() == 0
        assert barriers(page) == []
        days.fill("7")
        save.click()
        expect(page.get_by_text("is kept for this time")).to_be_visible()
        assert kept() == 7
        assert barriers(page) == []
        site.client.json("PUT", "matcher", "/v1/rematch-window", json={"days": 14})
        days.fill("3")
        save.click()
        expect(page.get_by_text("Someone else changed it")).to_be_visible()
        expect(days).to_have_value("14")
        assert kept() == 14
        days.fill("0")
        save.click()
        expect(page.get_by_text("forgotten at once.")).to_have_count(2)
        assert kept() == 0


def test_the_audit_log_says_who_did_what(site: Site) -> None:
    site.send(mail("l1", AMINA, NORA, "Removed", "x"))
    [one] = site.client.timeline("c1")
    path = f"/v1/mails/{one['id']}/matches/c1"
    assert site.client.request("DELETE", "timeline", path).is_success
    with site.page(site.url("account/audit")) as page:
        lines = page.locator(".decided li")
        expect(lines).to_have_count(1)
        expect(lines).to_contain_text("Nora Keller removed an email from a profile: Amina Diallo")
        assert barriers(page) == []
    with site.page(site.url("account/audit", site.token("account:read"))) as page:
        expect(page.locator(".decided li")).to_contain_text("u1 removed an email")
    with site.page(site.url("account/audit", site.token("timeline:read"))) as page:
        expect(page.get_by_text("You do not have access")).to_be_visible()


def test_on_a_narrow_dark_screen_in_german(site: Site) -> None:
    site.client.json("POST", "matcher", "/v1/people/c2:merge", json={"into": "c3"})
    url = site.url("account/people")
    with site.page(url, width=360, locale="de-DE", color_scheme="dark") as page:
        page.get_by_role("textbox", name="Adresse").fill("amina@work.example")
        page.get_by_role("button", name="Suchen").click()
        expect(page.get_by_role("region", name="Zusammengeführte Profile")).to_be_visible()
        page.get_by_role("button", name="Löschen …").click()
        dialog = page.get_by_role("dialog", name="Amina Diallo endgültig löschen")
        expect(dialog).to_be_visible()
        assert dialog.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert barriers(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Zusammenführen …").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert barriers(page) == []
        page.keyboard.press("Escape")
        assert not is_wider_than_the_page(page)
        for section in ("Einstellungen", "Protokoll"):
            page.get_by_role("button", name=section, exact=True).click()
            expect(page.locator(".card").last).to_be_visible()
            assert not is_wider_than_the_page(page)
            assert barriers(page) == []
