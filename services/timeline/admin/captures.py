"""What became of a capture, for its sender and for those who may see it.

    waiting       it is on its way to a decision
    attached      its mails are shown
    quarantined   it waits for a user's decision
    dismissed     it is forgotten; the reason stays for 90 days
    dead_letter   it waits for an operator
    confirmation, round_trip   it belongs to a user's set-up

* A capture of another account is not found.
* Its mails are those that the viewer may see.
* For a dismissed capture no mail, sender or owner is shown.
* `waiting` follows from the id alone (`shared/contracts/capture_id.py`), for WAITING_AT_MOST.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from services.timeline.admin.dead_letters.letter import StoredLetter
from services.timeline.query.mails import Mails
from services.timeline.query.parts import fields_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.quarantine import held_id
from services.timeline.write.records import Outcome
from services.timeline.write.side_records import Held
from services.timeline.write.stored import from_document
from shared.contracts.capture_address import account_tag
from shared.contracts.capture_id import is_of, moment_of
from shared.storage.blob_keys import CLAIM_RETENTION
from shared.storage.database import Database, of_id

WAITING_AT_MOST = CLAIM_RETENTION
"""Nothing redelivers a capture after that."""
CaptureState = Literal[
    "waiting", "attached", "quarantined", "dismissed", "dead_letter", "confirmation", "round_trip"
]
_STATES: dict[str, CaptureState] = {
    "attached": "attached",
    "quarantined": "quarantined",
    "dismissed": "dismissed",
    "confirmation": "confirmation",
    "round_trip": "round_trip",
}


@dataclass(frozen=True, slots=True)
class CaptureStatus:
    """What became of a capture."""

    state: CaptureState
    reason: str | None = None
    """Of a dismissed capture and of a dead letter."""
    mail_ids: tuple[str, ...] = ()
    """Of an attached one, those that the viewer may see."""


class Captures:
    """The captures of all accounts, for reading."""

    def __init__(self, database: Database, mails: Mails) -> None:
        self._outcomes, self._held = database[Outcome.collection], database[Held.collection]
        self._letters, self._mails = database[StoredLetter.collection], mails

    async def status(self, viewer: Viewer, id_: UUID, *, sent_it: bool) -> CaptureStatus | None:
        """Return what became of a capture; None if it is unknown or hidden from the viewer.

        Callers who may send mail (`sent_it`) see the state of every capture of the account.
        Callers who may only read see that of what they may see.
        """
        outcome = await self._outcomes.find_one(of_id(viewer.account, str(id_)), fields_of(Outcome))
        if outcome is not None:
            return await self._decided(viewer, from_document(Outcome, outcome), sent_it=sent_it)
        tells = sent_it or not viewer.own_only
        tag = account_tag(viewer.account)
        letters = self._letters.find(
            {"account_tag": tag, "capture_id": str(id_)}, {"state": 1, "reason": 1, "account": 1}
        )
        found = [one for one in await letters.to_list() if one["account"] in (None, viewer.account)]
        stopped = next((one for one in found if one["state"] != "replayed"), None)
        if stopped is not None:
            return CaptureStatus("dead_letter", stopped["reason"]) if tells else None
        made_at = moment_of(id_)
        if made_at is None or not is_of(id_, tag) or not tells:
            return None
        age = datetime.now(UTC) - made_at
        return CaptureStatus("waiting") if abs(age) < WAITING_AT_MOST else None

    async def _decided(
        self, viewer: Viewer, outcome: Outcome, *, sent_it: bool
    ) -> CaptureStatus | None:
        state = _STATES[outcome.decision]
        mail_ids: tuple[str, ...] = ()
        if state == "attached":
            mail_ids = await self._mails.visible(viewer, outcome.mails)
            tells = bool(mail_ids) or not outcome.mails
        elif state == "quarantined":
            which = {**of_id(viewer.account, held_id(outcome.id))}
            which["ranges"] = {"$in": viewer.audiences}
            tells = viewer.sees_all or await self._held.find_one(which, {"_id": 1}) is not None
        else:
            tells = not viewer.own_only
        if not (sent_it or tells):
            return None
        reason = outcome.reason if state == "dismissed" else None
        return CaptureStatus(state, reason, mail_ids)
