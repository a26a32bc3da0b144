"""Metrics of MongoDB in matcher and timeline, by command."""

from prometheus_client import Counter, Histogram
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from shared.runtime.metrics import from_zero

_COMMANDS = (
    "find",
    "insert",
    "update",
    "delete",
    "findAndModify",
    "aggregate",
    "commitTransaction",
    "abortTransaction",
)
_OTHER = "other"
_LEFT_OUT = frozenset({"getMore"})
"""Who follows changes waits in it for the next one, on purpose."""

DATABASE_SECONDS = Histogram(
    "satchel_database_seconds",
    "Time from a command to MongoDB's answer, without waits for changes",
    ["command"],
    buckets=[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 10],
)
DATABASE_ERRORS = from_zero(
    Counter(
        "satchel_database_errors_total",
        "Commands that MongoDB refused or did not answer, including transaction "
        "conflicts, which are retried",
        ["command"],
    ),
    (*_COMMANDS, _OTHER),
)
DATABASE_AWAY = Counter(
    "satchel_database_away_total", "Operations that the database did not answer"
)


class CommandTimes(CommandListener):
    """Times every command; the driver calls it."""

    def started(self, event: CommandStartedEvent) -> None:
        """Do nothing until the command ends."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Record how long it took."""
        self._note(event)

    def failed(self, event: CommandFailedEvent) -> None:
        """Record how long it took, and that it failed."""
        self._note(event)
        if event.command_name not in _LEFT_OUT:
            DATABASE_ERRORS.labels(_label(event.command_name)).inc()

    def _note(self, event: CommandSucceededEvent | CommandFailedEvent) -> None:
        if event.command_name not in _LEFT_OUT:
            seconds = event.duration_micros / 1e6
            DATABASE_SECONDS.labels(_label(event.command_name)).observe(seconds)


def _label(command: str) -> str:
    return command if command in _COMMANDS else _OTHER
