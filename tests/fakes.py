"""Fakes for unit and step-by-step tests. The real ones have tests of their own."""

from dataclasses import dataclass, field

from shared.broker import Publisher, PublishFailed
from shared.events import Event
from shared.topology import uses


class Crash(BaseException):
    """The process died here."""


@dataclass
class Recorder:
    """What was published, and a crash to come."""

    published: list[tuple[Event, bytes]] = field(default_factory=list)
    crash_after: int | None = None
    """Die after so many publishes, each of them confirmed."""
    away: bool = False


class RecordingPublisher(Publisher):
    """A publisher without a broker."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__("amqp://nowhere/", "fake", uses())
        self.recorder = recorder

    async def publish(self, event: Event, body: bytes = b"") -> None:
        """Record it."""
        if self.recorder.away:
            raise PublishFailed("not_connected", definite=True)
        event.encode()
        self.recorder.published.append((event, body))
        if self.recorder.crash_after == len(self.recorder.published):
            raise Crash
