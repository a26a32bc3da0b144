"""Fakes for unit and step-by-step tests. The real ones have tests of their own."""

from dataclasses import dataclass, field

from shared.broker import Publisher, PublishFailed
from shared.contracts.events import Event
from shared.contracts.topology import uses


class Crash(BaseException):
    """The process died here."""


@dataclass
class Recorder:
    """What was published, and a crash to come."""

    published: list[tuple[Event, bytes]] = field(default_factory=list)
    crash_after: int | None = None
    """Die after so many publishes, each of them confirmed."""
    away: bool = False
    after_live: list[Event] = field(default_factory=list)
    """Of what was published, what lets live mail go first."""
    backfill_is_full: bool = False


class RecordingPublisher(Publisher):
    """A publisher without a broker."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__("amqp://nowhere/", "fake", uses())
        self.recorder = recorder

    async def publish(self, event: Event, body: bytes = b"", *, after_live: bool = False) -> None:
        """Record it."""
        if self.recorder.away:
            raise PublishFailed("not_connected", definite=True)
        if after_live and self.recorder.backfill_is_full:
            raise PublishFailed("rejected", definite=True)
        event.encode()
        if after_live:
            self.recorder.after_live.append(event)
        self.recorder.published.append((event, body))
        if self.recorder.crash_after == len(self.recorder.published):
            raise Crash
