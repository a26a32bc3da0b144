"""The matcher's process: wired here, top to bottom.

`--migrate` builds the indexes and exits; `--republish` publishes the whole directory again;
`--erase-again` erases, after a restore, who was erased after the backup.
"""

import asyncio
import sys

from services.matcher import decisions
from services.matcher.api.capture_addresses import capture_address_routes
from services.matcher.api.erasures import erasure_routes
from services.matcher.api.examples import EXAMPLES
from services.matcher.api.explain import explain_routes
from services.matcher.api.explain_rate import ExplainRate
from services.matcher.api.import_people import import_routes
from services.matcher.api.import_places import ImportPlaces
from services.matcher.api.leaving import Leaving
from services.matcher.api.merges import merge_routes
from services.matcher.api.never_capture import never_capture_routes
from services.matcher.api.people import people_routes
from services.matcher.api.rematch_window import rematch_window_routes
from services.matcher.api.setup_guides import setup_guide_routes
from services.matcher.api.setup_prove import setup_prove_routes
from services.matcher.api.setup_window import setup_window_routes
from services.matcher.authentication import Authenticator
from services.matcher.authentication.slow import BOUNDS
from services.matcher.consumer import Matcher
from services.matcher.deciding import Decider
from services.matcher.decisions import Decisions
from services.matcher.directory import capture_addresses, groups, windows
from services.matcher.directory import people as directory
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.merges import Merges
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory
from services.matcher.directory.versions import Versions
from services.matcher.directory.windows import Windows
from services.matcher.erasures import records as erasure_records
from services.matcher.erasures.again import erase_again
from services.matcher.erasures.finishing import Finishing, Resuming
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.records import Erasures
from services.matcher.guides import Catalogue, Choosing
from services.matcher.rematch import sealed
from services.matcher.rematch.ending import Ending
from services.matcher.rematch.keys import RematchKeys, Room
from services.matcher.rematch.opening import Opening
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.rematch.seeking import Seeking
from services.matcher.resolver import Resolver, name_servers
from services.matcher.round_trip import records
from services.matcher.round_trip.proving import Proving
from services.matcher.round_trip.records import RoundTrips
from services.matcher.round_trip.repeating import LEASE, Repeating
from services.matcher.round_trip.returning import Returning
from services.matcher.settings import MatcherSettings
from services.matcher.sweep import Sweep
from shared.broker import Consumer, Publisher, PublishFailed
from shared.contracts.events import (
    CaptureAddressChanged,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailRoundTrip,
    MailWatched,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    RoundTripChanged,
)
from shared.contracts.topology import ERASURES_DONE, RECEIVED, RECEIVED_BACKFILL, uses
from shared.http.readiness import Readiness, holds, not_stopping
from shared.http.server import HttpServer
from shared.http.web import create_app, with_examples
from shared.runtime.dependencies import DependencyMonitor
from shared.runtime.process import Together, configure_logging, run, running
from shared.runtime.progress import Progress
from shared.runtime.settings import load
from shared.runtime.trace_export import exporting
from shared.storage.blobs import Blobs
from shared.storage.database import answer_outages, connect, left_in_time, migrate, what_is_missing
from shared.storage.lease import Lease

OPTIONS = """\
  --migrate    build the indexes, and exit
  --republish  publish the whole directory to the timeline again, and exit
  --erase-again  after a restore: erase again who was erased after the backup, and exit

"""
PUBLISHES = (
    MailAttached,
    MailAttachedToShares,
    MailDismissed,
    MailDismissedWithShares,
    MailConfirmation,
    MailRoundTrip,
    MailWatched,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    CaptureAddressChanged,
    RoundTripChanged,
)
INDEXES = (
    *directory.INDEXES,
    *groups.INDEXES,
    *capture_addresses.INDEXES,
    *decisions.INDEXES,
    *erasure_records.INDEXES,
    *records.INDEXES,
    *windows.INDEXES,
    *sealed.INDEXES,
)


