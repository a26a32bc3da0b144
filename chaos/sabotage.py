"""A service that is broken on purpose: it acknowledges before it publishes.

`python -m chaos.sabotage matcher` runs the matcher so: its consumer acknowledges a delivery before
it is handled. `... ingest` answers 250 before the broker has confirmed. While nothing breaks they
work like the real ones; a fault run that does not notice the difference is no fault run. Never
shipped.
"""

import asyncio
import contextlib
import importlib
import sys
from typing import Any

from shared.broker import Publisher, PublishFailed
from shared.broker.consume import Consumer


def _acknowledge_early() -> None:
    handle: Any = Consumer._handle
    acknowledge: Any = Consumer._acknowledge

    async def acknowledge_first(self: Any, message: Any) -> None:
        await acknowledge(self, message)
        await handle(self, message)

    async def too_late(_: Any, __: Any) -> None:
        """Do nothing: it was acknowledged."""

    Consumer._handle = acknowledge_first  # type: ignore[method-assign] # that is the sabotage
    Consumer._acknowledge = too_late  # type: ignore[method-assign,assignment] # that is the sabotage
    Consumer._give_back = too_late  # type: ignore[method-assign,assignment] # that is the sabotage


def _answer_early() -> None:
    publish: Any = Publisher.publish
    under_way: set[asyncio.Task[None]] = set()

    async def publish_later(*arguments: Any) -> None:
        with contextlib.suppress(PublishFailed):
            await publish(*arguments)

    async def answer_first(*arguments: Any) -> None:
        task = asyncio.create_task(publish_later(*arguments))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    Publisher.publish = answer_first  # type: ignore[method-assign,assignment] # that is the sabotage


def main() -> None:
    """Break the promise, then run the named service."""
    service = sys.argv.pop(1)
    if service == "ingest":
        _answer_early()
    else:
        _acknowledge_early()
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
