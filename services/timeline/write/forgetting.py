"""Deleting a mail for good: what an owner captured of it, or all of it. Pure.

    captures -> contents, bytes -> what is listed -> outcomes, bounces, read marks -> tombstone

* What no capture is left of goes, in one transaction: contents, bytes, rows, the blocks of search
  terms that had its words. Bytes in the blob store are named in a `DroppedBlob` of the same
  transaction, and removed after it (`admin/dropped_blobs.py`), whatever dies between.
* Of a content that others captured too, the bytes that are kept may be those that came to who
  deletes: with their Bcc, and the way to their mailbox. They are replaced by bytes without these,
  which the caller makes (`common_bytes`).
* The mail's document stays as the tombstone: its id and the owners who have deleted it. A capture
  that comes later is dismissed, `forgotten` (`attaching.py`). Tokens are hashes, and stay: so
  conversations do not fall apart.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from services.timeline.write.attaching import tell
from services.timeline.write.audiences import as_ruled
from services.timeline.write.conversations import join
from services.timeline.write.identity import without_bcc, without_trace
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.listing import Change, list_mail
from services.timeline.write.mail_rows import content_id
from services.timeline.write.recording import record_deleted
from services.timeline.write.records import EVERYONE, Capture, Content, Mail
from services.timeline.write.requests import Answer, Forget
from services.timeline.write.rulings import NO_NEWS, UNCHANGED, UNKNOWN, note
from services.timeline.write.side_records import Bounce, ReadMark
from services.timeline.write.state import Draft

NO_OWNER = ""
"""Whose the bytes are that everybody has who captured a content."""


def common_bytes(raw: bytes, *, has_id: bool) -> bytes:
    """Return what every capture of a content has in common. Pure.

    A mail without a Message-ID is known by its content, Bcc included: all have the same.
    """
    return without_bcc(without_trace(raw)) if has_id else without_trace(raw)


def shared_contents(mail: Mail, owner: str | None) -> set[str]:
    """Return the keys of contents that stay when this owner deletes the mail, but were theirs."""
    gone, left = _split(mail, owner)
    return {capture.content for capture in gone} & {capture.content for capture in left}


def forget(draft: Draft, request: Forget, now: datetime) -> Answer:
    """Delete what an owner captured of a mail, or all of it."""
    account, owner = request.account, request.owner
    mail = draft.one(Mail, account, request.mail_id)
    if mail is None:
        return UNKNOWN
    gone, left = _split(mail, owner)
    if not gone:
        is_known = owner is None or mail.is_forgotten_by(owner)
        return UNCHANGED if is_known and mail.forgotten else UNKNOWN
    ids = {c.content: content_id(mail.id, c.content) for c in gone}
    contents = draft.many(Content, account, ids.values())
    for key in sorted(shared_contents(mail, owner)):
        content = contents[ids[key]]
        if content is not None and not _strip(draft, content, owner, request):
            return Answer(outcome="unprepared")
    for key in sorted({*ids} - {c.content for c in left}):
        content = contents[ids[key]]
        if content is not None:
            draft.drop_raw(account, content.raw_key)
            draft.delete(Content, account, content.id)
    new = _what_is_left(mail, left, owner)
    draft.put(new)
    conversation = join(draft, account, (mail.token,), new_mails=0 if left else -1, is_changed=True)
    changed_for = list_mail(draft, Change.of(new, as_ruled(mail), conversation), NO_NEWS)
    tell(draft, account, changed_for, conversation, now)
    forget_marks(draft, account, conversation)
    forget_bounces(draft, mail, gone, left)
    for capture in gone:
        record_deleted(draft, account, capture.capture_id, mail.id)
    note(draft, request, "forgotten", now)
    return Answer(outcome="changed", mail_id=mail.id, conversation_id=conversation)


def _split(mail: Mail, owner: str | None) -> tuple[list[Capture], list[Capture]]:
    """Return the captures that go, and those that stay."""
    gone = [capture for capture in mail.captures if owner in (None, capture.owner)]
    return gone, [capture for capture in mail.captures if capture not in gone]


def _strip(draft: Draft, content: Content, owner: str | None, request: Forget) -> bool:
    """Keep bytes without what only this owner knew; return False when they are not prepared."""
    if content.raw_of != owner:
        return True
    prepared = request.prepared.get(content.key)
    if prepared is None or prepared.raw_key != content.raw_key:
        return False
    draft.drop_raw(content.account, content.raw_key)
    size = content.size
    if prepared.raw is not None:
        draft.keep_raw(content.account, prepared.new_key, prepared.raw)
        size = len(prepared.raw)
    draft.put(replace(content, raw_key=prepared.new_key, raw_of=NO_OWNER, size=size))
    return True


def _what_is_left(mail: Mail, left: Iterable[Capture], owner: str | None) -> Mail:
    captures = tuple(left)
    owners = {capture.owner for capture in captures}
    new = replace(
        mail,
        captures=captures,
        private=tuple(of for of in mail.private if of in owners),
        forgotten=(EVERYONE,) if owner is None else tuple(sorted({*mail.forgotten, owner})),
    )
    return new if captures else new.without_captures()


def forget_marks(draft: Draft, account: str, conversation: str) -> None:
    """Forget what was read of a conversation that has no mail for anybody."""
    if draft.of_conversations(SummaryRow, account, [conversation]):
        return
    for mark in draft.of_conversations(ReadMark, account, [conversation]):
        draft.delete(ReadMark, account, mark.id)


def forget_bounces(
    draft: Draft, mail: Mail, gone: Iterable[Capture], left: Iterable[Capture]
) -> None:
    """Forget what the mail said about another, of those who have no capture of it left."""
    for owner in {capture.owner for capture in gone} - {capture.owner for capture in left}:
        id_ = f"{mail.account}/{owner}/{mail.id}"
        draft.one(Bounce, mail.account, id_)
        draft.delete(Bounce, mail.account, id_)
