"""`Idempotency-Key`: a repeated upload is one capture, and gets the answer of the first.

The record is in the blob store, which every replica sees, so no database is needed:

    idempotency/<hash of account, caller and key>   {capture_id, fingerprint, at, accepted}

* It is written before the mail is published, and only if there is none: two requests at the same
  time use the same capture id. So a repetition after a crash, or while the first request is in
  flight, publishes the same capture, which counts once.
* When the mail was accepted, `accepted` is set: a repetition is answered without a second publish.
* The fingerprint is of recipient and mail. The same key with another mail is rejected.
* A record is valid for KEPT. Then the key can be used again, and the matcher's sweep removes it.
* It holds no address, and nothing of a mail but its keyed hash.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from shared.contracts.capture_address import CaptureAddress
from shared.contracts.capture_id import capture_id
from shared.http.auth import Caller
from shared.storage.blob_keys import IDEMPOTENCY_KEPT, IDEMPOTENCY_PREFIX
from shared.storage.blobs import BlobMissing, Blobs

MAX_LENGTH = 255
KEPT: timedelta = IDEMPOTENCY_KEPT


class KeyReused(Exception):
    """The key was used before with another mail or recipient."""


class Upload(BaseModel):
    """What is known about an upload with a key."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    capture_id: UUID
    fingerprint: str
    at: AwareDatetime
    accepted: bool = False


class IdempotencyKeys:
    """The keys of all accounts."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def begin(
        self, caller: Caller, key: str, recipient: CaptureAddress, raw: bytes
    ) -> tuple[Upload, bool]:
        """Return the upload for this key, and whether it is new; else that of an earlier request.

        Raises KeyReused, BlobStoreAway.
        """
        name, new = _name(caller, key), _new(key, recipient, raw)
        if await self._blobs.create(name, _encode(new)):
            return new, True
        known = await self._known(name)
        if known is None or datetime.now(UTC) - known.at > KEPT:
            await self._blobs.put(name, _encode(new))
            return new, True
        if not hmac.compare_digest(known.fingerprint, new.fingerprint):
            raise KeyReused
        return known, False

    async def accepted(self, caller: Caller, key: str, upload: Upload) -> None:
        """Note that the mail is durable. Raises BlobStoreAway."""
        done = upload.model_copy(update={"accepted": True})
        await self._blobs.put(_name(caller, key), _encode(done))

    async def _known(self, name: str) -> Upload | None:
        try:
            return Upload.model_validate_json(await self._blobs.get(name))
        except (BlobMissing, ValidationError):  # swept in this moment, or damaged
            return None


def _new(key: str, recipient: CaptureAddress, raw: bytes) -> Upload:
    made = hmac.new(key.encode(), recipient.address.encode() + b"\0" + raw, hashlib.sha256)
    return Upload(
        capture_id=capture_id(recipient.account_tag),
        fingerprint=made.hexdigest(),
        at=datetime.now(UTC),
    )


def _name(caller: Caller, key: str) -> str:
    parts = "\0".join((caller.account, caller.person_id, key))
    return f"{IDEMPOTENCY_PREFIX}{hashlib.sha256(parts.encode()).hexdigest()}"


def _encode(upload: Upload) -> bytes:
    return upload.model_dump_json().encode()
