"""Carries out what users decide about a mail: removed from a profile, private, deleted.

    may the caller? -> what the writer needs -> the writer -> what lies outside of its transaction

The rules are in `write/rulings.py` and `write/forgetting.py`.
"""

import contextlib
from typing import Literal
from uuid import uuid4

from services.timeline.admin.dropped_blobs import DroppedBlobs
from services.timeline.admin.kept_bytes import KeptBytes
from services.timeline.admin.quarantine import Quarantine, events_of
from services.timeline.query.mails import Mails, ShownMail
from services.timeline.query.viewer import Viewer
from services.timeline.write.consumer import Projector
from services.timeline.write.forgetting import shared_contents
from services.timeline.write.identity import hashed_id
from services.timeline.write.records import EVERYONE, ListedContent, Mail
from services.timeline.write.requests import Answer, Detach, Forget, Hide, Prepared
from shared.storage.blobs import BlobMissing, BlobStoreAway
from shared.storage.database import Database, DatabaseAway, of_id

_TRIES = 10
"""For bytes that others change meanwhile."""
Result = Literal["done", "no_mail", "no_match", "not_the_owner"]


class Rulings:
    """What users decide about the mails of all accounts."""

    def __init__(
        self,
        database: Database,
        projector: Projector,
        mails: Mails,
        quarantine: Quarantine,
        dropped: DroppedBlobs,
    ) -> None:
        self._mails, self._shown = database[Mail.collection], mails
        self._kept = KeptBytes(database, projector.blobs)
        self._projector, self._writer = projector, projector.writer
        self._blobs = projector.blobs
        self._quarantine, self._dropped = quarantine, dropped

    async def detach(self, viewer: Viewer, mail_id: str, person_id: str, *, undo: bool) -> Result:
        """Remove a mail from a profile that the viewer sees it on, or put it back."""
        shown = await self._visible(viewer, mail_id)
        if shown is None:
            return "no_mail"
        profile = await self._shown.hiding.profile(viewer.account, person_id)
        known = shown.viewer.captures(shown.mail)
        named = {match.person_id for match in shown.viewer.matches(known)}
        if profile.survivor not in named.union(shown.viewer.detached(known)):
            return "no_match"
        request = Detach(
            account=viewer.account,
            mail_id=mail_id,
            who=viewer.person_id,
            line_id=_line_id(),
            person_id=profile.survivor,
            merged=profile.members[1:],
            undo=undo,
        )
        answer = await self._writer.submit(request)
        return "no_match" if answer.outcome == "unknown" else "done"

    async def hide(self, viewer: Viewer, mail_id: str, *, undo: bool) -> Result:
        """Make what the viewer captured of a mail private, or the team's again."""
        if await self._visible(viewer, mail_id) is None:
            return "no_mail"
        request = Hide(
            account=viewer.account,
            mail_id=mail_id,
            who=viewer.person_id,
            line_id=_line_id(),
            undo=undo,
        )
        answer = await self._writer.submit(request)
        return "not_the_owner" if answer.outcome == "unknown" else "done"

    async def forget(self, viewer: Viewer, mail_id: str, owner: str | None) -> Result:
        """Delete for good what an owner captured of a mail, or all captures of it.

        Once more it finishes what was interrupted. Raises BlobStoreAway.
        """
        if await self._visible(viewer, mail_id) is not None:
            answer = await self._forget(viewer, mail_id, owner)
            if answer.outcome == "unknown":
                return "not_the_owner"
        elif not await self._is_deleted(viewer.account, mail_id, owner):
            return "no_mail"
        await self._forget_waiting(viewer.account, mail_id, owner)
        with contextlib.suppress(BlobStoreAway):  # they go with the next look
            await self._dropped.remove(viewer.account)
        return "done"

    async def _visible(self, viewer: Viewer, mail_id: str) -> ShownMail[ListedContent] | None:
        found = await self._shown.several(viewer, [mail_id])
        return found[0] if found else None

    async def _is_deleted(self, account: str, mail_id: str, owner: str | None) -> bool:
        """Return whether just this was asked for before."""
        which = {**of_id(account, mail_id), "forgotten": owner or EVERYONE}
        return await self._mails.find_one(which, {"_id": 1}) is not None

    async def _forget(self, viewer: Viewer, mail_id: str, owner: str | None) -> Answer:
        line_id = _line_id()
        for _ in range(_TRIES):
            request = Forget(
                account=viewer.account,
                mail_id=mail_id,
                who=viewer.person_id,
                line_id=line_id,
                owner=owner,
                prepared=await self._prepared(viewer.account, mail_id, owner, line_id),
            )
            answer = await self._writer.submit(request)
            if answer.outcome != "unprepared":
                return answer
        raise DatabaseAway("the bytes of the mail change all the time")

    async def _prepared(
        self, account: str, mail_id: str, owner: str | None, line_id: str
    ) -> dict[str, Prepared]:
        """Return what others keep of bytes that came to this owner, by the keys of contents."""
        mail = await self._kept.mail(account, mail_id)
        keys = shared_contents(mail, owner) if mail is not None else set[str]()
        return await self._kept.without(owner, mail, keys, line_id) if mail is not None else {}

    async def _forget_waiting(self, account: str, mail_id: str, owner: str | None) -> None:
        """Forget copies of the mail that wait in quarantine: as if a user had released them."""
        for held in await self._quarantine.of_mail(account, mail_id, owner):
            parts = {mail.raw_key for mail in held.mails if mail.mail_id == mail_id}
            for event, key in events_of(held):
                if key not in parts:
                    continue
                with contextlib.suppress(BlobMissing):  # a user has decided meanwhile
                    raw = await self._blobs.get(key)
                    await self._projector.show(event, raw, is_released=True)
            for key in parts:
                await self._blobs.delete(key)


def _line_id() -> str:
    return hashed_id("audit", uuid4().hex)
