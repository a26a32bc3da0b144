"""Every page, in every state that a reader can meet: for pictures, and for tests of access.

A state is a page's path and what is done there, in the account of the demo's week. An answer that
a fresh demo does not give (an outage, a lost network, a leak) is given in the place of the API.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, Route

NORA, LENA, NEWEST = "u1", "u3", "u4"
FULL, EMPTY = "demo", "empty"
Act = Callable[[Page], object]
"""What is done with a page; what that returns is nothing to anybody."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of a page."""

    name: str
    path: str = ""
    person: str | None = NORA
    """Who is signed in, if anyone."""
    account: str = FULL
    scope: str | None = None
    expired: bool = False
    answers: Act | None = None
    """Puts answers in the place of the API's, before the page is opened."""
    act: Act | None = None
    """What the reader does."""
    shows: str | None = None
    """What is there once the page is as it should be."""
    language: str = "en-GB"

    def show(self, page: Page, origin: str, token: str | None) -> None:
        """Bring a new page into the state. Raises playwright's TimeoutError."""
        if self.answers:
            self.answers(page)
        page.goto(f"{origin}/app/{self.path}" + (f"#token={token}" if token else ""))
        if self.act:
            page.locator("satchel-inbox .row, satchel-account h1, .signed-out").first.wait_for()
            self.act(page)
        if self.shows:
            page.locator(self.shows).first.wait_for()


def _answer(pattern: str, body: object, status: int = 200) -> Act:
    kind = "application/problem+json" if status >= 400 else "application/json"
    return lambda page: page.route(
        pattern,
        lambda route: route.fulfill(status=status, body=json.dumps(body), content_type=kind),
    )


def _failing(pattern: str) -> Act:
    return _answer(pattern, {"title": "Unavailable", "detail": "unavailable"}, 503)


def _away(pattern: str) -> Act:
    return lambda page: page.route(pattern, lambda route: route.abort())


def _silent(pattern: str) -> Act:
    return lambda page: page.route(pattern, lambda _: None)


def _open(words: str, *then: Act) -> Act:
    def act(page: Page) -> None:
        row = page.locator("satchel-inbox .row").filter(has_text=words)
        row.locator(".row-open").click()
        page.locator(".conversation .mail[data-open=true] .body").first.wait_for()
        for one in then:
            one(page)

    return act


def _press(name: str) -> Act:
    return lambda page: page.get_by_role("button", name=name).first.click()


def _search(words: str) -> Act:
    return lambda page: page.get_by_role("combobox").first.fill(words)


def _look_up(page: Page) -> None:
    page.get_by_role("textbox", name="Address").fill("amina@work.example")
    _press("Look up")(page)
    raw = (
        b"From: Amina Diallo <amina@work.example>\r\nTo: nora@agency.example,"
        b" desk@kestrel.example\r\nSubject: Friday\r\n\r\nSee you.\r\n"
    )
    page.locator("input[type=file]").set_input_files(
        {"name": "friday.eml", "mimeType": "message/rfc822", "buffer": raw}
    )


def _sign_out(page: Page) -> None:
    _press("Appearance")(page)
    page.get_by_role("button", name="Sign out", exact=True).click()  # not the menu's own


