"""A profile's timeline in a browser: in the app, and as an element of another page."""

from playwright.sync_api import expect

from tests.e2e.pages.mails import AMINA, JONAS, NORA, mail
from tests.e2e.pages.site import Site, barriers, open_row

HOST = """<!doctype html><html lang="en"><title>Host</title><body><main><h1>Candidate</h1>
<satchel-timeline person="c1" style="height:600px"></satchel-timeline></main>
<script type="module" src="/app/satchel.js"></script>"""


def test_a_profile_shows_its_mails_by_day_with_direction_and_role(full: Site) -> None:
    with full.page(full.url("people/c1")) as page:
        timeline = page.locator("satchel-timeline")
        expect(timeline.get_by_role("heading", name="Amina Diallo")).to_be_visible()
        expect(timeline.locator(".entry")).to_have_count(3)
        assert timeline.locator(".day h3").count() >= 2
        expect(timeline.locator(".entry").nth(1)).to_contain_text("Received · as sender")
        expect(timeline.locator(".entry").nth(2)).to_contain_text("Sent · as recipient")
        timeline.get_by_role("button", name="Sent", exact=True).click()
        expect(timeline.locator(".entry")).to_have_count(1)
        timeline.get_by_role("button", name="All", exact=True).click()
        timeline.get_by_role("button", name="With attachments").click()
        expect(timeline.locator(".entry")).to_have_count(1)
        timeline.locator(".mail .head").click()
        expect(timeline.get_by_text("Amina Diallo CV.pdf")).to_be_visible()
        assert barriers(page) == []
        timeline.get_by_role("button", name="More about this email").click()
        timeline.get_by_role("button", name="Open the conversation").click()
        expect(page.locator(".conversation h2")).to_have_text("Your interview on Friday")
        page.go_back()
        expect(timeline.get_by_text("Amina Diallo CV.pdf")).to_be_visible()


def test_a_profile_follows_what_arrives(site: Site) -> None:
    with site.page(site.url("people/c1")) as page:
        timeline = page.locator("satchel-timeline")
        expect(timeline.get_by_text("No email with this person yet")).to_be_visible()
        assert barriers(page) == []
        site.post(mail("l1", AMINA, NORA, "Just arrived", "x"))
        expect(timeline.get_by_text("Just arrived")).to_be_visible()


def test_open_pages_follow_a_merge_and_its_undoing(site: Site) -> None:
    site.send(
        mail("m1", AMINA, NORA, "From Amina", "x"), mail("m2", JONAS, NORA, "From Jonas", "x")
    )
    with site.page(site.url("people/c1")) as page, site.page(site.url("people/c2")) as merged:
        one, other = page.locator("satchel-timeline"), merged.locator("satchel-timeline")
        expect(one.locator(".entry")).to_have_count(1)
        expect(other.get_by_role("heading", name="Jonas Lindqvist")).to_be_visible()
        into = {"into": "c1"}
        merge = site.client.json("POST", "matcher", "/v1/people/c2:merge", json=into)["id"]
        for timeline in (one, other):
            expect(timeline.locator(".entry")).to_have_count(2)
            expect(timeline.get_by_role("heading", name="Amina Diallo")).to_be_visible()
            expect(timeline.locator(".entry").first).to_contain_text("Received · as sender")
        said = "The profile you asked for was merged into this one"
        expect(other.get_by_text(said)).to_be_visible()
        expect(one.get_by_text(said)).to_have_count(0)
        assert barriers(merged) == []
        site.client.json("POST", "matcher", f"/v1/merges/{merge}:undo")
        expect(one.locator(".entry")).to_have_count(1)
        expect(one.get_by_text("From Amina")).to_be_visible()
        expect(other.get_by_role("heading", name="Jonas Lindqvist")).to_be_visible()
        expect(other.locator(".entry")).to_have_count(1)
        expect(other.get_by_text("From Jonas")).to_be_visible()


def test_a_chip_leads_to_the_profile_and_back(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Your offer from Client Ltd")
        page.locator(".profiles").get_by_role("button", name="Amina Diallo").click()
        expect(page.locator("satchel-timeline h2")).to_have_text("Amina Diallo")
        page.get_by_role("button", name="Back").click()
        expect(page.locator(".conversation h2")).to_have_text("Your offer from Client Ltd")


def test_another_page_embeds_a_timeline_and_hears_of_it(full: Site) -> None:
    with full.page("about:blank") as page:
        page.route(
            "**/host",
            lambda route: route.fulfill(body=HOST, content_type="text/html"),
        )
        page.goto(f"{full.origin}/host")
        page.evaluate(
            """token => {
              window.told = [];
              addEventListener('satchel-open', event => window.told.push(event.detail));
              document.querySelector('satchel-timeline').token = async () => token;
            }""",
            full.token("timeline:read"),
        )
        timeline = page.locator("satchel-timeline")
        expect(timeline.locator(".entry")).to_have_count(3)
        timeline.locator(".mail .head").first.click()
        expect(timeline.frame_locator("iframe").get_by_text("Dear Amina,")).to_be_visible()
        timeline.get_by_role("button", name="More about this email").click()
        timeline.get_by_role("button", name="Open the conversation").click()
        [told] = page.evaluate("window.told")
        assert len(told["conversation"]) == 32
        expect(timeline.get_by_role("button", name="Open the conversation")).to_have_count(0)
        assert barriers(page) == []
