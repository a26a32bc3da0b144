"""The reasons why a message becomes a dead letter. `docs/dead-letters.md` says what to do."""

OTHER = "other"
REASONS = frozenset(
    {
        "claim_missing",
        "delivery_limit",
        "event_too_large",
        "foreign_capture_address",
        "handler_error",
        "header_too_long",
        "invalid_event",
        "too_many_contents",
        "too_many_enclosed",
        "unexpected_event",
        "unknown_capture_address",
        "unreadable_journal_report",
    }
)
"""Those that are known: a metric's label must not be whatever a message says."""


def label(reason: str) -> str:
    """Return the reason as a metric's label."""
    return reason if reason in REASONS else OTHER
