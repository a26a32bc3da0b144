"""The timeline's process: wired here, top to bottom.

`--migrate` builds the indexes and ends; `--reprocess` makes every stored mail anew and ends;
`--audit` holds what was accepted against what is there and ends; `--dead-letters` is the operator's
command.
"""

import asyncio
import sys

import structlog

from services.timeline import (
    bounces,
    changes,
    confirmations,
    outcomes,
    people,
    read_state,
    rows,
    threads,
)
from services.timeline.account_settings import AccountSettings
from services.timeline.api.dead_letters import dead_letter_routes
from services.timeline.api.examples import EXAMPLES
from services.timeline.api.inbox import inbox_routes
from services.timeline.api.mails import mail_routes
from services.timeline.api.settings import settings_routes
from services.timeline.api.setup import setup_routes
from services.timeline.api.stats import stats_routes
from services.timeline.audit import command as audit
from services.timeline.consumer import Projector
from services.timeline.dead_letters import records as dead_letters
from services.timeline.dead_letters.arguments import OPTIONS as DEAD_LETTER_OPTIONS
from services.timeline.dead_letters.command import DeadLettersCommand
from services.timeline.dead_letters.content import Content
from services.timeline.dead_letters.keeper import Keeper
from services.timeline.dead_letters.records import Records
from services.timeline.dead_letters.replay import Replay
from services.timeline.dead_letters.sweep import DeadLetterSweep
from services.timeline.inbox import Inbox
from services.timeline.live import Live
from services.timeline.mails import Mails
from services.timeline.people import People
from services.timeline.raw import RawMails
from services.timeline.read_state import ReadState
from services.timeline.reprocess import Reprocess
from services.timeline.search import Search
from services.timeline.settings import TimelineSettings
from services.timeline.store import Store
from shared.blobs import Blobs
from shared.broker import Consumer, DeadLetterConsumer, Handler, Publisher
from shared.database import answer_outages, connect, left_in_time, migrate, what_is_missing
from shared.events import EVENTS
from shared.http_server import HttpServer
from shared.lookout import Lookout
from shared.progress import Progress
from shared.runtime import Together, configure_logging, run, running
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
    *dead_letters.INDEXES,
)
OPTIONS = f"""\
{audit.OPTIONS.rstrip()}
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
    projector = Projector(store, blobs)
    directory = People(database)
    queues: dict[Queue, tuple[str, Handler, int]] = {
        OUTCOMES: ("timeline", projector.handle, settings.prefetch),
        OUTCOMES_BACKFILL: ("timeline backfill", projector.handle, settings.backfill_prefetch),
        PEOPLE: ("timeline people", directory.handle, settings.prefetch),
        CAPTURE_ADDRESSES: ("timeline capture addresses", directory.handle, settings.prefetch),
    }
    # It publishes dead letters, and whatever became one when that is replayed.
    topology = uses(publishes=EVENTS.values(), consumes=queues)
    publisher = Publisher(settings.amqp_url, "timeline", topology)
    records, content = Records(database), Content(blobs)
    replay = Replay(records, content, publisher)
    keeper = Keeper(records, content, settings.dead_letters_kept)
    consumers = [
        *(
            Consumer(settings.amqp_url, name, topology, queue, handle, publisher, prefetch=prefetch)
            for queue, (name, handle, prefetch) in queues.items()
        ),
        DeadLetterConsumer(settings.amqp_url, "timeline dead letters", topology, keeper.handle),
    ]
    database_lookout = Lookout("database", settings.mongodb_url, what_is_missing(database, INDEXES))
    blobs_lookout = Lookout("blob store", settings.blob_url, blobs.why_not)
    app = create_app(
        "Satchel timeline",
        "Owns what is shown: profile timelines, mails and tallies.",
        settings,
        {
            "running": not_stopping(stopping),
            "broker": holds(lambda: publisher.ready and all(c.ready for c in consumers)),
            "database": holds(lambda: database_lookout.found),
        },
        {"blobs": holds(lambda: blobs_lookout.found)},
    )
    answer_outages(app)
    account_settings = AccountSettings(database)
    mails = Mails(database)
    live = Live(store.changes, account_settings)
    inbox = Inbox(database, ReadState(database))
    app.include_router(
        inbox_routes(inbox, Search(database), mails, directory, account_settings, live)
    )
    app.include_router(mail_routes(mails, account_settings, RawMails(blobs)))
    app.include_router(stats_routes(store.outcomes, account_settings))
    app.include_router(settings_routes(account_settings))
    app.include_router(dead_letter_routes(records, content, replay))
    app.include_router(setup_routes(directory, store.confirmations))
    with_examples(app, EXAMPLES)
    http = HttpServer(app, settings.bind_host, settings.timeline_http_port)
    dead_letter_sweep = DeadLetterSweep(records, replay, blobs)
    async with (
        left_in_time(client),
        running(Together(database_lookout, blobs_lookout), stopping),
        running(publisher, stopping),
        running(Together(http, live, dead_letter_sweep, *consumers), stopping),
    ):
        await stopping.wait()


async def build_indexes(settings: TimelineSettings) -> None:
    """Build the indexes."""
    async with connect(settings.mongodb_url, "timeline migration") as client:
        database = client[settings.timeline_database]
        await Lookout("database", settings.mongodb_url, what_is_missing(database)).there()
        await migrate(database, INDEXES)


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


def make_audit(settings: TimelineSettings) -> int:
    """Return 0 when every promise is kept, 1 when one is broken, 2 when that cannot be told."""
    try:
        made = audit.Audit(settings, audit.Wanted.parse(sys.argv[1:], settings.dead_letters_kept))
        run(made.run)
    except audit.Mistake as mistake:
        sys.stderr.write(f"timeline: {mistake}\n")
        return 2
    except Exception:  # 1 is the word for what is lost
        structlog.get_logger().exception("audit failed")
        return 2
    return made.code


def dead_letters_command(settings: TimelineSettings) -> int:
    """Do what was asked for about dead letters; return the exit code."""
    configure_logging("timeline", "ERROR")  # standard output is for what was asked for
    asked = DeadLettersCommand(settings, sys.argv[2:])
    run(asked.run)
    return asked.code


def main() -> None:
    """Start the timeline, or do one of its chores."""
    settings = load(TimelineSettings, "timeline", OPTIONS + DEAD_LETTER_OPTIONS)
    if sys.argv[1:2] == ["--dead-letters"]:
        sys.exit(dead_letters_command(settings))
    is_audit = "--audit" in sys.argv[1:]  # its standard output is for what it finds
    configure_logging("timeline", "ERROR" if is_audit else settings.log_level)
    if is_audit:
        sys.exit(make_audit(settings))
    if "--migrate" in sys.argv[1:]:
        run(lambda _: build_indexes(settings))
    elif "--reprocess" in sys.argv[1:]:
        run(lambda stopping: reprocess(settings, stopping, anew="--all" in sys.argv[1:]))
    else:
        run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
