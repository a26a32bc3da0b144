"""Why a mail server refused a challenge, in words, and what to do about it. Pure.

Known by the enhanced status code (RFC 3463, RFC 5248, and Microsoft's own), which is the same in
every language. The server's own text is never shown: anyone who has seen the return path can write
to it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.mail.body import body_of, joined_text
from shared.mail.delivery_reports import report_of
from shared.mail.delivery_reports.structure import DELIVERY, groups
from shared.mail.headers import HeaderBlock
from shared.mail.mime import leaves

_TEXT = 64 * 1024
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_FORWARDING = "5.7.520"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a mail was refused."""

    status: str | None
    """The enhanced status code, where one is named."""
    reason: str
    advice: str


_BY_CODE = {
    _FORWARDING: (
        "The organisation blocks automatic forwarding to other domains.",
        "An administrator of Microsoft 365 opens the outbound anti-spam policy in Defender, sets "
        "“Automatic forwarding rules” to “On” for this mailbox. Or they choose a set-up for the "
        "whole company.",
    ),
    "5.7.1": (
        "The mail was refused by a rule of the receiving side.",
        "Ask an administrator whether a rule refuses mail from Satchel, or forwarding to it.",
    ),
    "5.7.0": (
        "The mail was refused by a rule of the receiving side.",
        "Ask an administrator whether a rule refuses mail from Satchel, or forwarding to it.",
    ),
    "5.1.1": (
        "There is no such mailbox.",
        "Correct the address in the directory, or create the mailbox.",
    ),
    "5.1.10": (
        "There is no such mailbox.",
        "Correct the address in the directory, or create the mailbox.",
    ),
    "5.1.2": (
        "The domain of the address takes no mail.",
        "Correct the address in the directory, or the MX records of its domain.",
    ),
    "5.1.6": (
        "The mailbox has moved.",
        "Put the new address into the directory.",
    ),
    "5.2.1": (
        "The mailbox is disabled.",
        "An administrator enables the mailbox again.",
    ),
    "5.2.2": (
        "The mailbox is full.",
        "Free space in the mailbox: until then it takes and forwards no mail.",
    ),
    "5.2.3": (
        "The mail is larger than the mailbox takes.",
        "An administrator raises the limit: the test mail has a few hundred bytes.",
    ),
    "5.4.1": (
        "The mail server does not take mail for this address.",
        "Check that the address is right and that its mail server knows it.",
    ),
    "5.4.4": (
        "The mail server of the domain cannot be found.",
        "Check the MX records of the domain.",
    ),
    "5.4.6": (
        "The mail went round in circles.",
        "Look for two mailboxes that forward to each other, and end one of the forwards.",
    ),
    "5.4.14": (
        "The mail went round in circles.",
        "Look for two mailboxes that forward to each other, and end one of the forwards.",
    ),
    "5.7.23": (
        "The receiving side could not verify the sender (SPF).",
        "Your Satchel operator adds the relay to the SPF record of the sending domain.",
    ),
    "5.7.25": (
        "The relay's IP address has no matching name.",
        "The operator of the relay sets its reverse DNS record.",
    ),
    "5.7.26": (
        "The receiving side could not verify the sender (SPF, DKIM, DMARC).",
        "Your Satchel operator lets the relay sign for the sending domain, and adds it to SPF.",
    ),
    "5.7.54": (
        "The receiving side does not relay to that address.",
        "Check the domain of the address: its mail server does not accept mail for it.",
    ),
    "5.7.133": (
        "The group takes mail from its own organisation only.",
        "An administrator lets the group take mail from outside, or you use a mailbox.",
    ),
    "5.7.124": (
        "The group takes mail from some senders only.",
        "An administrator allows the sender of the test mail.",
    ),
    "5.7.509": (
        "The receiving side could not verify the sender (DMARC).",
        "Your Satchel operator lets the relay sign for the sending domain.",
    ),
    "5.7.606": (
        "The receiving side has blocked the relay's IP address.",
        "The operator of the relay asks for its removal from the block list.",
    ),
    "5.6.7": (
        "The relay does not take an address with characters beyond ASCII.",
        "Choose another of your addresses, or a relay with SMTPUTF8.",
    ),
}
_BY_SUBJECT = {
    "1": (
        "The address was refused.",
        "Check that the address is right.",
    ),
    "2": (
        "The mailbox takes no mail at present.",
        "Ask an administrator about the state of the mailbox.",
    ),
    "3": (
        "The mail server takes no mail at present.",
        "Ask the administrator of the mail server, then try again.",
    ),
    "4": (
        "The mail could not be delivered to its mail server.",
        "Check the domain's MX records, and try again later.",
    ),
    "7": (
        "The mail was refused by a policy of the receiving side.",
        "Ask an administrator whether forwarding to other domains is allowed for this mailbox.",
    ),
}
_UNKNOWN = (
    "The mail was refused without a reason that Satchel knows.",
    "Ask the administrator of the mail server to look for the test mail in its log.",
)


def refusal_of(reply: str) -> Refusal:
    """Return what an SMTP reply says about why."""
    return _refusal([match[0] for match in _CODE.finditer(reply[:_TEXT])])


def read_refusal(header: HeaderBlock, raw: bytes) -> Refusal | None:
    """Return why a mail was refused, None where the report is not of a refusal.

    `raw` is the report, or enough of its beginning. Nothing raises; time is linear.
    """
    parts, _ = leaves(raw, header, names=False)
    text = joined_text(body_of(parts).plain)[:_TEXT]
    report = report_of(header, parts, text)
    if report is None or report.kind != "bounce":
        return None
    fields = [
        written
        for group in groups(parts, DELIVERY)
        for name in ("Diagnostic-Code", "Status")
        if (written := group.first(name))
    ]
    return _refusal([match[0] for source in (*fields, text) for match in _CODE.finditer(source)])


def _refusal(codes: Sequence[str]) -> Refusal:
    """Return the most telling of the codes: that forwarding is blocked, else the first known."""
    failures = [code for code in codes if code.startswith("5.")]
    if _FORWARDING in failures:
        return Refusal(_FORWARDING, *_BY_CODE[_FORWARDING])
    for code in failures:
        if code in _BY_CODE:
            return Refusal(code, *_BY_CODE[code])
    for code in failures:
        if (subject := code.split(".")[1]) in _BY_SUBJECT:
            return Refusal(code, *_BY_SUBJECT[subject])
    return Refusal(next(iter(failures), None), *_UNKNOWN)
