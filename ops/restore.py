"""`python -m ops.restore FOLDER`: puts a backup into empty places, while no service runs.

    blobs -> both databases -> messages

The messages come last, so that a consumer finds all that a message needs. Then: `--migrate`, start
the services, `python -m services.matcher --republish`, and the audit, which names what was accepted
after the backup began.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from ops import blobs, documents, messages
from ops.command import Places, carry_out, read_manifest, say
from shared.runtime.mistake import Mistake
from shared.storage.blobs import Blobs


async def restore(places: Places, folder: Path) -> None:
    """Restore a backup.

    Raises Mistake when it is not whole, when somebody consumes, and when something is in the way.
    """
    manifest = read_manifest(folder)
    await messages.refuse_consumers(places.amqp_url)
    for queue, there in (await messages.waiting(places.amqp_url)).items():
        if there.messages:
            raise Mistake(f"{queue} holds {there.messages} messages: use an empty virtual host")
    databases = [places.timeline_database, places.matcher_database]
    await asyncio.to_thread(documents.refuse_documents, places.mongodb_url, databases)
    copies, store = Blobs(f"file://{folder.resolve()}/blobs"), Blobs(places.blob_url)
    count = await blobs.copy_all(copies, store)
    say(f"{count:,} blobs")
    names = {
        manifest["timeline_database"]: places.timeline_database,
        manifest["matcher_database"]: places.matcher_database,
    }
    restored = await asyncio.to_thread(
        documents.restore, places.mongodb_url, folder / "databases", names
    )
    if restored != {names[name]: counts for name, counts in manifest["databases"].items()}:
        raise Mistake("the databases do not hold what the backup says: it is damaged")
    say(f"{sum(sum(counts.values()) for counts in restored.values()):,} documents")
    counts = await messages.restore(places.amqp_url, folder / "messages")
    if counts != manifest["messages"]:
        raise Mistake("the queues do not hold what the backup says: it is damaged")
    say(f"{sum(counts.values()):,} messages")


def main(arguments: Sequence[str] | None = None) -> int:
    """Restore a backup; tell by the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ops.restore", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="what ops.backup made")
    given = parser.parse_args(arguments)
    return carry_out("restore", lambda: restore(Places(), given.folder))


if __name__ == "__main__":
    sys.exit(main())
