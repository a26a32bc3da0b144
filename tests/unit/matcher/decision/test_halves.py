"""Which half of a set-up a capture proves, told by how it came, and when an address leaked."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.matcher.decision.decide import Person, decide
from services.matcher.decision.halves import half_of, leak_of, traces
from services.matcher.decision.judge import Judgement
from services.matcher.reading.participants import Participant, participants
from shared.contracts.events import Half, Kind, Leak, Role, Source
from shared.mail.headers import read_header_block

DOMAIN = "in.satchel.test"
CAPTURE = f"anna.key@{DOMAIN}"
OTHER_CAPTURE = f"ben.key@{DOMAIN}"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = [
    Person("u1", Kind.USER, "", (), frozenset(["anna@firm.example", "anna@home.example"])),
    Person("u2", Kind.USER, "", (), frozenset(["ben@firm.example"])),
    Person("c1", Kind.CANDIDATE, "", (), frozenset(["cand@mail.example"])),
    Person("g1", Kind.GUEST, "", (), frozenset(["guest@mail.example"])),
]


def judged(header: str) -> Judgement:
    block = read_header_block(header.replace("\n", "\r\n").encode())
    taking_part = participants(block, DOMAIN)
    asked = {participant.address for participant in taking_part} | traces(block)
    people = [person for person in PEOPLE if person.keys & asked]
    return Judgement("", block, decide(taking_part, people), taking_part, people)


def half(header: str, owner: str = "u1") -> Half | None:
    return half_of(judged(header), owner, CAPTURE, DOMAIN)


LIST = "List-Id: <team.lists.example>\n"


@pytest.mark.parametrize(
    "header",
    [
        "From: anna@firm.example\nTo: cand@mail.example\n",
        "From: ANNA@Home.Example\nTo: stranger@x.example\n",
        f"From: anna@firm.example\nTo: cand@mail.example\nCc: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: cand@mail.example\nBcc: {CAPTURE}\n",
        "From: anna@firm.example\n",
        "From: anna@firm.example\nTo: undisclosed-recipients:;\n",
        "From: anna@firm.example\nTo: ben@firm.example\n",
        f"From: anna@firm.example\nTo: team@lists.example\nCc: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: anna@firm.example, x@y.example, {CAPTURE}\n",
        f"From: anna@firm.example\nTo: team@lists.example, {CAPTURE}\n{LIST}",
        f"From: anna@firm.example\nTo: anna@firm.example\nBcc: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: {CAPTURE}\nBcc: cand@mail.example\n",
    ],
)
def test_what_the_owner_sent_proves_the_sent_half(header: str) -> None:
    assert half(header) is Half.SENT


@pytest.mark.parametrize(
    "header",
    [
        "From: cand@mail.example\nTo: anna@firm.example\n",
        "From: shop@x.example\nTo: x@y.example\nCc: Anna <anna@home.example>\n",
        "From: ben@firm.example\nTo: anna@firm.example\n",
        "From: MAILER-DAEMON@mx.example\nTo: anna@firm.example\n",
        f"From: cand@mail.example\nTo: team@lists.example\n{LIST}Delivered-To: anna@firm.example\n",
        f"From: anna@firm.example\nTo: t@lists.example\n{LIST}Delivered-To: anna@firm.example\n",
        "From: a@x.example\nTo: hidden@x.example\nX-Original-To: anna@firm.example\n",
        f"From: a@x.example\nTo: t@x.example\nX-Forwarded-For: anna@home.example {CAPTURE}\n",
        # a mailbox that the directory does not know
        f"From: a@x.example\nTo: anna@old.example\nX-Forwarded-To: {CAPTURE}\n",
        f"From: a@x.example\nTo: t@x.example\nX-Forwarded-For: anna@old.example {CAPTURE}\n",
        "From: a@x.example\nTo: t@x.example\nResent-From: Anna <anna@home.example>\n",
        f"From: cand@mail.example\nTo: anna@firm.example, {CAPTURE}\n"
        "X-Forwarded-For: anna@firm.example\n",
        f"From: cand@mail.example\nTo: anna@firm.example, {OTHER_CAPTURE}\n",
    ],
)
def test_what_the_owners_mailbox_passed_on_proves_the_received_half(header: str) -> None:
    assert half(header) is Half.RECEIVED


@pytest.mark.parametrize(
    "header",
    [
        # by hand: a forward to Satchel alone, or a test
        f"From: anna@firm.example\nTo: {CAPTURE}\nSubject: Fwd: Hello\n",
        f"From: anna@firm.example\nTo: {CAPTURE}\nCc: {OTHER_CAPTURE}\n",
        # it may have come back from a list, or from the owner's own mailbox
        f"From: anna@firm.example\nTo: team@lists.example\n{LIST}",
        "From: anna@firm.example\nTo: anna@firm.example, cand@mail.example\n",
        # anyone who knows the address can write to it
        f"From: shop@x.example\nTo: {CAPTURE}\n",
        f"From: cand@mail.example\nTo: anna@firm.example\nCc: {CAPTURE}\n",
        # it names no one in the directory, or others
        "From: shop@x.example\nTo: somebody@x.example\n",
        "From: ben@firm.example\nTo: cand@mail.example\n",
        "From: a@x.example\nTo: t@x.example\nDelivered-To: ben@firm.example\n",
        "From: a@x.example\nTo: t@x.example\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\n",
        "From: a@x.example\nTo: t@x.example\nX-Note: anna@firm.example\n",
        # a mail server in front of us may have noted it so
        f"From: a@x.example\nTo: t@x.example\nDelivered-To: {CAPTURE}\n",
        f"From: a@x.example\nTo: t@x.example\nX-Forwarded-To: {OTHER_CAPTURE}\n",
        "From: a@x.example\nTo: t@x.example\nReply-To: anna@firm.example\n",
        "From: a@x.example\nTo: t@x.example\n\nDelivered-To: anna@firm.example\n",
        "",
    ],
)
def test_what_may_have_come_otherwise_proves_neither(header: str) -> None:
    assert half(header) is None


@pytest.mark.parametrize(
    "name",
    [
        *("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"),
        *("X-Forwarded-For", "X-Forwarded-To", "Resent-From", "X-Sieve-Redirected-From"),
        "X-MS-Exchange-Inbox-Rules-Loop",
    ],
)
def test_each_trace_of_the_owners_mailbox_counts(name: str) -> None:
    assert half(f"From: a@x.example\nTo: t@x.example\n{name}: anna@home.example\n") is Half.RECEIVED
    assert half(f"From: a@x.example\nTo: t@x.example\n{name}: ben@firm.example\n") is None


def test_only_the_header_counts_and_not_what_a_report_or_a_forward_names() -> None:
    mail = judged(f"From: mta@x.example\nTo: other@x.example, {CAPTURE}\nCc: ben@firm.example\n")
    own = tuple(
        Participant("anna@firm.example", role, source)
        for role in (Role.FROM, Role.TO)
        for source in (Source.DELIVERY_REPORT, Source.FORWARDED_BODY)
    )
    seen = replace(mail, participants=(*mail.participants, *own), people=PEOPLE)
    assert half_of(seen, "u1", CAPTURE, DOMAIN) is None
    inside = judged(f"From: anna@firm.example\nTo: ben@firm.example, {CAPTURE}\n")
    outsider = Participant("cand@mail.example", Role.TO, Source.FORWARDED_BODY)
    seen = replace(inside, participants=(*inside.participants, outsider))
    assert leak_of(seen, CAPTURE, NOW) is None


def test_each_owner_is_proven_something_else_by_the_same_mail() -> None:
    header = "From: anna@firm.example\nTo: ben@firm.example\n"
    assert (half(header, "u1"), half(header, "u2")) == (Half.SENT, Half.RECEIVED)


def test_the_traces_of_a_hostile_header_are_few_and_can_be_looked_up() -> None:
    many = "".join(f"Delivered-To: a{n}@x.example\n" for n in range(100))
    assert len(traces(judged(many).header)) == 20
    raw = b"Delivered-To: \xff\xfe@x.example\r\nX-Forwarded-For: " + b"@" * 5000 + b"\r\n"
    found = traces(read_header_block(raw))
    assert all(address.isascii() and address.isprintable() for address in found)


@pytest.mark.parametrize(
    "header",
    [
        f"From: anna@firm.example\nTo: cand@mail.example\nCc: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: {CAPTURE.upper()}, guest@mail.example\n",
        f"From: anna@firm.example\nTo: ben@firm.example, {CAPTURE}\nBcc: x@y.example\n",
        f"From: cand@mail.example\nTo: x@y.example\nCc: anna@firm.example, {CAPTURE}\n",
    ],
)
def test_an_address_that_people_outside_saw_has_leaked(header: str) -> None:
    date = "Date: Sun, 1 Mar 2026 10:00:00 +0100\n"
    leak = leak_of(judged(header + date), CAPTURE, NOW)
    assert leak == Leak(capture_address=CAPTURE, mail_date=datetime(2026, 3, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    "header",
    [
        f"From: anna@firm.example\nTo: cand@mail.example\nBcc: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: {CAPTURE}\n",
        f"From: anna@firm.example\nTo: ben@firm.example, {CAPTURE}\nCc: {OTHER_CAPTURE}\n",
        f"From: anna@firm.example\nTo: cand@mail.example\nCc: {OTHER_CAPTURE}\n",
        # a provider's question, of one that is not known by its form
        f"From: noreply@provider.example\nTo: {CAPTURE}\n",
    ],
)
def test_an_address_hidden_from_outsiders_has_not(header: str) -> None:
    assert leak_of(judged(header), CAPTURE, NOW) is None


@pytest.mark.parametrize("date", ["", "Date: soon\n", "Date: Sun, 1 Mar 2099 10:00:00 +0000\n"])
def test_without_a_date_that_can_be_the_moment_of_arrival_is_told(date: str) -> None:
    leak = leak_of(judged(f"From: a@x.example\nTo: b@x.example, {CAPTURE}\n{date}"), CAPTURE, NOW)
    assert leak is not None
    assert leak.mail_date == NOW
