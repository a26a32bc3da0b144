"""What is known of a dead letter, whatever it is: nothing here raises.

An event that does not validate, or of a version that is not known yet, may still say which capture
it is about, and whose. Where only the tag of the account is known, as before the matcher has looked
at the address's record, the account that has this tag sees it.

`dead_letters`: `{_id, account_tag, account, capture_id, tag, event, key, queue, reason, detail,
replays, trace, size, at, expires_at, state, body_key, claim, to_finish, by, why, settled_at}`.

* `_id` comes from the message and from how often it was replayed: one that comes twice is stored
  once, one that dies again after a replay is another dead letter.
* `state` is `waiting`, `replayed` or `dropped`; `by`, `why` and `settled_at` say of the latter two
  what was done.
* `body_key` and `claim` are the keys of its bytes in the blob store, `event` its event as it came.
  They go when it is settled.
* `to_finish` is set while something is under way: since when.
"""

import base64
import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any

from shared import tracing
from shared.blobs import DEAD_PREFIX
from shared.broker import DeadLetter
from shared.capture_address import account_tag
from shared.database import Document
from shared.events import ACCOUNT_PATTERN

_ACCOUNT = re.compile(ACCOUNT_PATTERN)
_TAG = re.compile(r"[a-z2-7]{8}")
_CAPTURE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLAIM = re.compile(r"claims/[0-9a-f-]{36}(\.[0-9.]{1,100})?")
_MAX_SIZE = 2**53


def document_of(letter: DeadLetter, at: datetime, kept: timedelta) -> Document:
    """Return a dead letter as it is stored when it is found."""
    said = _said(letter.event)
    id_ = _id(letter)
    account = _matching(_ACCOUNT, said.get("account"))
    claim = _matching(_CLAIM, said.get("blob_key"))
    tag = account_tag(account) if account else _matching(_TAG, said.get("account_tag"))
    size = said.get("size")
    is_claimed = claim is not None and isinstance(size, int) and 0 <= size < _MAX_SIZE
    return {
        "_id": id_,
        "account_tag": tag,
        "account": account,
        "capture_id": _matching(_CAPTURE_ID, said.get("capture_id")),
        "tag": letter.tag,
        "event": letter.event,
        "key": letter.key,
        "queue": letter.queue,
        "reason": letter.reason,
        "detail": letter.detail,
        "replays": letter.replays,
        "trace": letter.trace.headers() if letter.trace else {},
        "size": size if is_claimed else len(letter.body),
        "at": at,
        "expires_at": at + kept,
        "state": "waiting",
        "body_key": f"{DEAD_PREFIX}{id_}" if letter.body else None,
        "claim": claim,
    }


def letter_of(document: Document, body: bytes) -> DeadLetter:
    """Return the dead letter that waits as this document and body."""
    fields = ("tag", "event", "key", "queue", "reason", "detail", "replays")
    trace = document.get("trace", {})
    return DeadLetter(
        body=body,
        trace=tracing.read(trace.get(tracing.PARENT), trace.get(tracing.STATE)),
        **{field: document[field] for field in fields},
    )


def _id(letter: DeadLetter) -> str:
    body = hashlib.sha256(letter.body).hexdigest()
    parts = (letter.queue, letter.tag, letter.key, str(letter.replays), body, letter.event or "")
    told = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass"))
    return base64.b32encode(told.digest()[:20]).decode().lower()


def _said(event: str | None) -> dict[str, Any]:
    try:
        said = json.loads(event or "")
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
