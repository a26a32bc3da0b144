"""The forwarded mail in a user's mail: from the text to the people who took part in it.

A forward has levels: the mail that was forwarded, and those that it forwards or quotes in turn,
each with a header block. Everyone in a block takes part. The first level is shown. If its subject
says that it is a forward itself, the level inside it is shown: the original is what the first
author in that chain wrote.

If no person can be read from a separator or from a block whose sender has no address, nothing
further down counts: others wrote that, and crediting the wrong person is worse than crediting none.

Outlook forwards in the form of its answers, with a header block and no words. So a block alone is a
forward unless the subject says that the mail is an answer (`Re:`, `AW:`, ...): then it needs a
separator that says "forwarded", above everything that the mail quotes. References and In-Reply-To
prove nothing: Gmail and Outlook set them on forwards too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.matcher.forwards.attribution import may_introduce, read_attribution
from services.matcher.forwards.block import Block, may_begin, read_block
from services.matcher.forwards.dates import looks_like_date, read_date
from services.matcher.forwards.lines import MAX_LINES, lines_of
from services.matcher.forwards.markup import text_of_html
from services.matcher.forwards.separators import Separator, separator
from services.matcher.reading.addresses import normalise
from services.matcher.reading.participants import Participant
from shared.contracts.events import Forwarded, Named, Role, Source
from shared.mail.body import body_of, joined_source, joined_text
from shared.mail.headers import HeaderBlock, decode_text, read_header_block
from shared.mail.mime import FIRST_PARTS, leaves
from shared.mail.subject_prefixes import forwarded_subject, is_answer

MAX_LEVELS = 50
MAX_PEOPLE = 500
"""Of all levels; more are cut off."""
_EMPTY_LINES = 4
"""At most so many between a separator and its block."""
_MAX_LABEL = 40
_MAX_TRIED = 1000
"""Lines at which a block is looked for; what comes after so many is a list, and no forward."""


@dataclass(frozen=True, slots=True)
class Forward:
    """What a forwarded mail says of itself, and the mails that it forwards or quotes."""

    shown: Forwarded
    """Of the original."""
    others: tuple[Block, ...] = ()
    """The other levels, from the outside in."""


@dataclass(slots=True)
class _Unread:
    """Lines in a row that have labels, in any language, and that were not read as a block."""

    count: int = 0
    has_mailbox: bool = False
    has_date: bool = False
    values: list[str] = field(default_factory=list)
    """In which no date was looked for yet."""

    def add(self, line: str) -> None:
        """Add a line."""
        self.count += 1
        self.has_mailbox = self.has_mailbox or ("<" in line and "@" in line)
        self.values.append(line.partition(":")[2])

    def look_like_block(self) -> bool:
        """Return whether they are a header block all the same."""
        if self.count < 3 or not self.has_mailbox:
            return False
        self.has_date = self.has_date or any(looks_like_date(value) for value in self.values)
        self.values.clear()
        return self.has_date


def read_forward(raw: bytes, header: HeaderBlock | None = None) -> Forward | None:
    """Return what the forwarded mail in this one says of itself, or None when there is none.

    `header` is that of this mail, where it was read already.
    """
    header = header or read_header_block(raw)
    parts, _ = leaves(raw, header, names=False, most=FIRST_PARTS)
    body = body_of(parts)
    plain = [part for part in body.plain if part.content_type == "text/plain"]
    rich = [part for part in body.rich if part.may_be_body]
    subject = decode_text(header.first("Subject") or "")
    found = forwarded_in(joined_text(plain), subject) if plain else None
    if found is None and rich:
        found = forwarded_in(text_of_html(joined_source(rich)), subject)
    return found


def forwarded_in(text: str, subject: str = "") -> Forward | None:
    """Return the forwarded mail in a text, or None. The subject is that of the mail around it."""
    lines = lines_of(text)
    answers = is_answer(subject, text)
    if answers and not _is_marked(lines_of(_until_quote(text))):
        return None
    levels = list(_levels(lines, subject, answers))
    if not levels or levels[0].sender is None:
        return None
    original, sender = 0, levels[0].sender
    for number, level in enumerate(levels[1:], start=1):
        if level.sender is None or not forwarded_subject(levels[original].subject):
            break
        original, sender = number, level.sender
    shown = levels[original]
    return Forward(
        shown=Forwarded(
            sender=sender,
            to=shown.to,
            cc=shown.cc,
            date=read_date(shown.date),
            subject=shown.subject or None,
        ),
        others=(*levels[:original], *levels[original + 1 :]),
    )


def forwarded_participants(forward: Forward, capture_domain: str) -> tuple[Participant, ...]:
    """Return who takes part in the forwarded mail, and in those that it holds.

    Who wrote another level took part, but did not write what is shown.
    """
    shown = forward.shown
    found = [
        *_taking_part(Role.FROM, (shown.sender,)),
        *_taking_part(Role.TO, shown.to),
        *_taking_part(Role.CC, shown.cc),
    ]
    known = {participant.address for participant in found}
    for level in forward.others:
        for role, people in (
            (Role.SENDER, (level.sender,) if level.sender else ()),
            (Role.TO, level.to),
            (Role.CC, level.cc),
        ):
            found += (p for p in _taking_part(role, people) if p.address not in known)
    others = (p for p in dict.fromkeys(found) if not p.address.endswith(f"@{capture_domain}"))
    return tuple(others)[:MAX_PEOPLE]


def _taking_part(role: Role, people: tuple[Named, ...]) -> Iterator[Participant]:
    for named in people:
        yield Participant(normalise(named.address), role, Source.FORWARDED_BODY)


def _levels(lines: list[str], subject: str, answers: bool) -> Iterator[Block]:
    """Yield the header blocks, from the outside in; none when the first cannot be read."""
    prefix, rest = (not answers and forwarded_subject(subject)) or ("", "")
    number = count = tried = 0
    unread = _Unread()
    while number < len(lines) and count < MAX_LEVELS:
        line = lines[number]
        number += 1
        if not count:
            if 0 < line.find(":") < _MAX_LABEL:
                unread.add(line)
            else:
                unread = _Unread()
            if unread.look_like_block():
                return
        if not line:
            continue
        level = None
        if tried < _MAX_TRIED and (kind := separator(line)):
            tried += 1
            start = _next(lines, number)
            is_prose = line.endswith((":", "："))
            level = read_block(lines, start, Separator.UNKNOWN if is_prose else kind)
            if level is None and kind is Separator.FORWARDED:
                level = _attributed(lines, start, rest or subject)
            if level is None and not count and not is_prose and _stops(kind, lines, start):
                return
        elif tried < _MAX_TRIED and may_begin(line):
            tried += 1
            level = read_block(lines, number - 1)
        elif prefix and not count:
            level = _attributed(lines, number - 1, rest)
        if level is not None:
            yield level
            number, count = max(number, level.end), count + 1


def _until_quote(text: str) -> str:
    """Return a text up to the first line with `>` below one that ends with a colon.

    The line with the colon introduces it, also where it names no day: `Sam Poe wrote:`.
    """
    at, introduces = 0, False
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        bare = line.strip()
        if introduces and bare.startswith(">"):
            return text[:at]
        if bare:
            introduces = bare.endswith((":", "："))
        at += len(line) + 1
    return text


def _is_marked(lines: list[str]) -> bool:
    """Return whether words say `forwarded` above everything that a mail quotes."""
    tried = 0
    for number, line in enumerate(lines):
        if kind := separator(line):
            if kind is not Separator.UNKNOWN:
                return kind is Separator.FORWARDED
        elif may_introduce(line):
            return False
        elif tried < _MAX_TRIED and may_begin(line):
            tried += 1
            if read_block(lines, number):
                return False
    return False


def _next(lines: list[str], number: int) -> int:
    """Return the next line that is not empty, if it is near."""
    for near in range(number, min(number + _EMPTY_LINES, len(lines))):
        if lines[near]:
            return near
    return number


def _stops(kind: Separator, lines: list[str], start: int) -> bool:
    """Return whether nothing further down counts, as there is a forward that cannot be read."""
    looks_like_block = all(0 < line.find(":") < _MAX_LABEL for line in lines[start : start + 3])
    return kind is not Separator.UNKNOWN or looks_like_block


def _attributed(lines: list[str], start: int, subject: str) -> Block | None:
    found = read_attribution(lines, start) if start < len(lines) else None
    if found is None:
        return None
    return Block(found.sender, (), (), found.date, subject, start + found.lines)
