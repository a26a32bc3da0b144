"""How a service lives: logging, signals, and parts that run until they are told to stop.

A service wires its parts in one function, top to bottom, each within `running`. They are stopped in
the opposite order: first what lets work in, last what work in flight still needs. Parts that do not
need each other are `Together`. All of it takes less than STOP_SECONDS, whatever is unavailable
or frozen: what could not be finished was not acknowledged, and is redelivered.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Protocol

import stamina
import structlog
import uvloop
from structlog.typing import EventDict

SILENT_LIBRARIES = ("aio_pika", "aiormq", "pymongo", "uvicorn.access", "uvicorn.error")
"""Their debug output would hold mail. aiosmtpd's (`mail.log`) holds addresses, and asyncio's the
text of exceptions, at any level: these two are off."""


STOP_SECONDS = 9.5
"""From SIGTERM until the process is gone, in good order or not."""


class Part(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self) -> None:
        """Run until `stop`; finish what is in flight."""

    def stop(self) -> None:
        """Let `run` end."""


@contextlib.asynccontextmanager
async def running(part: Part, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Run the part within the block. If it ends by itself, the service stops with its error."""
    task = asyncio.create_task(part.run(), name=type(part).__name__)
    task.add_done_callback(lambda _: stopping.set())
    try:
        yield
    finally:
        part.stop()
        await task


class Together:
    """Parts that run and are stopped at the same time."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    async def run(self) -> None:
        """Run all of them until all have ended, or one has failed."""
        tasks = [asyncio.create_task(p.run(), name=type(p).__name__) for p in self._parts]
        for task in tasks:
            task.add_done_callback(lambda _: self.stop())
        try:
            await asyncio.gather(*tasks)
        finally:
            await asyncio.wait(tasks)  # they were stopped, and their error is raised

    def stop(self) -> None:
        """Stop all of them."""
        for part in self._parts:
            part.stop()


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do work that can be repeated, and cancel it when `stopping` is set."""
    task, stop = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stop.cancel()
        task.cancel()
    await asyncio.wait({task}, timeout=1)
    if task.done() and not task.cancelled():
        task.result()


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a service's main with the event that SIGTERM and SIGINT set."""

    async def with_signals() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_on_loop_error)

        def stop() -> None:
            if not stopping.is_set():
                stopping.set()
                last_resort = threading.Timer(STOP_SECONDS, _leave, [loop])
                last_resort.daemon = True
                last_resort.start()

        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, stop)
        try:
            await main(stopping)
        finally:
            for number in signals:  # a second one while the process ends must not be its end
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    # What was imported stays: to look through it over and over costs the collector 40 ms a time.
    gc.freeze()
    sys.excepthook = lambda kind, error, trace: _log_error("service failed", error)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(with_signals())


def _leave(loop: asyncio.AbstractEventLoop) -> None:
    """End the process: as safe as a crash, which can happen between any two steps anyway."""
    work = sorted({getattr(t.get_coro(), "__qualname__", "?") for t in asyncio.all_tasks(loop)})
    log = structlog.get_logger()
    log.error("stopped with work in flight", after_seconds=STOP_SECONDS, work=work)
    sys.stdout.flush()
    os._exit(1)


def configure_logging(service: str, level: str) -> None:
    """Log JSON lines to standard output, one per event.

    An exception is logged by its type and where it came from, never by its message or the values
    of its frames: those can hold parts of a mail.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _bare_exception,
    ]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _named(service),
            *shared,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_named(service), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in SILENT_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("mail.log", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # Its lines contain the text of exceptions; the callers log the wait themselves.
    stamina.instrumentation.set_on_retry_hooks(())


def _on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio would: it puts the exception's text into its message."""
    _log_error("task failed", context.get("exception"))


def _log_error(event: str, error: BaseException | None) -> None:
    structlog.get_logger().error(event, exc_info=error)


def _named(service: str) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    return add


def _bare_exception(_: Any, __: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        event["error"] = info[0].__name__
        frames = traceback.extract_tb(info[2])[-6:]
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event
