"""The page of `docs/embedding.md` that runs: three elements in a host's page."""

from playwright.sync_api import Request, expect

from tests.e2e.pages.mails import AMINA, NORA, mail
from tests.e2e.pages.site import Site, barriers, rows


def test_elements_in_a_hosts_page_share_a_stream_and_tell_the_host(site: Site) -> None:
    site.send(mail("e1", AMINA, NORA, "In the host's page", "Hello."))
    with site.page(f"{site.origin}/app/") as page:
        streams: list[str] = []

        def note(request: Request) -> None:
            if request.url.endswith("/v1/events"):
                streams.append(request.url)

        page.on("request", note)
        page.goto(site.url("embedding.html"))
        expect(rows(page)).to_have_count(1)
        expect(page.locator("satchel-timeline")).to_contain_text("In the host's page")
        expect(page.locator("satchel-setup .address code")).to_have_text(site.capture)
        expect(page.locator("#unread")).to_have_text("1 unread.")
        accent = page.locator("satchel-setup .step .number").first
        expect(accent).not_to_have_css("color", "rgb(31, 95, 191)")
        assert len(streams) == 1
        site.post(mail("e2", AMINA, NORA, "Another", "Hello again.", hours_ago=0.5))
        expect(rows(page)).to_have_count(2)
        expect(page.locator("satchel-timeline")).to_contain_text("Another")
        assert page.url.endswith("/app/embedding.html")
        assert [one for one in barriers(page) if not one.startswith("heading-order")] == []
