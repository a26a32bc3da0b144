"""What mail servers and readers report about a mail: it bounced, it waits, it arrived, it was read.

* By structure first: the fields of RFC 3464 (delivery) and RFC 8098 (reading), in any language.
* Reports in prose (qmail, Exim, Yahoo and the like) count only from a mail server: a person who
  quotes a bounce sends none.
* The mail in question is known by its own Message-ID, from its returned header wherever that
  stands; only where nothing was returned, from the report's In-Reply-To and References.
* Own code: docs/decisions/0014. Nothing raises; time is linear in at most 256 KiB of each part.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.mail import headers
from shared.mail.headers import HeaderBlock, decode_text, parameters
from shared.mail.mime import Part

MAX_BYTES = 256 * 1024
MAX_GROUPS = 200
MAX_RECIPIENTS = 50

_DELIVERY = ("message/delivery-status", "message/global-delivery-status")
_READING = ("message/disposition-notification", "message/global-disposition-notification")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")

_SERVER = re.compile(
    r"(?:mailer-?daemon|mail-daemon|mdaemon|postmaster|microsoftexchange[0-9a-f]{32})(?![\w.+-])",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"\b5\.\d{1,3}\.\d{1,3}\b|\b55[0-4][ -]|undeliver|(?:could|can) ?not be delivered"
    r"|unable to deliver|delivery (?:to [^\n]{1,80} )?(?:has )?failed|unzustellbar"
    r"|nicht zugestellt|non remis|no se ha podido entregar|impossibile recapitare",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"\bdelayed\b|not yet been delivered|has not been delivered[^.]{0,80} after more than"
    r"|will (?:continue to|be re)tr|do not need to resend|verzögert",
    re.IGNORECASE,
)
_COPY_BELOW = re.compile(
    r"^[ >]{0,8}--[^\n]{0,120}?\b(?:copy|original|below|returned|headers?|message)\b", re.I | re.M
)
_ADDRESS_LINE = re.compile(
    r'^[ \t]{0,8}<?([^\s<>@:,;"()]{1,64}@[\w.-]{1,255})>?(?::|[ \t]*$|[ \t]+\()', re.M
)
_RETURNED_ID = re.compile(
    r"^[ \t>]{0,8}Message-ID:[ \t]{0,8}(?:\n[ \t]{1,8})?<([^<>\s]{1,250})>", re.I | re.M
)
_EMPTY_LINES = re.compile(rb"(?:\r?\n[ \t]*){2,}")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a mail, and for whom."""

    kind: Literal["bounce", "delay", "receipt"]
    original_message_id: str | None
    recipients: tuple[str, ...]


def report_of(header: HeaderBlock, parts: Sequence[Part], text: str) -> Report | None:
    """Return what the mail reports about another, None if it is no report."""
    text = text[:MAX_BYTES]
    read = _delivery(header, parts) or _reading(header, parts) or _prose(header, parts, text)
    if read is None:
        return None
    kind, recipients = read
    original = _original_message_id(header, parts, text)
    return Report(kind, original, tuple(dict.fromkeys(recipients))[:MAX_RECIPIENTS])


def has_null_sender(header: HeaderBlock) -> bool:
    """Return whether nobody wants an answer to this. RFC 5321 section 4.5.5."""
    return (header.first("Return-Path") or "").strip() == "<>"


def is_automatic(header: HeaderBlock) -> bool:
    """Return whether the mail says that no person sent it. RFC 3834 section 5."""
    said, _ = parameters(header.first("Auto-Submitted") or "no")
    return said.startswith("auto-")


_Read = tuple[Literal["bounce", "delay", "receipt"], list[str]]


def _delivery(header: HeaderBlock, parts: Sequence[Part]) -> _Read | None:
    """Read the fields of RFC 3464: the worst of what happened, and to whom."""
    if not (_is_report(header) or _server_name(header) or is_automatic(header)):
        return None
    found: dict[str, list[str]] = {}
    for group in _groups(parts, _DELIVERY):
        kind = _kind_of_action(group)
        if kind:
            found.setdefault(kind, []).extend(_recipient(group))
    for kind in ("bounce", "delay", "receipt"):
        if kind in found:
            return kind, found[kind]
    return None


