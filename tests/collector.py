"""A collector of traces: it takes what OpenTelemetry's protocol over HTTP brings, and keeps it."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.deadline import DEADLINE


@dataclass(frozen=True)
class SpanSeen:
    """A span as it came."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    facts: dict[str, str]
    events: int
    status: str


class Collector:
    """`with Collector() as collector` serves on loopback; it can refuse the first that it gets."""

    def __init__(self, *, refuses_first: bool = False) -> None:
        self.bodies: list[bytes] = []
        self.strays: list[str] = []
        """Paths that were asked for and are not for traces."""
        self.refuses_first = refuses_first
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused, collector.refuses_first = collector.refuses_first, False
                if self.path != "/v1/traces":
                    collector.strays.append(self.path)
                elif not refused:
                    collector.bodies.append(body)
                self.send_response(400 if refused else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self, trace_id: str | None = None) -> list[SpanSeen]:
        """Return all spans, or those of a trace."""
        found = []
        for body in [*self.bodies]:
            if trace_id is not None and bytes.fromhex(trace_id) not in body:
                continue
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                about = {a.key: a.value.string_value for a in resource.resource.attributes}
                for span in (s for scope in resource.scope_spans for s in scope.spans):
                    facts = {
                        a.key: a.value.string_value or str(a.value.int_value)
                        for a in span.attributes
                    }
                    found.append(
                        SpanSeen(
                            about["service.name"],
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            facts,
                            len(span.events),
                            span.status.message,
                        )
                    )
        return [span for span in found if trace_id in (None, span.trace_id)]

    def await_spans(self, trace_id: str, count: int, seconds: float = DEADLINE) -> list[SpanSeen]:
        """Return a trace's spans once there are so many; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(found := self.spans(trace_id)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} spans expected, there are {found}")
            time.sleep(0.05)
        return found
