"""A mail that a reader removes from a profile, hides and deletes, over the whole stack."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.pages.mails import AMINA, NORA, PRIYA, mail
from tests.e2e.pages.site import Site, barriers, open_row, row, rows


def choose(page: Page, entry: str) -> None:
    """Choose an entry of the menu of the mail that is open."""
    opened = page.locator(".mail[data-open=true]")
    opened.get_by_role("button", name="More about this email").click()
    page.locator(".mail .panel").get_by_role("button", name=entry).click()


def profiles(page: Page) -> Locator:
    return page.locator(".conversation .profiles li")


def test_a_mail_is_removed_from_a_profile_and_put_back(site: Site) -> None:
    site.send(mail("d1", AMINA, NORA, "For two", "Hello.", Cc=PRIYA))
    with site.page() as page:
        open_row(page, "For two")
        expect(profiles(page)).to_have_count(2)
        choose(page, "Remove from Amina Diallo")
        note = page.get_by_text("Removed from the profile of Amina Diallo.")
        expect(note).to_be_visible()
        expect(profiles(page)).to_have_count(1)
        assert barriers(page) == []
        assert site.client.timeline("c1") == []
        assert len(site.client.timeline("k1")) == 1
        page.get_by_role("button", name="Put back").click()
        expect(profiles(page)).to_have_count(2)
        expect(note).to_have_count(0)
        assert len(site.client.timeline("c1")) == 1


def test_a_mail_is_made_private_and_a_colleague_sees_it_no_more(site: Site) -> None:
    site.send(
        mail("p1", AMINA, NORA, "Between us", "Hello."),
        mail("p2", AMINA, NORA, "For all", "Hello.", hours_ago=2),
    )
    token = site.token(person="u2")
    with site.page() as mine, site.page(site.url(token=token)) as theirs:
        expect(rows(theirs)).to_have_count(2)
        open_row(theirs, "Between us")
        open_row(mine, "Between us")
        choose(mine, "Make private")
        expect(mine.get_by_text("Private: only you see what you captured of it.")).to_be_visible()
        expect(row(theirs, "Between us")).to_have_count(0)
        expect(theirs.get_by_text("This is no longer here")).to_be_visible()
        expect(row(mine, "Between us")).to_have_count(1)
        assert barriers(mine) == []
        mine.get_by_role("button", name="Show to the team").click()
        again, new = row(theirs, "Between us"), theirs.get_by_role("button", name="1 new")
        expect(again.or_(new)).to_be_visible()
        if new.is_visible():  # while the reader's hand is at the list, no row moves under it
            new.click()
        expect(again).to_have_count(1)


def test_a_mail_is_deleted_after_a_second_look(site: Site) -> None:
    site.send(
        mail("x1", AMINA, NORA, "To be gone", "Hello."),
        mail("x2", AMINA, NORA, "To stay", "Hello.", hours_ago=2),
    )
    with site.page() as page:
        open_row(page, "To be gone")
        choose(page, "Delete for good…")
        expect(page.get_by_text("Delete this email for good?")).to_be_visible()
        assert barriers(page) == []
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_text("Delete this email for good?")).to_have_count(0)
        assert len(site.client.timeline("c1")) == 2
        choose(page, "Delete for good…")
        page.get_by_role("button", name="Delete for good", exact=True).click()
        expect(row(page, "To be gone")).to_have_count(0)
        expect(row(page, "To stay")).to_have_count(1)
    assert [one["subject"] for one in site.client.timeline("c1")] == ["To stay"]


def test_who_did_not_capture_a_mail_neither_hides_nor_deletes_it(site: Site) -> None:
    site.send(mail("o1", AMINA, NORA, "Of a colleague", "Hello."))
    for person, scope, expected in (
        ("u2", "timeline:read timeline:write", ["Remove from Amina Diallo"]),
        ("u1", "timeline:read", []),
    ):
        with site.page(site.url(token=site.token(scope, person=person))) as page:
            open_row(page, "Of a colleague")
            opened = page.locator(".mail[data-open=true]")
            opened.get_by_role("button", name="More about this email").click()
            expect(page.locator(".mail .panel")).to_be_visible()
            entries = page.locator(".mail .panel button").all_inner_texts()
            known = {"Download the original (.eml)", "Why is this here?"}
            assert [one for one in entries if one.strip() not in known] == expected
