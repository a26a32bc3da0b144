"""A service that is broken on purpose: it acknowledges before it publishes.

`python -m chaos.sabotage matcher` runs the matcher so. While nothing breaks it works like the real
one; a fault run that does not notice the difference is no fault run. Never shipped.
"""

import importlib
import sys
from typing import Any

from shared.broker.consume import Consumer


class _Acknowledged:
    """A message that was acknowledged too early."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)

    async def ack(self) -> None:
        """Do nothing: it is too late."""


def main() -> None:
    """Break the consumer, then run the named service."""
    handle: Any = Consumer._handle

    async def acknowledge_first(self: Consumer, message: Any) -> None:
        await message.ack()
        await handle(self, _Acknowledged(message))

    Consumer._handle = acknowledge_first  # type: ignore[method-assign] # that is the sabotage
    service = sys.argv.pop(1)
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
