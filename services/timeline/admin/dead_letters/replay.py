"""What an operator does with a dead letter: replay it, or drop it. Both can be repeated.

    replay: intent stored -> message sent again, confirmed -> recorded -> its content is removed
    drop:   recorded -> its content is removed

* It is sent unchanged, by the routing key that it had, to the consumer of such messages today. A
  newer consumer may understand its event; else it becomes a dead letter again, a new one.
* Two replays at once send it twice, as does a crash between two steps. A capture is recognised by
  its id.
* A replay that certainly did not happen is undone. One that may have happened is finished by the
  sweep, and cannot be dropped meanwhile.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import structlog

from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.reasons import label
from services.timeline.admin.dead_letters.records import Records
from shared.broker import UNROUTABLE, Publisher, PublishFailed
from shared.runtime import tracing
from shared.runtime.tracing import Trace
from shared.storage.blobs import BlobMissing, BlobStoreAway

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Replay:
    """Replays and drops; its fields are what it depends on."""

    records: Records
    content: Content
    publisher: Publisher

    async def replay(self, letter: StoredLetter, by: str) -> StoredLetter:
        """Send a dead letter again unless it is settled; return its record afterwards.

        Raises PublishFailed (`unroutable`: no queue takes it), BlobMissing, BlobStoreAway.
        """
        is_first = await self.records.begin(letter.id, by)
        current = await self.records.one(letter.id)
        if current is not None and current.state == "waiting":
            await self._send(current, is_first=is_first)
        return await self.tidy(letter.id) or letter

    async def _send(self, stored: StoredLetter, *, is_first: bool) -> None:
        """Send it; take back that it is replayed when it certainly was not."""
        id_ = stored.id
        try:
            letter = await self.content.letter(stored)
            with _step_of(letter.trace):
                await self.publisher.publish_again(letter)
                await self.records.replayed(id_)
                log.info(
                    "dead letter replayed",
                    capture_id=stored.capture_id,
                    dead_letter=id_,
                    reason=label(stored.reason),
                )
        except BlobMissing:
            await self.records.withdraw(id_)
            now = await self.records.one(id_)
            if now is None or now.state == "waiting":
                raise
            return  # another was faster, and is done with it
        except BlobStoreAway:
            if is_first:
                await self.records.withdraw(id_)
            raise
        except PublishFailed as failure:
            if failure.reason == UNROUTABLE or (is_first and failure.definite):
                await self.records.withdraw(id_)
            raise

    async def drop(self, letter: StoredLetter, by: str, why: str) -> StoredLetter:
        """Drop a dead letter unless it is settled or being replayed; return its new record."""
        if await self.records.dropped(letter.id, by, why):
            log.info(
                "dead letter dropped",
                capture_id=letter.capture_id,
                dead_letter=letter.id,
                reason=label(letter.reason),
            )
        return await self.tidy(letter.id) or letter

    async def tidy(self, id_: str) -> StoredLetter | None:
        """Delete the content of a settled one; return its record, if it still exists.

        If the blob store is unavailable, the sweep does it later.
        """
        letter = await self.records.one(id_)
        if letter is not None and letter.state != "waiting" and letter.to_finish is not None:
            try:
                is_dropped = letter.state == "dropped" and letter.claim is not None
                claim = is_dropped and not await self.records.shares_claim(letter)
                await self.content.remove(letter, claim=claim)
            except BlobStoreAway as away:
                log.warning(
                    "dead letter not cleaned up",
                    capture_id=letter.capture_id,
                    dead_letter=id_,
                    why=str(away),
                )
            else:
                await self.records.without_content(id_)
        return letter


def _step_of(trace: Trace | None) -> AbstractContextManager[None]:
    """Return the step that goes on with a letter's trace; one without is sent unchanged."""
    return tracing.step("replay dead letter", "server", trace) if trace else nullcontext()
