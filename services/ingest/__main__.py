"""ingest's process: wired here, top to bottom.

`--backfill` imports old mail and exits.
"""

import asyncio
import resource
import sys
from functools import partial

from services.ingest.backfill.run import OPTIONS, Backfill
from services.ingest.idempotency import IdempotencyKeys
from services.ingest.metrics import BYTES_IN_FLIGHT
from services.ingest.rates import Rates, SharedRates
from services.ingest.receipts import Receipts
from services.ingest.receive import Receiver
from services.ingest.settings import IngestSettings
from services.ingest.smtp.admission import Admission
from services.ingest.smtp.server import SmtpServer
from services.ingest.upload import EXAMPLES, mail_routes
from shared.broker import Backlog, Publisher
from shared.contracts.events import MailReceived
from shared.contracts.topology import OUTCOMES, QUEUES, RECEIVED, uses
from shared.http.readiness import Readiness, holds, not_stopping
from shared.http.server import HttpServer
from shared.http.web import create_app, with_examples
from shared.runtime.dependencies import DependencyMonitor
from shared.runtime.in_flight import InFlight
from shared.runtime.mistake import Mistake
from shared.runtime.process import Together, configure_logging, run, running
from shared.runtime.settings import load
from shared.runtime.trace_export import exporting
from shared.storage.blobs import Blobs

_OTHERS_SECONDS = 10.0
"""How often the queues are looked at that nothing but the metrics asks for."""


async def serve(settings: IngestSettings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    publisher = Publisher(
        settings.amqp_url,
        "ingest",
        uses(publishes=[MailReceived]),
        deadline=settings.publish_deadline,
    )
    blobs = Blobs(settings.blob_url)
    blobs_monitor = DependencyMonitor("blob store", settings.blob_url, blobs.why_not)
    receipts = Receipts(blobs, every=settings.receipt_seconds)
    receiver = Receiver(publisher, blobs, receipts=receipts)
    verify = partial(settings.key_ring.verify, domain=settings.capture_domain)
    in_flight = InFlight(
        settings.max_bytes_in_flight,
        settings.bytes_in_flight_per_account,
        report=BYTES_IN_FLIGHT.set,
    )
    live = (RECEIVED, OUTCOMES)
    backlog = Backlog(settings.amqp_url, "ingest", live)
    others = Backlog(
        settings.amqp_url,
        "ingest other",
        [queue for queue in QUEUES if queue not in live],
        pause=_OTHERS_SECONDS,
    )

    rates = Rates(
        settings.account_rate,
        settings.account_burst,
        lambda: backlog.waiting / settings.account_backlog,
    )
    admission = Admission(
        receiver,
        verify,
        settings.smtp_limits,
        in_flight,
        SharedRates(rates, settings.network_share),
        certificate=settings.smtp_certificate(),
        require_tls=settings.smtp_require_tls,
        proxies=settings.smtp_proxies,
        postmaster=settings.postmaster,
    )
    smtp = SmtpServer(
        admission,
        host=settings.bind_host,
        port=settings.ingest_smtp_port,
        name=settings.capture_domain,
    )
    app = create_app(
        "Satchel ingest",
        "Accepts mail over SMTP and HTTP.",
        settings,
        Readiness(
            {
                "running": not_stopping(stopping),
                "broker": holds(lambda: publisher.ready),
                "smtp": holds(lambda: smtp.listening),
            },
            reported={"blobs": holds(lambda: blobs_monitor.found)},
        ),
    )
    app.include_router(
        mail_routes(
            receiver, verify, settings.max_mail_bytes, in_flight, rates, IdempotencyKeys(blobs)
        )
    )
    with_examples(app, EXAMPLES)
    http = HttpServer(app, settings.bind_host, settings.ingest_http_port)
    async with (
        exporting("ingest", settings.otel_exporter_otlp_endpoint),
        running(blobs_monitor, stopping),
        running(publisher, stopping),
        running(receipts, stopping),
        running(Together(backlog, others), stopping),
        running(Together(http, smtp), stopping),
    ):
        await stopping.wait()


def bring_old_mail(settings: IngestSettings) -> int:
    """Return 0 if everything was imported, 1 if it was interrupted, 2 if it cannot run."""
    configure_logging("ingest", "ERROR")  # a line for each mail would hide how far it is
    try:
        backfill = Backfill(settings, sys.argv[1:])
        run(backfill.run)
    except Mistake as mistake:
        sys.stderr.write(f"ingest: {mistake}\n")
        return 2
    return 0 if backfill.finished else 1


def allow_many_connections() -> None:
    """Raise the limit of open files as far as allowed: each connection needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    """Start ingest, or import old mail."""
    settings = load(IngestSettings, "ingest", OPTIONS)
    if any(word.startswith("--backfill") for word in sys.argv[1:]):
        sys.exit(bring_old_mail(settings))
    configure_logging("ingest", settings.log_level)
    allow_many_connections()
    run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
