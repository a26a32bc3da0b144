"""The header block of a mail, or of a part of one, cut into its fields. RFC 5322 section 2.2.

Rules:

* The block ends as the standard library's `compat32` ends it: at the first empty line (CRLF, LF or
  CR), or before the first line that is no header line. A header line without a name, a continuation
  of nothing and mbox's `From ` lines are skipped.
* Blanks may stand before a field's colon (RFC 5322 section 4.5). They do not belong to its name.
* A byte order mark before the mail's first field is skipped. Servers on the way put their fields
  before it, and some end these with an empty line, since a line with a mark is no field to them. So
  it may stand behind the fields of servers; anywhere else it is no mark.
* At most 100 KiB or 1000 lines are read; what was cut is marked `truncated`, and the cut is made at
  the end of a line or at a comma, so that no address is ever half an address.
* Values are unfolded and otherwise as they came; 8-bit bytes are surrogate escapes in them, as the
  standard library has it.
"""

import re
from dataclasses import dataclass, field

from shared.mail.address_list import Mailbox

MAX_HEADER_BYTES = 100 * 1024
MAX_HEADER_LINES = 1000

_LINE = re.compile(rb"([^\r\n]*+)(?:\r\n|[\r\n]|\Z)")
_HEADER_LINE = re.compile(rb"[\t ]|([!-9;-~]*+)[ \t]*+:|From ")
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:|From [^\r\n]{1,300}?\d:\d\d")
_MARK_STARTS = (b"\xef", b"\xc3")
_MARKS = re.compile(rb"(?>(?:\xef\xbb\xbf|\xc3\xaf\xc2\xbb\xc2\xbf)+)")
"""Byte order marks in UTF-8, also encoded twice."""
_MARKS_AND_LINES = re.compile(rb"(?>(?:%s[\r\n]*+)+)" % _MARKS.pattern)
TRACE = re.compile(
    rb"(received|return-path|delivered-to|envelope-to|authentication-results|received-spf"
    rb"|dkim-signature|arc-[a-z-]+|resent-[a-z-]+|x-[a-z0-9-]+)[ \t]*:",
    re.IGNORECASE,
)
"""RFC 5322 section 3.6.7 and what providers add on the way."""
_OF_SERVERS = re.compile(
    rb"%s|(?:authentication-results-original|delivery-date|domainkey-signature)[ \t]*:"
    rb"|(?:message-id|date)[ \t]*:" % TRACE.pattern,
    re.IGNORECASE,
)
"""What servers put before a mail, and what they add where they find no header."""
_OF_AUTHORS = re.compile(
    rb"(?:from|sender|reply-to|to|cc|subject|date|message-id|mime-version|content-[a-z-]+)[ \t]*:",
    re.IGNORECASE,
)
_EMPTY_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields of a header block, in order."""

    fields: tuple[tuple[str, str], ...]
    """Names as written; values unfolded, not decoded."""
    truncated: bool
    """The block is longer than what was read of it."""
    body_start: int = 0
    """Where in the mail the body begins."""
    _values: dict[str, list[str]] = field(init=False, repr=False, compare=False)
    """The values of each name, in lower case: a mail is asked for some forty fields."""
    mailboxes: dict[tuple[str, str], list[Mailbox]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """What `headers.mailboxes` has read of it."""

    def __post_init__(self) -> None:
        values: dict[str, list[str]] = {}
        for name, value in self.fields:
            values.setdefault(name.lower(), []).append(value)
        object.__setattr__(self, "_values", values)

    @property
    def is_ascii(self) -> bool:
        """Whether no value has 8-bit bytes."""
        return all(value.isascii() for _, value in self.fields)

    def all(self, name: str) -> list[str]:
        """Return the values of every field of that name, in any case."""
        return [*self._values.get(name.lower(), ())]

    def first(self, name: str) -> str | None:
        """Return the value of the first field of that name, in any case."""
        values = self._values.get(name.lower())
        return values[0] if values else None


def read_header_block(raw: bytes) -> HeaderBlock:
    """Read the header block that a mail, or a part of one, begins with. RFC 5322 section 2.2."""
    start = header_start(raw)
    bounded = raw
    if len(raw) - start > MAX_HEADER_BYTES:
        bounded = raw[: start + MAX_HEADER_BYTES]
        bounded = bounded[: max(bounded.rfind(end) for end in (b"\n", b"\r", b",")) + 1]
    fields: list[tuple[bytes, list[bytes]]] = []
    in_field, truncated, body_start = False, False, len(raw)
    for number, line in enumerate(_LINE.finditer(bounded, start)):
        text = line[1]
        at_end = line.start() == line.end()
        if at_end or (text and number == MAX_HEADER_LINES):
            truncated = not at_end or len(bounded) < len(raw)
            if truncated and (empty := _EMPTY_LINE.search(raw, max(start, line.start() - 2))):
                body_start = empty.end()
            break
        kind = _HEADER_LINE.match(text)
        if kind is None and (not text or text.startswith(_MARK_STARTS)) and _are_of_servers(fields):
            text = without_mark(text)
            kind = _HEADER_LINE.match(text)
            if kind is None and _is_before_header(raw, line.start() if text else line.end()):
                continue
        if kind is None:
            body_start = line.start() if line[1] else line.end()
            break
        if (name := kind[1]) is not None:
            in_field = bool(name)
            if in_field:
                fields.append((name, [text[kind.end() :]]))
        elif text.startswith(b"From "):
            in_field = False
        elif in_field:
            fields[-1][1].append(text)
    unfolded = (
        (name.decode("ascii"), b"".join(lines).strip(b"\t ").decode("ascii", "surrogateescape"))
        for name, lines in fields
    )
    return HeaderBlock(tuple(unfolded), truncated, body_start)


def _are_of_servers(fields: list[tuple[bytes, list[bytes]]]) -> bool:
    return bool(fields) and all(_OF_SERVERS.match(name + b":") for name, _ in fields)


def _is_before_header(raw: bytes, at: int) -> bool:
    """Return whether a byte order mark stands there, and a field of an author behind it."""
    marks = _MARKS_AND_LINES.match(raw, at)
    return marks is not None and _OF_AUTHORS.match(raw, marks.end()) is not None


def header_start(raw: bytes) -> int:
    """Return where the first header line begins: behind byte order marks before it, if any."""
    marks = _MARKS_AND_LINES.match(raw) if raw.startswith(_MARK_STARTS) else None
    return marks.end() if marks and _FIELD.match(raw, marks.end()) else 0


def without_mark(line: bytes) -> bytes:
    """Return a field's line without byte order marks before it; any other line as it is."""
    marks = _MARKS.match(line) if line.startswith(_MARK_STARTS) else None
    return line[marks.end() :] if marks and _FIELD.match(line, marks.end()) else line
