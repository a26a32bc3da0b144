"""Forward as attachment: which enclosed mails are judged, and what becomes of the capture."""

import base64
import threading

import pytest

from services.matcher.decision import judge as judge_module
from services.matcher.decision.decide import Attach, Dismiss
from services.matcher.reading.enclosed import MAX_MAILS, MAX_NESTING, cut, enclosed
from services.matcher.reading.participants import MAX_PARTICIPANTS
from shared.contracts.events import Direction, DismissalReason
from shared.mail.headers import HeaderBlock
from tests.judge_parts import (
    ABOUT_BLOCKED,
    ABOUT_C1,
    CAPTURE,
    DOMAIN,
    QUESTION,
    UNMATCHED,
    attached,
    forward,
    judged,
)
from tests.mails import enclosing, mail
from tests.opaque import der, opaque_mail, unsigned


def test_of_three_enclosed_mails_the_one_that_matches_is_attached() -> None:
    verdict = judged(forward(UNMATCHED, ABOUT_C1, ABOUT_BLOCKED))
    assert attached(verdict) == {"2": ["c1"]}
    [one] = verdict.attached
    assert isinstance(one.decision, Attach)
    assert one.decision.direction is Direction.INBOUND  # by its own header


def test_each_is_cut_out_as_it_is() -> None:
    raw = forward(UNMATCHED, ABOUT_C1).encode()
    assert cut(raw, ["2"]) == {"2": ABOUT_C1.encode()}


def test_the_wrapper_is_decided_on_its_own() -> None:
    assert attached(judged(forward(ABOUT_C1, to=f"second@mail.example, {CAPTURE}"))) == {
        "": ["c2"],
        "1": ["c1"],
    }


@pytest.mark.parametrize(
    "sender",
    ["stranger@x.example", "cand2@x.example", "user@team.example, stranger@x.example"],
)
def test_only_a_users_attachments_count(sender: str) -> None:
    verdict = judged(forward(ABOUT_C1, sender=sender))
    assert len(verdict.mails) == 1
    assert verdict.attached == ()


def test_a_recovered_sender_is_no_user() -> None:
    headers, body = enclosing([ABOUT_C1])
    headers += "X-Original-From: user@team.example\r\nList-Id: <list>\r\n"
    raw = mail("'User' via List <list@x.example>", CAPTURE, headers=headers, body=body)
    assert judged(raw).attached == ()


@pytest.mark.parametrize(
    ("mails", "reason"),
    [
        ([UNMATCHED], DismissalReason.NO_MATCH),
        ([UNMATCHED, ABOUT_BLOCKED], DismissalReason.BLOCKED),
        ([mail("user@team.example", "user@team.example")], DismissalReason.INTERNAL),
    ],
)
def test_a_capture_without_a_match_is_dismissed_by_all_of_its_mails(
    mails: list[str], reason: DismissalReason
) -> None:
    verdict = judged(forward(*mails))
    assert verdict.attached == ()
    assert verdict.dismissal == Dismiss(reason)


def test_a_mail_in_an_enclosed_mail_counts_when_a_user_wrote_that() -> None:
    headers, body = enclosing([ABOUT_C1], "inner")
    by_user = mail("user@home.example", "user@team.example", headers=headers, body=body)
    by_other = mail("shop@x.example", "user@team.example", headers=headers, body=body)
    assert attached(judged(forward(by_user, by_other))) == {"1.1": ["c1"]}


def test_an_enclosed_inline_forward_counts_as_any() -> None:
    text = (
        "-------- Original Message --------\r\nFrom: cand@mail.example\r\n"
        "Date: Thu, 15 Jan 2026\r\nTo: x@x.example\r\n\r\nHi"
    )
    inline = mail("user@team.example", CAPTURE, body=text)
    assert attached(judged(forward(inline))) == {"1": ["c1"]}


def test_base64_hides_no_enclosed_mail() -> None:
    data = base64.encodebytes(ABOUT_C1.encode()).decode().replace("\n", "\r\n")
    raw = mail(
        "user@team.example",
        CAPTURE,
        headers="Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n",
        body=data,
    )
    assert attached(judged(raw)) == {"1": ["c1"]}


def opaque(inner: str) -> str:
    """Return a user's mail to the capture address that holds a mail in an opaque signature."""
    signed = opaque_mail(unsigned(der(4, inner.encode())))
    return f"From: user@team.example\r\nTo: {CAPTURE}\r\n{signed.decode()}"


def test_a_signature_hides_no_enclosed_mail() -> None:
    headers, body = enclosing([UNMATCHED, ABOUT_C1])
    assert attached(judged(opaque(f"{headers}\r\n{body}"))) == {"2": ["c1"]}


