"""Metrics of HTTP in every service: requests of its API, and readiness checks.

Requests of probes and of Prometheus are not counted, because they would outnumber all others.
"""

import time

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter(
    "satchel_http_requests_total",
    "HTTP requests answered, by method, route and status",
    ["method", "route", "status"],
)
SECONDS = Histogram(
    "satchel_http_seconds",
    "Time from a request to the end of its answer, without live streams",
    ["method", "route"],
)
CHECK = Gauge("satchel_check", "Whether a readiness check passes: 1 or 0", ["check"])

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_STREAMS = frozenset({"/v1/events"})
"""They end when a client leaves, which says nothing."""


class Measured:
    """ASGI middleware: counts and times each request by its route.

    A request that ends with an exception counts as 500. One that ends before its answer begins,
    because the client left, counts as 499, as proxies write it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at its answer."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 499

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            status = 500
            raise
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = getattr(scope.get("route"), "path", "unknown")
            REQUESTS.labels(method, route, str(status)).inc()
            if route not in _STREAMS:
                SECONDS.labels(method, route).observe(time.monotonic() - started)
