"""What earlier versions left behind (`tests/old`), read."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.abc import AbstractChannel

OLD = Path(__file__).parent / "old"
DEPLOYMENT = OLD / "deployment"


@dataclass(frozen=True, slots=True)
class OldEvent:
    """An event as an earlier version wrote it."""

    tag: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.tag} {self.name}"


def old_events() -> Iterator[OldEvent]:
    for path in sorted((OLD / "events").glob("*/*.json")):
        yield OldEvent(path.parent.name, path.stem, path.read_text())


def old_schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield tag and schema, of each recorded one."""
    for path in sorted((OLD / "schemas").glob("*/*.json")):
        yield path.parent.name, json.loads(path.read_text())


def old_topologies() -> dict[str, dict[str, Any]]:
    """Return what was declared, by date."""
    return {p.stem: json.loads(p.read_text()) for p in sorted((OLD / "topologies").glob("*.json"))}


async def declare(channel: AbstractChannel, topology: dict[str, Any]) -> None:
    """Declare everything as an earlier version did."""
    for name in topology["exchanges"]:
        await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
    for queue in topology["queues"]:
        declared = await channel.declare_queue(
            queue["name"], durable=True, arguments=queue["arguments"]
        )
        for exchange, key in queue["bindings"]:
            await declared.bind(exchange, key)


async def fill(channel: AbstractChannel) -> int:
    """Put the messages of the recorded deployment where they waited; return how many."""
    messages = json.loads((DEPLOYMENT / "messages.json").read_text())
    for one in messages:
        message = Message(
            base64.b64decode(one["body"]),
            type=one["type"],
            content_type=one["content_type"],
            headers=one["headers"],
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(message, one["queue"])
    return len(messages)
