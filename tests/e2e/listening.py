"""Reading the server-sent events of `/v1/events` (WHATWG HTML, section 9.2)."""

import json
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Event:
    """A hint of what changed."""

    kind: str
    conversation_id: str | None


class Listening:
    """Reads server-sent events: those about one's set-up where they are wanted."""

    def __init__(self, answer: httpx.Response, *, setup: bool = False) -> None:
        self._lines, self._setup = answer.iter_lines(), setup
        self.last_id = ""

    def next(self) -> Event:
        """Return the next event."""
        while (event := self._next()).kind == "setup" and not self._setup:
            pass
        return event

    def _next(self) -> Event:
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                self.last_id = fields["id"]
                return Event(fields["event"], json.loads(fields["data"]).get("conversation_id"))
            name, _, value = line.partition(": ")
            if name:  # else a comment
                fields[name] = value
        raise EOFError("the stream has ended")

    def changed(self) -> str | None:
        """Return the conversation that the next event names."""
        event = self.next()
        assert event.kind == "changed"
        return event.conversation_id
