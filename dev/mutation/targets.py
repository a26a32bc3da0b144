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
    Target("services/matcher/decision/decide.py", (f"{_MATCHER}/decision/test_decide.py",)),
    Target(
        "services/matcher/decision/judge.py",
        tuple(
            f"{_MATCHER}/decision/{name}.py"
            for name in (
                "test_judge",
                "test_judge_journal",
                "test_judge_never_capture",
                "test_reports",
            )
        ),
    ),
    Target(
        "services/matcher/confirmations/recogniser.py",
        tuple(
            f"{_MATCHER}/confirmations/test_{name}.py"
            for name in ("recogniser", "gmail", "near_misses", "providers")
        ),
    ),
    *(
        Target(
            f"services/matcher/confirmations/{module}.py",
            (f"{_MATCHER}/confirmations/test_{module}.py",),
        )
        for module in ("codes", "links", "page")
    ),
    *(
        Target(f"services/matcher/{module}.py", (f"{_MATCHER}/decision/test_never_capture.py",))
        for module in ("decision/never_capture", "directory/never_capture_entries")
    ),
    Target("services/matcher/rematch/sealing.py", (f"{_MATCHER}/rematch/test_sealing.py",)),
    Target("services/matcher/directory/knowledge.py", (f"{_MATCHER}/directory/test_knowledge.py",)),
    Target("services/matcher/reading/senders.py", (f"{_MATCHER}/reading/test_participants.py",)),
    Target("services/matcher/decision/halves.py", (f"{_MATCHER}/decision/test_halves.py",)),
    Target(
        "services/matcher/reading/participants.py", (f"{_MATCHER}/reading/test_participants.py",)
    ),
    Target(
        "services/matcher/announce.py",
        tuple(f"{_MATCHER}/{name}.py" for name in ("test_announce", "test_announce_shares")),
    ),
    Target(
        "services/matcher/decision/forward_condition.py",
        (f"{_MATCHER}/decision/test_forward_condition.py",),
    ),
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
            ("apply", "recording", "quarantine", "proving"),
            (
                "attaching",
                "conversations",
                "quarantine",
                "recording",
                "read_marks",
                "replacing",
                "forgetting",
                "handing_over",
                "redeciding",
                "staying_forgotten",
            ),
            ("audiences", "rulings"),
            ("conversations", "read_marks", "replacing"),
            ("lanes",),
            ("listing", "listing_needs", "read_marks", "replacing"),
            ("matches", "audiences"),
            ("proving",),
            ("quarantine", "recording", "handing_over", "waiting"),
            ("read_marks",),
            ("recording", "recording_deletions", "quarantine"),
            ("replacing", "replacing_races"),
            ("rhythm",),
            ("state", "conversations", "replacing", "recording", "forgetting"),
            ("summary", "listing"),
        )
    ),
    Target(
        "services/timeline/write/mail_rows.py",
        _of_write("listing", "attaching"),
    ),
    Target(
        "services/timeline/query/viewer.py",
        tuple(f"{_TIMELINE}/query/{name}.py" for name in ("test_viewer", "test_merged_and_hidden")),
    ),
    *(
        Target(f"services/ingest/{room}{module}.py", (f"{_INGEST}/{room}test_{module}.py",))
        for room, module in (("smtp/", "connections"), ("", "rates"))
    ),
    Target("shared/runtime/in_flight.py", (f"{_SHARED}/runtime/test_in_flight.py",)),
    Target("services/ingest/smtp/data.py", (f"{_INGEST}/smtp/test_read_data.py",)),
    Target(
        "shared/contracts/capture_address.py",
        (
            f"{_SHARED}/contracts/test_capture_address.py",
            f"{_MATCHER}/round_trip/test_challenge.py",
        ),
    ),
    Target("shared/http/auth.py", (f"{_SHARED}/http/test_auth.py",)),
    Target("shared/contracts/outcomes.py", (f"{_SHARED}/broker/test_deliveries.py",)),
    Target(
        "shared/broker/deliveries.py",
        tuple(f"{_SHARED}/broker/{name}.py" for name in ("test_deliveries", "test_queue_consumer")),
    ),
)
