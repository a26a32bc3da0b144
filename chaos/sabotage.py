"""A service that is broken on purpose: it acknowledges before it publishes.

`python -m chaos.sabotage matcher` runs the matcher so. A fault run that does not notice is no fault
run. Never shipped.
"""

import importlib
import sys
from typing import Any

from shared.broker.consume import Consumer


def main() -> None:
    """Break the consumer, then run the named service."""
    handle: Any = Consumer._handle

    async def acknowledge_first(self: Consumer, message: Any) -> None:
        await message.ack()
        message.ack = _nothing
        await handle(self, message)

    Consumer._handle = acknowledge_first  # type: ignore[method-assign]
    service = sys.argv.pop(1)
    importlib.import_module(f"services.{service}.__main__").main()


async def _nothing() -> None:
    return None


if __name__ == "__main__":
    main()