def test_a_signature_hides_no_inline_forward() -> None:
    text = (
        "Content-Type: text/plain\r\n\r\n-------- Original Message --------\r\n"
        "From: cand@mail.example\r\nDate: Thu, 15 Jan 2026\r\nTo: x@x.example\r\n\r\nHi"
    )
    assert attached(judged(opaque(text))) == {"": ["c1"]}
    assert attached(judged(opaque("Content-Type: text/plain\r\n\r\ncand@mail.example"))) == {}


def test_a_forward_may_stand_behind_a_picture() -> None:
    parts = (
        "--b\r\n\r\nPlease have a look.\r\n"
        "--b\r\nContent-Type: image/png\r\nContent-Disposition: inline\r\n\r\nx\r\n"
        "--b\r\n\r\n-------- Original Message --------\r\nFrom: cand@mail.example\r\n"
        "Date: Thu, 15 Jan 2026\r\nTo: x@x.example\r\n\r\nHi\r\n--b--"
    )
    headers = "Content-Type: multipart/mixed; boundary=b\r\n"
    raw = mail("user@team.example", CAPTURE, headers=headers, body=parts)
    assert attached(judged(raw)) == {"": ["c1"]}


def test_a_digest_needs_no_content_types() -> None:
    headers = "Content-Type: multipart/digest; boundary=d\r\n"
    body = f"--d\r\n\r\n{UNMATCHED}\r\n--d\r\n\r\n{ABOUT_C1}\r\n--d--"
    assert attached(judged(mail("user@team.example", CAPTURE, headers=headers, body=body))) == {
        "2": ["c1"]
    }


def test_too_many_are_not_dismissed() -> None:
    verdict = judged(forward(*[UNMATCHED] * (MAX_MAILS + 1)))
    assert verdict.unread == "too_many_enclosed"


def test_nothing_is_forgotten_whose_header_was_not_read_whole() -> None:
    long = mail("shop@x.example", headers=f"X: {'y' * 70}\r\n" * 1500, to="user@team.example")
    assert judged(forward(long)).unread == "header_too_long"


@pytest.mark.parametrize(
    ("strangers", "unread"), [(MAX_PARTICIPANTS - 1, None), (MAX_PARTICIPANTS, "header_too_long")]
)
def test_nothing_is_forgotten_of_whose_addresses_some_were_not_read(
    strangers: int, unread: str | None
) -> None:
    to = ",".join(f"{n}@x.y" for n in range(strangers))
    verdict = judged(mail("shop@x.example", to))
    assert (verdict.attached, verdict.unread) == ((), unread)
    known = judged(mail("cand@mail.example", to))
    assert attached(known) == {"": ["c1"]}, "who was read counts"


def nested(depth: int, innermost: str = ABOUT_C1) -> str:
    """Return a forward of a forward ... of a mail, which stands so deep."""
    raw = innermost
    for level in range(depth):
        headers, body = enclosing([raw], f"b{level}")
        raw = mail("user@team.example", CAPTURE, headers=headers, body=body)
    return raw


def test_mails_within_mails_are_judged_to_a_depth() -> None:
    verdict = judged(nested(MAX_NESTING))
    assert attached(verdict) == {".".join("1" * MAX_NESTING): ["c1"]}
    assert verdict.unread is None
    by_user = judged(nested(MAX_NESTING, mail("user@team.example", "cand@mail.example")))
    assert attached(by_user) == {".".join("1" * MAX_NESTING): ["c1"]}
    assert by_user.unread is None, "it encloses nothing"
    deeper = judged(nested(MAX_NESTING + 1))
    assert deeper.attached == ()
    assert deeper.unread == "too_many_enclosed"
    assert len(deeper.mails) == MAX_NESTING + 1, "what was judged before stays judged"


def test_mails_are_counted_with_those_within_them() -> None:
    verdict = judged(forward(*[UNMATCHED] * (MAX_MAILS - 1)))
    assert (len(verdict.mails), verdict.unread) == (MAX_MAILS, None)
    assert judged(forward(*[UNMATCHED] * MAX_MAILS)).unread == "too_many_enclosed"
    inner = forward(*[UNMATCHED] * 60)
    headers, body = enclosing([inner, inner], "both")
    both = mail("user@team.example", CAPTURE, headers=headers, body=body)
    assert judged(both).unread == "too_many_enclosed"


def test_each_mail_says_where_it_stands_and_how_large_it_is() -> None:
    headers, body = enclosing([ABOUT_C1], "inner")
    inner = mail("user@home.example", "user@team.example", headers=headers, body=body)
    verdict = judged(forward(UNMATCHED, inner))
    assert [(one.place, len(one.raw)) for one in verdict.mails] == [
        ("", 0),
        ("1", len(UNMATCHED)),
        ("2", len(inner)),
        ("2.1", len(ABOUT_C1)),
    ]


