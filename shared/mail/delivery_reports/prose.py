"""Reports without fields: what servers wrote before RFC 3464, and some still do.

The less likely the writer is a mail server, the more evidence a report needs:

| writer     | a bounce if                                                                       |
|------------|-----------------------------------------------------------------------------------|
| server     | it says so; in an unknown language, if it names a recipient and returns a mail    |
| postmaster | it says so, and names a recipient without a greeting, returns a mail, or has a    |
|            | null sender                                                                       |
| NOBODY     | its subject or a server's answer says so, it names a recipient, and returns the   |
|            | mail                                                                              |

* A delay is no bounce, though it may say "could not be delivered yet"; the subject decides before
  the text.
* A notice about a virus, a challenge or a mail that waits for approval is no bounce, unless it
  quotes the final answer of a server.
"""

import re
from collections.abc import Collection

from shared.mail import headers
from shared.mail.delivery_reports import words
from shared.mail.delivery_reports.named import MAX_CHARACTERS, aliases, named
from shared.mail.delivery_reports.returned import Returned, Split
from shared.mail.delivery_reports.structure import Kind, Read, delivery_in
from shared.mail.delivery_reports.writer import (
    Writer,
    has_null_sender,
    is_automatic,
    is_other_report,
    writer_of,
)
from shared.mail.headers import HeaderBlock, decode_text

_QUOTED_LINE = re.compile(r"^[ \t]{0,4}>(?!>)[^\n]*", re.MULTILINE)
"""A person's answer quotes; a server's transcript begins its lines with `>>>`."""
_MAX_FIELD = 10_000
_LISTS = ("List-Id", "List-Unsubscribe", "List-Post")


def read_prose(header: HeaderBlock, split: Split, returned: Returned | None) -> Read | None:
    """Read what a server wrote; `split` is its text."""
    writer = writer_of(header)
    failed = ", ".join(header.all("X-Failed-Recipients"))[:_MAX_FIELD]
    failed_recipients = headers.addresses([failed])
    is_marked = writer is not Writer.PERSON or is_automatic(header)
    if is_other_report(header) or not is_marked:
        return None
    own = split.own[:MAX_CHARACTERS]
    if writer is Writer.POSTMASTER:
        own = _QUOTED_LINE.sub("", own)
    subject = decode_text(header.first("Subject") or "")
    if failed_recipients:
        kind: Kind = "delay" if _waits(subject, own) else "bounce"
        return kind, [mailbox.address for mailbox in failed_recipients]
    if writer is Writer.PERSON:
        return None
    fields = delivery_in(split.own) if writer is Writer.SERVER else None
    if fields and fields[0] != "receipt":
        return fields
    return _of_words(header, writer, subject, own, split, returned)


def _of_words(
    header: HeaderBlock,
    writer: Writer,
    subject: str,
    own: str,
    split: Split,
    returned: Returned | None,
) -> Read | None:
    has_answer = words.REPLY.search(own) is not None
    if words.says_something_else(f"{subject}\n{own}") and not has_answer:
        return None
    is_titled = words.begins_with_failure(subject)
    if words.says_arrival(f"{subject}\n{own}") and not (has_answer or is_titled):
        return None
    says_so = is_titled or has_answer or words.says_failure(own)
    recipients = named_by(header, own, surest_only=writer is Writer.POSTMASTER and not is_titled)
    if writer is not Writer.NOBODY and _waits(subject, own):
        return "delay", recipients
    reached = recipients or (returned.only_recipient if returned else [])
    match writer:
        case Writer.SERVER if says_so:
            is_bounce = True
        case Writer.SERVER:
            has_copy = split.has_copy or returned is not None
            is_bounce = has_copy and bool(recipients)
        case Writer.POSTMASTER:
            has_copy = split.has_copy or returned is not None
            is_named = bool(recipients) and not words.greets(own)
            is_bounce = says_so and (has_copy or is_named or has_null_sender(header))
        case _:
            is_sent_on = any(header.first(name) is not None for name in _LISTS)
            is_sure = is_titled or (says_so and returned is not None and returned.is_proven)
            is_bounce = is_sure and returned is not None and bool(reached) and not is_sent_on
    return ("bounce", recipients) if is_bounce else None


def named_by(header: HeaderBlock, own: str, *, surest_only: bool = False) -> list[str]:
    """Return whom the words of a report name."""
    return named(own, _addressed_to(header), surest_only=surest_only)


def aliases_by(header: HeaderBlock, own: str) -> list[str]:
    """Return the addresses that the sender used, where the words of a report name them."""
    return aliases(own, _addressed_to(header))


def _addressed_to(header: HeaderBlock) -> Collection[str]:
    return [
        mailbox.address
        for name in ("To", "Cc", "Delivered-To")
        for mailbox in headers.mailboxes(header, name)
    ]


def _waits(subject: str, own: str) -> bool:
    if words.begins_with_failure(subject):
        return False
    return words.begins_with_delay(subject) or words.says_delay(own)
