import pytest

from shared.mail.subject_prefixes import ANSWERS, FORWARDS, forwarded_subject, is_answer, is_forward


@pytest.mark.parametrize(
    ("subject", "answer", "forward"),
    [
        ("Re: x", True, False),
        ("RE: Re: x", True, False),
        ("Re : x", True, False),
        ("Re[4]: x", True, False),
        ("Re(4): x", True, False),
        ("Re^4: x", True, False),
        ("[jobs] [team] AW: x", True, False),
        ("Re: Fwd: x", True, False),
        ("回复：x", True, False),
        ("Απ: x", True, False),
        ("ΑΠ: x", True, False),
        ("Fwd: Re: x", False, True),
        ("[jobs] WG: x", False, True),
        ("Fwd[2]: x", False, True),
        ("İLT: x", False, True),
        ("転送: x", False, True),
        ("VS: x", False, True),
        ("", False, False),
        ("x", False, False),
        ("Reminder: x", False, False),
        ("Interview: Re x", False, False),
        ("Room 5: Re: x", False, False),
        ("EXTERNAL: RE: x", True, False),
        ("Ext: AW: x", True, False),
        ("***SPAM*** Re: x", True, False),
        ("(Extern) AW: x", True, False),
        ("{Spam?} [jobs] Re: x", True, False),
        ("[EXTERNAL] FW: RE: x", False, True),
        ("External sender: Fwd: x", False, True),
        ("Suspected spam: Re: x", True, False),
        ("Re*3: x", True, False),
        ("\u200fRE: x", True, False),
        ("\u200b[jobs] \u202bFW: x", False, True),
        ("ＲＥ：x", True, False),
        ("Ang: x", True, False),
        ("Weitergeleitet: x", False, True),
        ("External: x", False, False),
        ("External audit: Re: x", False, False),
        ("Spam filter: x", False, False),
        ("(Re: x) y", False, False),
        ("I-95: x", False, False),
        ("Pros: x", False, False),
        ("[Re: x] y", False, False),
        ("10:15 Re: x", False, False),
        ("Reply", False, False),
        ("Forward thinking: x", False, False),
    ],
)
def test_the_first_prefix_says_what_a_subject_is(subject: str, answer: bool, forward: bool) -> None:
    assert (is_answer(subject, ""), is_forward(subject, "")) == (answer, forward)


def test_no_prefix_says_both() -> None:
    assert not FORWARDS & ANSWERS
    assert all(prefix == prefix.casefold() for prefix in FORWARDS | ANSWERS)


def test_the_text_says_what_vs_is() -> None:
    assert is_answer("VS: x", "Jane kirjoitti 13.3.2026:")
    assert not is_forward("VS: x", "Lähettäjä: Jane")
    assert is_forward("VS: x", "Fra: Jane")


def test_a_forward_is_shown_without_its_prefixes() -> None:
    assert forwarded_subject("[jobs] Fwd: FW: x") == ("fwd", "x")
    assert forwarded_subject("Fwd: Re: x") == ("fwd", "Re: x")
    assert forwarded_subject("Re: Fwd: x") is None


@pytest.mark.parametrize(
    "piece",
    [
        "[a] ",
        "(a) ",
        "**a**",
        "ext: ",
        "*",
        "<",
        "Re: ",
        "Fwd: ",
        "Re[1]",
        "(",
        "[",
        " ",
        ":",
        "Re[",
        "a(1)",
    ],
)
def test_any_subject_is_read(piece: str) -> None:
    subject = piece * 5_000
    for text in (subject, f"Fwd: {subject}", f"Re{subject}"):
        assert not (is_answer(text, "") and is_forward(text, ""))
