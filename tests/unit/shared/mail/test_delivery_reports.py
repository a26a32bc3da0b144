"""Reports of mail servers: who may write one, what they return, and whom they name."""

import pytest

from shared.mail.delivery_reports import Report, may_be_report
from shared.mail.headers import read_header_block
from tests.report_parts import CARA, RETURNED, SERVER, read, report


def test_a_report_tells_from_whom_and_to_whom_the_mail_was() -> None:
    found = read(report(f"{SERVER}Subject: Undeliverable\n", ("text/plain", "Sorry."),
                        ("message/rfc822", f"{RETURNED}\nHello.")))  # fmt: skip
    assert found == Report(
        "bounce", "out1@agency.example", (CARA,), ("rita@agency.example",), (CARA,)
    )


@pytest.mark.parametrize(
    ("lines", "senders", "recipients"),
    [
        ("Message-ID: <out1@agency.example>\n", None, None),
        ("From: <>\nMessage-ID: <out1@agency.example>\n", (), None),
        ("From: a@x.example, b@x.example\n", ("a@x.example", "b@x.example"), None),
        ("From: a@x.example\nTo: undisclosed-recipients:;\n", ("a@x.example",), ()),
        ("From: a@x.example\nTo: b@x.example\nCc: c@x.example\n", ("a@x.example",),
         ("b@x.example", "c@x.example")),
    ],
)  # fmt: skip
def test_what_is_not_returned_is_not_known(
    lines: str, senders: tuple[str, ...] | None, recipients: tuple[str, ...] | None
) -> None:
    found = read(report(f"{SERVER}Subject: Undeliverable\n", ("text/plain", f"<{CARA}>: 550 no"),
                        ("text/rfc822-headers", lines)))  # fmt: skip
    assert found is not None
    assert (found.returned_from, found.returned_to) == (senders, recipients)


def test_the_header_in_the_text_is_as_good_as_a_part() -> None:
    text = f"<{CARA}>:\nno such user\n\n--- Below this line is a copy of the message.\n\n{RETURNED}"
    found = read(f"{SERVER}Subject: failure notice\n\n{text}\nHello.\n")
    assert found == Report(
        "bounce", "out1@agency.example", (CARA,), ("rita@agency.example",), (CARA,)
    )


@pytest.mark.parametrize(
    ("to", "named"),
    [
        ("To: cara@mail.example", (CARA,)),
        ("To: cara@mail.example\nCc: CARA@mail.example", (CARA, "CARA@mail.example")),
        ("To: cara@mail.example, dan@mail.example", ()),
        ("To: cara@mail.example\nCc: dan@mail.example", ()),
        ("To: cara@mail.example\nCc: rita." + "a" * 29 + "@in.agency.example", (CARA,)),
        ("Subject: none", ()),
    ],
)
def test_the_only_recipient_is_named_by_the_returned_mail(to: str, named: tuple[str, ...]) -> None:
    returned = f"From: rita@agency.example\n{to}\nDate: x\nMessage-ID: <a@b>\n\nHello."
    found = read(report(f"{SERVER}Subject: Undeliverable\n", ("text/plain", "Sorry."),
                        ("message/rfc822", returned)))  # fmt: skip
    assert found is not None
    assert found.recipients == named


# -- who may write a report ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "From: MAILER-DAEMON@mx.example",
        "From: Mail Delivery System <Mail.Delivery.System@mx.example>",
        "From: Mail Delivery Subsystem <MAILER-DAEMON>",
        "From: <>",
        "From: System Administrator",
        "From: postmaster@mx.example",
        "From: ann@x.example\nReturn-Path: <>",
        "From: ann@x.example\nReturn-Path: <MAILER-DAEMON>",
        "From: ann@x.example\nX-Failed-Recipients: b@x.example",
        "From: ann@x.example\nAuto-Submitted: auto-replied",
        "From: ann@x.example\nContent-Type: multipart/report",
        "From: no-reply@x.example\nSubject: Undeliverable: x",
    ],
)
def test_the_header_lets_expect_a_report(field: str) -> None:
    assert may_be_report(read_header_block(f"{field}\n\n".encode()))


@pytest.mark.parametrize(
    "field",
    [
        "From: ann@x.example",
        "From: Mailer-Daemon <ann@x.example>",
        "From: System Administrator <ann@x.example>",
        "From: no-reply@x.example\nSubject: Your order",
        "From: ann@x.example\nSubject: Undeliverable: x",
        "From: ann@x.example\nReturn-Path: <ann@x.example>",
        "Subject: x",
    ],
)
def test_the_header_of_a_person_lets_expect_none(field: str) -> None:
    assert not may_be_report(read_header_block(f"{field}\n\n".encode()))


