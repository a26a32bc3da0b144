"""Who writes a report, by the header alone.

* A mail server is recognised by the address in From (`MAILER-DAEMON@`). A name counts only if From
  has no address at all, because anyone can choose a name.
* A postmaster may be a person.
* NOBODY: the sender cannot be answered (a null Return-Path or From, RFC 5321 section 4.5.5), or the
  mail calls itself a delivery report. Newsletters and absence notes have null senders too.
"""

import re
from enum import IntEnum

from shared.mail import headers
from shared.mail.delivery_reports import words
from shared.mail.headers import HeaderBlock, decode_text, parameters


class Writer(IntEnum):
    """How much speaks for a mail server; more is greater."""

    PERSON = 0
    NOBODY = 1
    POSTMASTER = 2
    SERVER = 3


JOURNAL = "X-MS-Journal-Report"
"""The field of Exchange's journal reports: each names the sender and every recipient of a mail."""
_MAX_FROM = 2000
"""Characters; a server's own From is short."""
_SERVER = re.compile(
    r"(?:mailer[-_. ]?daemon|mail[-_.]?daemon|mdaemon|microsoftexchange[0-9a-f]{32}"
    r"|mail[-_. ]?delivery[-_. ]?(?:sub)?system)(?![\w.+-])",
    re.IGNORECASE,
)
_POSTMASTER = re.compile(r"post[-_.]?master(?![\w.+-])", re.IGNORECASE)
_SYSTEM = re.compile(
    r"(?:system ?administrator|administrador del sistema|administrateur syst[èe]me"
    r"|amministratore (?:di )?sistema|administrador do sistema|systeembeheerder"
    r"|microsoft (?:exchange|outlook)|mail administrator)\W*\Z",
    re.IGNORECASE,
)
"""Exchange writes these into a From without an address."""
_NO_REPLY = re.compile(r"(?:no|do[-_.]?not)[-_.]?reply(?![\w.+-])", re.IGNORECASE)
_EMPTY = re.compile(r"<[\s@]{0,8}>")
_NULL_PATH = re.compile(r"<>|<?mailer-daemon(?![\w.+-])", re.IGNORECASE)


def writer_of(header: HeaderBlock) -> Writer:
    """Return who writes."""
    written = header.first("From") or ""
    if len(written) <= _MAX_FROM and len(header.all("From")) == 1:
        read = headers.mailboxes(header, "From")
    else:
        written = written[:_MAX_FROM]
        read = headers.addresses([written])
    senders = [mailbox.address for mailbox in read]
    names = senders or _names(written)
    if any(map(_SERVER.match, names)):
        return Writer.SERVER
    if any(map(_POSTMASTER.match, names)) or (not senders and any(map(_SYSTEM.match, names))):
        return Writer.POSTMASTER
    has_no_sender = not senders and _EMPTY.search(written) is not None
    if has_no_sender or _has_null_path(header) or _is_delivery_report(header):
        return Writer.NOBODY
    if any(map(_NO_REPLY.match, senders)):
        subject = decode_text(header.first("Subject") or "")
        return Writer.NOBODY if words.begins_with_failure(subject) else Writer.PERSON
    return Writer.PERSON


def may_be_report(header: HeaderBlock) -> bool:
    """Return whether the body can hold a report: False for nearly all mail, by its header alone."""
    if header.first(JOURNAL) is not None:  # it names who got a mail
        return False
    return (
        is_report(header)
        or is_automatic(header)
        or header.first("X-Failed-Recipients") is not None
        or writer_of(header) is not Writer.PERSON
    )


def has_null_sender(header: HeaderBlock) -> bool:
    """Return whether the sender wants no answer. RFC 5321 section 4.5.5."""
    return (header.first("Return-Path") or "").strip() == "<>"


def is_automatic(header: HeaderBlock) -> bool:
    """Return whether the mail says that no person sent it. RFC 3834 section 5."""
    said, _ = parameters(header.first("Auto-Submitted") or "no")
    return said.startswith("auto-")


def is_report(header: HeaderBlock) -> bool:
    """Return whether the mail calls itself a report of any type. RFC 6522."""
    return parameters(header.first("Content-Type") or "")[0] == "multipart/report"


def is_other_report(header: HeaderBlock) -> bool:
    """Return whether it is a report of something else: a complaint (RFC 5965), TLS (RFC 8460)."""
    type_ = _report_type(header)
    return is_report(header) and type_ not in ("", "delivery-status")


def _is_delivery_report(header: HeaderBlock) -> bool:
    return is_report(header) and not is_other_report(header)


def _report_type(header: HeaderBlock) -> str:
    _, given = parameters(header.first("Content-Type") or "")
    return given.get("report-type", "").strip().lower()


def _has_null_path(header: HeaderBlock) -> bool:
    return _NULL_PATH.match((header.first("Return-Path") or "").strip()) is not None


def _names(written: str) -> list[str]:
    """Return what stands in a From without an address: before the brackets, and in them."""
    before, _, inside = decode_text(written).partition("<")
    return [text.strip("<>\"' \t") for text in (before, inside)]
