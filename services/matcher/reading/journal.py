"""Exchange's journal reports: who really got a mail, and the mail itself. Pure.

A report is a mail with the field `X-MS-Journal-Report`. Its text names, a line each, the sender and
every recipient, those in Bcc and those that a list was expanded to included; the mail itself is
attached (message/rfc822). The lines' labels are the same in every language:

    Sender: anna@agency.example
    To: candidate@mail.example
    Bcc: colleague@agency.example
    To: lena@agency.example, Expanded: team@agency.example
    Recipient: somebody@mail.example

Reports count at an address of the account alone. Anyone who knows that address can write one: it
does no more than a mail with the same recipients in its header. Nothing raises; time is linear.
"""

import re
from dataclasses import dataclass
from itertools import islice

from services.matcher.reading.addresses import normalise
from services.matcher.reading.enclosed import TooManyEnclosed, enclosed
from services.matcher.reading.participants import MAX_PARTICIPANTS
from shared.mail.body import body_of, joined_text
from shared.mail.delivery_reports import JOURNAL
from shared.mail.headers import HeaderBlock, addresses
from shared.mail.mime import leaves

_MAX_TEXT = 1024 * 1024
_LINE = re.compile(r"^(?:To|Cc|Bcc|Recipient): ([^\s,;]{3,320})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal report."""

    mail: bytes
    """The mail that it is about, unchanged."""
    recipients: tuple[str, ...]
    """Who got it, in the form in which addresses compare."""


def may_be_journal(header: HeaderBlock) -> bool:
    """Return whether a mail is a journal report, by its header."""
    return header.first(JOURNAL) is not None


def read_journal(raw: bytes, header: HeaderBlock) -> Journal | None:
    """Return what a report says; None where it does not have the form of one."""
    try:
        mails = enclosed(raw, header)
    except TooManyEnclosed:
        return None
    if len(mails) != 1:
        return None
    parts, _ = leaves(raw, header, names=False)
    text = joined_text(body_of(parts).plain)[:_MAX_TEXT].replace("\r\n", "\n")
    written = islice(_LINE.finditer(text), MAX_PARTICIPANTS)
    found = addresses([line[1] for line in written])
    return Journal(mails[0], tuple(dict.fromkeys(normalise(one.address) for one in found)))
