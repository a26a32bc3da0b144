"""When each capture's outcome becomes visible, told by a change stream of the timeline's database.

An outcome is there once it is inserted, however many a transaction brings, or once a dismissed or
quarantined one becomes attached. The server sends ids alone, a batch at a time.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

import pymongo

_BATCH, _WAIT_MILLISECONDS = 1000, 200
_OUTCOME: list[Mapping[str, Any]] = [
    {
        "$match": {
            "$or": [
                {"operationType": "insert"},
                {"updateDescription.updatedFields.decision": "attached"},
                {"operationType": "replace", "fullDocument.decision": "attached"},
            ]
        }
    },
    {"$project": {"documentKey": 1}},
]


class Visible(threading.Thread):
    """Notes when each capture's outcome becomes visible, by this machine's monotonic clock."""

    def __init__(self, url: str, database: str) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, float] = {}
        """Seconds, by capture id."""
        self._client: pymongo.MongoClient[Mapping[str, Any]] = pymongo.MongoClient(url)
        self._stream = self._client[database].outcomes.watch(
            _OUTCOME, batch_size=_BATCH, max_await_time_ms=_WAIT_MILLISECONDS
        )
        self._done = threading.Event()

    def run(self) -> None:
        """Watch until `stop`."""
        while not self._done.is_set():
            change = self._stream.try_next()
            if change is not None:
                self.seen.setdefault(change["documentKey"]["_id"], time.monotonic())

    def stop(self) -> None:
        """Watch no more."""
        self._done.set()
        self.join()
        self._stream.close()
        self._client.close()
