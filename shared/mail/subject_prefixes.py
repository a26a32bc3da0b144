"""What the prefix of a subject says: an answer (`Re:`, `AW:`), a forward (`Fwd:`, `WG:`), nothing.

* The first prefix decides: `Fwd: Re: x` is a forward, `Re: Fwd: x` is an answer.
* Mailing lists put their tags before it (`[jobs] Re: x`), and gateways their marks (`EXTERNAL: Re:
  x`, `***SPAM*** Re: x`, `(Extern) AW: x`). Some clients count (`Re[2]:`, `Re(2):`).
* A prefix names one kind in every language that has it. `VS` is the exception: `forward` in Danish
  and Norwegian, `reply` in Finnish and Estonian. There the words of the mail's text decide.

RFC 5322 section 3.6.5 knows `Re:` alone; the others are what clients write.
"""

import re
from unicodedata import normalize

_FORWARDS = """
fwd|fw|wg|tr|rv|enc|i|pd|vb|vl|vs|vs/fwd|redir|doorst|ilt|i̇lt|továbbítás|továbbítva|tov|πρθ|ft|fs
trs
trans|przek|přep|prepos|přeposláno|пересл|переслать|переслано|пер|препр|转发|轉寄|轉發|転送|전달
ส่งต่อ
chuyển tiếp|הועבר|إعادة توجيه|fv|reenv|reenviado|fwrd|forward|forwarded|fyi fwd|persiųsti|pārs|edasi
weitergeleitet|prosl|proslj|posr|předáno|přeposl|ynl|перенаправлено
"""
_ANSWERS = """
re|r|aw|antw|antwort|antwoord|reply|sv|svar|ang|res|resp|rif|rép|réf|odp|ynt|yan|yanıt|vá|válasz|ats|atb|αντ|απ|απάντ
απάντηση
σχετ|odg|отв|ответ|відп|відповідь|отг|отговор|отн|回复|回覆|答复|答覆|返信|返|回信|답장|회신|ตอบ
ตอบกลับ
trả lời|tl|bls|balas|השב|תשובה|תגובה|رد|الرد|پاسخ|vast|vastaus|bij antw
"""


def _listed(words: str) -> frozenset[str]:
    return frozenset(word for line in words.split("\n") for word in line.split("|") if word)


FORWARDS, ANSWERS = _listed(_FORWARDS), _listed(_ANSWERS)
"""In folded case, without a dot at the end."""
_AMBIGUOUS, _MAX_TEXT = "vs", 20_000
_WHERE_VS_ANSWERS = re.compile(
    r"kirjoitti|l[äa]hett[äa]j[äa]\s?:|alkuper[äa]inen viesti|kirjutas|saatja\s?:|algne kiri",
    re.IGNORECASE,
)
_BLANK = r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*+"
"""White space, and the marks of direction that clients put before a prefix."""
_TAG = re.compile(
    _BLANK
    + r"""(?:\[[^\[\]]{1,80}\] | \([^()]{1,80}\) | \{[^{}]{1,80}\} | <[^<>]{1,80}>
    | \*{2,10}[^*]{1,60}\*{2,10}
    | (?:external|externe?|externo|esterno|ext|(?:(?:suspected|possible)[ ])?spam)
      (?:[ ](?:sender|e-?mail|mail|message))?[ ]?[:：])\s*+""",
    re.VERBOSE | re.IGNORECASE,
)
_PREFIX = re.compile(
    _BLANK + r"([^\s:：\[\](][^:：\[\](]{0,20}?)\s?(?:[\[(]\d{1,3}[\])]|[\^*]\d{1,3})?\s?[:：]\s*+"
)


def forwarded_subject(subject: str) -> tuple[str, str] | None:
    """Return the first prefix of a subject that says `forward`, and the subject without them all.

    Lists put their tags before it. None when it says something else, as `reply`, or nothing.
    """
    first, at = "", 0
    while (found := _prefix(subject, at)) is not None and found[0] in FORWARDS:
        first, at = first or found[0], found[1]
    return (first, subject[at:].strip()) if first else None


def is_forward(subject: str, text: str) -> bool:
    """Return whether the first prefix of a subject says `forward`; `text` is that of the mail."""
    found = _prefix(subject, 0)
    return found is not None and found[0] in FORWARDS and not _vs_answers(found[0], text)


def is_answer(subject: str, text: str) -> bool:
    """Return whether the first prefix of a subject says `reply`; `text` is that of the mail."""
    found = _prefix(subject, 0)
    return found is not None and (found[0] in ANSWERS or _vs_answers(found[0], text))


def _vs_answers(prefix: str, text: str) -> bool:
    return prefix == _AMBIGUOUS and _WHERE_VS_ANSWERS.search(text, 0, _MAX_TEXT) is not None


def _prefix(subject: str, at: int) -> tuple[str, int] | None:
    """Return the prefix after the tags there, in folded case, and where it ends."""
    while tag := _TAG.match(subject, at):
        at = tag.end()
    found = _PREFIX.match(subject, at)
    if not found:
        return None
    return normalize("NFKC", found[1]).casefold().strip(" ."), found.end()
