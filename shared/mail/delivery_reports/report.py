"""From a mail to what it reports about another, or that it reports nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.mail import headers
from shared.mail.delivery_reports.prose import aliases_by, named_by, read_prose
from shared.mail.delivery_reports.returned import Returned, returned_part, split
from shared.mail.delivery_reports.structure import (
    DELIVERY,
    MAX_BYTES,
    READING,
    delivery,
    groups,
    reading,
)
from shared.mail.delivery_reports.writer import may_be_report
from shared.mail.headers import HeaderBlock
from shared.mail.part import Part

MAX_RECIPIENTS = 50

_COMPLAINT = "message/feedback-report"
_RETURNED_ID = re.compile(
    r"^[ \t>]{0,8}Message-ID:[ \t]{0,8}(?:\n[ \t]{1,8})?<([^<>\s]{1,250})>", re.I | re.M
)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail, and for whom."""

    kind: Literal["bounce", "delay", "receipt"]
    original_message_id: str | None
    recipients: tuple[str, ...]
    returned_from: tuple[str, ...] | None = None
    """Who wrote the mail in question, by the From that is returned; None where none is."""
    returned_to: tuple[str, ...] | None = None
    """Whom its returned To and Cc name; None where neither is returned."""


def report_of(header: HeaderBlock, parts: Sequence[Part], text: str) -> Report | None:
    """Return what the mail reports about another, None if it is no report.

    `text` is the body as it is shown, or as much of it as is at hand.
    """
    if not may_be_report(header) or any(part.content_type == _COMPLAINT for part in parts):
        return None
    text = text[:MAX_BYTES]
    words = split(text)
    returned = returned_part(parts) or words.returned
    read = delivery(header, parts) or reading(header, parts)
    read = read or read_prose(header, words, returned)
    if read is None:
        return None
    kind, recipients = read
    if kind == "bounce" and not recipients:
        recipients = named_by(header, words.own) or (returned.only_recipient if returned else [])
    if kind == "bounce":
        recipients = [*recipients, *aliases_by(header, words.own)]
    return Report(
        kind,
        _original_message_id(header, parts, text, returned),
        tuple(dict.fromkeys(recipients))[:MAX_RECIPIENTS],
        returned.senders if returned else None,
        returned.recipients if returned else None,
    )


def _original_message_id(
    header: HeaderBlock, parts: Sequence[Part], text: str, returned: Returned | None
) -> str | None:
    found = headers.message_id(returned.header) if returned else None
    if found:
        return found
    for group in groups(parts, READING + DELIVERY):
        for name in ("Original-Message-ID", "X-Original-Message-ID"):
            named = headers.message_ids(group.first(name) or "")
            if named:
                return named[0]
    written = _RETURNED_ID.search(text)
    if written:
        return written[1]
    answers = header.first("In-Reply-To") or header.first("References") or ""
    answered = headers.message_ids(answers)
    return answered[-1] if answered else None
