"""Drops the dead letters that name an erased person and no one else.

One that was decided and names others as well stays, as it came, until it is replayed or its time is
over: a replay shows it without the person (`write/erased.py`). So does one that was not decided
yet; the directory decides it without the person.
"""

from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.admin.dead_letters.records import Records, Which
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.write.erased_records import ErasedPerson
from shared.contracts.events import (
    InvalidEvent,
    MailAttached,
    MailAttachedToShares,
    decode_event,
)

_PAGE = 100


class ErasedLetters:
    """The dead letters of erased people."""

    def __init__(self, records: Records, replay: Replay) -> None:
        self._records, self._replay = records, replay

    async def drop(self, account: str, person: ErasedPerson) -> int:
        """Drop them; return how many. Raises BlobStoreAway."""
        cursor, count = None, 0
        while True:
            page = await self._records.page(account, Which(states=("waiting",)), _PAGE, cursor)
            for letter in page.items:
                if not names_alone(letter, account, person):
                    continue
                settled = await self._replay.drop(letter, "erasure", "a person was erased")
                count += settled.state == "dropped"
            cursor = page.next_cursor
            if cursor is None:
                return count


def names_alone(letter: StoredLetter, account: str, person: ErasedPerson) -> bool:
    """Return whether a dead letter is about mail of this person and of no one else, received before
    they were erased. Pure."""
    try:
        event = decode_event(letter.tag, letter.event)
    except InvalidEvent:
        return False
    if not isinstance(event, MailAttached | MailAttachedToShares) or event.account != account:
        return False
    is_later = event.received_at > person.at
    return not is_later and {match.person_id for match in event.matches} == {person.person_id}