def _kind_of_action(group: HeaderBlock) -> Literal["bounce", "delay", "receipt"] | None:
    """Read Action, else the class of Status. RFC 3464 sections 2.3.3 and 2.3.4."""
    action = (group.first("Action") or "").strip().lower()
    status = "" if action else (group.first("Status") or "").strip()
    if action.startswith(("fail", "error")) or status.startswith("5."):
        return "bounce"
    if action.startswith("delay") or status.startswith("4."):
        return "delay"
    if action.startswith(("deliver", "relay", "expand")) or status.startswith("2."):
        return "receipt"
    return None


def _reading(header: HeaderBlock, parts: Sequence[Part]) -> _Read | None:
    """Read the fields of RFC 8098."""
    groups = list(_groups(parts, _READING)) if _is_report(header) else []
    if not groups:
        return None
    return "receipt", [address for group in groups for address in _recipient(group)]


def _prose(header: HeaderBlock, parts: Sequence[Part], text: str) -> _Read | None:
    """Read what servers wrote before there were fields for it, or still do."""
    named = headers.addresses(header.all("X-Failed-Recipients"))
    server, is_null = _server_name(header), has_null_sender(header)
    if named and (server or is_null or is_automatic(header)):
        return "bounce", [mailbox.address for mailbox in named]
    _, given = parameters(header.first("Content-Type") or "")
    if not (server or is_null) or given.get("report-type") == "feedback-report":
        return None
    own = _before_copy(text)
    said = decode_text(header.first("Subject") or "") + "\n" + own
    recipients = [found[1] for found in _ADDRESS_LINE.finditer(own)]
    is_returned = any(part.content_type in _RETURNED for part in parts) or len(own) < len(text)
    if _FAILED.search(said):
        if server:
            is_bounce = server != "postmaster" or is_returned or bool(recipients) or is_null
        else:
            is_bounce = is_returned and bool(recipients)
        return ("bounce", recipients) if is_bounce else None
    if server and _DELAYED.search(said):
        return "delay", recipients
    is_bounce = server not in ("", "postmaster") and (is_returned or bool(recipients))
    return ("bounce", recipients) if is_bounce else None


def _is_report(header: HeaderBlock) -> bool:
    return parameters(header.first("Content-Type") or "")[0] == "multipart/report"


def _server_name(header: HeaderBlock) -> str:
    """Return the name under which a mail server writes, empty if the sender is none.

    A postmaster may be a person.
    """
    written = header.first("From") or ""
    senders = [mailbox.address for mailbox in headers.addresses([written])]
    for sender in senders or [written.lstrip('<" \t')]:
        match = _SERVER.match(sender)
        if match:
            return match[0].lower()
    return ""


def _groups(parts: Sequence[Part], types: tuple[str, ...]) -> Iterator[HeaderBlock]:
    """Return the groups of fields in the parts of these types. RFC 3464 section 2.1."""
    for part in parts:
        if part.content_type in types:
            groups = _EMPTY_LINES.split(part.data[:MAX_BYTES].strip(), maxsplit=MAX_GROUPS)
            yield from map(headers.read_header_block, groups[:MAX_GROUPS])
            return


def _recipient(group: HeaderBlock) -> list[str]:
    """Return the address that the sender used, else the one it became."""
    for name in ("Original-Recipient", "Final-Recipient"):
        address = (group.first(name) or "").rpartition(";")[2]
        found = headers.addresses([address])
        if found:
            return [found[0].address]
    return []


def _before_copy(text: str) -> str:
    """Return what the server wrote itself."""
    copy = _COPY_BELOW.search(text)
    return text[: copy.start()] if copy else text


def _original_message_id(header: HeaderBlock, parts: Sequence[Part], text: str) -> str | None:
    for part in parts:
        if part.content_type in _RETURNED:
            returned = headers.read_header_block(part.data.lstrip(b"\r\n"))
            found = headers.message_id(returned)
            if found:
                return found
    for group in _groups(parts, _READING + _DELIVERY):
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
