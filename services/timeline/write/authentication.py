"""Whether a mail is from whom it says, as it is shown. Pure.

A verdict is about one capture. Two captures of the same content differ only in their Bcc and in
what was written on the way (`projection.py`): what verifies one also verifies what is shown of the
other. A forged copy has another content and gains nothing.
"""

from collections.abc import Iterable

from services.timeline.write.records import Capture, Verdict
from services.timeline.write.stored import from_document
from shared.events import AuthenticationVerdict, MailAttached, MailConfirmation

UNKNOWN = Verdict(verdict="unverified", method=None, domain=None, reason="not_checked")
"""Of a mail that came before there were verdicts."""
_BEST_FIRST = ("verified", "failed", "unverified")


def of_captures(captures: Iterable[Capture]) -> Verdict:
    """Return the verdict about a content, from its captures in whatever order."""
    known = [capture.authentication for capture in captures if capture.authentication]
    return min(known, key=_rank, default=UNKNOWN)


def verdict_of(event: MailAttached | MailConfirmation) -> Verdict | None:
    """Return an event's verdict as it is stored."""
    found = event.authentication
    return from_document(Verdict, found.model_dump(mode="json")) if found else None


def has_failed(event: MailAttached) -> bool:
    """Return whether the mail is not from whom it says."""
    found = event.authentication
    return found is not None and found.verdict is AuthenticationVerdict.FAILED


def _rank(found: Verdict) -> tuple[int, str, str, str]:
    rest = str(found.method), str(found.domain), str(found.reason)
    return (_BEST_FIRST.index(found.verdict), *rest)
