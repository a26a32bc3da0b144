"""The timeline's process: wired here, top to bottom. `--migrate` builds the indexes and ends."""

import asyncio
import sys

from services.timeline import confirmations, outcomes, people, store
from services.timeline.api.mails import mail_routes
from services.timeline.api.setup import setup_routes
from services.timeline.api.stats import stats_routes
from services.timeline.confirmations import Confirmations
from services.timeline.consumer import Projector
from services.timeline.people import People
from services.timeline.settings import TimelineSettings
from services.timeline.store import Store
from services.timeline.views import Views
from shared.blobs import Blobs
from shared.broker import Consumer, Publisher
from shared.database import answer_outages, connect, has_indexes, migrate
from shared.http_server import HttpServer
from shared.runtime import configure_logging, run, running
from shared.settings import load
from shared.topology import OUTCOMES, PEOPLE, uses
from shared.web import create_app, holds, not_stopping

INDEXES = (*store.INDEXES, *outcomes.INDEXES, *confirmations.INDEXES, *people.INDEXES)
OPTIONS = """\
  --migrate  build the indexes, and end

"""


async def serve(settings: TimelineSettings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    client = connect(settings.mongodb_url, "timeline")
    database = client[settings.timeline_database]
    blobs = Blobs(settings.blob_url)
    projector = Projector(Store(client, database), blobs)
    topology = uses(consumes=[OUTCOMES, PEOPLE])
    publisher = Publisher(settings.amqp_url, "timeline", topology)  # of dead letters
    consumer = Consumer(
        settings.amqp_url,
        "timeline",
        topology,
        OUTCOMES,
        projector.handle,
        publisher,
        prefetch=settings.prefetch,
    )
    directory = People(database)
    announced = Consumer(
        settings.amqp_url,
        "timeline people",
        topology,
        PEOPLE,
        directory.handle,
        publisher,
        prefetch=settings.prefetch,
    )
    app = create_app(
        "Satchel timeline",
        "Owns what is shown: profile timelines, mails and tallies.",
        settings,
        {
            "running": not_stopping(stopping),
            "broker": holds(lambda: publisher.ready and consumer.ready and announced.ready),
            "database": has_indexes(database, INDEXES),
        },
    )
    answer_outages(app)
    views = Views(database)
    app.include_router(mail_routes(views, blobs))
    app.include_router(stats_routes(views))
    app.include_router(setup_routes(directory, Confirmations(database)))
    http = HttpServer(app, settings.bind_host, settings.timeline_http_port)
    async with (
        client,
        running(publisher, stopping),
        running(http, stopping),
        running(consumer, stopping),
        running(announced, stopping),
    ):
        await stopping.wait()


async def build_indexes(settings: TimelineSettings) -> None:
    """Build the indexes."""
    async with connect(settings.mongodb_url, "timeline migration") as client:
        await migrate(client[settings.timeline_database], INDEXES)


def main() -> None:
    """Start the timeline, or migrate its database."""
    settings = load(TimelineSettings, "timeline", OPTIONS)
    configure_logging("timeline", settings.log_level)
    if "--migrate" in sys.argv[1:]:
        run(lambda _: build_indexes(settings))
    else:
        run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
