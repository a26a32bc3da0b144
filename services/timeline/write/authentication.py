"""Whether a mail is from whom it says, as it is shown. Pure.

A verdict is about one capture. Two captures of the same content differ in nothing but their Bcc and
what was written on the way (`projection.py`): what verifies the one verifies what is shown of the
other, too. A forged copy has another content, and gains nothing.
"""

from collections.abc import Iterable

from shared.database import Document
from shared.events import AuthenticationVerdict, MailAttached

UNKNOWN: Document = {
    "verdict": "unverified",
    "method": None,
    "domain": None,
    "reason": "not_checked",
}
"""Of a mail that came before there were verdicts."""
_FIRST = ("verified", "failed", "unverified")


def of_captures(captures: Iterable[Document]) -> Document:
    """Return the verdict about a content, from its captures in whatever order."""
    known = [c["authentication"] for c in captures if c.get("authentication")]
    return min(known, key=_rank, default=UNKNOWN)


def has_failed(event: MailAttached) -> bool:
    """Return whether the mail is not from whom it says."""
    found = event.authentication
    return found is not None and found.verdict is AuthenticationVerdict.FAILED


def _rank(authentication: Document) -> tuple[object, ...]:
    rest = (str(authentication[field]) for field in ("method", "domain", "reason"))
    return (_FIRST.index(authentication["verdict"]), *rest)
