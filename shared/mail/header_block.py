"""The header block of a mail, or of a part of one, cut into its fields. RFC 5322 section 2.2.

Rules:

* The block ends as the standard library's `compat32` ends it: at the first empty line (CRLF, LF or
  CR), or before the first line that is no header line. A header line without a name, a continuation
  of nothing and mbox's `From ` lines are skipped.
* At most 100 KiB or 1000 lines are read; what was cut is marked `truncated`, and the cut is made at
  the end of a line or at a comma, so that no address is ever half an address.
* Values are unfolded and otherwise as they came; 8-bit bytes are surrogate escapes in them, as the
  standard library has it.
"""

import re
from dataclasses import dataclass

MAX_HEADER_BYTES = 100 * 1024
MAX_HEADER_LINES = 1000

_LINE = re.compile(rb"([^\r\n]*+)(?:\r\n|[\r\n]|\Z)")
_HEADER_LINE = re.compile(rb"From |[!-9;-~]*+:|[\t ]")
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

    def all(self, name: str) -> list[str]:
        """Return the values of every field of that name, in any case."""
        name = name.lower()
        return [value for field, value in self.fields if field.lower() == name]

    def first(self, name: str) -> str | None:
        """Return the value of the first field of that name, in any case."""
        return next(iter(self.all(name)), None)


def read_header_block(raw: bytes) -> HeaderBlock:
    """Read the header block that a mail, or a part of one, begins with. RFC 5322 section 2.2."""
    bounded = raw
    if len(raw) > MAX_HEADER_BYTES:
        bounded = raw[:MAX_HEADER_BYTES]
        bounded = bounded[: max(bounded.rfind(end) for end in (b"\n", b"\r", b",")) + 1]
    fields: list[tuple[bytes, list[bytes]]] = []
    in_field, truncated, body_start = False, False, len(raw)
    for number, line in enumerate(_LINE.finditer(bounded)):
        text = line[1]
        at_end = line.start() == line.end()
        if at_end or (text and number == MAX_HEADER_LINES):
            truncated = not at_end or len(bounded) < len(raw)
            if truncated and (empty := _EMPTY_LINE.search(raw, max(0, line.start() - 2))):
                body_start = empty.end()
            break
        if not _HEADER_LINE.match(text):
            body_start = line.start() if text else line.end()
            break
        if not text.startswith((b" ", b"\t")):
            name, _, value = text.partition(b":")
            in_field = bool(name) and not text.startswith(b"From ")
            if in_field:
                fields.append((name, [value]))
        elif in_field:
            fields[-1][1].append(text)
    unfolded = (
        (name.decode("ascii"), b"".join(lines).strip(b"\t ").decode("ascii", "surrogateescape"))
        for name, lines in fields
    )
    return HeaderBlock(tuple(unfolded), truncated, body_start)