def test_a_person_cannot_report() -> None:
    fields = f"Final-Recipient: rfc822; {CARA}\nAction: failed"
    mail = report("From: dan@mail.example\nSubject: Undeliverable\n", ("text/plain", "550 no"),
                  ("message/delivery-status", fields), ("message/rfc822", RETURNED))  # fmt: skip
    assert read(mail) is None


@pytest.mark.parametrize("type_", ["feedback-report", "tlsrpt", "disposition-notification"])
def test_a_report_of_another_type_has_no_prose(type_: str) -> None:
    kind = f"multipart/report; report-type={type_}"
    mail = report(f"{SERVER}Subject: Undeliverable\n", ("text/plain", f"<{CARA}>: 550 no"),
                  ("message/rfc822", RETURNED), kind=kind)  # fmt: skip
    assert read(mail) is None


@pytest.mark.parametrize("sender", ["MicrosoftExchange@team.example", "postmaster@team.example"])
def test_a_journal_report_names_who_got_a_mail_and_not_who_did_not(sender: str) -> None:
    lines = "Sender: anna@team.example\nSubject: Undeliverable\nTo: cand@mail.example\n"
    head = f"From: {sender}\nReturn-Path: <>\nSubject: Delivery status: failed\n"
    parts = ("text/plain", lines), ("message/rfc822", "From: anna@team.example\n\nHello.")
    assert read(report(head, *parts)) is not None, "without its field it would be one"
    assert read(report(f"{head}X-MS-Journal-Report:\n", *parts)) is None


# -- aliases, and fields that servers get wrong ----------------------------------------------------

INNER = "inner@host.example"
FIELDS = f"Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; {INNER}\nAction: failed\n"


@pytest.mark.parametrize(
    "words",
    [
        f"  {INNER}\n    (generated from {CARA})\n    550 5.1.1 User unknown",
        f"  {INNER}\n    (ultimately generated from {CARA})\n    550 5.1.1 User unknown",
        f"<{INNER}>\n    (reason: 550 5.1.1 no)\n    (expanded from: <{CARA}>)",
        f"<{INNER}> (expanded from <{CARA}>): host mx[1] said: 550\n    5.1.1 no",
    ],
)
def test_the_address_that_the_sender_used_counts_beside_the_one_that_failed(words: str) -> None:
    text = f"Your message could not be delivered.\n\n{words}\n"
    prose = read(f"{SERVER}Subject: Undeliverable\n\n{text}\n--- Original message ---\n{RETURNED}")
    fields = read(
        report(
            SERVER,
            ("text/plain", text),
            ("message/delivery-status", FIELDS),
            ("text/rfc822-headers", RETURNED),
            kind="multipart/report; report-type=delivery-status",
        )
    )
    for found in (prose, fields):
        assert found is not None
        assert found.recipients == (INNER, CARA)


def test_an_alias_in_the_returned_mail_or_of_the_reader_counts_for_nothing() -> None:
    for words in (
        f"<{INNER}> (expanded from <rita@agency.example>): no",
        f"<{INNER}>: no\n\n--- Original message ---\n{RETURNED}\nLook (generated from {CARA}).",
    ):
        found = read(f"{SERVER}Subject: Undeliverable\n\n{words}\n")
        assert found is not None
        assert found.recipients == (INNER,)


@pytest.mark.parametrize(
    ("fields", "kind", "recipients"),
    [
        (
            f"Final-Recipient: rfc822; {INNER}\nAction: failed\nStatus: 5.1.1\n"
            f"Final-Recipient: rfc822; {CARA}\nAction: failed\nStatus: 5.1.1\n",
            "bounce",
            (INNER, CARA),
        ),
        (
            f"Original-Recipient: rfc822; {INNER}\nFinal-Recipient: rfc822; x@y.example\n"
            f"Action: failed\nFinal-Recipient: rfc822; {CARA}\nAction: delayed\n",
            "bounce",
            (INNER,),
        ),
        (
            "Original-Recipient: rfc822;cara+2Bjobs@mail.example\n"
            "Final-Recipient: rfc822; x@y.example\nAction: failed\n",
            "bounce",
            ("cara+jobs@mail.example",),
        ),
        (
            "Original-Recipient: rfc822;cara+2b@mail.example\nAction: failed\n",
            "bounce",
            ("cara+2b@mail.example",),
        ),
    ],
)
def test_fields_that_servers_write_otherwise(
    fields: str, kind: str, recipients: tuple[str, ...]
) -> None:
    found = read(
        report(
            SERVER,
            ("message/delivery-status", f"Reporting-MTA: dns; a\n\n{fields}"),
            kind="multipart/report; report-type=delivery-status",
        )
    )
    assert found is not None
    assert (found.kind, found.recipients) == (kind, recipients)
