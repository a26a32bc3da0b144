"""The matcher's process: wired here, top to bottom.

`--migrate` builds the indexes and exits; `--republish` publishes the whole directory again;
`--erase-again` erases, after a restore, who was erased after the backup.
"""

import asyncio
import sys

from services.matcher.api.account import account_routes
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
from services.matcher.api.reviews import review_routes
from services.matcher.api.setup_guides import setup_guide_routes
from services.matcher.api.setup_prove import setup_prove_routes
from services.matcher.api.setup_window import setup_window_routes
from services.matcher.authentication import Authenticator
from services.matcher.authentication.slow import BOUNDS
from services.matcher.chores import OPTIONS, PUBLISHES, account_erasures, do_chore, room_of
from services.matcher.consumer import Matcher
from services.matcher.deciding import Decider
from services.matcher.decisions import Decisions
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.merges import Merges
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.people import Directory
from services.matcher.directory.versions import Versions
from services.matcher.directory.windows import Windows
from services.matcher.erasures.account_job import AccountErasing, CountingAccounts
from services.matcher.erasures.finishing import Finishing, Resuming
from services.matcher.erasures.receipts import Signer
from services.matcher.erasures.records import Erasures
from services.matcher.guides import Catalogue, Choosing
from services.matcher.indexes import INDEXES
from services.matcher.rematch.ending import Ending
from services.matcher.rematch.keys import RematchKeys
from services.matcher.rematch.opening import Opening
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.rematch.seeking import Seeking
from services.matcher.resolver import Resolver, name_servers
from services.matcher.reviews.handling import Handling
from services.matcher.reviews.job import Reviewing
from services.matcher.reviews.records import Reviews
from services.matcher.reviews.redeciding import Redeciding
from services.matcher.round_trip.proving import Proving
from services.matcher.round_trip.records import RoundTrips
from services.matcher.round_trip.repeating import LEASE, Repeating
from services.matcher.round_trip.returning import Returning
from services.matcher.settings import MatcherSettings
from services.matcher.sweep import Sweep
from shared.broker import Consumer, Publisher
from shared.contracts.topology import (
    ERASURES_DONE,
    RECEIVED,
    RECEIVED_BACKFILL,
    REVIEWED,
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
from shared.storage.lease import Lease


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
    consumes = [RECEIVED, RECEIVED_BACKFILL, REVIEWED, ERASURES_DONE]
    topology = uses(publishes=PUBLISHES, consumes=consumes)
    publisher = Publisher(settings.amqp_url, "matcher", topology)
    blobs = Blobs(settings.blob_url)
    resolver = Resolver(name_servers(settings.dns_servers), settings.authentication_seconds / 3)
    round_trips = RoundTrips(database)
    rematch_keys = RematchKeys(database, versions, room_of(settings))
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
    accounts = account_erasures(settings, client, database, versions)
    matcher = Matcher(
        decider=decider,
        decisions=Decisions(database),
        windows=setup_windows,
        blobs=blobs,
        publisher=publisher,
        sealed=sealed_captures,
        erased=ErasedAddresses(database, ring, settings.capture_domain),
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
    reviews, redeciding = Reviews(database), Redeciding(knowledge, people)
    counting = CountingAccounts(accounts)
    finishing = Finishing(client, database, blobs, signer, erasures, reviews, counting)
    erasures_done = Consumer(
        settings.amqp_url,
        "matcher erasures",
        topology,
        ERASURES_DONE,
        finishing.handle,
        publisher,
        prefetch=1,
    )
    reviewed = Consumer(
        settings.amqp_url,
        "matcher reviews",
        topology,
        REVIEWED,
        Handling(reviews, redeciding, settings.capture_domain).handle,
        publisher,
        prefetch=settings.backfill_prefetch,
    )
    consumers = (consumer, backfill, reviewed)
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
            at_start={"broker": holds(lambda: publisher.ready and all(c.ready for c in consumers))},
            reported={"blobs": holds(lambda: blobs_monitor.found)},
        ),
    )
    answer_outages(app)
    refuse_writes(app, accounts.is_running)
    leaving = Leaving(addresses, never_capture, round_trips)
    places = ImportPlaces(settings.max_imports, settings.max_imports_per_account)
    app.include_router(import_routes(people, leaving, places))
    app.include_router(people_routes(people, leaving))
    app.include_router(merge_routes(Merges(client, database, versions)))
    app.include_router(review_routes(reviews, redeciding))
    app.include_router(erasure_routes(erasures, finishing, leaving, sealed_captures, reviews))
    app.include_router(account_routes(accounts, finishing))
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
    account_erasing = AccountErasing(
        client, database, blobs, accounts, sealed_captures, signer, publisher
    )
    reviewing = Reviewing(reviews, redeciding, leaving.leave, publisher)
    async with (
        exporting("matcher", settings.otel_exporter_otlp_endpoint),
        left_in_time(client),
        running(Together(database_monitor, blobs_monitor), stopping),
        running(publisher, stopping),
        running(
            Together(
                *(*consumers, erasures_done, http),
                *(sweep, outbox, repeating, reviewing, opening, ending, Resuming(erasures)),
                account_erasing,
            ),
            stopping,
        ),
    ):
        await stopping.wait()


def main() -> None:
    """Start the matcher, or do one of its chores."""
    settings = load(MatcherSettings, "matcher", OPTIONS)
    configure_logging("matcher", settings.log_level)
    if not do_chore(settings, sys.argv[1:]):
        run(lambda stopping: serve(settings, stopping))


if __name__ == "__main__":
    main()
