"""How a service lives: logging, signals, and parts that run until they are told to stop.

A service wires its parts in one function, top to bottom, each within `running`. They are stopped in
the opposite order: first what lets work in, last what work in hand still needs.
"""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Protocol

import structlog
import uvloop
from structlog.typing import EventDict

SILENT_LIBRARIES = ("aio_pika", "aiormq", "pymongo", "uvicorn.access", "uvicorn.error")
"""Their debug output would hold mail. aiosmtpd's (`mail.log`) holds addresses, and asyncio's the
text of exceptions, at any level: these two are off."""


class Part(Protocol):
    """Something that runs until it is told to stop."""

    async def run(self) -> None:
        """Run until `stop`; finish what is in hand."""

    def stop(self) -> None:
        """Let `run` end."""


@contextlib.asynccontextmanager
async def running(part: Part, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Run the part meanwhile. If it ends by itself, the service stops; its error is raised."""
    task = asyncio.create_task(part.run(), name=type(part).__name__)
    task.add_done_callback(lambda _: stopping.set())
    try:
        yield
    finally:
        part.stop()
        await task


def run(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run a service's main with the event that SIGTERM and SIGINT set."""

    async def with_signals() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_on_loop_error)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await main(stopping)

    # What was imported stays: to look through it over and over costs the collector 40 ms a time.
    gc.freeze()
    sys.excepthook = lambda kind, error, trace: _log_error("service failed", error)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(with_signals())


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
