"""Finds the mails that concern a person who is erased, and what the writer needs to erase them.

Every mail of the account is looked at: one in which the person only takes part is in no list of
theirs, and their addresses are known by hashes alone. What is read of a mail is what lists show.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from pymongo import ASCENDING

from services.timeline.query.parts import fields_of, records_of
from services.timeline.query.raw_bytes import RawBytes
from services.timeline.write.erased_records import ErasureJob
from services.timeline.write.erasing import Plan, planned
from services.timeline.write.forgetting import common_bytes
from services.timeline.write.listed_records import MailRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import ListedContent, Mail
from services.timeline.write.redacted_bytes import redacted_bytes
from services.timeline.write.redacting import Redaction
from services.timeline.write.requests import Erase, PreparedBytes
from services.timeline.write.stored import from_document
from shared.storage.blob_keys import mail_key
from shared.storage.blobs import BlobMissing
from shared.storage.database import BY_ID, Database, of_id, of_ids


class ConcernedMails:
    """The mails of erased people."""

    def __init__(self, database: Database, raw_bytes: RawBytes, rows_at_once: int) -> None:
        self._rows, self._bytes = database[MailRow.collection], raw_bytes
        self._mails = database[Mail.collection]
        self._contents = database[ListedContent.collection]
        self._rows_at_once = rows_at_once

    async def batches(self, job: ErasureJob) -> AsyncIterator[list[str]]:
        """Yield the mails that concern the person, batch by batch; an empty one, too."""
        position = f"{job.account}/"
        while True:
            # A slash follows the account in every key, and a zero follows the slash.
            which = {"account": job.account, "_id": {"$gt": position, "$lt": f"{job.account}0"}}
            rows = self._rows.find(which, {"mail_id": 1, "viewer": 1}).hint(BY_ID)
            found = await rows.sort("_id", ASCENDING).limit(self._rows_at_once).to_list()
            if not found:
                return
            # Each owner of a capture has a row of the mail, so the team's rows can be skipped.
            own = (row["mail_id"] for row in found if not row["viewer"].startswith(("*", "!")))
            yield await self._of(job, [*dict.fromkeys(own)])
            position = found[-1]["_id"]

    async def request(self, job: ErasureJob, mail_id: str) -> Erase | None:
        """Return the request that erases the person from a mail; None where it does not concern
        them."""
        found = await self._mails.find_one(of_id(job.account, mail_id))
        if found is None:
            return None
        mail = from_document(Mail, found)
        contents = (await self._contents_of(job.account, [mail])).get(mail_id, [])
        plan = planned(mail, contents, job.person)
        if plan is None:
            return None
        return Erase(
            account=job.account,
            job_id=job.id,
            mail_id=mail_id,
            person=job.person,
            prepared={
                content.key: await self._prepared(job, mail, content, plan)
                for content in contents
                if content.key in plan.keys
            },
        )

    async def _of(self, job: ErasureJob, ids: Sequence[str]) -> list[str]:
        mails = await records_of(Mail, self._mails.find(of_ids(job.account, ids)).hint(BY_ID))
        contents = await self._contents_of(job.account, mails)
        plans = await asyncio.to_thread(_plans, job, mails, contents)
        return [mail.id for mail, plan in plans if plan is not None]

    async def _contents_of(
        self, account: str, mails: Iterable[Mail]
    ) -> dict[str, list[ListedContent]]:
        ids = {content_id(mail.id, c.content) for mail in mails for c in mail.captures}
        found = self._contents.find(of_ids(account, sorted(ids)), fields_of(ListedContent))
        by_mail: dict[str, list[ListedContent]] = {}
        for content in await records_of(ListedContent, found.hint(BY_ID)):
            by_mail.setdefault(content.mail_id, []).append(content)
        return by_mail

    async def _prepared(
        self, job: ErasureJob, mail: Mail, content: ListedContent, plan: Plan
    ) -> PreparedBytes:
        """Return the bytes of a content without the person."""
        key, is_stripped = content.raw_key, content.key in plan.stripped
        try:
            raw = await self._bytes.get(job.account, key)
        except BlobMissing:  # they were lost before
            return PreparedBytes(key, key, None, is_stripped=is_stripped)
        has_id = mail.message_id is not None
        made = await asyncio.to_thread(
            _bytes_without, raw, plan.redaction_of(content.key), strip=is_stripped, has_id=has_id
        )
        if made == raw:
            return PreparedBytes(key, key, None, is_stripped=is_stripped)
        new_key = f"{mail_key(job.account, content.id, made)}.{job.id}"
        return PreparedBytes(key, new_key, made, is_stripped=is_stripped)


def _plans(
    job: ErasureJob, mails: Iterable[Mail], contents: Mapping[str, list[ListedContent]]
) -> list[tuple[Mail, Plan | None]]:
    return [(mail, planned(mail, contents.get(mail.id, []), job.person)) for mail in mails]


def _bytes_without(raw: bytes, redaction: Redaction, *, strip: bool, has_id: bool) -> bytes:
    return redacted_bytes(common_bytes(raw, has_id=has_id) if strip else raw, redaction)
