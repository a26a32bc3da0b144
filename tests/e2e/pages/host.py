"""A page of somebody else's, on another origin, that shows Satchel's elements."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass
class Host:
    """`with Host(port) as host` serves `pages` by path, and tokens for `POST /satchel-token`."""

    port: int
    pages: dict[str, tuple[str, str, dict[str, str]]] = field(default_factory=dict)
    """Media type, text, headers."""
    token: Callable[[], str] = field(default=lambda: "")
    tokens_given: int = 0

    @property
    def origin(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str, html: str, *, policy: str | None = None) -> str:
        """Serve a page; return its address."""
        headers = {"Content-Security-Policy": policy} if policy else {}
        self.pages[path] = ("text/html; charset=utf-8", html, headers)
        return f"{self.origin}{path}"

    def script(self, path: str, code: str) -> None:
        """Serve a script."""
        self.pages[path] = ("text/javascript; charset=utf-8", code, {})

    def __enter__(self) -> Self:
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                kind, text, headers = host.pages.get(self.path, ("text/plain", "", {}))
                self._answer(200 if self.path in host.pages else 404, kind, text, headers)

            def do_POST(self) -> None:
                host.tokens_given += 1
                self._answer(200, "text/plain", host.token(), {"Cache-Control": "no-store"})

            def _answer(self, status: int, kind: str, text: str, headers: dict[str, str]) -> None:
                body = text.encode()
                self.send_response(status)
                for name, value in (headers | {"Content-Type": kind}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, name="host", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
