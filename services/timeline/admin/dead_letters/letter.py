"""What is known about a dead letter. Nothing here raises, whatever the message is.

An event that does not validate, or of an unknown version, may still say which capture it is about,
and whose. If only the account's tag is known, because the matcher has not read the address's
record yet, the account with this tag sees it.
"""

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, get_args

from msgspec import Struct, field

from services.timeline.write.records import Record
from shared.broker import DeadLetter
from shared.contracts.capture_address import account_tag, base32
from shared.contracts.events import ACCOUNT_PATTERN
from shared.runtime import tracing
from shared.storage.blob_keys import DEAD_PREFIX

State = Literal["waiting", "replayed", "dropped"]
STATES: tuple[State, ...] = get_args(State)
_ACCOUNT = re.compile(ACCOUNT_PATTERN)
_TAG = re.compile(r"[a-z2-7]{8}")
_CAPTURE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLAIM = re.compile(r"claims/[0-9a-f-]{36}(\.[0-9.]{1,100})?")
_MAX_SIZE = 2**53


class Settled(Struct, frozen=True):
    """How a dead letter was settled: by whom, when, and why if it was dropped."""

    by: str
    at: datetime
    why: str | None


class StoredLetter(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stored dead letter. Unlike a `Kept`, it may belong to no known account."""

    collection: ClassVar[str] = "dead_letters"

    id: str = field(name="_id")
    """Made from the message and its count of replays: a message that comes twice is stored once,
    one that dies again after a replay is another dead letter."""
    account_tag: str | None
    account: str | None
    capture_id: str | None
    tag: str
    event: str | None
    """As it came. Removed with `detail` when the letter is settled."""
    key: str
    queue: str
    reason: str
    detail: str
    replays: int
    trace: dict[str, str] = field(default_factory=dict)
    size: int
    at: datetime
    expires_at: datetime
    state: State
    body_key: str | None
    """Keys of its bytes in the blob store, this and `claim`. Removed when the letter is settled."""
    claim: str | None
    to_finish: datetime | None = None
    """Since when something is under way, else None."""
    by: str | None = None
    """Who settled it, or is replaying it."""
    why: str | None = None
    settled_at: datetime | None = None

    @property
    def settled(self) -> Settled | None:
        """How it was settled; None while it waits."""
        return Settled(self.by or "", self.settled_at, self.why) if self.settled_at else None


def stored_letter(letter: DeadLetter, at: datetime, kept: timedelta) -> StoredLetter:
    """Return the record to store for a dead letter found at this time."""
    said = _said(letter.event)
    id_ = _id(letter)
    account = _matching(_ACCOUNT, said.get("account"))
    claim = _matching(_CLAIM, said.get("blob_key"))
    tag = account_tag(account) if account else _matching(_TAG, said.get("account_tag"))
    return StoredLetter(
        id=id_,
        account_tag=tag,
        account=account,
        capture_id=_matching(_CAPTURE_ID, said.get("capture_id")),
        tag=letter.tag,
        event=letter.event,
        key=letter.key,
        queue=letter.queue,
        reason=letter.reason,
        detail=letter.detail,
        replays=letter.replays,
        trace=letter.trace.headers() if letter.trace else {},
        size=_size(said.get("size"), claim, letter.body),
        at=at,
        expires_at=at + kept,
        state="waiting",
        body_key=f"{DEAD_PREFIX}{id_}" if letter.body else None,
        claim=claim,
    )


def moment_in(letter: DeadLetter) -> datetime | None:
    """Return when a message says that it was received, or told; None where it does not say it."""
    said = _said(letter.event)
    for field_ in ("received_at", "told_at", "asked_at"):
        try:
            moment = datetime.fromisoformat(str(said[field_]))
        except (KeyError, ValueError):
            continue
        return moment if moment.tzinfo is not None else None
    return None


def letter_of(stored: StoredLetter, body: bytes) -> DeadLetter:
    """Return the dead letter with this record and body."""
    return DeadLetter(
        tag=stored.tag,
        event=stored.event,
        body=body,
        key=stored.key,
        queue=stored.queue,
        reason=stored.reason,
        detail=stored.detail,
        replays=stored.replays,
        trace=tracing.read(stored.trace.get(tracing.PARENT), stored.trace.get(tracing.STATE)),
    )


def _id(letter: DeadLetter) -> str:
    body = hashlib.sha256(letter.body).hexdigest()
    parts = (letter.queue, letter.tag, letter.key, str(letter.replays), body, letter.event or "")
    told = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return base32(told.digest()[:20])


def _size(said: object, claim: str | None, body: bytes) -> int:
    """Return the size of the mail: of a claimed one as its event says."""
    if claim is not None and isinstance(said, int) and 0 <= said < _MAX_SIZE:
        return int(said)  # `true` is a number, too
    return len(body)


def _said(event: str | None) -> dict[str, Any]:
    try:
        said = json.loads(event or "")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
