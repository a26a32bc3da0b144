"""The bounce of a user's mail: whom it attaches to, and when it attaches to nobody."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matcher.decision.decide import Attach, Dismiss, Person
from services.matcher.decision.judge import Considered, Verdict, judge
from services.matcher.decision.reports import Bounce, read_bounce
from services.matcher.reading.participants import Participant
from shared.contracts.events import Direction, DismissalReason, Kind, Match, Role, Source
from shared.mail.delivery_reports import MAX_RECIPIENTS
from shared.mail.headers import read_header_block
from tests.mails import enclosing

DOMAIN = "in.satchel.test"
CAPTURE = f"rita.{'a' * 29}@{DOMAIN}"


def person(person_id: str, kind: str, *addresses: str) -> Person:
    return Person(person_id, Kind(kind), person_id, addresses, frozenset(addresses))


PEOPLE = [
    person("u1", "user", "rita@agency.example"),
    person("u2", "user", "uwe@agency.example", "uwe@home.example"),
    person("c1", "candidate", "cara@mail.example"),
    person("c2", "contact", "carl@work.example"),
    person("c3", "candidate", "hired@mail.example", "uwe@home.example"),
    person("g1", "guest", "gus@mail.example"),
]


class Judge:
    """Judges mails, and counts what it was asked for."""

    def __init__(self) -> None:
        self.bodies = 0
        self.asked: list[frozenset[str]] = []

    def __call__(self, raw: str) -> Verdict:
        data = raw.replace("\n", "\r\n").encode()

        async def ask(keys: frozenset[str]) -> Considered:
            self.asked.append(keys)
            found = [p for p in PEOPLE if p.keys & keys]
            shared = frozenset().union(*(p.keys for p in found if p.kind.is_profile))
            users = (p for p in PEOPLE if p.kind is Kind.USER and p.keys & shared)
            return Considered([*found, *users])

        async def body() -> bytes:
            self.bodies += 1
            return data

        async def whole() -> bytes:
            return data

        return asyncio.run(judge(read_header_block(data), ask, body, whole, DOMAIN))


judged = Judge()


def returned(sender: str = "rita@agency.example", to: str = "cara@mail.example") -> str:
    return (
        f"From: {sender}\nTo: {to}\nSubject: Your interview\n"
        "Date: Tue, 10 Feb 2026 09:30:00 +0100\n"
        "Message-ID: <out1@agency.example>\n\nHello there.\n"
    )


def bounce(
    *recipients: str,
    original: str | None = None,
    action: str = "failed",
    sender: str = "MAILER-DAEMON@mx.agency.example",
    to: str = "rita@agency.example",
    type_: str = "delivery-status",
) -> str:
    """A report by RFC 3464; `original` is what it returns, None for nothing."""
    groups = "\n".join(
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: 5.1.1\n"
        for recipient in recipients
    )
    part = "" if original is None else f"--b\nContent-Type: message/rfc822\n\n{original}"
    return (
        f"From: {sender}\nTo: {to}\nSubject: Undelivered Mail Returned to Sender\n"
        f"MIME-Version: 1.0\nContent-Type: multipart/report; report-type={type_}; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nThe mail could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.agency.example\n\n"
        f"{groups}{part}\n--b--\n"
    )


def matches(verdict: Verdict) -> list[tuple[str, Role, Source]]:
    return [
        (match.person_id, match.role, match.source)
        for mail in verdict.attached
        if isinstance(mail.decision, Attach)
        for match in mail.decision.matches
    ]


TO_C1 = [("c1", Role.TO, Source.DELIVERY_REPORT)]


def test_a_bounce_attaches_to_whom_the_mail_did_not_reach() -> None:
    [mail] = judged(bounce("cara@mail.example", original=returned())).mails
    match = Match(
        person_id="c1",
        kind=Kind.CANDIDATE,
        address="cara@mail.example",
        role=Role.TO,
        source=Source.DELIVERY_REPORT,
    )
    assert mail.decision == Attach((match,), Direction.INBOUND)
    assert mail.participants == (
        Participant("mailer-daemon@mx.agency.example", Role.FROM),
        Participant("rita@agency.example", Role.TO),
        Participant("cara@mail.example", Role.TO, Source.DELIVERY_REPORT),
    )


def test_everything_is_asked_for_at_once() -> None:
    judge = Judge()
    judge(bounce("cara@mail.example", original=returned()))
    assert judge.asked == [
        frozenset(["mailer-daemon@mx.agency.example", "rita@agency.example", "cara@mail.example"])
    ]


def test_without_a_returned_header_a_report_counts() -> None:
    assert matches(judged(bounce("cara@mail.example"))) == TO_C1
    no_from = "Message-ID: <out1@agency.example>\n\n"
    assert matches(judged(bounce("cara@mail.example", original=no_from))) == TO_C1


@pytest.mark.parametrize(
    "sender",
    [
        "stranger@evil.example",
        "cara@mail.example",
        "gus@mail.example",
        "rita@agency.example, stranger@evil.example",
        "stranger@evil.example\nSender: rita@agency.example",
        "<>",
        "MAILER-DAEMON",
    ],
)
def test_a_report_about_a_mail_of_others_attaches_to_nobody(sender: str) -> None:
    verdict = judged(bounce("cara@mail.example", original=returned(sender)))
    assert verdict.dismissal == Dismiss(DismissalReason.NO_MATCH)
    assert not verdict.attached
    assert all(p.source is Source.HEADER for p in verdict.mails[0].participants)


@pytest.mark.parametrize(
    "sender", ["uwe@home.example", "RITA@AGENCY.EXAMPLE", "Rita <rita@agency.example>"]
)
def test_the_mail_may_be_any_users_by_any_of_their_addresses(sender: str) -> None:
    assert matches(judged(bounce("cara@mail.example", original=returned(sender)))) == TO_C1


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_is_no_failure_attaches_to_nobody(action: str) -> None:
    verdict = judged(bounce("cara@mail.example", original=returned(), action=action))
    assert verdict.dismissal == Dismiss(DismissalReason.NO_MATCH)
    assert not verdict.attached


def test_of_several_recipients_those_count_who_failed() -> None:
    raw = bounce("cara@mail.example", "nobody@x.example", original=returned(
        to="cara@mail.example, nobody@x.example, carl@work.example"))  # fmt: skip
    raw = raw.replace("--b--", "").replace(
        "--b\nContent-Type: message/rfc822",
        "\nFinal-Recipient: rfc822; carl@work.example\nAction: delayed\n"
        "--b\nContent-Type: message/rfc822",
    )
    verdict = judged(raw)
    assert matches(verdict) == TO_C1
    reported = [p.address for p in verdict.mails[0].participants if p.source is not Source.HEADER]
    assert reported == ["cara@mail.example", "nobody@x.example"]


def test_a_report_to_two_profiles_attaches_to_both() -> None:
    raw = bounce("cara@mail.example", "carl@work.example",
                 original=returned(to="cara@mail.example, carl@work.example"))  # fmt: skip
    assert [person_id for person_id, *_ in matches(judged(raw))] == ["c1", "c2"]


def test_a_blocked_profile_stays_blocked() -> None:
    raw = bounce("hired@mail.example", original=returned(to="hired@mail.example"))
    assert judged(raw).dismissal == Dismiss(DismissalReason.BLOCKED)


def test_the_bounce_of_a_mail_among_users_is_internal() -> None:
    raw = bounce("uwe@agency.example", original=returned(to="uwe@agency.example"),
                 sender="MAILER-DAEMON")  # fmt: skip
    assert judged(raw).dismissal == Dismiss(DismissalReason.INTERNAL)


def test_a_capture_address_that_failed_takes_no_part() -> None:
    raw = bounce(CAPTURE, original=returned())
    verdict = judged(raw)
    assert not verdict.attached
    assert all(not p.address.endswith(DOMAIN) for p in verdict.mails[0].participants)


def test_who_was_in_bcc_stays_the_owners_to_see() -> None:
    raw = bounce("cara@mail.example", original=returned(to="carl@work.example"))
    assert matches(judged(raw)) == [("c1", Role.BCC, Source.DELIVERY_REPORT)]
    hidden = bounce("cara@mail.example", original=returned(to="undisclosed-recipients:;"))
    assert matches(judged(hidden)) == [("c1", Role.BCC, Source.DELIVERY_REPORT)]


def test_the_header_is_stronger_than_the_report() -> None:
    raw = bounce(
        "cara@mail.example", original=returned(), to="rita@agency.example, cara@mail.example"
    )
    assert matches(judged(raw)) == [("c1", Role.TO, Source.HEADER)]


def test_a_report_changes_nothing_of_who_matches_by_header() -> None:
    raw = bounce("cara@mail.example", original=returned("stranger@evil.example"))
    raw = raw.replace("Subject: Und", "Reply-To: carl@work.example\nSubject: Und")
    assert matches(judged(raw)) == [("c2", Role.REPLY_TO, Source.HEADER)]


# -- prose --------------------------------------------------------------------------------------

PROSE = {
    "qmail": (
        "From: MAILER-DAEMON@mx.agency.example\nTo: rita@agency.example\nSubject: failure notice\n",
        "Hi. This is the qmail-send program. I wasn't able to deliver your message.\n\n"
        "<cara@mail.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
        "--- Below this line is a copy of the message.\n\n",
    ),
    "exim": (
        "From: Mail Delivery System <Mailer-Daemon@mx.agency.example>\nTo: rita@agency.example\n"
        "X-Failed-Recipients: cara@mail.example\nAuto-Submitted: auto-replied\n"
        "Subject: Mail delivery failed: returning message to sender\n",
        "A message that you sent could not be delivered to one or more of its recipients.\n\n"
        "  cara@mail.example\n    Unrouteable address\n\n"
        "------ This is a copy of your message, including all the headers. ------\n\n",
    ),
    "exchange": (
        "From: System Administrator\nTo: rita@agency.example\nSubject: Undeliverable: Interview\n",
        "Your message\n\n  To: cara@mail.example\n  Subject: Interview\n\n"
        "did not reach the following recipient(s):\n\ncara@mail.example on Tue, 10 Feb 2026\n\n",
    ),
}


@pytest.mark.parametrize("name", PROSE)
def test_the_prose_of_servers_counts_alike(name: str) -> None:
    head, text = PROSE[name]
    assert matches(judged(f"{head}\n{text}")) == TO_C1
    assert matches(judged(f"{head}\n{text}{returned()}")) == TO_C1
    assert matches(judged(f"{head}\n{text}{returned('stranger@evil.example')}")) == []


def test_html_alone_is_read() -> None:
    raw = (
        "From: MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@agency.example\n"
        "To: rita@agency.example\nSubject: Undeliverable: Interview\n"
        "Content-Type: text/html\n\n<p>Your message couldn't be delivered.</p>"
        "<p><b>cara@mail.example</b></p>"
    )
    assert matches(judged(raw)) == TO_C1


@pytest.mark.parametrize(
    "head",
    [
        "From: Dan <dan@x.example>\nTo: rita@agency.example\nSubject: Re: failure notice\n",
        "From: rita@agency.example\nTo: dan@x.example\nSubject: Fwd: failure notice\n",
        f"From: rita@agency.example\nTo: {CAPTURE}, dan@x.example\nSubject: Fwd: failure notice\n",
    ],
)
def test_a_person_who_quotes_a_bounce_sends_none(head: str) -> None:
    _, text = PROSE["qmail"]
    judge = Judge()
    assert matches(judge(f"{head}\nLook:\n\n{text}{returned()}")) == []
    assert judge.bodies == 0, "the header tells that there is nothing to read"


# -- as an enclosed mail ------------------------------------------------------------------------


def test_a_bounce_that_a_user_forwards_as_attachment_counts() -> None:
    headers, body = enclosing([bounce("cara@mail.example", original=returned())])
    raw = f"From: rita@agency.example\nTo: {CAPTURE}\n{headers}\n{body}".replace("\r\n", "\n")
    verdict = judged(raw)
    assert [mail.place for mail in verdict.attached] == ["1"]
    assert matches(verdict) == TO_C1


def test_the_mail_in_a_bounce_is_no_mail_of_its_own() -> None:
    verdict = judged(bounce("cara@mail.example", original=returned()))
    assert [mail.place for mail in verdict.mails] == [""]


# -- reading ------------------------------------------------------------------------------------


def test_addresses_compare_in_one_form() -> None:
    raw = bounce("Cara@BÜCHER.example", original=returned(to="cara@xn--bcher-kva.example"))
    found = read_bounce(raw.encode(), DOMAIN)
    address = "cara@xn--bcher-kva.example"
    failed = Participant(address, Role.TO, Source.DELIVERY_REPORT)
    assert found == Bounce((failed,), frozenset(["rita@agency.example"]))


def test_the_beginning_of_a_large_mail_is_enough() -> None:
    raw = bounce("cara@mail.example", original=returned() + "x" * 2_000_000).encode()
    whole, start = read_bounce(raw, DOMAIN), read_bounce(raw[: 1024 * 1024], DOMAIN)
    assert whole == start
    assert start is not None
    assert start.failed


_SERVER = b"From: MAILER-DAEMON@x.example\n"
_REPORT = _SERVER + b"Content-Type: multipart/report; boundary=b\n\n--b\n"
_STATUS = _REPORT + b"Content-Type: message/delivery-status\n\nAction: failed\nFinal-Recipient:"


@settings(deadline=None)
@given(st.binary(), st.sampled_from([b"", _SERVER, _SERVER + b"\n", _REPORT, _STATUS]))
def test_anything_is_a_bounce_or_none(raw: bytes, head: bytes) -> None:
    found = read_bounce(head + raw, DOMAIN)
    assert found is None or all("@" in participant.address for participant in found.failed)


@settings(deadline=None)
@given(st.text(alphabet="ab@.<>:; \n-\"'[]()>送信で", max_size=400))
def test_any_prose_of_a_server_is_read(text: str) -> None:
    found = read_bounce(_SERVER + b"Subject: Undeliverable\n\n" + text.encode(), DOMAIN)
    assert found is not None
    assert all("@" in participant.address for participant in found.failed)


def test_so_many_recipients_count() -> None:
    lines = "\n".join(f"<c{number}@mail.example>: 550 no" for number in range(1000))
    found = read_bounce(_SERVER + f"Subject: Undeliverable\n\n{lines}".encode(), DOMAIN)
    assert found is not None
    assert len(found.failed) == MAX_RECIPIENTS
