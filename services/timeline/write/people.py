"""The timeline's copy of the directory: names and kinds for its views, and who owns an address.

* `people`: `{_id: "<account>/<person id>", account, person_id, version, kind, name, addresses}`,
  without the last three once deleted.
* `capture_addresses`: `{_id: <address>, account, person_id, version, state, valid_until}`.

Events arrive in any order and any number of times; the highest version wins.
"""

from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.broker import Delivery
from shared.database import Database, DatabaseAway, Document, database_errors
from shared.events import CaptureAddressChanged, PersonChanged, PersonDeleted
from shared.outcomes import Done, Outcome, Reject, Retry


class People:
    """Writes what the matcher announces."""

    def __init__(self, database: Database) -> None:
        self._people = database["people"]
        self._addresses = database["capture_addresses"]

    async def handle(self, delivery: Delivery) -> Outcome:
        """Handle one event about a person or a capture address.

        Done                     it is written, or a newer one was before
        Retry                    the database is away
        Reject unexpected_event  the queue holds something else
        """
        event = delivery.event
        try:
            with database_errors():
                if isinstance(event, PersonChanged | PersonDeleted):
                    id_ = f"{event.account}/{event.person_id}"
                    await _write(self._people, id_, event.model_dump(mode="json"))
                elif isinstance(event, CaptureAddressChanged):
                    record = event.model_dump(exclude={"address"})
                    await _write(self._addresses, event.address, record)
                else:
                    return Reject("unexpected_event", event.tag)
        except DatabaseAway as away:
            return Retry(f"{type(away).__name__}: {away}")
        return Done()


async def _write(collection: Any, id_: str, document: Document) -> None:
    """Replace the document, unless the one that is there is as new."""
    older = {"_id": id_, "account": document["account"], "version": {"$lt": document["version"]}}
    for _ in range(2):
        try:
            await collection.replace_one(older, {"_id": id_, **document}, upsert=True)
        except DuplicateKeyError:
            # The upsert met a document: one that was as new, or an older one that was written in
            # this very moment. The second time it is there to be found.
            continue
        return
