"""The timeline's process: wired here, top to bottom.

`--migrate` builds the indexes and ends; `--reprocess` makes every stored mail anew and ends.
"""

import asyncio
import contextlib
import sys
from datetime import timedelta

from services.timeline import (
    bounces,
    changes,
    confirmations,
    outcomes,
    people,
    quarantine,
    read_state,
    rows,
    threads,
)
from services.timeline.account_settings import AccountSettings
from services.timeline.api.examples import EXAMPLES
from services.timeline.api.inbox import inbox_routes
from services.timeline.api.mails import mail_routes
from services.timeline.api.quarantine import quarantine_routes
from services.timeline.api.settings import settings_routes
from services.timeline.api.setup import setup_routes
from services.timeline.api.stats import stats_routes
from services.timeline.consumer import Projector
from services.timeline.inbox import Inbox
from services.timeline.live import Live
from services.timeline.mails import Mails
from services.timeline.people import People
from services.timeline.raw import RawMails
from services.timeline.read_state import ReadState
from services.timeline.release import Release
from services.timeline.reprocess import Reprocess
from services.timeline.search import Search
from services.timeline.settings import TimelineSettings
from services.timeline.store import Store
from shared.blobs import Blobs
from shared.broker import Consumer, Handler, Publisher
from shared.database import answer_outages, connect, has_indexes, migrate
from shared.http_server import HttpServer
from shared.progress import Progress
from shared.runtime import configure_logging, run, running
from shared.settings import load
from shared.topology import CAPTURE_ADDRESSES, OUTCOMES, OUTCOMES_BACKFILL, PEOPLE, Queue, uses
from shared.web import create_app, holds, not_stopping, with_examples

INDEXES = (
    *rows.INDEXES,
    *threads.INDEXES,
    *read_state.INDEXES,
    *bounces.INDEXES,
    *outcomes.INDEXES,
    *changes.INDEXES,
    *confirmations.INDEXES,
    *people.INDEXES,
    *quarantine.INDEXES,
)
OPTIONS = """\
  --migrate         build the indexes, and end
  --reprocess       make every stored mail anew from its raw bytes, as far as an older version of
                    the reader made it, and end; goes on where it was interrupted
  --reprocess --all those that this version made, too, from the beginning

"""


async def serve(settings: TimelineSettings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    client = connect(settings.mongodb_url, "timeline")
    database = client[settings.timeline_database]
    blobs = Blobs(settings.blob_url)
    store = Store(client, database)
    account_settings = AccountSettings(database)
    projector = Projector(store, blobs, account_settings)
    release = Release(projector, timedelta(days=settings.quarantine_days))
    directory = People(database)
    queues: dict[Queue, tuple[str, Handler, int]] = {
        OUTCOMES: ("timeline", projector.handle, settings.prefetch),
        OUTCOMES_BACKFILL: ("timeline backfill", projector.handle, settings.backfill_prefetch),
        PEOPLE: ("timeline people", directory.handle, settings.prefetch),
        CAPTURE_ADDRESSES: ("timeline capture addresses", directory.handle, settings.prefetch),
    }
    topology = uses(consumes=queues)
    publisher = Publisher(settings.amqp_url, "timeline", topology)  # of dead letters
    consumers = [
        Consumer(settings.amqp_url, name, topology, queue, handle, publisher, prefetch=prefetch)
        for queue, (name, handle, prefetch) in queues.items()
    ]
    app = create_app(
        "Satchel timeline",
        "Owns what is shown: profile timelines, mails and tallies.",
        settings,
        {
            "running": not_stopping(stopping),
            "broker": holds(lambda: publisher.ready and all(c.ready for c in consumers)),
            "database": has_indexes(database, INDEXES),
        },
    )
    answer_outages(app)
    mails = Mails(database)
    live = Live(store.changes, account_settings)
    inbox = Inbox(database, ReadState(database))
    app.include_router(
        inbox_routes(inbox, Search(database), mails, directory, account_settings, live)
    )
    app.include_router(mail_routes(mails, account_settings, RawMails(blobs)))
    app.include_router(stats_routes(store.outcomes, account_settings))
    app.include_router(settings_routes(account_settings))
    app.include_router(setup_routes(directory, store.confirmations))
    app.include_router(quarantine_routes(store.quarantine, release, account_settings))
    with_examples(app, EXAMPLES)
    http = HttpServer(app, settings.bind_host, settings.timeline_http_port)
    async with (
        client,
        running(publisher, stopping),
        running(http, stopping),
        running(live, stopping),
        running(release, stopping),
        contextlib.AsyncExitStack() as running_consumers,
    ):
        for consumer in consumers:
            await running_consumers.enter_async_context(running(consumer, stopping))
        await stopping.wait()


async def build_indexes(settings: TimelineSettings) -> None:
    """Build the indexes."""
    async with connect(settings.mongodb_url, "timeline migration") as client:
        await migrate(client[settings.timeline_database], INDEXES)


async def reprocess(settings: TimelineSettings, stopping: asyncio.Event, *, anew: bool) -> None:
    """Make every stored mail anew; say how far it is and what changed."""
    async with connect(settings.mongodb_url, "timeline reprocess") as client:
        database = client[settings.timeline_database]
        store = Store(client, database)
        chore = Reprocess(store, database, Blobs(settings.blob_url))
        total, done, tally = await chore.begin(anew=anew)
        progress = Progress("reprocessed", total, done=done)
        finished = await chore.run(stopping, progress.step, tally)
        progress.end()
    words = ", ".join(f"{count:,} {word}" for word, count in sorted(tally.items()) if count)
    sys.stderr.write(f"{words or 'nothing to do'}\n")
    if not finished:
        sys.stderr.write("interrupted; the same command goes on from here\n")


def main() -> None:
    """Start the timeline, or do one of its chores."""
    settings = load(TimelineSettings, "timeline", OPTIONS)
    configure_logging("timeline", settings.log_level)
    if "--migrate" in sys.argv[1:]:
        run(lambda _: build_indexes(settings))
    elif "--reprocess" in sys.argv[1:]:
        run(lambda stopping: reprocess(settings, stopping, anew="--all" in sys.argv[1:]))
    else:
        run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
