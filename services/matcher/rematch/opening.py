"""Opens the sealed captures that a change of the directory names, and decides about them again.

    wanted, the oldest first -> opened -> decided by the rules and lists of now -> published
    -> destroyed

* The event is what the capture would have caused, with its id and its time of receipt, marked
  `rematched`; the sender's verdict is `unverified`. The timeline changes the outcome from dismissed
  to attached, once. So a capture that is published again after a crash changes nothing.
* Who still matches no profile stays sealed until the end. Any other dismissal destroys the capture.
* One replica works, the holder of a lease; if two do, since a lease was lost, no harm is done.
* A large mail is written as a claim before it is published. The timeline removes the claim.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

import structlog
from pymongo.errors import PyMongoError

from services.matcher.captured import CapturedMail
from services.matcher.carried import Attached, mail_of, places_of, publish
from services.matcher.deciding import Decider
from services.matcher.metrics import REMATCHED
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.rematch.sealing import CannotOpen
from shared.broker import Publisher, PublishFailed
from shared.contracts.events import (
    DismissalReason,
    Event,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
)
from shared.contracts.outcomes import Reject
from shared.runtime.periodic import Periodic
from shared.storage.blob_keys import CLAIM_CHECK_BYTES, claim_key
from shared.storage.blobs import Blobs, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, Document, database_errors
from shared.storage.lease import Lease

_LEASE = timedelta(seconds=10)
"""How long sealed captures wait when the replica that opened them was killed."""
_EVERY_SECONDS = 1.0
_BATCH = 10
_CLAIMS = UUID("5b0c1f6e-3c0f-4f7e-9c55-0d8f3a1c7e42")
"""Makes the id of a claim from that of a capture: the claim that ingest wrote had another."""
log = structlog.get_logger()


class Opening(Periodic):
    """Opens what is wanted. Any number of replicas may run it."""

    def __init__(
        self,
        database: Database,
        sealed: SealedCaptures,
        decider: Decider,
        blobs: Blobs,
        publisher: Publisher,
        *,
        every_seconds: float = _EVERY_SECONDS,
    ) -> None:
        super().__init__(every_seconds)
        self._sealed, self._blobs = sealed, blobs
        self._decider = replace(decider, is_rematch=True)
        self._publisher, self._lease = publisher, Lease(database, "rematch", _LEASE)
        self._last_served = ""

    async def once(self) -> None:
        """Open all that is wanted, unless a dependency is unavailable."""
        try:
            with database_errors():
                await self.work()
        except (DatabaseAway, BlobStoreAway, PublishFailed, PyMongoError) as away:
            log.warning("rematch waits", why=type(away).__name__)

    async def work(self) -> None:
        """Open all that is wanted, some of each account in turn, if this replica has the lease."""
        while account := await self._sealed.next_account(self._last_served):
            for document in await self._sealed.wanted(account, _BATCH):
                if not await self._lease.held():
                    return
                await self._open(document)
            self._last_served = account
        if self._last_served:
            await self._lease.release()
            self._last_served = ""

    async def _open(self, document: Document) -> None:
        with structlog.contextvars.bound_contextvars(capture_id=document["_id"]):
            try:
                received, raw = await self._sealed.open(document)
            except CannotOpen:
                await self._sealed.destroy(document)
                return
            try:
                events = await self._decide(received, raw)
            except (BlobStoreAway, PublishFailed, PyMongoError):
                raise
            except Exception as error:  # a bug must not keep all others sealed
                log.error("rematch failed", exc_info=error)
                REMATCHED.labels("failed").inc()
                await self._sealed.keep_on(document)
                return
            attached = [event for event in events if isinstance(event, Attached)]
            if attached:
                profiles = len({m.person_id for event in attached for m in event.matches})
                log.info("rematched", profiles=profiles)
                REMATCHED.labels("attached").inc()
                await self._sealed.destroy(document)
            elif any(map(_matches_nobody, events)):
                REMATCHED.labels("kept").inc()
                await self._sealed.keep_on(document)
            else:
                REMATCHED.labels("dismissed" if events else "failed").inc()
                await self._sealed.destroy(document)

    async def _decide(self, received: MailReceived, raw: bytes) -> Sequence[Event]:
        """Decide about a capture, and publish what is attached; return the events of the decision.

        There are none when it cannot be decided: live mail would be a dead letter.
        """
        mail = CapturedMail(received, raw, self._blobs)
        is_large = len(raw) > CLAIM_CHECK_BYTES
        claim = claim_key(uuid5(_CLAIMS, str(received.capture_id))) if is_large else None
        decided = await self._decider.decide(received.model_copy(update={"blob_key": claim}), mail)
        if isinstance(decided, Reject):
            log.warning("rematch impossible", reason=decided.reason)
            return []
        events = [event for event in decided if isinstance(event, Attached)]
        if not events:
            return decided
        enclosed = await mail.enclosed(places_of(events))
        for number, event in enumerate(events):
            event = event.model_copy(update={"rematched": True})
            body = mail_of(event, raw, enclosed)
            if event.blob_key is not None and len(body) <= CLAIM_CHECK_BYTES:
                event = event.model_copy(update={"blob_key": None})
            elif event.blob_key is not None:
                await self._blobs.put(event.blob_key, body)
                body = b""
            await publish(self._publisher, number, event, body)
        return events


def _matches_nobody(event: Event) -> bool:
    return (
        isinstance(event, MailDismissed | MailDismissedWithShares)
        and event.reason is DismissalReason.NO_MATCH
    )
