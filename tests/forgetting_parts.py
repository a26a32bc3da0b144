"""Deletions as the tests of them make and count them."""

from services.timeline.write.forgetting import common_bytes, shared_contents
from services.timeline.write.mail_rows import content_id
from services.timeline.write.records import RAW_IN_DATABASE_BYTES, Content, Kept, Mail
from services.timeline.write.requests import Answer, Prepared
from tests.memory_timeline import Memory
from tests.write_parts import (
    mail,
)

FORGOTTEN = Answer(outcome="dismissed")
LARGE = mail(text="Large. " * (RAW_IN_DATABASE_BYTES // 7 + 1))


def how_many(memory: Memory, *kinds: type[Kept]) -> int:
    return sum(len(memory.all(kind)) for kind in kinds)


def prepared(memory: Memory, mail_id: str, owner: str | None) -> dict[str, Prepared]:
    """Return the bytes that a caller prepares."""
    one = memory.one(Mail, mail_id)
    assert one is not None
    found = {}
    for key in shared_contents(one, owner):
        content = memory.one(Content, content_id(mail_id, key))
        assert content is not None
        raw = common_bytes(memory.raws()[content.raw_key], has_id=one.message_id is not None)
        found[key] = Prepared(content.raw_key, f"{content.raw_key}.own", raw)
    return found
