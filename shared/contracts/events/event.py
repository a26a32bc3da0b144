"""What every event can do: travel, and be routed."""

from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_EVENT_BYTES = 64 * 1024
"""AMQP headers cannot span frames (128 KiB), and there are others beside ours."""


class InvalidEvent(ValueError):
    """The event is not one of ours, is too large, or does not validate."""


def backfill_key(tag: str) -> str:
    """Return the routing key of an event about old mail."""
    return f"{tag}.backfill"


class Event(BaseModel):
    """The base of every event."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tag: ClassVar[str]
    carries_mail: ClassVar[bool] = False
    is_fleeting: ClassVar[bool] = False
    """It shows what is forgotten after a day: no backup and no dead letter keeps it."""

    @property
    def routing_key(self) -> str:
        """What the broker routes it by."""
        return self.tag

    @classmethod
    def routing_keys(cls) -> tuple[str, ...]:
        """Return every routing key that such an event may have."""
        return (cls.tag,)

    def encode(self) -> str:
        """Return the event as the JSON text of the header `event`.

        Raises InvalidEvent when it is larger than MAX_EVENT_BYTES: the producer splits it.
        """
        text = self.model_dump_json(exclude_none=True)
        size = len(text.encode())
        if size > MAX_EVENT_BYTES:
            raise InvalidEvent(f"{self.tag} of {size} bytes is over {MAX_EVENT_BYTES}")
        return text

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what another version of a service may have written; raise InvalidEvent."""
        try:
            return cls.model_validate_json(text, extra="ignore")
        except ValidationError as error:
            where = sorted({".".join(map(str, e["loc"])) or "event" for e in error.errors()})
            raise InvalidEvent(f"{cls.tag} does not validate at {', '.join(where)}") from error


class CaptureEvent(Event):
    """An event about one capture."""

    capture_id: UUID
    """Made by ingest for one arrival of one mail at one capture address. A UUIDv7; in a backfill it
    is derived from the mail's bytes (`KeyRing.backfill_id`)."""
    backfill: bool = Field(default=False, exclude_if=lambda backfill: not backfill)
    """Whether it belongs to a backfill: live mail never waits behind it, and it is no news."""

    @property
    def routing_key(self) -> str:
        """What the broker routes it by."""
        return backfill_key(self.tag) if self.backfill else self.tag

    @classmethod
    def routing_keys(cls) -> tuple[str, ...]:
        """Return every routing key that such an event may have."""
        return (cls.tag, backfill_key(cls.tag))


class MailEvent(CaptureEvent):
    """An event that carries a mail: as its AMQP body, or by claim check."""

    carries_mail: ClassVar[bool] = True

    blob_key: str | None = None
    """Set when the mail waits in the blob store under this key and the AMQP body is empty."""
    size: int = Field(ge=0)
    """The raw mail's size in bytes."""
