"""The mail that a report is about, as the report returns it: whole, or its header alone.

* If it is a part, that part (RFC 3462 section 2). Some servers return a text, or a file.
* Otherwise the first header block in the text: lines that are header fields, From among them, and
  enough of the usual others, so that prose is not taken for one.
* The server's own words stand before it. An indented block is a summary inside these words, and so
  is the header of another server's report that this one passes on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.mail import headers
from shared.mail.delivery_reports.writer import Writer, writer_of
from shared.mail.headers import HeaderBlock
from shared.mail.part import Part

MAX_TEXT = 64 * 1024
"""Characters of the text in which a header block is looked for."""

_MAX_PARTS, _MAX_BLOCKS = 50, 200
_MAX_FIELD, _MAX_FIELDS = 20_000, 10
_TYPES = (
    "message/rfc822",
    "text/rfc822-headers",
    "text/rfc822-header",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
)
_LINE = re.compile(r"[^\n]*+\n?")
_FIELD = re.compile(
    r"(?P<before>[ \t>|]{0,8})(?:received|return-path|message-id|from|to|cc|date|subject|reply-to"
    r"|sender|mime-version|content-[a-z-]{1,30}|x-[\w-]{1,60}|delivered-to|user-agent|references"
    r"|in-reply-to|importance|sensitivity|thread-[a-z]{1,10}|dkim-[a-z]{1,20}|arc-[a-z-]{1,30}"
    r"|domainkey-[a-z]{1,20}|authentication-results|received-spf|list-[a-z-]{1,30}):",
    re.IGNORECASE,
)
_ANY_FIELD = re.compile(r"[!-9;-~]{1,60}+:")
_USUAL = frozenset(("to", "cc", "subject", "date", "message-id", "received", "mime-version"))
_COPY_BELOW = re.compile(
    r"^(?:[ >|]{0,8}--(?![^\n]{0,120}\b(?:server message|message log))[^\n]{0,120}?"
    r"\b(?:copy|original|below|returned|headers?|message|unsent)\b"
    r"|[ \t]{0,8}(?:message headers follow|original message follows|original message:?[ \t]*$"
    r"|(?:below|here|following) is a copy of ))",
    re.IGNORECASE | re.MULTILINE,
)
_CAPTURE = re.compile(r"[a-z0-9-]{1,32}\.[a-z2-7]{29}@", re.IGNORECASE)
"""The form of a capture address, which is not a recipient to report on."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A returned mail, known by its header."""

    header: HeaderBlock
    is_proven: bool
    """It is a part, or a whole header: no answering client quotes one like that."""

    @property
    def senders(self) -> tuple[str, ...] | None:
        """Return the addresses of From; None where no From is returned."""
        return _addresses(self.header, ("From",))

    @property
    def recipients(self) -> tuple[str, ...] | None:
        """Return the addresses of To and Cc; None where neither is returned."""
        return _addresses(self.header, ("To", "Cc"))

    @property
    def only_recipient(self) -> list[str]:
        """Return whom the mail was for, if that was one; capture addresses do not count."""
        found = [a for a in self.recipients or () if not _CAPTURE.match(a)]
        return found if len({address.lower() for address in found}) == 1 else []


@dataclass(frozen=True, slots=True)
class Split:
    """A text: the server's own words, and the header that it returns in the text, if any."""

    own: str
    has_copy: bool
    returned: Returned | None


def returned_part(parts: Sequence[Part]) -> Returned | None:
    """Return the returned mail that is a part of its own."""
    found: Returned | None = None
    for number, part in enumerate(parts[:_MAX_PARTS]):
        is_typed = part.content_type in _TYPES
        if not is_typed and not (number and _may_hold_header(part)):
            continue
        header = headers.read_header_block(part.data[:MAX_TEXT].lstrip(b"\r\n"))
        if _is_header(header):
            return Returned(header, is_proven=True)
        if is_typed and found is None:
            found = Returned(header, is_proven=True)
    return found


def split(text: str) -> Split:
    """Split a text into the server's own words and what it returns."""
    copy = _COPY_BELOW.search(text)
    for block in islice(_blocks(text[:MAX_TEXT]), _MAX_BLOCKS):
        header = headers.read_header_block(block.text.encode())
        if _is_header(header) and writer_of(header) is not Writer.SERVER:
            start, rest = block.start, ""
            if block.is_indented and header.first("Received") is None:
                rest = text[block.end :]
                again = _COPY_BELOW.search(rest)
                rest = rest[: again.start()] if again else rest
            if copy and copy.start() < start:
                start, rest = copy.start(), ""
            is_proven = any(header.first(name) is not None for name in ("Received", "Message-ID"))
            return Split(text[:start] + rest, True, Returned(header, is_proven))
    return Split(text[: copy.start()] if copy else text, copy is not None, None)


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines in a row that look like header fields."""

    start: int
    end: int
    is_indented: bool
    text: str


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the runs of header fields in a text, each without what stands before every line."""
    start, before, lines = -1, "", list[str]()
    for line in _LINE.finditer(text):
        inner = line[0].removeprefix(before)
        is_quoted_alike = len(inner) == len(line[0]) - len(before)
        is_folded = inner[:1] in (" ", "\t") and inner.strip() != ""
        if lines and is_quoted_alike and (is_folded or _ANY_FIELD.match(inner)):
            lines.append(inner)
            continue
        if lines:
            yield _Block(start, line.start(), bool(before), "".join(lines))
            lines = []
        if field := _FIELD.match(line[0]):
            start, before = line.start(), field["before"]
            lines = [line[0].removeprefix(before)]
    if lines:
        yield _Block(start, len(text), bool(before), "".join(lines))


def _may_hold_header(part: Part) -> bool:
    return part.content_type.startswith("text/") or part.filename.lower().endswith(".eml")


def _is_header(header: HeaderBlock) -> bool:
    names = {name.lower() for name, _ in header.fields}
    return "from" in names and len(names & _USUAL) >= 2


def _addresses(header: HeaderBlock, names: tuple[str, ...]) -> tuple[str, ...] | None:
    values = [value[:_MAX_FIELD] for name in names for value in header.all(name)[:_MAX_FIELDS]]
    if not values:
        return None
    return tuple(mailbox.address for mailbox in headers.addresses(values))