async def serve(settings: MatcherSettings, stopping: asyncio.Event) -> None:
    """Serve until `stopping`."""
    client = connect(settings.mongodb_url, "matcher")
    database = client[settings.matcher_database]
    ring = settings.key_ring
    versions = Versions(database)
    people = Directory(database, versions)
    addresses = CaptureAddresses(database, versions, ring, settings.capture_domain)
    never_capture = NeverCaptureLists(database, versions)
    knowledge = Knowledge(people, addresses, versions, never_capture)
    setup_windows = Windows(database, addresses)
    topology = uses(publishes=PUBLISHES, consumes=[RECEIVED, RECEIVED_BACKFILL, ERASURES_DONE])
    publisher = Publisher(settings.amqp_url, "matcher", topology)
    blobs = Blobs(settings.blob_url)
    resolver = Resolver(name_servers(settings.dns_servers), settings.authentication_seconds / 3)
    round_trips = RoundTrips(database)
    rematch_keys = RematchKeys(database, versions, _room(settings))
    seeking = Seeking(database, rematch_keys, ring)
    sealed_captures = SealedCaptures(database, rematch_keys, ring, knowledge, blobs)
    decider = Decider(
        knowledge=knowledge,
        authenticator=Authenticator(
            resolver,
            settings.authentication_seconds,
            settings.sealers,
            settings.authserv_id,
        ),
        returning=Returning(round_trips, ring),
        ring=ring,
        capture_domain=settings.capture_domain,
    )
    matcher = Matcher(
        decider=decider,
        decisions=Decisions(database),
        windows=setup_windows,
        blobs=blobs,
        publisher=publisher,
        sealed=sealed_captures,
    )
    consumer = Consumer(
        settings.amqp_url,
        "matcher",
        topology,
        RECEIVED,
        matcher.match,
        publisher,
        prefetch=settings.prefetch + BOUNDS.all,  # slow DNS takes none of the others' places
    )
    backfill = Consumer(
        settings.amqp_url,
        "matcher backfill",
        topology,
        RECEIVED_BACKFILL,
        matcher.match,
        publisher,
        prefetch=settings.backfill_prefetch,
    )
    key = settings.erasure_signing_key
    signer = Signer(key.get_secret_value()) if key else None
    erasures = Erasures(client, database, versions)
    finishing = Finishing(client, database, blobs, signer, erasures)
    erasures_done = Consumer(
        settings.amqp_url,
        "matcher erasures",
        topology,
        ERASURES_DONE,
        finishing.handle,
        publisher,
        prefetch=1,
    )
    database_monitor = DependencyMonitor(
        "database", settings.mongodb_url, what_is_missing(database, INDEXES)
    )
    blobs_monitor = DependencyMonitor("blob store", settings.blob_url, blobs.why_not)
    app = create_app(
        "Satchel matcher",
        "The directory, capture addresses and set-up; decides which profiles a mail concerns.",
        settings,
        Readiness(
            {"running": not_stopping(stopping), "database": holds(lambda: database_monitor.found)},
            at_start={
                "broker": holds(
                    lambda: publisher.ready and all(c.ready for c in (consumer, backfill))
                )
            },
            reported={"blobs": holds(lambda: blobs_monitor.found)},
        ),
    )
    answer_outages(app)
    leaving = Leaving(addresses, never_capture, round_trips)
    places = ImportPlaces(settings.max_imports, settings.max_imports_per_account)
    app.include_router(import_routes(people, leaving, places))
    app.include_router(people_routes(people, leaving))
    app.include_router(merge_routes(Merges(client, database, versions)))
    app.include_router(erasure_routes(erasures, finishing, leaving))
    app.include_router(never_capture_routes(people, never_capture))
    app.include_router(rematch_window_routes(rematch_keys, sealed_captures))
    app.include_router(capture_address_routes(people, addresses, settings.contact_name))
    rate = ExplainRate(settings.explain_rate)
    app.include_router(explain_routes(knowledge, addresses, settings.capture_domain, rate=rate))
    choosing = Choosing(resolver, Catalogue.load())
    app.include_router(setup_guide_routes(people, addresses, choosing))
    proving = Proving(round_trips, settings.relay, ring, settings.capture_domain)
    app.include_router(setup_prove_routes(people, addresses, proving))
    app.include_router(setup_window_routes(addresses, setup_windows))
    with_examples(app, EXAMPLES)
    http = HttpServer(app, settings.bind_host, settings.matcher_http_port)
    sweep, outbox = Sweep(blobs), Outbox(database, publisher, seeking.seek)
    opening = Opening(database, sealed_captures, decider, blobs, publisher)
    ending = Ending(rematch_keys, sealed_captures)
    lease = Lease(database, "round trips", LEASE)
    repeating = Repeating(proving, round_trips, people, addresses, lease)
    async with (
        exporting("matcher", settings.otel_exporter_otlp_endpoint),
        left_in_time(client),
        running(Together(database_monitor, blobs_monitor), stopping),
        running(publisher, stopping),
        running(
            Together(
                *(http, consumer, backfill, erasures_done),
                *(sweep, outbox, repeating, opening, ending, Resuming(erasures)),
            ),
            stopping,
        ),
    ):
        await stopping.wait()


async def build_indexes(settings: MatcherSettings) -> None:
    """Build the indexes."""
    async with connect(settings.mongodb_url, "matcher migration") as client:
        database = client[settings.matcher_database]
        await DependencyMonitor("database", settings.mongodb_url, what_is_missing(database)).there()
        await migrate(database, INDEXES)


async def republish(settings: MatcherSettings, stopping: asyncio.Event) -> None:
    """Publish everyone and every address again, and show the progress."""
    publisher = Publisher(settings.amqp_url, "matcher republish", uses(publishes=PUBLISHES))
    async with connect(settings.mongodb_url, "matcher") as client, running(publisher, stopping):
        database = client[settings.matcher_database]
        keys = RematchKeys(database, Versions(database), _room(settings))
        seeking = Seeking(database, keys, settings.key_ring)
        outbox = Outbox(database, publisher, seeking.seek)
        progress, some = Progress("announced", await outbox.announce_again()), 1
        while some and not stopping.is_set():
            try:
                some = await outbox.announce_some()
            except PublishFailed:
                await asyncio.sleep(1)  # the broker is unavailable; the flags stay set
            else:
                progress.step(some)
        progress.end()


def _room(settings: MatcherSettings) -> Room:
    return Room(settings.rematch_captures, settings.rematch_bytes)


async def erase_who_was_erased(settings: MatcherSettings) -> None:
    """Order the erasures that the blob store knows and the restored database does not."""
    async with connect(settings.mongodb_url, "matcher") as client:
        database = client[settings.matcher_database]
        erasures = Erasures(client, database, Versions(database))
        tally = await erase_again(Blobs(settings.blob_url), erasures)
    words = ", ".join(f"{count} {word}" for word, count in sorted(tally.items()))
    sys.stdout.write(f"erased again: {words or 'nobody'}\n")


def main() -> None:
    """Start the matcher, or do one of its chores."""
    settings = load(MatcherSettings, "matcher", OPTIONS)
    configure_logging("matcher", settings.log_level)
    if "--migrate" in sys.argv[1:]:
        run(lambda _: build_indexes(settings))
    elif "--republish" in sys.argv[1:]:
        run(lambda stopping: republish(settings, stopping))
    elif "--erase-again" in sys.argv[1:]:
        run(lambda _: erase_who_was_erased(settings))
    else:
        run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
