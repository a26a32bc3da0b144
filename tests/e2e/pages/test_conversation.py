"""A conversation in a browser, over the whole stack: text, design, pictures, files, reasons."""

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from tests.deadline import eventually
from tests.e2e.pages.mails import AMINA, HOSTILE, JONAS, MEI, NORA, PRIYA, mail, png
from tests.e2e.pages.site import Site, barriers, open_row, row, saved


def _frame(page: Page) -> FrameLocator:
    return page.frame_locator(".conversation .mail[data-open=true] iframe")


def _height(page: Page) -> float:
    return float(page.locator(".frame iframe").evaluate("frame => frame.clientHeight"))


def test_what_a_mail_adds_comes_first_and_the_rest_is_folded(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Salary expectations")
        text = page.locator(".conversation .text")
        expect(text).to_contain_text("82,000 to 88,000")
        expect(text).not_to_contain_text("+46 70")
        page.get_by_role("button", name="Show signature and quoted text").click()
        expect(text).to_contain_text("+46 70")

        open_row(page, "Your interview on Friday")
        frame = _frame(page)
        expect(frame.get_by_text("Friday at ten", exact=True)).to_be_visible()
        expect(frame.get_by_text("could you come in")).to_be_hidden()
        height = _height(page)
        page.get_by_role("button", name="Show quoted text").click()
        expect(frame.get_by_text("could you come in")).to_be_visible()
        assert eventually(lambda: _height(page) > height)


def test_a_mail_looks_as_its_sender_designed_it(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Your offer from Client Ltd")
        frame = _frame(page)
        banner = frame.get_by_role("cell", name="Your offer from Client Ltd", exact=True)
        expect(banner).to_have_css("background-color", "rgb(15, 76, 92)")
        expect(frame.get_by_role("link", name="Read the contract")).to_have_attribute(
            "rel", "noopener noreferrer nofollow"
        )
        # A key in the frame counts as one beside it.
        frame.get_by_text("Dear Amina,").click()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        inside = frame.locator("body").evaluate("body => body.getBoundingClientRect().height")
        assert inside <= _height(page) < inside + 40


def test_a_wide_mail_scrolls_sideways_and_widens_nothing(full: Site) -> None:
    with full.page(width=360, height=640) as page:
        open_row(page, "Your offer from Client Ltd")
        frame = _frame(page)
        expect(frame.get_by_text("Dear Amina,")).to_be_visible()
        assert frame.locator("html").evaluate("html => html.scrollWidth > html.clientWidth")
        assert frame.locator("table table").first.evaluate("table => table.offsetWidth") >= 600
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_remote_pictures_come_when_asked_for_and_through_us_alone(full: Site) -> None:
    with full.page() as page:
        asked: list[str] = []

        def answer(route: Route) -> None:
            asked.append(route.request.url)
            route.fulfill(body=png(1, 2, 3), content_type="image/png")

        page.route("**/images?variant=*&url=*", answer)
        open_row(page, "Your offer from Client Ltd")
        picture = _frame(page).locator("img")
        expect(page.get_by_text("Pictures from the web are not loaded")).to_be_visible()
        expect(picture).not_to_have_attribute("src", "")
        assert asked == []
        assert page.get_by_role("button", name="Always from").count() == 0  # it is not verified
        page.get_by_role("button", name="Load once").click()
        expect(picture).to_have_js_property("naturalWidth", 64)
        assert len(asked) == 1
        expect(page.get_by_text("Pictures from the web are not loaded")).to_have_count(0)


def test_a_sender_who_is_verified_can_be_trusted_with_pictures(full: Site) -> None:
    with full.page() as page:

        def verified(route: Route) -> None:
            answer = route.fetch()
            mail_ = answer.json()
            mail_["authentication"] |= {"verdict": "verified", "domain": "client.example"}
            route.fulfill(response=answer, json=mail_)

        page.route("**/v1/mails/*/variants/*?styles=inline", verified)
        page.route(
            "**/images?variant=*&url=*",
            lambda route: route.fulfill(body=png(1, 2, 3), content_type="image/png"),
        )
        open_row(page, "Your offer from Client Ltd")
        page.get_by_role("button", name="Always from priya@client.example").click()
        picture = _frame(page).locator("img")
        expect(picture).to_have_js_property("naturalWidth", 64)
        open_row(page, "Salary expectations")
        open_row(page, "Your offer from Client Ltd")
        expect(picture).to_have_js_property("naturalWidth", 64)


def test_pictures_that_cannot_be_had_are_counted(site: Site) -> None:
    inside = '<p>x</p><img src="https://127.0.0.1/a.png" alt="a"><img src="http://10.0.0.1/b.png">'
    counter = '<img src="https://10.0.0.1/count.gif" width="1" height="1">'
    site.send(mail("x1", PRIYA, NORA, "From inside", "x", html=inside + counter))
    [conversation] = site.client.inbox()
    with site.page() as page:
        open_row(page, "From inside")
        page.get_by_role("button", name="Load once").click()
        expect(page.get_by_text("2 pictures could not be loaded.")).to_be_visible()
        assert barriers(page) == []
    mails = site.client.json("GET", "timeline", f"/v1/conversations/{conversation['id']}")["mails"]
    path = f"/v1/mails/{mails[0]['id']}/images"
    for url, status in (("https://127.0.0.1/a.png", 502), ("https://other.example/", 404)):
        answer = site.client.request("GET", "timeline", path, params={"url": url})
        assert answer.status_code == status
        assert "127.0.0.1" not in answer.text


def test_files_are_saved_as_they_were_sent(full: Site, tmp_path: Path) -> None:
    with full.page() as page:
        open_row(page, "Your interview on Friday")
        expect(page.get_by_text("PDF · 84 kB")).to_be_visible()
        name, data = saved(page, page.get_by_role("button", name="Amina Diallo CV.pdf"), tmp_path)
        assert name == "Amina Diallo CV.pdf"
        assert data.startswith(b"%PDF-1.4")
        assert len(data) == 84_009
        expect(page.locator(".attachment .preview img")).to_be_visible()
        page.get_by_role("button", name="More about this email").click()
        name, data = saved(page, page.get_by_role("button", name="Download the original"), tmp_path)
        assert name.endswith(".eml")
        assert b"Message-ID: <a2@pages.example>" in data


def test_a_picture_that_a_mail_brings_is_shown_in_its_place(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Floor plan")
        expect(_frame(page).get_by_alt_text("plan")).to_have_js_property("naturalWidth", 64)
        assert page.get_by_text("Pictures from the web").count() == 0


def test_an_invitation_is_a_card_in_the_reader_s_time(full: Site, tmp_path: Path) -> None:
    with full.page() as page:
        open_row(page, "Interview: Jonas Lindqvist")
        card = page.get_by_role("region", name="Invitation")
        expect(card).to_contain_text("16:00 \N{EN DASH} 17:00 your time")
        expect(card).to_contain_text("10:00 \N{EN DASH} 11:00 (America/New_York)")
        expect(card).to_contain_text("Client Ltd, Room 4")
        name, data = saved(page, card.get_by_role("button", name="Add to your calendar"), tmp_path)
        assert name == "invite.ics"
        assert data.startswith(b"BEGIN:VCALENDAR")
        card.get_by_text("2 guests").click()
        expect(card).to_contain_text("Jonas Lindqvist accepted")


def test_a_bounce_and_an_automatic_reply_are_marked(full: Site) -> None:
    with full.page() as page:
        open_row(page, "A role in Berlin")
        expect(page.locator(".mail").first).to_contain_text("Delivery failed")
        page.locator(".mail .head").nth(1).click()
        expect(
            page.get_by_text("This email was not delivered to mei.tanaka@mail.example.")
        ).to_be_visible()
        open_row(page, "Automatic reply: Shortlist")
        expect(page.locator(".mail .badge")).to_have_text("Automatic reply")


def test_a_mail_says_why_it_is_here(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Your interview on Friday")
        page.get_by_role("button", name="Details").click()
        why = page.get_by_role("region", name="Why is this here?")
        expect(why).to_contain_text("amina.diallo@mail.example (From) belongs to Amina Diallo.")
        expect(why).to_contain_text("Captured by your address,")
        expect(why).to_contain_text("Not verified: nothing proves who sent it.")


def test_a_long_conversation_is_folded_with_its_newest_mail_open(full: Site) -> None:
    with full.page() as page:
        open_row(page, "Shortlist for Berlin")
        expect(page.locator(".mail")).to_have_count(3)
        expect(page.locator(".mail[data-open=true]")).to_have_count(1)
        expect(page.locator(".mail").first).to_contain_text("Answer 12: agreed.")
        page.get_by_role("button", name="9 earlier emails").click()
        expect(page.locator(".mail")).to_have_count(12)
        expect(page.locator(".mail").last).to_contain_text("Note 1")


def test_what_arrives_in_an_open_conversation_waits_for_the_reader(site: Site) -> None:
    site.send(mail("w1", AMINA, NORA, "Waiting", "The first.", hours_ago=2))
    with site.page() as page:
        open_row(page, "Waiting")
        site.post(mail("w2", AMINA, NORA, "Re: Waiting", "The second.", answers="w1"))
        page.locator(".conversation .new").click()
        expect(page.locator(".mail")).to_have_count(2)
        expect(page.locator(".mail[data-open=true] .text")).to_contain_text("The second.")


def test_variants_can_be_read(site: Site) -> None:
    other = site.client.mint("u2")
    first = mail("v1", AMINA, "nora@agency.example, ben@agency.example", "Two", "As Nora got it.")
    second = mail("v1", AMINA, "nora@agency.example, ben@agency.example", "Two", "As Ben got it.")
    second.replace_header("Date", first["Date"])
    site.send(first)
    site.send(second, capture=other)
    with site.page() as page:
        open_row(page, "Two")
        text = page.locator(".conversation .text")
        expect(text).to_contain_text("As Nora got it.")
        page.get_by_role("combobox", name="different version").select_option(
            label="Version that Ben Ortiz received"
        )
        expect(text).to_contain_text("As Ben got it.")
        assert barriers(page) == []


WATCH = """
() => {
  window.struck = [];
  for (const name of ['alert', 'confirm', 'prompt', 'open', 'print'])
    window[name] = () => window.struck.push(name);
  addEventListener('message', event => window.struck.push(`message ${event.data}`));
  addEventListener('beforeunload', () => window.struck.push('navigation'));
}
"""


HOST = """<!doctype html><html lang="en"><title>Host, Satchel</title><body><main><h1>Host</h1>
<satchel-inbox style="height:700px"></satchel-inbox></main>
<script type="module" src="/app/satchel.js"></script>"""


@pytest.mark.parametrize("embedded", [False, True], ids=["app", "embedded"])
def test_a_hostile_mail_does_nothing(site: Site, *, embedded: bool) -> None:
    """In our pages, and in those of a host that has no policy of its own.

    `Site.page` fails on any request to another place.
    """
    site.send(
        mail("h1", MEI, NORA, "<b onclick=x>A hostile subject", "x", html=HOSTILE),
        mail("h2", JONAS, NORA, "Plain", "<script>alert(1)</script> javascript:alert(1)"),
    )
    with site.page("about:blank") as page:
        if embedded:
            page.route("**/host", lambda route: route.fulfill(body=HOST, content_type="text/html"))
            page.goto(f"{site.origin}/host")
            token = site.token()
            page.evaluate(
                "token => { document.querySelector('satchel-inbox').token = token }", token
            )
        else:
            page.goto(site.url())
        page.evaluate(WATCH)
        open_row(page, "<b onclick=x>")
        frame = _frame(page)
        expect(frame.get_by_text("What a hostile mail says.")).to_be_visible()
        page.wait_for_timeout(500)
        assert page.evaluate("window.struck") == []
        assert page.title().endswith("Satchel")
        assert frame.locator("script, form, input, svg, iframe, base, link").count() == 0
        assert frame.locator("style").count() == 1  # ours
        overlay = frame.get_by_text("overlay")
        expect(overlay).to_have_css("position", "static")
        expect(overlay).to_have_css("margin-top", "0px")
        # The list beside it can still be used: nothing covers it.
        open_row(page, "Plain")
        expect(page.locator(".conversation .text")).to_contain_text("<script>alert(1)</script>")
        assert page.locator(".conversation .text a").count() == 0
        assert page.evaluate("window.struck") == []
        assert barriers(page) == []
        expect(row(page, "Plain")).to_be_visible()
