"""The line that a client puts before a forwarded mail.

Known by words, as `forwarded`, in the languages that clients speak. A line of dashes around words
that are not known separates too, but proves less.
"""

import re
from enum import Enum

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2500="
_MAX_SEPARATOR = 150

_FORWARDED = re.compile(
    r"""forward | fwd | weitergeleitet | transf[ée]r | transmis | r[ée]exp[ée]di | reenvi
    | encaminhad | inoltrat | doorgestuurd | doorgezonden | vidarebefordr | videresend
    | vidaresend | áframsen | framsent | edelleenlähet | välitet | edastat | edasi\ saadetud
    | pārsūt | persiųst | persiunč | przekazan | przesłan | przekazyw | přeposlan | přeposílan
    | preposlan | preposielan | posredovan | proslijeđ | prosleđ | прослеђ | проследен | препрат
    | препращ | пересыла | пересла | переслан | пересила | перенаправ | переадрес | перасла
    | továbbít | iletilen | iletildi | yönlendiril | προωθ | redirec[țţt]ion | birbidali
    | reexpedi | përcjell | diteruskan | terusan | dimajukan | ipinasa | chuyển\ tiếp | ส่งต่อ
    | הועבר | מועבר | שהועבר | إعادة\ توجيه | معاد\ توجيه | المعاد\ توجيه | محول | تحويل
    | أعيد\ توجيه | بازارسال | فوروارد | هدایت | अग्रेषित | ফরোয়ার্ড | 转发 | 轉寄 | 轉發 | 転送
    | 전달""",
    re.VERBOSE | re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"""original | origine | ursprüngl | ursprungl | origineel | oorspronkelijk | oprindelig
    | opprinnelig | upprunaleg | alkuperäi | algne | oryginaln | původní | pôvodn | izvorn
    | исходн | оригинал | оригінал | початков | eredeti | özgün | orijinal | πρωτότυπ | αρχικ
    | jatorrizko | sākotnēj | pirmin | pradin | \basli\b | gốc | ต้นฉบับ | מקורית | أصلي
    | الأصلية | اصلی | मूल | 原始 | 原邮件 | 原郵件 | 元のメッセージ | 원본""",
    re.VERBOSE | re.IGNORECASE,
)
_TAIL = re.compile(rf" ?[{_DASHES}]{{3,100}} +(?=\S)")


class Separator(Enum):
    """How much a line says about what follows."""

    FORWARDED = "forwarded"
    """A forwarded mail."""
    ORIGINAL = "original"
    """An earlier mail: a forwarded one, or one that was answered."""
    UNKNOWN = "unknown"
    """Something else than before."""


def separator(line: str) -> Separator | None:
    """Return what kind of separator a line is, None if it is none."""
    line = line.strip("*_ ")
    if not 6 <= len(line) <= _MAX_SEPARATOR:
        return None
    if line[0] in _DASHES:
        if line[1] not in _DASHES or not line.endswith((line[-1] * 2,)) or line[-1] not in _DASHES:
            return None
        words = line.strip(_DASHES + " ")
        if len(words) < 3:
            return None
        return _kind(words) or Separator.UNKNOWN
    if line.endswith((":", "：")) and "@" not in line and _FORWARDED.search(line):
        return Separator.FORWARDED
    return None


def _kind(words: str) -> Separator | None:
    if _FORWARDED.search(words):
        return Separator.FORWARDED
    return Separator.ORIGINAL if _ORIGINAL.search(words) else None


def separator_and_rest(line: str) -> tuple[str, str] | None:
    """Cut a line in which the block goes on behind the separator."""
    if line[:3].strip(_DASHES) or len(line) < 20 or separator(line):
        return None
    for tail in _TAIL.finditer(line[:_MAX_SEPARATOR], 6):
        rest = line[tail.end() :]
        if rest and rest[0] not in _DASHES and separator(line[: tail.end()].strip()):
            return line[: tail.end()].strip(), rest
    return None
