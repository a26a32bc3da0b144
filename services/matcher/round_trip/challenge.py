"""The challenge: a short mail to the user, known again by a signed token in its header.

The token stands in a field of its own and in the Message-ID, since some relays replace the one and
some forwarders drop the other. It is nowhere in the body: a user who forwards the mail by hand, or
answers it, proves nothing about what their mailbox does by itself. Pure.
"""

import re
from datetime import datetime
from email.utils import format_datetime

from shared.contracts.capture_address import KeyRing
from shared.mail.headers import HeaderBlock

FIELD = "X-Satchel-Round-Trip"
_ID_PREFIX = "round-trip."
_ASKED = "You asked for it on the set-up page."
_REPEATED = "It is sent every week, since your organisation has switched that on."
_TEXT = """\
This mail tests whether your mailbox forwards to Satchel by itself.
{why}

You need not do anything. You can delete it; please do not forward it by hand.
"""
_IN_MESSAGE_ID = re.compile(rf"<{re.escape(_ID_PREFIX)}([a-z2-7.]{{1,80}})@", re.IGNORECASE)
_MOST = 5
"""Tokens of one header that are looked at."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


def challenge_mail(
    token: str, *, sender: str, recipient: str, domain: str, now: datetime, repeated: bool
) -> bytes:
    """Return the mail that goes to the user. UTF-8 where an address is."""
    if _UNSAFE.search(sender + recipient):
        raise ValueError("an address holds a control character")
    fields = {
        "From": f"Satchel <{sender}>",
        "To": f"<{recipient}>",
        "Subject": "Satchel tests your forwarding: nothing to do",
        "Date": format_datetime(now),
        "Message-ID": f"<{_ID_PREFIX}{token}@{domain}>",
        FIELD: token,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=us-ascii",
    }
    header = "".join(f"{name}: {value}\n" for name, value in fields.items())
    text = _TEXT.format(why=_REPEATED if repeated else _ASKED)
    return f"{header}\n{text}".replace("\n", "\r\n").encode()


def round_trip_in(header: HeaderBlock, ring: KeyRing) -> str | None:
    """Return the id of the round trip whose challenge this is; None for any other mail."""
    written = [value for name, value in header.fields if name.lower() == FIELD.lower()]
    if found := _IN_MESSAGE_ID.search(header.first("Message-ID") or ""):
        written.append(found[1])
    return next(filter(None, map(ring.round_trip_of, written[:_MOST])), None)
