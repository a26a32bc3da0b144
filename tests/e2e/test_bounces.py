"""The bounce of a user's mail, through the whole stack: who sees it where, and what it marks."""

import pytest

from tests.e2e.account import Account
from tests.mails import enclosing

CAND, USER = "cand@mail.example", "user@team.example"


def sent(message_id: str, *, to: str = CAND, text: str = "Hello there.") -> str:
    return (
        f"From: {USER}\r\nTo: {to}\r\nSubject: Interview\r\nMessage-ID: <{message_id}>\r\n"
        f"Date: Thu, 15 Jan 2026 09:00:00 +0000\r\n\r\n{text}\r\n"
    )


def bounce(original: str, *, recipient: str = CAND, to: str = USER) -> str:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.team.example (Mail Delivery System)\r\n"
        f"To: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <report@mx.team.example>\r\nDate: Thu, 15 Jan 2026 09:01:00 +0000\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=report\r\n\r\n"
        "--report\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--report\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.team.example\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--report\r\nContent-Type: message/rfc822\r\n\r\n{original}--report--\r\n"
    )


def send(account: Account, *mails: str) -> None:
    for raw in mails:
        account.sent += 1
        account.client.send("", [account.capture], raw.encode())


def test_a_bounce_is_on_the_profile_and_marks_the_mail(account: Account) -> None:
    send(account, sent("m1@team.example"), bounce(sent("m1@team.example")))
    assert account.outcome() == {"attached": 2}
    report, mail = account.client.timeline("c1")
    assert (report["auto"], report["direction"]) == ("bounce", "inbound")
    assert [(m["person_id"], m["role"], m["source"]) for m in report["matches"]] == [
        ("c1", "to", "delivery_report")
    ]
    assert [b["address"] for b in mail["bounced"]] == [CAND]
    whole = account.client.mail(report["id"])
    assert {"address": CAND, "role": "to", "source": "delivery_report"} in whole["participants"]
    [conversation] = account.client.inbox()
    assert conversation["mail_count"] == 2


def test_explain_tells_of_whom_a_report_names(account: Account) -> None:
    told = account.explain(bounce(sent("m1@team.example")))
    assert (told["decision"], told["direction"]) == ("attach", "inbound")
    assert {
        "address": CAND,
        "role": "to",
        "source": "delivery_report",
        "verdict": "match",
    } in told["participants"]
    strangers = sent("m1@team.example").replace(USER, "stranger@evil.example")
    refused = account.explain(bounce(strangers))
    assert (refused["decision"], refused["reason"]) == ("dismiss", "no_match")
    assert [p["source"] for p in refused["participants"]] == ["header", "header"]


def test_a_large_bounce_counts_as_a_small_one(account: Account) -> None:
    send(account, sent("m1@team.example"), bounce(sent("m1@team.example", text="x\r\n" * 150_000)))
    assert account.outcome() == {"attached": 2}
    assert [[b["address"] for b in m["bounced"]] for m in account.client.timeline("c1")] == [
        [],
        [CAND],
    ]
    account.await_no_claims()


def test_a_bounce_forwarded_as_attachment_counts(account: Account) -> None:
    headers, body = enclosing([bounce(sent("m1@team.example"))])
    account.send(account.capture, headers=headers, body=body)
    assert account.outcome() == {"attached": 1}
    [report] = account.client.timeline("c1")
    assert report["auto"] == "bounce"


@pytest.mark.parametrize(
    "raw",
    [
        bounce(sent("m1@team.example").replace(USER, "stranger@evil.example")),
        bounce(sent("m1@team.example")).replace("Action: failed", "Action: delayed"),
        f"From: {USER}\r\nTo: boss@x.example\r\nSubject: Fwd: failure\r\n\r\n"
        + bounce(sent("m1@team.example")),
    ],
    ids=["about a mail of a stranger", "a delay", "quoted by a user"],
)
def test_what_is_no_bounce_of_a_users_mail_attaches_to_nobody(account: Account, raw: str) -> None:
    send(account, sent("m1@team.example"), raw)
    assert account.outcome() == {"attached": 1, "no_match": 1}
    [mail] = account.client.timeline("c1")
    assert mail["bounced"] == []


def test_a_colleague_does_not_learn_from_a_bounce_who_was_in_bcc(account: Account) -> None:
    account.client.put_person("c2", "contact", "Open", ["open@mail.example"])
    open_ = sent("m1@team.example", to="open@mail.example")
    send(account, open_.replace("Subject:", f"Bcc: {CAND}\r\nSubject:"), bounce(open_))
    assert account.outcome() == {"attached": 2}
    colleague = account.client_for("u2")
    assert [m["bounced"] for m in colleague.timeline("c2")] == [[]]
    assert colleague.timeline("c1") == []
    own = account.client.timeline("c1")
    assert [m["auto"] for m in own] == ["bounce", None]
    assert [b["address"] for b in own[1]["bounced"]] == [CAND]
