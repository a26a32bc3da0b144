"""Exports the steps of traces to a collector, by OTLP over HTTP.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set; only then is OpenTelemetry imported. Spans are sent
in batches from a thread of their own, out of a bounded queue, so a slow or unavailable collector
costs spans, never mail. Such an outage is logged once when it begins and once when it ends.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter

from shared.runtime import tracing
from shared.runtime.dependencies import place
from shared.runtime.metrics import from_zero
from shared.runtime.tracing import Kind, Note, Recorder, Trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

SPANS = from_zero(
    Counter(
        "satchel_spans_total",
        "Spans exported to the collector, or dropped because it did not take them",
        ["result"],
    ),
    ("exported", "dropped"),
)
_SEND_SECONDS = 2.0
"""For one batch, tries included."""
_STOP_SECONDS = 0.3
"""For what is left at the end, after all that mail needs: that can take ingest 9.1 of the 9.5
seconds of `runtime.STOP_SECONDS`, with a silent broker and a guest in the middle of a mail."""
_QUEUE, _BATCH = 2048, 512
"""Spans: a few MiB at the most."""
_LIBRARIES = ("opentelemetry", "requests", "urllib3")
"""They log each failure, with the exception's text."""
log = structlog.get_logger()


@asynccontextmanager
async def exporting(service: str, endpoint: str | None) -> AsyncIterator[None]:
    """Record and export all steps within the block, if there is an endpoint."""
    if not endpoint:
        yield
        return
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    provider = _provider(service, endpoint)
    recorder = _recorder(provider)
    tracing.record_with(recorder)
    if recorder is not None:
        log.info("traces are exported", to=place(endpoint))
    try:
        yield
    finally:
        tracing.record_with(None)
        await _within(_STOP_SECONDS, provider.shutdown)


async def _within(seconds: float, work: Callable[[], None]) -> None:
    """Do what may block, and wait no longer than that.

    Its thread is not asyncio's: at the end of the process those are waited for.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def do() -> None:
        work()
        with suppress(RuntimeError):  # the loop is closed: nothing waits any more
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=do, name="last spans", daemon=True).start()
    with suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)


def _provider(service: str, endpoint: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

    class Exporter(OTLPSpanExporter):
        """Counts spans, and logs when the collector becomes unavailable and available again."""

        is_away = False
        taken = 0
        """Spans out of the queue. Only its own thread writes it, as only ours writes `given`."""

        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            self.taken += len(spans)
            result = super().export(spans)
            failed = result is not SpanExportResult.SUCCESS
            SPANS.labels("dropped" if failed else "exported").inc(len(spans))
            if failed != self.is_away:
                self.is_away = failed
                if failed:
                    log.warning("collector unavailable", at=place(endpoint))
                else:
                    log.info("collector available again", at=place(endpoint))
            return result

    url = f"{endpoint.rstrip('/')}/v1/traces"
    provider = TracerProvider(
        resource=Resource.create({"service.name": f"satchel-{service}"}), shutdown_on_exit=False
    )
    exporter = Exporter(endpoint=url, timeout=_SEND_SECONDS)

    class Bounded(BatchSpanProcessor):
        """Drops and counts spans beyond the bound; the library's own queue does not count them."""

        given = 0

        def on_end(self, span: "ReadableSpan") -> None:
            if self.given - exporter.taken >= _QUEUE:
                SPANS.labels("dropped").inc()
                return
            self.given += 1
            super().on_end(span)

    provider.add_span_processor(
        Bounded(exporter, max_queue_size=_QUEUE, max_export_batch_size=_BATCH)
    )
    return provider


def _recorder(provider: "TracerProvider") -> Recorder | None:
    """Return what records with the provider; None when OTEL_SDK_DISABLED has it record nothing.

    Its spans have no place in a trace then, which the next step could go on from.
    """
    from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    tracer, propagator = provider.get_tracer("satchel"), TraceContextTextMapPropagator()
    if isinstance(tracer, NoOpTracer):
        return None

    @contextmanager
    def record(
        name: str, kind: Kind, parent: Trace | None, about: Mapping[str, str | int]
    ) -> Iterator[tuple[Trace, Note]]:
        context = propagator.extract(parent.headers() if parent else {})
        # An exception's text can hold parts of a mail: that there was one is all that is told.
        with tracer.start_as_current_span(
            name,
            context=context,
            kind=SpanKind[kind.upper()],
            attributes=dict(about),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            headers: dict[str, str] = {}
            propagator.inject(headers)
            trace = tracing.read(headers[tracing.PARENT], headers.get(tracing.STATE, ""))
            assert trace is not None  # noqa: S101 - for the type checker: it is our own
            try:
                yield trace, span.set_attribute
            except BaseException:
                span.set_status(StatusCode.ERROR)
                raise

    return record
