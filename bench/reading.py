"""One mail through all that reads it, as the services do it, without their servers.

Timeline: read, projected into the documents that are stored, shown in the shape that the API has,
its new part apart and its images in it. Matcher: judged three
times: as it came, as if a user had forwarded it, and as a provider's confirmation, up to the events
that are published. The second time the sender in From is a user and
there are no recipients; every other address is a candidate's or unknown. So forwards are always
read.
"""

import asyncio
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

import bson

from bench.applying import Applied
from services.matcher.announce import announce_verdict
from services.matcher.confirmations import read_confirmation
from services.matcher.decision.decide import Person, verdicts
from services.matcher.decision.judge import Considered, judge
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.reading.addresses import normalise
from services.matcher.reading.senders import literal_senders
from services.timeline.api.mails import download_headers
from services.timeline.api.shapes import MailDetail
from services.timeline.content.data_images import images_set_aside
from services.timeline.content.images import (
    has_remote_images,
    with_inline_images,
    with_remote_images,
)
from services.timeline.content.reader import attached_parts, read
from services.timeline.query.bounces import KnownBounce
from services.timeline.query.mails import ShownMail
from services.timeline.query.viewer import Viewer
from services.timeline.write.projection import project
from services.timeline.write.records import Content, Mail
from services.timeline.write.requests import Attach
from services.timeline.write.stored import to_document
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import Direction, Kind, MailAttached, MailReceived, Match, Role
from shared.mail.headers import HeaderBlock, read_header_block
from shared.mail.mime import leaves
from shared.mail.part import by_content_id
from shared.storage.database import Document

DOMAIN = "in.satchel.test"
_ACCOUNT, _USER, _NOW = "fuzz", "u1", datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_CAPTURE, _CAPTURE_ID = f"anna.key@{DOMAIN}", UUID("0198c0de-0000-7000-8000-000000000001")
_RECORD = AddressRecord(_CAPTURE, _ACCOUNT, _USER, "k1", "active", _NOW, None)
_RING = KeyRing.parse("k1:" + "s" * 32)
_PROVIDERS = (
    "forwarding-noreply@google.com",
    "no-reply@mail.proton.me",
    "noreply@notify.cloudflare.com",
)
_PEOPLE = {"to", "cc", "bcc", "sender", "reply-to", "x-original-from", "x-original-sender"}
_SAVED = 20
"""Attachments, of which the header fields are made with which they are saved."""
_HEADER_BYTES, _CLAIM_BYTES = 128 * 1024, 256 * 1024
_MATCHES = (
    Match(person_id="c1", kind=Kind.CANDIDATE, address="c1@mail.example", role=Role.FROM),
    Match(person_id="c2", kind=Kind.CONTACT, address="c2@mail.example", role=Role.BCC),
)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Unstorable(Exception):
    """A string holds what cannot be stored or shown: half a character, or a NUL."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the timeline keeps of one capture of a mail."""

    documents: tuple[Document, ...]

    @property
    def size(self) -> int:
        """Return their size in bytes, as the database has them."""
        return sum(len(bson.encode(document)) for document in self.documents)


def read_for_timeline(raw: bytes, *, check: bool = True) -> Stored:
    """Read a mail as the timeline does, from its bytes to what is stored and shown.

    Without `check` it does just what the service does, to be timed.
    """
    mail = read(raw)
    event = _attached(len(raw))
    projection = project(event, mail, raw)
    applied = Applied()
    applied.add(Attach(event=event, projection=projection, raw=raw), _NOW)
    documents = tuple(map(to_document, applied.records()))
    [kept] = [record for record in applied.records() if isinstance(record, Mail)]
    bounces = (KnownBounce(projection.bounce),) if projection.bounce else ()
    content, conversation = projection.content, projection.token
    shown = _shown(ShownMail(Viewer(_ACCOUNT, _USER), kept, content, conversation, bounces), raw)
    names = [download_headers(attachment.filename) for attachment in mail.attachments[:_SAVED]]
    told = [*documents, shown.model_dump_json(), names]
    if check:
        _check(told)
    return Stored(documents)


