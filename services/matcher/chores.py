"""What the matcher's program does besides serving: `python -m services.matcher --<chore>`."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta

from pymongo import AsyncMongoClient

from services.matcher.directory.erased_addresses import ErasedAddresses
from services.matcher.directory.outbox import Outbox
from services.matcher.directory.versions import Versions
from services.matcher.erasures.accounts import AccountErasures
from services.matcher.erasures.again import erase_again
from services.matcher.erasures.records import Erasures
from services.matcher.indexes import INDEXES
from services.matcher.rematch.keys import RematchKeys, Room
from services.matcher.rematch.seeking import Seeking
from services.matcher.settings import MatcherSettings
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import (
    AccountErased,
    CaptureAddressChanged,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailRedecided,
    MailRoundTrip,
    MailWatched,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    ReviewRequested,
    RoundTripChanged,
)
from shared.contracts.topology import (
    uses,
)
from shared.runtime.dependencies import DependencyMonitor
from shared.runtime.process import run, running
from shared.runtime.progress import Progress
from shared.storage.blobs import Blobs
from shared.storage.database import Database, Document, connect, migrate, what_is_missing

OPTIONS = """\
  --migrate    build the indexes, and exit
  --republish  publish the whole directory to the timeline again, and exit
  --erase-again  after a restore: erase again who and which accounts were erased
               after the backup, and exit

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
    AccountErased,
    CaptureAddressChanged,
    RoundTripChanged,
    ReviewRequested,
    MailRedecided,
)


def do_chore(settings: MatcherSettings, words: Sequence[str]) -> bool:
    """Do the chore that is asked for, if any."""
    if "--migrate" in words:
        run(lambda _: build_indexes(settings))
    elif "--republish" in words:
        run(lambda stopping: republish(settings, stopping))
    elif "--erase-again" in words:
        run(lambda _: erase_who_was_erased(settings))
    else:
        return False
    return True


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
        keys = RematchKeys(database, Versions(database), room_of(settings))
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


def room_of(settings: MatcherSettings) -> Room:
    """Return how much an account may have sealed of a day."""
    return Room(settings.rematch_captures, settings.rematch_bytes)


def account_erasures(
    settings: MatcherSettings,
    client: AsyncMongoClient[Document],
    database: Database,
    versions: Versions,
) -> AccountErasures:
    """Return the erasures of accounts."""
    addresses = ErasedAddresses(database, settings.key_ring, settings.capture_domain)
    settle = timedelta(seconds=settings.account_erasure_seconds)
    return AccountErasures(client, database, addresses, versions, settle)


async def erase_who_was_erased(settings: MatcherSettings) -> None:
    """Order the erasures that the blob store knows and the restored database does not."""
    async with connect(settings.mongodb_url, "matcher") as client:
        database = client[settings.matcher_database]
        versions = Versions(database)
        erasures = Erasures(client, database, versions)
        accounts = account_erasures(settings, client, database, versions)
        tally = await erase_again(Blobs(settings.blob_url), erasures, accounts)
    words = ", ".join(f"{count} {word}" for word, count in sorted(tally.items()))
    sys.stdout.write(f"erased again: {words or 'nobody'}\n")
