"""Acknowledgements of one channel, sent together.

* An acknowledgement waits for others of the same channel, at most `LINGER_SECONDS`, or until a
  quarter of the prefetch waits. No mail is delayed: either others are in flight, or none waits.
* Delivery tags count from 1 (RabbitMQ, for each channel). An unbroken run of settled deliveries
  from the first one on is acknowledged by one frame, `multiple`, up to its last. So it never covers
  one that is still handled. Those behind a gap are acknowledged one by one.
* `acknowledge` returns once the frame is sent; it raises if the channel closes before.
"""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

LINGER_SECONDS = 0.01
_SHARE = 4
"""Of the prefetch, that may wait together."""


class Channel(Protocol):
    """What is used of the library's channel."""

    @property
    def is_closed(self) -> bool:
        """Whether the channel is closed."""

    def basic_ack(
        self, delivery_tag: int, multiple: bool = False, wait: bool = True
    ) -> Awaitable[None]:
        """Write the frame and wait until it is sent."""


class Acknowledgements:
    """Acknowledges the deliveries of one channel."""

    def __init__(self, channel: Channel, prefetch: int, linger: float = LINGER_SECONDS) -> None:
        self._channel, self._linger = channel, linger
        self._enough = max(1, prefetch // _SHARE)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._settled: set[int] = set()
        """Tags above `_row_end` that are acknowledged or given back."""
        self._row_end = 0
        """All tags up to this one are settled."""
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    async def acknowledge(self, tag: int) -> None:
        """Return when it is sent. Raises what the library raises when the channel is lost."""
        loop = asyncio.get_running_loop()
        sent = self._waiting[tag] = loop.create_future()
        if self._sending is None:
            if len(self._waiting) >= self._enough:
                self._send()
            elif self._timer is None:
                self._timer = loop.call_later(self._linger, self._send)
        await sent

    def given_back(self, tag: int) -> None:
        """Note that a delivery was returned, so it is no longer handled."""
        self._settle(tag)

    def _settle(self, tag: int) -> None:
        self._settled.add(tag)
        while self._row_end + 1 in self._settled:
            self._row_end += 1
            self._settled.remove(self._row_end)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        """Send what waits, and what is added meanwhile."""
        while self._waiting:
            together, self._waiting = self._waiting, {}
            try:
                await self._acknowledge(sorted(together))
            except BaseException as error:  # each waiter gets it
                for sent in together.values():
                    if not sent.done():
                        sent.set_exception(error)
            else:
                for sent in together.values():
                    if not sent.done():
                        sent.set_result(None)
        self._sending = None

    async def _acknowledge(self, tags: list[int]) -> None:
        for tag in tags:
            self._settle(tag)
        in_row = [tag for tag in tags if tag <= self._row_end]
        if in_row:
            last = in_row[-1]
            await self._channel.basic_ack(last, multiple=len(in_row) > 1, wait=False)
        for tag in tags[len(in_row) :]:
            await self._channel.basic_ack(tag, wait=False)
