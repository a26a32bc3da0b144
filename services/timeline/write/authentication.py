"""Combines verdicts about a sender, and decides which mail is quarantined. Pure.

A verdict is about one capture. Two captures of the same content differ only in their Bcc and in
what was written in transit (`projection.py`), so what verifies one also verifies what is shown of
the other. A forged copy has another content and gains nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from services.timeline.write.records import Capture, Verdict
from services.timeline.write.stored import from_document
from shared.contracts.events import (
    Authentication,
    AuthenticationVerdict,
    MailAttached,
    MailConfirmation,
)

WhatWaits = Literal["off", "failed", "unverified"]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Which mail is quarantined."""

    what: WhatWaits = "off"
    forwards: bool = False
    """What a user forwards waits too, where it is not proved that the user has forwarded it."""


UNKNOWN = Verdict(verdict="unverified", method=None, domain=None, reason="not_checked")
"""For mail that arrived before there were verdicts."""
_UNCHECKED = {"not_checked", "old_mail"}
"""Reasons of mail that never waits: it would be all mail, or all backfill."""
_UNANSWERED = {"dns", "key_unanswered"}
_BEST_FIRST = ("verified", "failed", "unverified")


def of_captures(captures: Iterable[Capture]) -> Verdict:
    """Return the verdict about a content from its captures, in any order."""
    known = [capture.authentication for capture in captures if capture.authentication]
    return min(known, key=_rank, default=UNKNOWN)


def verdict_of(event: MailAttached | MailConfirmation) -> Verdict | None:
    """Return an event's verdict as it is stored."""
    found = event.authentication
    return from_document(Verdict, found.model_dump(mode="json")) if found else None


def _decisive(event: MailAttached) -> Authentication | None:
    """Return the verdict by which a capture waits: the captured mail's, the same in all events."""
    return event.forwarder or event.authentication


def can_wait(event: MailAttached) -> bool:
    """Return whether any setting could quarantine the mail."""
    found = _decisive(event)
    if found is None or found.verdict is AuthenticationVerdict.VERIFIED:
        return False
    return found.reason not in _UNCHECKED


def has_to_wait(event: MailAttached, quarantined: Quarantined) -> bool:
    """Return whether the account's settings quarantine the mail."""
    found = _decisive(event)
    if found is None or not can_wait(event):
        return False
    if quarantined.what == "unverified" or (quarantined.forwards and event.forwarder is not None):
        return True
    has_failed = found.verdict is AuthenticationVerdict.FAILED
    return quarantined.what == "failed" and (has_failed or found.reason == "key_unanswered")


def is_unanswered(event: MailAttached) -> bool:
    """Return whether the mail waits only because DNS did not answer."""
    found = _decisive(event)
    return (
        found is not None
        and found.verdict is AuthenticationVerdict.UNVERIFIED
        and found.reason in _UNANSWERED
    )


def _rank(found: Verdict) -> tuple[int, str, str, str]:
    rest = str(found.method), str(found.domain), str(found.reason)
    return (_BEST_FIRST.index(found.verdict), *rest)
