"""Serves an app over HTTP, as a part of a service that is started and stopped with the others."""

import asyncio
import contextlib
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.codes import Code
from shared.http.guard import GuardedProtocol
from shared.http.problems import Problem, problem_response
from shared.http.request_id import RequestIds

_KEEP_ALIVE_SECONDS = 75
"""Longer than a client or a proxy keeps an idle connection (nginx: 60 s): who closes first must be
the one who sends, or a request meets a connection that is being closed and fails."""


class HttpServer:
    """Serves an app; signals are the runtime's business."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            RequestIds(_CutOff(_OneLength(app))),
            host=host,
            port=port,
            http=GuardedProtocol,  # over h11, which limits a request's head to 64 KiB
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve()

    def stop(self) -> None:
        """Answer open requests, then end."""
        self._server.should_exit = True


class _CutOff:
    """ASGI middleware: who is cut off by a stop is told to try again.

    The server cancels what takes too long then, a request that brings its body slowly, say, and
    would answer 500.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if scope["type"] != "http" or has_begun:
                raise
            problem = Problem(Code.STOPPING, "the service stops, try again")
            await problem_response(problem, {"Connection": "close"})(scope, receive, send)


class _OneLength:
    """ASGI middleware: a body whose length is told in two ways is refused.

    RFC 9112 section 6.3: a proxy that took the other one for true would read its end as a request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if scope["type"] == "http" and {b"content-length", b"transfer-encoding"} <= names:
            problem = Problem(Code.BAD_REQUEST, "Content-Length and Transfer-Encoding together")
            await problem_response(problem, {"Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
