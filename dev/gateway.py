"""One origin for the three services, as their ingress makes it in a cluster.

* The routes are those of `deploy/k8s/base/ingress.yaml`: what is not there is not here.
* Bodies are streamed both ways, so live events arrive when they are sent.
* It listens on loopback alone. It has no cache, no retry and no header of its own.
"""

import threading
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from dev.generate import ROOT
from dev.local_http import NO_TLS
from dev.ports import listens

INGRESS = ROOT / "deploy" / "k8s" / "base" / "ingress.yaml"
_OF_ONE_CONNECTION = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 section 7.6.1: never passed on."""
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_CONNECT_SECONDS, _START_SECONDS = 10.0, 30.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A path of the ingress, and the service that it leads to."""

    path: str
    exact: bool
    service: str

    def takes(self, path: str) -> bool:
        """Whether the rule is for this path."""
        if self.path == path:
            return True
        return not self.exact and path.startswith(f"{self.path.rstrip('/')}/")


def ingress_rules() -> tuple[Rule, ...]:
    """Return the rules of the ingress, the most special first."""
    ingress = yaml.safe_load(INGRESS.read_text())
    rules = [
        Rule(
            path=one["path"],
            exact=one["pathType"] == "Exact",
            service=one["backend"]["service"]["name"],
        )
        for one in ingress["spec"]["rules"][0]["http"]["paths"]
    ]
    return tuple(sorted(rules, key=lambda rule: (-len(rule.path), not rule.exact)))


def service_of(path: str, rules: tuple[Rule, ...]) -> str | None:
    """Return the service that a path leads to; None when it leads nowhere."""
    return next((rule.service for rule in rules if rule.takes(path)), None)


class Gateway:
    """`with Gateway(8000, {"timeline": 8003, ...}) as gateway` serves until the end."""

    def __init__(self, port: int, services: Mapping[str, int]) -> None:
        """Pass on to the HTTP port of each service."""
        self.origin = f"http://127.0.0.1:{port}"
        self._port, self._services, self._rules = port, dict(services), ingress_rules()
        app = Starlette(
            routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)], lifespan=self._lifespan
        )
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="on",
            server_header=False, date_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="gateway", daemon=True)
        self._client: httpx.AsyncClient

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not listens(self._port):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise TimeoutError(f"the gateway does not listen on port {self._port}")
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_CONNECT_SECONDS)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        # An answer may go on for hours, and say nothing for a while.
        patience = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        self._client = httpx.AsyncClient(timeout=patience, trust_env=False, verify=NO_TLS)
        self._client.headers.clear()  # the reader's own are passed on, and no others
        async with self._client:
            yield

    async def _pass_on(self, request: Request) -> Response:
        service = service_of(request.url.path, self._rules)
        if service is None:
            return PlainTextResponse("no service has this path\n", 404)
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        url = f"http://127.0.0.1:{self._services[service]}{path}{'?' if query else ''}{query}"
        has_body = bool({"content-length", "transfer-encoding"}.intersection(request.headers))
        asked = self._client.build_request(
            request.method,
            url,
            headers=_passed_on(request.headers.items()),
            content=request.stream() if has_body else None,
        )
        try:
            answer = await self._client.send(asked, stream=True)
        except httpx.HTTPError:
            return PlainTextResponse(f"{service} does not answer\n", 502)
        passed = StreamingResponse(_body(answer), status_code=answer.status_code)
        passed.raw_headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in _passed_on(answer.headers.multi_items())
        ]
        return passed


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield an answer as it comes; when its reader is gone it is closed."""
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _passed_on(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION]
