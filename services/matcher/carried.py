"""What the events of one capture carry: its own mail, and those that it encloses.

* Small mails travel with their events, large ones as claims.
* The first ten are published with the live mail, the further ones so that no live mail waits behind
  them: one capture encloses up to a hundred, and everybody would wait.
"""

from collections.abc import Mapping, Sequence

from shared.broker import Publisher, PublishFailed
from shared.contracts.events import Event, MailAttached, MailAttachedToShares

PROMPT_MAILS = 10
Attached = MailAttached | MailAttachedToShares


async def publish(publisher: Publisher, number: int, event: Event, mail: bytes) -> None:
    """Publish an event of a capture, its first with `number` 0. Raises PublishFailed.

    Where backfill's queue is full, it goes with the live mail.
    """
    if number >= PROMPT_MAILS:
        try:
            await publisher.publish(event, mail, after_live=True)
            return
        except PublishFailed as failure:
            if not failure.definite:
                raise
    await publisher.publish(event, mail)


def places_of(events: Sequence[Event]) -> dict[str, None]:
    """Return the places of the enclosed mails that are attached, each once, in order."""
    return {e.place: None for e in events if isinstance(e, Attached) and e.place}


def mail_of(event: Event, raw: bytes, enclosed: Mapping[str, bytes]) -> bytes:
    """Return the mail that an event about a small mail, or about one that it encloses, carries."""
    if not isinstance(event, Attached):
        return b""
    return enclosed[event.place] if event.place else raw


def with_mail(event: Event, small: Mapping[str, bytes]) -> tuple[Event, bytes]:
    """Return an event with its mail in place of a claim, where that is a small enclosed one.

    It is recorded with the claim, as the version before expects it.
    """
    if isinstance(event, Attached) and event.place in small:
        return event.model_copy(update={"blob_key": None}), small[event.place]
    return event, b""


def claim_of(event: Event) -> str | None:
    """Return the claim that an event hands on."""
    return event.blob_key if isinstance(event, Attached) else None
