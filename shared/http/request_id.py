"""`X-Request-Id` joins a request, its answer and its log lines.

The caller's id is used if it has at most 64 characters that are safe in a log, which no address
has. Otherwise a new one is made. Every answer has it, even those to errors of the server itself,
and so has every log line written while the request is served.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"
MAX_LENGTH = 64
_RETRY_SECONDS = "5"
_SAFE = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_LENGTH}}}")
_KEY = "satchel.request_id"
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request_id() -> str | None:
    """Return the id of the current request; None outside of one."""
    return _current.get()


def request_id_of(given: list[str]) -> str:
    """Return the id that a request brings, or a new one."""
    if len(given) == 1 and _SAFE.fullmatch(given[0]):
        return given[0]
    return uuid4().hex


@contextmanager
def answering(id_: str) -> Iterator[None]:
    """Give this id to answers and log lines within the block."""
    token = _current.set(id_)
    try:
        with structlog.contextvars.bound_contextvars(request_id=id_):
            yield
    finally:
        _current.reset(token)


class RequestIds:
    """ASGI middleware: gives each request its id. Within itself it does nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the header of its answer."""
        if scope["type"] != "http" or _KEY in scope:
            await self._app(scope, receive, send)
            return
        id_ = scope[_KEY] = request_id_of(Headers(scope=scope).getlist(HEADER))

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = id_
                if message["status"] in (429, 503):
                    headers.setdefault("Retry-After", _RETRY_SECONDS)
            await send(message)

        with answering(id_):
            await self._app(scope, receive, complete)
