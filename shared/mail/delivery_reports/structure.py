"""Reports with fields: RFC 3464 (delivery) and RFC 8098 (reading), in any language.

The fields count in a report, and from a sender that is a mail server or cannot be answered: anyone
can attach a report to a mail. If a server writes the fields into the text, they are read there.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Literal

from shared.mail import headers
from shared.mail.delivery_reports.writer import Writer, is_automatic, is_report, writer_of
from shared.mail.headers import HeaderBlock
from shared.mail.part import Part

MAX_BYTES = 256 * 1024
MAX_GROUPS = 200
_MAX_FIELD = 1000

DELIVERY = ("message/delivery-status", "message/global-delivery-status")
READING = ("message/disposition-notification", "message/global-disposition-notification")
_EMPTY_LINES = re.compile(rb"(?:(?:\r\n|\n|\r(?!\n))[ \t]*+){2,}")
_ONCE = ("original-recipient", "final-recipient", "action")
"""Fields of a recipient that a group has once. RFC 3464 section 2.3."""
_XTEXT = re.compile(r"\+(2B|3D)")
"""What xtext writes for the two printable characters that it cannot hold."""
_IN_TEXT = re.compile(r"^(?:Reporting-MTA|Final-Recipient):", re.IGNORECASE | re.MULTILINE)

Kind = Literal["bounce", "delay", "receipt"]
Read = tuple[Kind, list[str]]
"""What became of a mail, and for whom."""


def delivery(header: HeaderBlock, parts: Sequence[Part]) -> Read | None:
    """Read the fields of RFC 3464: the worst of what happened, and to whom."""
    is_from_server = writer_of(header) is not Writer.PERSON
    if not (is_report(header) or is_from_server or is_automatic(header)):
        return None
    return _worst(groups(parts, DELIVERY))


def delivery_in(text: str) -> Read | None:
    """Read the same fields where they stand in the text."""
    found = _IN_TEXT.search(text)
    if found is None:
        return None
    return _worst(_groups_of(text[found.start() :][:MAX_BYTES].encode()))


def reading(header: HeaderBlock, parts: Sequence[Part]) -> Read | None:
    """Read the fields of RFC 8098."""
    found = list(groups(parts, READING)) if is_report(header) else []
    if not found:
        return None
    return "receipt", [address for group in found for address in _recipient(group)]


def groups(parts: Sequence[Part], types: tuple[str, ...]) -> Iterator[HeaderBlock]:
    """Return the groups of fields in the parts of these types. RFC 3464 section 2.1."""
    for part in parts:
        if part.content_type in types:
            yield from _groups_of(part.data[:MAX_BYTES])
            return


def _groups_of(data: bytes) -> Iterator[HeaderBlock]:
    found = _EMPTY_LINES.split(data.strip(), maxsplit=MAX_GROUPS)
    blocks = map(headers.read_header_block, found[:MAX_GROUPS])
    yield from islice(chain.from_iterable(map(_by_recipient, blocks)), MAX_GROUPS)


def _by_recipient(group: HeaderBlock) -> Iterator[HeaderBlock]:
    """Cut a group where a field comes again that it has once: no empty line was written."""
    fields: list[tuple[str, str]] = []
    names: set[str] = set()
    for name, value in group.fields:
        key = name.lower()
        if key in _ONCE and key in names:
            yield HeaderBlock(tuple(fields), truncated=False)
            fields, names = [], set()
        fields.append((name, value))
        names.add(key)
    yield HeaderBlock(tuple(fields), truncated=group.truncated)


def _worst(found: Iterator[HeaderBlock]) -> Read | None:
    by_kind: dict[Kind, list[str]] = {}
    for group in found:
        kind = _kind_of_action(group)
        if kind:
            by_kind.setdefault(kind, []).extend(_recipient(group))
    order: tuple[Kind, ...] = ("bounce", "delay", "receipt")
    return next(((kind, by_kind[kind]) for kind in order if kind in by_kind), None)


def _kind_of_action(group: HeaderBlock) -> Kind | None:
    """Read Action, else the class of Status. RFC 3464 sections 2.3.3 and 2.3.4."""
    action = (group.first("Action") or "").strip().lower()
    status = "" if action else (group.first("Status") or "").strip()
    if action.startswith(("fail", "error", "expire", "bounce")) or status.startswith("5."):
        return "bounce"
    if action.startswith("delay") or status.startswith("4."):
        return "delay"
    if action.startswith(("deliver", "relay", "expand")) or status.startswith("2."):
        return "receipt"
    return None


def _recipient(group: HeaderBlock) -> list[str]:
    """Return the address that the sender used, else the one it became.

    The first may still be in the form in which SMTP carried it: RFC 3461 section 4.
    """
    for name in ("Original-Recipient", "Final-Recipient"):
        address = (group.first(name) or "")[:_MAX_FIELD].rpartition(";")[2]
        if name == "Original-Recipient":
            address = _XTEXT.sub(lambda found: chr(int(found[1], 16)), address)
        found = headers.addresses([address])
        if found:
            return [found[0].address]
    return []
