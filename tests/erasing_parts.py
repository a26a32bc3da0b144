"""Erasing people from what a test has written, as the job does it."""

from datetime import datetime, timedelta

from services.timeline.write.erased_records import (
    ErasedHead,
    ErasedPage,
    ErasedPerson,
    ErasureJob,
    page_id,
)
from services.timeline.write.erasing import planned
from services.timeline.write.forgetting import common_bytes
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import Content, Mail
from services.timeline.write.redacted_bytes import redacted_bytes
from services.timeline.write.requests import Answer, Erase, EraseHeld, PreparedBytes
from services.timeline.write.side_records import RUNNING, Held
from services.timeline.write.stored import to_document
from shared.contracts.known_addresses import address_hash, name_hash
from shared.mail.address_form import normalise
from tests.memory_timeline import Memory
from tests.write_parts import ACCOUNT, NOW

LATER = NOW + timedelta(days=30)


def erased_person(
    person_id: str = "c1",
    *addresses: str,
    name: str = "",
    account: str = ACCOUNT,
    at: datetime = LATER,
) -> ErasedPerson:
    """Return who is erased: what was received until `at` is about them."""
    named = name_hash(account, person_id, name)
    return ErasedPerson(
        person_id=person_id,
        at=at,
        addresses=tuple(
            address_hash(account, person_id, normalise(address))
            for address in addresses or (f"{person_id}@mail.example",)
        ),
        names=(named,) if named else (),
    )


def listed(memory: Memory, person: ErasedPerson, account: str = ACCOUNT) -> None:
    """Put a person on the redaction list."""
    page = memory.one(ErasedPage, page_id(account, 0), account)
    people = (*(page.people if page else ()), person)
    for record in (
        ErasedHead(id=account, account=account, latest=max(p.at for p in people), pages=1),
        ErasedPage(id=page_id(account, 0), account=account, people=people),
    ):
        memory.documents[record.collection][account, record.id] = to_document(record)


def erase_all(
    memory: Memory, person: ErasedPerson, account: str = ACCOUNT, *, suffix: str = "erased"
) -> ErasureJob:
    """Erase a person from everything; return the job with its counts."""
    listed(memory, person, account)
    job = ErasureJob(
        id="job", account=account, erasure_id="e", person=person, asked_at=NOW, state=RUNNING
    )
    memory.documents[job.collection][account, job.id] = to_document(job)
    for one in memory.all(Mail, account=account):
        erase_one(memory, one, person, suffix=suffix)
    for held in memory.all(Held, account=account):
        memory.write(EraseHeld(account=account, job_id="job", held_id=held.id, person=person))
    found = memory.one(ErasureJob, "job", account)
    assert found is not None
    return found


def erase_one(memory: Memory, mail: Mail, person: ErasedPerson, *, suffix: str) -> Answer:
    """Erase a person from a mail, with the bytes that this needs."""
    prepared = {}
    keys = sorted({capture.content for capture in mail.captures})
    found = [memory.one(Content, content_id(mail.id, key), mail.account) for key in keys]
    contents = [content for content in found if content is not None]
    plan = planned(mail, contents, person)
    for content in contents if plan else ():
        if plan is None or content.key not in plan.keys:
            continue
        raw = memory.raws()[content.raw_key]
        is_stripped = content.key in plan.stripped
        if is_stripped:
            raw = common_bytes(raw, has_id=mail.message_id is not None)
        new = redacted_bytes(raw, plan.redaction_of(content.key))
        prepared[content.key] = PreparedBytes(
            content.raw_key, f"{content.raw_key}.{suffix}", new, is_stripped=is_stripped
        )
    request = Erase(
        account=mail.account, job_id="job", mail_id=mail.id, person=person, prepared=prepared
    )
    [answer] = memory.write(request)
    assert answer.outcome != "unprepared"
    return answer
