"""`python -m ops.backup FOLDER`: copies everything, in the order that loses nothing.

    matcher and timeline are stopped -> messages -> claims and bodies of dead letters
    -> they may run again -> both databases, at one moment -> all blobs, as far as not there yet

A mail moves from the broker into the databases, so what it moves to is copied after what it comes
from: it may be in both copies, never in neither. ingest accepts mail all the while.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import blobs, documents, messages
from ops.cluster import Cluster
from ops.command import MANIFEST, Places, carry_out, say, write_durably
from shared.contracts.receipts import RECEIPT_PREFIX
from shared.runtime.mistake import Mistake
from shared.storage.blob_keys import MAIL_PREFIX, SEALED_PREFIX
from shared.storage.blobs import Blobs

SETTLE_SECONDS = 10.0
"""As long as a service that was told to stop may still work on what it holds."""


async def backup(
    places: Places,
    folder: Path,
    *,
    mails: bool = True,
    settle: float = SETTLE_SECONDS,
    released: Callable[[], None] = lambda: None,
) -> None:
    """Make a backup in a new folder; `released` is called when matcher and timeline may run.

    Raises Mistake when something consumes, and what the libraries raise during an outage.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Mistake(f"{folder} is not empty")
    begun = datetime.now(UTC)
    store, copies = Blobs(places.blob_url), Blobs(f"file://{folder.resolve()}/blobs")
    await messages.refuse_consumers(places.amqp_url)
    await asyncio.sleep(settle)
    stopped_at = time.monotonic()
    counts = await messages.save(places.amqp_url, folder / "messages")
    claims = await blobs.copy_all(
        store, copies, without=(MAIL_PREFIX, RECEIPT_PREFIX, SEALED_PREFIX)
    )
    await messages.refuse_consumers(places.amqp_url)
    passed = time.monotonic() - stopped_at
    say(f"{sum(counts.values()):,} messages and {claims:,} claims in {passed:.1f} s")
    say("matcher and timeline may run again")
    released()
    databases = [places.timeline_database, places.matcher_database]
    saved = await asyncio.to_thread(
        documents.save, places.mongodb_url, databases, folder / "databases"
    )
    say(f"{sum(sum(c.values()) for c in saved.values()):,} documents")
    left_out = (SEALED_PREFIX,) if mails else (SEALED_PREFIX, MAIL_PREFIX)
    kept = await blobs.copy_all(store, copies, without=left_out)
    say(f"{kept:,} blobs")
    manifest = {
        "begun": begun.isoformat(),
        "finished": datetime.now(UTC).isoformat(),
        "messages": counts,
        "databases": saved,
        "timeline_database": places.timeline_database,
        "matcher_database": places.matcher_database,
        "claims": claims,
        "with_mails": mails,
    }
    write_durably(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a backup; tell by the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.backup", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new one")
    parser.add_argument(
        "--without-mails",
        action="store_true",
        help="leave out the raw bytes of attached mail: the blob store has a backup of its own",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=SETTLE_SECONDS,
        help="seconds to wait for services that are about to end; 0 when they have",
    )
    parser.add_argument(
        "--pause-in-cluster",
        action="store_true",
        help="in a pod: let KEDA stop matcher and timeline, and start them again",
    )
    parser.add_argument(
        "--dated", action="store_true", help="make a folder in FOLDER that is named by the time"
    )
    given = parser.parse_args(arguments)
    folder = given.folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}" if given.dated else given.folder

    async def make() -> None:
        options: dict[str, Any] = {"mails": not given.without_mails, "settle": given.settle}
        if not given.pause_in_cluster:
            await backup(Places(), folder, **options)
            return
        cluster = Cluster()
        with cluster.paused():
            await cluster.gone()
            await backup(Places(), folder, released=cluster.resume, **options)

    return carry_out("backup", make)


if __name__ == "__main__":
    sys.exit(main())
