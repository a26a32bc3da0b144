"""The modules that decide, and the unit tests that have to notice a fault in each.

Tests that are slow and belong to other modules are left out, since every mutant runs them.
"""

from dataclasses import dataclass

_MATCHER, _TIMELINE = "tests/unit/matcher", "tests/unit/timeline"
_SHARED, _INGEST = "tests/unit/shared", "tests/unit/ingest"


@dataclass(frozen=True, slots=True)
class Target:
    """A module that decides."""

    path: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """Return the name by which it is imported."""
        return self.path.removesuffix(".py").replace("/", ".")


def _of_write(*names: str) -> tuple[str, ...]:
    return tuple(f"{_TIMELINE}/write/test_{name}.py" for name in names)


TARGETS = (
    Target("services/matcher/decide.py", (f"{_MATCHER}/test_decide.py",)),
    Target(
        "services/matcher/judge.py",
        tuple(
            f"{_MATCHER}/{name}.py"
            for name in ("test_judge", "test_judge_never_capture", "test_reports")
        ),
    ),
    *(
        Target(
            f"services/matcher/confirmations/{module}.py",
            tuple(
                f"{_MATCHER}/confirmations/test_{name}.py"
                for name in ("gmail", "near_misses", "providers")
            ),
        )
        for module in ("codes", "links", "page", "recogniser")
    ),
    *(
        Target(f"services/matcher/{module}.py", (f"{_MATCHER}/test_never_capture.py",))
        for module in ("never_capture", "never_capture_entries")
    ),
    Target("services/matcher/knowledge.py", (f"{_MATCHER}/test_knowledge.py",)),
    Target("services/matcher/senders.py", (f"{_MATCHER}/test_participants.py",)),
    Target("services/matcher/halves.py", (f"{_MATCHER}/test_halves.py",)),
    Target("services/matcher/participants.py", (f"{_MATCHER}/test_participants.py",)),
    Target("services/matcher/announce.py", (f"{_MATCHER}/test_announce.py",)),
    Target("services/matcher/forwards/condition.py", (f"{_MATCHER}/test_forward_condition.py",)),
    Target(
        "services/matcher/authentication/verdict.py",
        tuple(
            f"{_MATCHER}/authentication/{name}.py"
            for name in ("test_verdict", "test_verdict_bounds")
        ),
    ),
    Target("services/timeline/write/identity.py", (f"{_TIMELINE}/write/test_identity.py",)),
    *(
        Target(f"services/timeline/write/{module}.py", _of_write(module, *others))
        for module, *others in (
            ("apply", "recording", "quarantine"),
            ("attaching", "conversations", "quarantine", "recording", "read_marks", "replacing"),
            ("audiences",),
            ("conversations", "read_marks", "replacing"),
            ("lanes",),
            ("listing", "listing_needs", "read_marks", "replacing"),
            ("matches", "audiences"),
            ("proving",),
            ("quarantine", "recording"),
            ("read_marks",),
            ("recording", "quarantine"),
            ("replacing",),
            ("rhythm",),
            ("state", "conversations", "replacing"),
            ("summary", "listing"),
        )
    ),
    Target(
        "services/timeline/write/mail_rows.py",
        _of_write("listing", "attaching"),
    ),
    Target("services/timeline/query/viewer.py", (f"{_TIMELINE}/query/test_viewer.py",)),
    *(
        Target(f"services/ingest/{module}.py", (f"{_INGEST}/test_{module}.py",))
        for module in ("places", "rates")
    ),
    Target("shared/in_flight.py", (f"{_SHARED}/test_in_flight.py",)),
    Target("services/ingest/data.py", (f"{_INGEST}/test_read_data.py",)),
    Target("shared/capture_address.py", (f"{_SHARED}/test_capture_address.py",)),
    Target("shared/auth.py", (f"{_SHARED}/test_auth.py",)),
    Target("shared/outcomes.py", (f"{_SHARED}/test_deliveries.py",)),
    Target("shared/broker/deliveries.py", (f"{_SHARED}/test_deliveries.py",)),
)
