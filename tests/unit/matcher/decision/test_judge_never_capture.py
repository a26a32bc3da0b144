"""Mail of people on a *never capture* list."""

import pytest

from services.matcher.decision.judge import Verdict
from services.matcher.decision.never_capture import never_capture_of
from tests.judge_parts import ABOUT_C1, CAPTURE, QUESTION, attached, forward, judged
from tests.mails import mail

NEVER_SHOP = never_capture_of([], ["x.example"])
ABOUT_C1_AND_SHOP = mail("cand@mail.example", "user@team.example, shop@x.example")


def reason(verdict: Verdict) -> str:
    assert not verdict.attached
    return verdict.dismissal.reason.value


@pytest.mark.parametrize(
    "headers",
    ["Cc: shop@x.example", "Bcc: A <SHOP@X.example>", "Reply-To: shop@mail.x.example"],
)
def test_who_is_never_captured_keeps_the_mail_out_whomever_else_it_concerns(headers: str) -> None:
    raw = mail("cand@mail.example", "user@team.example", headers=f"{headers}\r\n")
    assert judged(raw).attached
    assert reason(judged(raw, never=NEVER_SHOP)) == "never_capture"


def test_a_user_is_captured_although_a_list_names_them() -> None:
    listed = never_capture_of(["user@home.example"], ["team.example"])
    assert judged(ABOUT_C1, never=listed).attached
    listed = never_capture_of([], ["mail.example", "team.example"])
    assert reason(judged(ABOUT_C1, never=listed)) == "never_capture"


def test_of_enclosed_mails_each_is_kept_out_by_its_own_participants() -> None:
    verdict = judged(forward(ABOUT_C1_AND_SHOP, ABOUT_C1), never=NEVER_SHOP)
    assert attached(verdict) == {"2": ["c1"]}
    assert reason(judged(forward(ABOUT_C1_AND_SHOP), never=NEVER_SHOP)) == "never_capture"


def test_the_original_of_an_inline_forward_is_kept_out_too() -> None:
    block = "From: cand@mail.example\r\nTo: user@team.example\r\nCc: shop@x.example\r\n"
    body = f"---------- Forwarded message ---------\r\n{block}Subject: S\r\n\r\nHello"
    raw = mail("user@team.example", CAPTURE, headers="Subject: Fwd: S\r\n", body=body)
    assert judged(raw).attached
    assert reason(judged(raw, never=NEVER_SHOP)) == "never_capture"


def test_nothing_of_the_body_is_read_of_who_is_never_captured() -> None:
    """A user may have forwarded it, but who takes part by header is on a list already."""
    found: list[str] = []
    raw = mail("user@team.example", CAPTURE, headers="Reply-To: shop@x.example\r\n", body="Fwd")
    assert reason(judged(raw, never=NEVER_SHOP, reads=found)) == "never_capture"
    assert found == []


def test_a_question_is_shown_although_its_provider_is_on_a_list() -> None:
    never = never_capture_of([], ["google.com", "firm.example"])
    assert judged(QUESTION, never=never).confirmation is not None


def test_no_dead_letter_keeps_what_is_never_captured() -> None:
    long = "".join(f"X-{number}: x\r\n" for number in range(2000))
    raw = mail("shop@x.example", "user@team.example", headers=long)
    assert judged(raw).unread == "header_too_long"
    for kept_out in (raw, forward(raw)):
        verdict = judged(kept_out, never=NEVER_SHOP)
        assert verdict.unread is None
        assert reason(verdict) == "never_capture"
