"""Serves an app over HTTP, as a part of a service that is started and stopped with the others."""

import contextlib
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI


class HttpServer:
    """Serves an app; signals are the runtime's business."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            http="h11",  # whatever else is installed: it limits a request's head, to 64 KiB
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._server = _Server(config)

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