@pytest.mark.parametrize(
    ("raw", "reads"),
    [
        (UNMATCHED, []),
        (ABOUT_C1, []),
        (forward(ABOUT_C1, sender="stranger@x.example"), []),
        # A user's mail to others: its text says nothing, and it has no parts.
        (mail("user@team.example", "shop@x.example"), []),
        (mail("user@team.example", CAPTURE), ["body"]),
        (forward(ABOUT_C1, to="shop@x.example"), ["whole"]),
        (forward(ABOUT_C1), ["body", "whole"]),
    ],
)
def test_no_more_of_a_mail_is_read_than_may_count(raw: str, reads: list[str]) -> None:
    found: list[str] = []
    judged(raw, reads=found)
    assert found == reads


def test_of_an_opaque_signature_all_is_read_since_half_of_it_cannot_be_opened() -> None:
    found: list[str] = []
    judged(opaque("Content-Type: text/plain\r\n\r\nHello."), reads=found)
    assert set(found) == {"whole"}


@pytest.mark.parametrize(("room", "in_a_thread"), [(0, False), (-1, True)])
def test_a_large_mail_is_cut_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, room: int, in_a_thread: bool
) -> None:
    raw = forward(ABOUT_C1)
    threads = []

    def watched(data: bytes, header: HeaderBlock) -> list[bytes]:
        threads.append(threading.get_ident())
        return enclosed(data, header)

    monkeypatch.setattr(judge_module, "enclosed", watched)
    monkeypatch.setattr(judge_module, "_LARGE", len(raw) + room)
    assert attached(judged(raw)) == {"1": ["c1"]}
    assert (threads[0] != threading.get_ident()) is in_a_thread


def test_a_forward_says_what_it_forwards_and_who_takes_part_in_it() -> None:
    text = (
        "-------- Original Message --------\r\nSubject: A question\r\n"
        "From: Cand <cand@mail.example>\r\nDate: Thu, 15 Jan 2026\r\nTo: x@x.example\r\n\r\nHi"
    )
    [judgement] = judged(mail("user@team.example", CAPTURE, body=text)).mails
    assert judgement.forwarded is not None
    assert judgement.forwarded.subject == "A question"
    assert judgement.forwarded.sender.address == "cand@mail.example"
    addresses = {participant.address for participant in judgement.participants}
    assert addresses == {"user@team.example", "cand@mail.example", "x@x.example"}
    assert {person.person_id for person in judgement.people} == {"u1", "c1"}


def test_a_providers_question_is_for_the_owner_alone() -> None:
    verdict = judged(QUESTION)
    assert verdict.confirmation is not None
    assert verdict.confirmation.code == "304298959"
    assert [one.place for one in verdict.mails] == [""]


def test_a_providers_mail_that_asks_nothing_is_judged_as_any() -> None:
    found: list[str] = []
    verdict = judged(QUESTION.replace("304298959", ""), reads=found)
    assert verdict.confirmation is None
    assert verdict.dismissal == Dismiss(DismissalReason.NO_MATCH)
    assert found == ["body"]


def test_a_mail_of_a_user_that_only_seems_to_be_a_question_is_judged_as_any() -> None:
    """A provider may ask from the user's own mailbox: so a user's mail may look like a question."""
    headers, body = enclosing([ABOUT_C1])
    subject = "=?utf-8?b?6IW+6K6v5LyB5Lia6YKu566x6Ieq5Yqo6L2s5Y+R6aqM6K+B6YKu5Lu2?="
    headers = f"Subject: {subject}\r\n{headers}"
    verdict = judged(mail("user@team.example", CAPTURE, headers=headers, body=body))
    assert verdict.confirmation is None
    assert attached(verdict) == {"1": ["c1"]}


def test_a_question_to_a_colleagues_capture_address_is_none_of_its_own() -> None:
    assert judged(QUESTION, capture_address=CAPTURE).confirmation is not None
    assert judged(QUESTION, capture_address=f"bo.key@{DOMAIN}").confirmation is None


def test_a_header_that_was_read_whole_may_be_dismissed() -> None:
    assert judged(UNMATCHED).unread is None


def test_many_reasons_are_one_the_first_that_holds() -> None:
    internal = mail("user@team.example", "user@team.example")
    verdict = judged(forward(internal, UNMATCHED, ABOUT_BLOCKED, to="user@team.example"))
    assert verdict.dismissal == Dismiss(DismissalReason.BLOCKED)
    verdict = judged(forward(internal, UNMATCHED, to="user@team.example"))
    assert verdict.dismissal == Dismiss(DismissalReason.NO_MATCH)
    verdict = judged(forward(internal, to="user@team.example"))
    assert verdict.dismissal == Dismiss(DismissalReason.INTERNAL)
