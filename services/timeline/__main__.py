"""The timeline's process: wired here, top to bottom. Other commands: `admin/chores.py`."""

import asyncio
import sys
from datetime import timedelta

from services.timeline.admin.account_erasing import AccountErasing
from services.timeline.admin.captures import Captures
from services.timeline.admin.chores import OPTIONS, do_chore
from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.keeper import Keeper
from services.timeline.admin.dead_letters.records import Records
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.admin.dead_letters.sweep import DeadLetterSweep
from services.timeline.admin.dropped_blobs import DroppedBlobs
from services.timeline.admin.erased_letters import ErasedLetters
from services.timeline.admin.erasing import Erasing
from services.timeline.admin.erasure_orders import ErasureOrders
from services.timeline.admin.hand_overs import HandingOver, HandOverDesk
from services.timeline.admin.merged_mails import MergedMails
from services.timeline.admin.quarantine import Quarantine
from services.timeline.admin.release import Release
from services.timeline.admin.reprocess_jobs import Reprocessing, ReprocessJobs
from services.timeline.admin.reprocess_preview import ReprocessPreview
from services.timeline.admin.review_walks import ReviewWalking
from services.timeline.admin.reviews import Reviews
from services.timeline.admin.rulings import Rulings
from services.timeline.admin.setup_watch import SetupWatch
from services.timeline.admin.stats import Stats
from services.timeline.api.captures import capture_routes
from services.timeline.api.dead_letters import dead_letter_routes
from services.timeline.api.description import MERGED, description_routes
from services.timeline.api.examples import EXAMPLES
from services.timeline.api.hand_overs import hand_over_routes
from services.timeline.api.hidden_profiles import hidden_profile_routes
from services.timeline.api.images import image_routes
from services.timeline.api.inbox import inbox_routes
from services.timeline.api.mail_changes import mail_change_routes
from services.timeline.api.mails import mail_routes
from services.timeline.api.pages import Pages, page_routes
from services.timeline.api.quarantine import quarantine_routes
from services.timeline.api.reprocess import reprocess_routes
from services.timeline.api.rulings import ruling_routes
from services.timeline.api.settings import settings_routes
from services.timeline.api.setup import setup_routes
from services.timeline.api.stats import stats_routes
from services.timeline.indexes import INDEXES
from services.timeline.query.audit_log import AuditLog
from services.timeline.query.changes import Changes
from services.timeline.query.confirmations import Confirmations
from services.timeline.query.hidden_profiles import HiddenProfiles
from services.timeline.query.inbox import Inbox
from services.timeline.query.live import Live
from services.timeline.query.mail_changes import MailChanges
from services.timeline.query.mails import Mails
from services.timeline.query.people import Directory
from services.timeline.query.raw import RawMails
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.query.read_state import ReadState
from services.timeline.query.remote_images import RemoteImages
from services.timeline.query.search import Search
from services.timeline.query.setup import Setups
from services.timeline.settings import TimelineSettings
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.consumer import Projector
from services.timeline.write.erased_accounts import ErasedAccounts
from services.timeline.write.indexing import TermIndexer
from services.timeline.write.people import People
from services.timeline.write.writer import Writer
from shared.broker import Consumer, DeadLetterConsumer, Handler, Publisher
from shared.contracts.events import EVENTS
from shared.contracts.topology import (
    CAPTURE_ADDRESSES,
    ERASURES,
    ERASURES_DONE,
    OUTCOMES,
    OUTCOMES_BACKFILL,
    PEOPLE,
    REVIEWED,
    REVIEWS,
    SETUP,
    Queue,
    uses,
)
from shared.http.readiness import Readiness, holds, not_stopping
from shared.http.server import HttpServer
from shared.http.web import create_app, refuse_writes, with_examples
from shared.runtime.dependencies import DependencyMonitor
from shared.runtime.process import Together, configure_logging, run, running
from shared.runtime.settings import load
from shared.runtime.trace_export import exporting
from shared.storage.blobs import Blobs
from shared.storage.database import answer_outages, connect, left_in_time, what_is_missing


