"""A journal report: the mail that it is about is judged, and who got it takes part."""

import asyncio

from services.matcher.decision.decide import NEVER, Attach, Dismiss
from services.matcher.decision.judge import Considered, Verdict, judge_journal
from services.matcher.decision.never_capture import NOTHING, NeverCapture, never_capture_of
from services.matcher.reading.journal import Journal
from shared.contracts.events import DismissalReason, Kind, Role
from tests.judge_parts import ABOUT_C1, DOMAIN, PEOPLE, attached
from tests.mails import mail


def judged(raw: str, *recipients: str, never: NeverCapture = NOTHING) -> Verdict:
    async def ask(keys: frozenset[str]) -> Considered:
        return Considered([p for p in PEOPLE if p.keys & keys or p.kind is Kind.USER], never)

    return asyncio.run(judge_journal(Journal(raw.encode(), recipients), ask, DOMAIN))


def roles(verdict: Verdict) -> list[tuple[str, Role]]:
    [judgement] = verdict.mails
    return [(one.address, one.role) for one in judgement.participants]


def test_the_mail_is_enclosed_in_the_report_and_kept_as_it_is() -> None:
    verdict = judged(ABOUT_C1)
    assert attached(verdict) == {"1": ["c1"]}
    [judgement] = verdict.mails
    assert judgement.raw == ABOUT_C1.encode()


def test_who_got_it_and_is_not_named_was_in_bcc() -> None:
    raw = mail("user@team.example", "stranger@x.example")
    verdict = judged(raw, "stranger@x.example", "second@mail.example")
    assert roles(verdict) == [
        ("user@team.example", Role.FROM),
        ("stranger@x.example", Role.TO),
        ("second@mail.example", Role.BCC),
    ]
    [judgement] = verdict.attached
    assert isinstance(judgement.decision, Attach)
    assert [(one.person_id, one.role) for one in judgement.decision.matches] == [("c2", Role.BCC)]


def test_a_capture_address_that_got_it_does_not_take_part() -> None:
    raw = mail("user@team.example", "stranger@x.example")
    verdict = judged(raw, f"team.key@{DOMAIN}")
    assert len(roles(verdict)) == 2
    assert verdict.dismissal == Dismiss(DismissalReason.NO_MATCH)


def test_what_is_written_in_a_mail_about_which_a_journal_reports_is_read() -> None:
    """A forward by a user, in a journal, is about whom its body names."""
    block = "From: cand@mail.example\r\nTo: user@team.example\r\nSubject: Hello\r\n\r\nHi"
    body = f"---------- Forwarded message ---------\r\n{block}"
    to, headers = f"team.key@{DOMAIN}", "Subject: Fwd: Hello\r\n"
    raw = mail("user@team.example", to, headers=headers, body=body)
    assert attached(judged(raw)) == {"1": ["c1"]}


def test_a_list_keeps_out_who_got_it() -> None:
    verdict = judged(ABOUT_C1, "x@law.example", never=never_capture_of(["x@law.example"], []))
    [judgement] = verdict.mails
    assert judgement.decision == NEVER
