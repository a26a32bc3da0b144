"""Dates as mail clients write them for people: in many languages, with or without a zone.

A date has a day, a month (a number or a name), a year, and perhaps a time of day in 24 or 12 hours.
A date that can be read in two ways, such as `3/4/2021`, is not read: no date is better than a wrong
one. Years of the Buddhist calendar are converted. Without a zone the time is UTC.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

from services.matcher.forwards.months import MONTHS

_MAX_DATE = 150

_SIGNS = re.compile(r"(\d)\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]?")
_VIETNAMESE = re.compile(r"(\d{1,2}),? (?:tháng|thg) (\d{1,2})(?:,| năm|,? năm)? (\d{4})")
_ASIAN_TIME = re.compile(r"(\d)\s?[时時点點시]\s?(\d{1,2})\s?[分분]?(?:\s?(\d{1,2})\s?[秒초])?")
_HALF = re.compile(r"\b([ap])\.? ?m\b\.?", re.IGNORECASE)
_VIETNAMESE_HALF = re.compile(r"(?<=:\d\d) (?:(SA)|CH)\b")
_IN_FIGURES = re.compile(
    r"(?<!\d)(?:(\d{4}) ?([./-]) ?(\d{1,2}) ?\2 ?(\d{1,2})"
    r"|(\d{1,2}) ?([./-]) ?(\d{1,2}) ?\6 ?(\d{4}))(?!\d)"
)
_IN_SHORT = re.compile(r"(?<!\d)()()()()(\d{1,2})([./-])(\d{1,2})\6(\d{2})(?!\d)")
"""Its groups as those of the other."""
_TIME = re.compile(r"(?<![\d/])(\d{1,2})\s?[:.hH]\s?(\d{2})(?!\d)(?:\s?[:.]\s?(\d{2})(?!\d))?")
_ZONE = re.compile(
    r"(?:(?:GMT|UTC|UT)\s?)?([+\u2212-])\s?(\d{1,2})(?::?(\d\d))?(?!\d)|\b([A-ZČ]{3,5})\b"
)
_ZONES = {
    **{"GMT": 0, "UTC": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "SEČ": 1, "CEST": 2, "MESZ": 2},
    **{
        "SELČ": 2,
        "EET": 2,
        "OEZ": 2,
        "EEST": 3,
        "OESZ": 3,
        "MSK": 3,
        "JST": 9,
        "KST": 9,
        "EST": -5,
    },
    **{"EDT": -4, "CDT": -5, "MDT": -6, "PST": -8, "PDT": -7, "AEST": 10, "AEDT": 11, "NZDT": 13},
}
"""Hours, of those that mean one zone only: not IST, CST, BST, MST."""
_WORD = re.compile(r"[^\s\d,:;/()+\u2212-]+")
_YEAR = re.compile(r"(?<!\d)(?:19[7-9]|20\d|2[56]\d)\d(?!\d)")
_NUMBER = re.compile(r"\d+")
_EARLY = {
    "am",
    "上午",
    "早上",
    "凌晨",
    "午前",
    "오전",
    "πμ",
    "π.μ.",
    "ص",
    "öö",
    "de.",
    "dop.",
    "fm",
    "fm.",
}
_LATE = {
    "pm",
    "下午",
    "晚上",
    "中午",
    "午後",
    "오후",
    "μμ",
    "μ.μ.",
    "م",
    "ös",
    "du.",
    "odp.",
    "em.",
}


def looks_like_date(text: str) -> bool:
    """Return whether there are a time of day and a year, or a day in figures, in a text."""
    text = _in_plain_figures(text)
    in_figures = _in_figures(text)
    rest = text if in_figures is None else _without(text, in_figures)
    return bool((in_figures or _YEAR.search(rest)) and _TIME.search(rest))


def read_date(text: str) -> datetime | None:
    """Return the date in UTC, None when it is unreadable or ambiguous."""
    text = _in_plain_figures(text)
    late = _half_of_day(text)
    if figures := _in_figures(text):
        day = _day_in_figures(figures)
        text = _without(text, figures)
    hour = minute = second = 0
    zone = timedelta()
    if time := _TIME.search(text):
        hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
        zone = _zone(text[time.end() :])
        text = text[: time.start()] + " " + _ZONE.sub(" ", text[time.end() :])
    if not figures:
        day = _day_with_name(text)
    if day is None:
        return None
    if late is not None and hour <= 12:
        hour = hour % 12 + 12 * late
    year = day[0] - 543 if 2500 <= day[0] <= 2650 else day[0]
    try:
        found = datetime(year, day[1], day[2], hour, minute, min(second, 59), tzinfo=UTC) - zone
    except (ValueError, OverflowError):
        return None
    return found if 1970 <= found.year <= 2100 else None


def _in_plain_figures(text: str) -> str:
    text = unicodedata.normalize("NFKC", " ".join(text[:_MAX_DATE].split()))
    text = "".join(str(int(c)) if c.isdecimal() else c for c in text)
    text = _HALF.sub(r"\1m", _VIETNAMESE_HALF.sub(lambda m: " am" if m[1] else " pm", text))
    text = _SIGNS.sub(r"\1/\2/\3 ", text)
    text = _VIETNAMESE.sub(r"\3/\2/\1 ", text)
    return _ASIAN_TIME.sub(lambda m: f"{m[1]}:{m[2]:0>2}" + (f":{m[3]:0>2}" if m[3] else ""), text)


def _in_figures(text: str) -> re.Match[str] | None:
    if found := _IN_FIGURES.search(text):
        return found
    return None if _YEAR.search(text) else _IN_SHORT.search(text)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"


def _day_in_figures(found: re.Match[str]) -> tuple[int, int, int] | None:
    if found[1]:
        return int(found[1]), int(found[3]), int(found[4])
    first, second, year = int(found[5]), int(found[7]), int(found[8])
    year += 2000 if len(found[8]) == 2 else 0
    if found[6] != "/" or first > 12 or first == second:
        return year, second, first
    return (year, first, second) if second > 12 else None


def _day_with_name(text: str) -> tuple[int, int, int] | None:
    words = [word.casefold() for word in _WORD.findall(text)]
    months = [month for word in words if (month := _month(word))]
    numbers = _NUMBER.findall(text)
    years = [int(number) for number in numbers if len(number) == 4]
    days = [int(number) for number in numbers if len(number) <= 2]
    if not months or len(years) != 1 or not days:
        return None
    month = months[-1]  # "mar." before it is a Tuesday
    if "listopada" in words and re.search(r"\d\.", text):
        month = 10  # Croatian, which has a dot behind the day; Polish has none
    return years[0], month, days[0]


def _month(word: str) -> int | None:
    word = word.replace(".", "").strip("'\u2019\u05f3")
    found = MONTHS.get(word)
    if found is None and word[:1] in ("ב", "d"):  # "in October", "d'octubre"
        found = MONTHS.get(word[1:].lstrip("'\u2019\u05f3"))
    return found


def _half_of_day(text: str) -> bool | None:
    """Return whether a time of 12 hours is of the afternoon, None for one of 24."""
    for word in re.findall(r"[^\s\d,:;/()]+", text.casefold()):
        if word in _LATE:
            return True
        if word in _EARLY:
            return False
    return None


def _zone(text: str) -> timedelta:
    for found in _ZONE.finditer(text):
        if found[1]:
            away = timedelta(hours=int(found[2][:2]), minutes=int(found[3] or 0))
            return -away if found[1] != "+" else away
        if found[4] in _ZONES and not re.match(r"\s?[+\u2212-]\d", text[found.end() :]):
            return timedelta(hours=_ZONES[found[4]])
    return timedelta()