def _at(hours_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()


def _needs_the_user(page: Page) -> None:
    """A leak, a half that went quiet, a test mail that was refused, and a mail that is watched."""

    def answer(route: Route) -> None:
        told = route.fetch().json()
        told["halves"] = {
            "sent": {"state": "nothing_yet", "last_seen_at": None},
            "received": {"state": "silent", "first_seen_at": _at(900), "last_seen_at": _at(200)},
        }
        told["notices"] = [
            {"kind": "leak", "since": _at(3), "mail_date": _at(4), "half": None},
            {"kind": "silent_half", "since": _at(200), "half": "received"},
        ]
        told["watched"] = [
            {
                "received_at": _at(0.1),
                "sender": {"name": "Mailhost", "address": "noreply@mailhost.example"},
                "subject": "Please confirm your forwarding address",
                "text": "Open the link to confirm that nora@agency.example may forward here.",
                "links": ["https://mailhost.example/confirm?token=41ab90"],
            }
        ]
        told["round_trip"] = {
            "state": "bounced", "address": "nora@agency.example", "sent_at": _at(2), "at": _at(2),
            "reason": "550 5.7.520 Access denied, your organization does not allow forwarding.",
            "advice": "Ask your administrator to allow automatic forwarding to this address.",
        }  # fmt: skip
        route.fulfill(body=json.dumps(told), content_type="application/json")

    page.route("**/v1/setup", answer)


_LETTERS = {
    "items": [
        {
            "id": letter * 32, "capture_id": None, "tag": "mail.received.v1", "reason": reason,
            "detail": detail, "queue": "matcher.received", "at": _at(hours), "size": 4200,
            "state": "waiting", "replays": replays, "expires_at": _at(-700), "settled": None,
        }
        for letter, reason, detail, hours, replays in (
            ("a", "handler_error", "UnicodeDecodeError: 'utf-8' codec can't decode", 2, 1),
            ("b", "delivery_limit", "It was delivered 60 times.", 30, 0),
        )
    ],
    "next_cursor": None,
}  # fmt: skip
_HELD = {
    "id": "b" * 32,
    "captured_by": {"person_id": "u1", "at": _at(2)},
    "authentication": {
        "verdict": "failed", "method": None, "domain": "kestrel.example", "reason": "altered"
    },
    "mails": [
        {
            "subject": "New bank details for your invoices", "date": _at(2),
            "from": {"name": "Priya Raman", "address": "priya@kestrel.example"},
            "to": [
                {"name": "Nora Keller", "address": "nora@agency.example"},
                {"name": "Amina Diallo", "address": "amina.diallo@mail.example"},
            ],
            "cc": [], "snippet": "Please pay to the account in this mail from today on.",
            "forwarded_by": None, "matches": [],
        }
    ],
}  # fmt: skip
_SIGN_IN = {
    "sign_in": {
        "issuer": "https://id.agency.example",
        "client_id": "satchel",
        "scope": "openid",
        "claims": {"account": "org", "person": "sub", "scope": "scope"},
    }
}
_ROW, _STATE = "satchel-inbox .row", ".failure"
_INBOX, _SETUP, _PROFILE = "**/v1/inbox?*", "**/v1/setup", "**/v1/profiles/**"

STATES = (
    State("inbox", shows=_ROW),
    State("inbox-suggestions", act=_search("am"), shows="[role=option]"),
    State("inbox-search-help", act=_press("Search help"), shows=".search-help .panel"),
    State("inbox-mark-all", act=_press("Mark all as read"), shows=".mark-all .panel"),
    State("inbox-nothing-found", act=_search("zzzzzz"), shows=".empty button"),
    State("inbox-empty", account=EMPTY, shows=".list .empty"),
    State("inbox-loading", answers=_silent(_INBOX), shows=".list .skeleton"),
    State("inbox-error", answers=_failing(_INBOX), shows=_STATE),
    State("inbox-offline", answers=_away(_INBOX), shows=_STATE),
    State("inbox-stream-lost", answers=_away("**/v1/events"), shows=".lost"),
    State("inbox-expired", expired=True, shows=_STATE),
    State("inbox-forbidden", scope="mail:write", shows=_STATE),
    State("inbox-keys", act=lambda page: page.keyboard.press("?"), shows="dialog[open]"),
    State("inbox-german", language="de-DE", act=_open("Salary"), shows=".conversation .text"),
    State("menu", act=_press("Appearance"), shows=".menu-body"),
    State("conversation", act=_open("Salary expectations")),
    State("conversation-html", act=_open("Your offer", lambda page: page.wait_for_timeout(300))),
    State("conversation-files", act=_open("Your interview")),
    State("conversation-details", act=_open("Your interview", _press("Details")), shows=".why"),
    State("conversation-invitation", act=_open("Interview: Amina")),
    State("conversation-bounce", act=_open("Are you still looking")),
    State(
        "conversation-error",
        answers=_failing("**/v1/conversations/*"),
        act=lambda page: page.locator(_ROW).first.locator(".row-open").click(),
        shows=_STATE,
    ),
    State("conversation-missing", f"conversations/{'a' * 32}", shows=".conversation .failure"),
    State("profile", "people/c1", shows="satchel-timeline .entry"),
    State("profile-empty", "people/c4", shows="satchel-timeline .empty"),
    State(
        "profile-hidden",
        "people/c1",
        answers=_answer(
            _PROFILE, {"items": [], "next_cursor": None, "person": None, "hidden": "blocked"}
        ),
        shows="satchel-timeline .empty",
    ),
    State("profile-error", "people/c1", answers=_failing(_PROFILE), shows=_STATE),
    State("profile-offline", "people/c1", answers=_away(_PROFILE), shows=_STATE),
    State("profile-expired", "people/c1", expired=True, shows=_STATE),
    State("setup-new", "setup", person=NEWEST, shows=".step"),
    State("setup-unfinished", "setup", person=LENA, shows=".question"),
    State("setup-finished", "setup", shows=".step[data-done=true]"),
    State("setup-needs-you", "setup", answers=_needs_the_user, shows=".notices"),
    State("setup-german", "setup", person=LENA, language="de-DE", shows=".question"),
    State("setup-error", "setup", answers=_failing(_SETUP), shows=_STATE),
    State("setup-offline", "setup", answers=_away(_SETUP), shows=_STATE),
    State("setup-expired", "setup", expired=True, shows=_STATE),
    State("account", "account", shows=".figures"),
    State("account-empty", "account", account=EMPTY, shows="satchel-account .empty"),
    State(
        "account-quarantine",
        "account/quarantine",
        answers=_answer("**/v1/quarantine?*", {"items": [_HELD], "next_cursor": None}),
        shows=".held",
    ),
    State("account-quarantine-empty", "account/quarantine", account=EMPTY, shows=".empty"),
    State(
        "account-dead-letters",
        "account/dead-letters",
        answers=_answer("**/v1/dead-letters?*", _LETTERS),
        shows=".letter",
    ),
    State("account-people", "account/people", act=_look_up, shows=".participants"),
    State("account-settings", "account/settings", shows="input[type=radio]"),
    State("account-forbidden", "account/dead-letters", scope="timeline:read", shows=_STATE),
    State("account-error", "account", answers=_failing("**/v1/stats?*"), shows=_STATE),
    State("account-offline", "account", answers=_away("**/v1/stats?*"), shows=_STATE),
    State("account-expired", "account", expired=True, shows=_STATE),
    State("sign-in-link", person=None, shows=".signed-out"),
    State(
        "sign-in",
        person=None,
        answers=_answer("**/app/config.json", _SIGN_IN),
        shows=".signed-out .primary",
    ),
    State("signed-out", act=_sign_out, shows=".signed-out .note"),
)
