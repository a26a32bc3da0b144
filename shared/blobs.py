"""The blob store: large mails on their way (claim check), and the raw bytes of attached mails.

* One client for a folder (`file://`), S3, GCS and Azure: obstore.
* What `put` returned from is durable. The library's local store never syncs, so for `file://` the
  file and the folders above it are synced here.
* Two errors: `BlobMissing` is an answer, `BlobStoreAway` is a dependency that is down.

Keys:

    claims/<capture id>              one capture's mail between ingest and its outcome; never shared
    claims/<random id>               the same of old mail, whose capture may be on its way twice
    claims/<...>.<place>             a mail that it encloses, between matcher and timeline
    quarantine/<account>/<capture id>/<place>  a mail that waits for a user's yes
    mails/<account>/<mail id>/<content>/<hash>  the raw bytes of an attached mail, for good
"""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

CLAIM_CHECK_BYTES = 256 * 1024
"""A raw mail above this size does not travel through the broker."""
CLAIM_PREFIX = "claims/"
QUARANTINE_PREFIX = "quarantine/"
RETENTION = timedelta(days=14)
"""How long dead letters are kept, and so the claims they may need when they are replayed."""


class BlobMissing(Exception):
    """There is nothing under this key."""


class BlobStoreAway(Exception):
    """The blob store did not answer, is full, or refused."""


def claim_key(id_: UUID) -> str:
    """Return the key under which one capture's mail waits."""
    return f"{CLAIM_PREFIX}{id_}"


def enclosed_key(claim: str, place: str) -> str:
    """Return the key under which a mail waits that the claim's mail encloses."""
    return f"{claim}.{place}"


def quarantine_key(account: str, capture_id: UUID, place: str) -> str:
    """Return the key under which a mail of a capture waits for a user's yes."""
    return f"{QUARANTINE_PREFIX}{account}/{capture_id}/{place or 'mail'}"


def mail_key(account: str, content_id: str, raw: bytes) -> str:
    """Return the key of the bytes of an attached mail's content: the same bytes, the same key."""
    return f"mails/{account}/{content_id}/{hashlib.sha256(raw).hexdigest()[:32]}"


class Blobs:
    """A blob store."""

    def __init__(self, url: str) -> None:
        """Open the store at `file:///folder` (made when missing), `s3://bucket/prefix` and such."""
        parts = urlsplit(url)
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        self._store: ObjectStore = (
            from_url(url, mkdir=True) if self._folder is not None else from_url(url)
        )

    async def put(self, key: str, data: bytes) -> None:
        """Store `data`, durably. Raises BlobStoreAway."""
        try:
            with _errors():
                await self._store.put_async(key, data)
                if self._folder is not None:
                    await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except BlobMissing as error:  # somebody deleted it before it was synced
            raise BlobStoreAway("deleted meanwhile") from error

    async def get(self, key: str) -> bytes:
        """Return what is under the key. Raises BlobMissing, BlobStoreAway."""
        with _errors():
            return bytes(await (await self._store.get_async(key)).bytes_async())

    async def get_start(self, key: str, length: int) -> bytes:
        """Return the first `length` bytes, or all when there are fewer."""
        with _errors():
            return bytes(await self._store.get_range_async(key, start=0, length=length))

    async def delete(self, key: str) -> None:
        """Remove it. What is not there is removed already. Raises BlobStoreAway."""
        with _errors():
            try:
                await self._store.delete_async(key)
            except FileNotFoundError:
                return
            if self._folder is not None:
                await asyncio.to_thread(_sync_folder, (self._folder / key).parent)

    async def sweep(self, prefix: str, older_than: timedelta = RETENTION) -> int:
        """Remove what lies under the prefix for longer than that; return how many."""
        limit = datetime.now(UTC) - older_than
        with _errors():
            old = [
                blob["path"]
                async for batch in self._store.list(prefix)
                for blob in batch
                if blob["last_modified"] < limit
            ]
        for key in old:
            await self.delete(key)
        return len(old)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissing(type(error).__name__) from error
    except (BaseError, OSError) as error:
        raise BlobStoreAway(type(error).__name__) from error


def _sync(file: Path, root: Path) -> None:
    """Make a file and its name durable, folders that were made for it included."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    folder = file.parent
    _sync_folder(folder)
    while folder != root:
        folder = folder.parent
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