async def serve(settings: TimelineSettings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    client = connect(settings.mongodb_url, "timeline")
    database = client[settings.timeline_database]
    blobs = Blobs(settings.blob_url)
    indexer = TermIndexer(client, database)
    writer = Writer(client, database, blobs, indexer.wrote)
    account_settings = AccountSettings(database)
    erased = ErasedAccounts(database)
    projector = Projector(writer, blobs, account_settings, erased)
    quarantine = Quarantine(database)
    release = Release(projector, quarantine, timedelta(days=settings.quarantine_days))
    people, directory = People(database, erased), Directory(database)
    # It publishes dead letters, whatever became one when that is replayed, and facts for reviews.
    # What a matcher of before does not declare a queue for can wait until a new one does.
    waits = {*ERASURES_DONE.keys, *REVIEWED.keys}
    published = [event for tag, event in EVENTS.items() if tag not in waits]
    publisher = Publisher(settings.amqp_url, "timeline", uses(publishes=published))
    reviews = Reviews(database, writer, blobs, publisher, erased)
    orders = ErasureOrders(client, database, erased)
    queues: dict[Queue, tuple[str, Handler, int]] = {
        OUTCOMES: ("timeline", projector.handle, settings.prefetch),
        OUTCOMES_BACKFILL: ("timeline backfill", projector.handle, settings.backfill_prefetch),
        PEOPLE: ("timeline people", people.handle, settings.prefetch),
        SETUP: ("timeline set-up", projector.handle, settings.prefetch),
        CAPTURE_ADDRESSES: ("timeline capture addresses", people.handle, settings.prefetch),
        ERASURES: ("timeline erasures", orders.handle, settings.prefetch),
        REVIEWS: ("timeline reviews", reviews.handle, settings.backfill_prefetch),
    }
    topology = uses(publishes=published, consumes=queues)
    records, content = Records(database), Content(blobs)
    replay = Replay(records, content, publisher)
    keeper = Keeper(records, content, settings.dead_letters_kept, erased)
    consumers = [
        *(
            Consumer(settings.amqp_url, name, topology, queue, handle, publisher, prefetch=prefetch)
            for queue, (name, handle, prefetch) in queues.items()
        ),
        DeadLetterConsumer(settings.amqp_url, "timeline dead letters", topology, keeper.handle),
    ]
    database_monitor = DependencyMonitor(
        "database", settings.mongodb_url, what_is_missing(database, INDEXES)
    )
    blobs_monitor = DependencyMonitor("blob store", settings.blob_url, blobs.why_not)
    app = create_app(
        "Satchel timeline",
        "Inbox, profile timelines, mails, set-up state and statistics.",
        settings,
        Readiness(
            {"running": not_stopping(stopping), "database": holds(lambda: database_monitor.found)},
            at_start={"broker": holds(lambda: publisher.ready and all(c.ready for c in consumers))},
            reported={"blobs": holds(lambda: blobs_monitor.found)},
        ),
    )
    answer_outages(app)
    refuse_writes(app, erased.is_running)
    mails = Mails(database)
    live = Live(Changes(database), account_settings)
    inbox = Inbox(database, ReadState(database))
    app.include_router(
        inbox_routes(inbox, Search(database), mails, directory, account_settings, live)
    )
    mail_changes = MailChanges(database, mails)
    app.include_router(mail_change_routes(mail_changes, directory, account_settings))
    raw_mails = RawMails(RawBytes(database, blobs))
    app.include_router(mail_routes(mails, directory, account_settings, raw_mails))
    app.include_router(hidden_profile_routes(HiddenProfiles(database), account_settings))
    dropped_blobs = DroppedBlobs(database, blobs)
    rulings = Rulings(database, projector, mails, quarantine, dropped_blobs)
    app.include_router(ruling_routes(rulings, AuditLog(database), account_settings))
    desk = HandOverDesk(client, database, directory)
    app.include_router(hand_over_routes(desk))
    handing_over = HandingOver(database, writer)
    erasing = Erasing(database, writer, blobs, ErasedLetters(records, replay), publisher)
    account_erasing = AccountErasing(client, database, blobs, content, erased, publisher)
    remote_images = RemoteImages() if settings.remote_images else None
    app.include_router(image_routes(mails, account_settings, remote_images))
    app.include_router(capture_routes(Captures(database, mails), account_settings))
    app.include_router(stats_routes(Stats(database), account_settings))
    app.include_router(settings_routes(account_settings))
    app.include_router(dead_letter_routes(records, content, replay))
    app.include_router(reprocess_routes(ReprocessPreview(database, blobs), ReprocessJobs(database)))
    setups = Setups(database)
    app.include_router(setup_routes(directory, Confirmations(database), setups))
    app.include_router(quarantine_routes(quarantine, release, account_settings))
    app.include_router(description_routes(MERGED))
    app.include_router(page_routes(Pages(settings.pages), settings.embedders, settings.sign_in))
    with_examples(app, EXAMPLES)
    http = HttpServer(app, settings.bind_host, settings.timeline_http_port)
    dead_letter_sweep = DeadLetterSweep(records, replay, blobs)
    setup_watch = SetupWatch(database, setups)
    async with (
        exporting("timeline", settings.otel_exporter_otlp_endpoint),
        left_in_time(client),
        running(Together(database_monitor, blobs_monitor), stopping),
        running(publisher, stopping),
        running(Together(indexer, writer), stopping),
        running(
            Together(
                *(http, live, release, dead_letter_sweep, dropped_blobs, setup_watch),
                *(handing_over, erasing, account_erasing, MergedMails(database, writer)),
                ReviewWalking(database, blobs, publisher),
                Reprocessing(database, writer, blobs),
                *consumers,
            ),
            stopping,
        ),
    ):
        await stopping.wait()


def main() -> None:
    """Start the timeline, or do one of its chores."""
    settings = load(TimelineSettings, "timeline", OPTIONS)
    code = do_chore(sys.argv[1:], settings)
    if code is not None:
        sys.exit(code)
    configure_logging("timeline", settings.log_level)
    run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