def _shown(mail: ShownMail[Content], raw: bytes) -> MailDetail:
    """Return the mail as the API shows it, with all of its images."""
    html = mail.content.html
    has_remote = html is not None and has_remote_images(html)
    if html is not None:
        images = [*images_set_aside(leaves(raw)[0]), *attached_parts(raw)]
        html = with_inline_images(with_remote_images(html), by_content_id(images))
    return MailDetail.in_full(mail, {}, html, has_remote_images=has_remote)


def _attached(size: int) -> MailAttached:
    return MailAttached(
        capture_id=_CAPTURE_ID,
        size=size,
        account=_ACCOUNT,
        owner=_USER,
        capture_address=_CAPTURE,
        received_at=_NOW,
        decided_at=_NOW,
        door="smtp",
        direction=Direction.INBOUND,
        matches=_MATCHES,
    )


def _check(values: Sequence[object]) -> None:
    """Raise Unstorable when a string in these values is one that cannot be kept or sent."""
    text = json.dumps(values, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unstorable(f"half a character: {text[error.start - 40 : error.end]!r}") from error
    if "\\u0000" in text and (nul := _NUL.search(text)):
        raise Unstorable(f"a NUL after {text[max(0, nul.start() - 40) : nul.start()]!r}")


def read_for_matcher(raw: bytes, runner: asyncio.Runner, *, check: bool = True) -> None:
    """Judge a mail as the matcher does, in each of the ways in which its body may count.

    Without `check` it does just what the service does, to be timed.
    """
    start = raw[:_HEADER_BYTES] if len(raw) > _CLAIM_BYTES else raw
    header = read_header_block(start)
    runner.run(_judged(header, raw, by_user=False, check=check))
    others = tuple(field for field in header.fields if field[0].lower() not in _PEOPLE)
    if not literal_senders(header):
        others = (*others, ("From", "user@team.example"))
    forwarded = HeaderBlock(others, header.truncated, header.body_start)
    runner.run(_judged(forwarded, raw, by_user=True, check=check))
    sender = _PROVIDERS[zlib.crc32(raw[:1000]) % len(_PROVIDERS)]
    asking = tuple(field for field in others if field[0].lower() != "from")
    asked = HeaderBlock((*asking, ("From", sender)), header.truncated, header.body_start)
    confirmation = read_confirmation(asked, raw, DOMAIN)
    if check:
        _check([str(confirmation)])


async def _judged(header: HeaderBlock, raw: bytes, *, by_user: bool, check: bool) -> None:
    senders = literal_senders(header) if by_user else []
    writers = {normalise(mailbox.address) for mailbox in senders}

    async def ask(keys: frozenset[str]) -> Considered:
        known = (key for key in keys if key in writers or _is_known(key))
        return Considered([_person(key, key in writers) for key in known])

    async def body() -> bytes:
        return raw

    verdict = await judge(header, ask, body, body, DOMAIN)
    received = MailReceived(
        capture_id=_CAPTURE_ID,
        size=len(raw),
        capture_address=_CAPTURE,
        account_tag="tag",
        received_at=_NOW,
        door="smtp",
    )
    events = [event.encode() for event in announce_verdict(received, _RECORD, verdict, _RING, {})]
    if not check:
        return
    told = [verdicts(mail.participants, mail.people) for mail in verdict.mails]
    forwards = [mail.forwarded.model_dump_json() for mail in verdict.mails if mail.forwarded]
    _check([events, told, forwards])


@lru_cache(maxsize=1 << 16)
def _is_known(key: str) -> bool:
    return zlib.crc32(key.encode()) % 2 == 0


@lru_cache(maxsize=1 << 16)
def _person(key: str, is_user: bool) -> Person:
    """Return who has this address, as a directory's cache has them at hand."""
    kind = Kind.USER if is_user else Kind.CANDIDATE
    return Person(f"p{zlib.crc32(key.encode())}", kind, "Somebody", (key,), frozenset({key}))
