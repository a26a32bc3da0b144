"""The blob store: large mails on their way (claim check), and the raw bytes of attached mails.

* One client for a folder (`file://`), S3, GCS and Azure: obstore.
* What `put` returned from is durable. The library's local store never syncs, so for `file://` the
  file and the folders above it are synced here.
* Two errors: `BlobMissing` is an answer, `BlobStoreAway` is a dependency that is down. It is
  unavailable when it has not answered within DEADLINE_SECONDS, and when its folder is not the one
  that was opened: an unmounted one looks empty, and what is put there does not stay.
* A folder that cannot be made yet is opened once it can be: services start in any order.
* `blob_keys.py` has the keys, and how long what is under them is kept.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url
from prometheus_client import Counter, Histogram

from shared.runtime.metrics import from_zero

if TYPE_CHECKING:
    from obstore.store import RetryConfig

_OPERATIONS = ("put", "get", "head", "delete", "list")
BLOB_SECONDS = from_zero(
    Histogram("satchel_blob_seconds", "Time for an operation on the blob store", ["operation"]),
    _OPERATIONS,
)
BLOB_ERRORS = from_zero(
    Counter(
        "satchel_blob_errors_total",
        "Operations that the blob store refused or did not answer",
        ["operation"],
    ),
    _OPERATIONS,
)

DEADLINE_SECONDS = 10.0
"""For one operation. The library by itself tries for three minutes."""
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=DEADLINE_SECONDS)}
_REFUSALS: dict[type[Exception], str] = {
    UnauthenticatedError: "the credentials are refused",
    PermissionDeniedError: "the user may not do what is needed",
}
_MARK = ".satchel"
"""The file by which a folder is known again."""


_LISTED_AT_ONCE = 1000


class BlobMissing(Exception):
    """There is no blob with this key."""


class BlobExists(Exception):
    """There is already a blob with this key."""


class BlobStoreAway(Exception):
    """The blob store did not answer, is full, or refused."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known about a blob without reading it."""

    key: str
    size: int
    at: datetime
    """When it was written last."""


class Blobs:
    """A blob store."""

    def __init__(self, url: str) -> None:
        """Use the store at `file:///folder` (made when missing), `s3://bucket/prefix` and such."""
        parts = urlsplit(url)
        self._url = url
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        self._store: ObjectStore | None = None
        if self._folder is None:
            self._store = from_url(url, retry_config=_RETRIES)

    async def why_not(self) -> str | None:
        """Return why the store cannot be used; None if it can."""
        try:
            await self.get(_MARK)
        except BlobMissing:
            return None
        except BlobStoreAway as away:
            return str(away)
        return None

    async def put(self, key: str, data: bytes) -> None:
        """Store `data` durably. Raises BlobStoreAway."""
        try:
            async with self._opened("put") as store:
                await store.put_async(key, data)
                if self._folder is not None:
                    await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except BlobMissing as error:  # somebody deleted it before it was synced
            raise BlobStoreAway("was deleted in the meantime") from error

    async def create(self, key: str, data: bytes) -> bool:
        """Store `data` durably if the key is free; return whether it was.

        Of several concurrent calls one returns True. Raises BlobStoreAway.
        """
        try:
            async with self._opened("put") as store:
                await store.put_async(key, data, mode="create")
                if self._folder is not None:
                    await asyncio.to_thread(_sync, self._folder / key, self._folder)
        except BlobExists:
            return False
        except BlobMissing as error:  # somebody deleted it before it was synced
            raise BlobStoreAway("was deleted in the meantime") from error
        return True

    async def get(self, key: str) -> bytes:
        """Return the blob. Raises BlobMissing, BlobStoreAway."""
        async with self._opened("get") as store:
            return bytes(await (await store.get_async(key)).bytes_async())

    async def get_start(self, key: str, length: int) -> bytes:
        """Return the first `length` bytes of the blob, or all if it is shorter."""
        async with self._opened("get") as store:
            return bytes(await store.get_range_async(key, start=0, length=length))

    async def get_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes from `start`, which must exist, up to `end` or the last one.

        Raises BlobMissing, BlobStoreAway.
        """
        async with self._opened("get") as store:
            return bytes(await store.get_range_async(key, start=start, end=end))

    async def delete(self, key: str) -> None:
        """Delete the blob, if it exists. Raises BlobStoreAway."""
        with suppress(BlobMissing):
            async with self._opened("delete") as store:
                await store.delete_async(key)
                if self._folder is not None:
                    await asyncio.to_thread(_sync_folder, (self._folder / key).parent)

    async def has(self, key: str) -> bool:
        """Return whether the blob exists. Raises BlobStoreAway."""
        try:
            async with self._opened("head") as store:
                await store.head_async(key)
        except BlobMissing:
            return False
        return True

    async def listed(self, prefix: str) -> AsyncGenerator[list[Stored]]:
        """Yield the blobs under a prefix (whole segments of a key), a batch at a time, in no order.

        What is added or deleted meanwhile may or may not be listed. Raises BlobStoreAway.
        """
        listing = None
        while True:
            # A deadline for each batch: a long list takes its time.
            async with self._opened("list") as store:
                if listing is None:
                    listing = store.list(prefix, chunk_size=_LISTED_AT_ONCE)
                batch = await anext(listing, None)
            if batch is None:
                return
            yield [Stored(blob["path"], blob["size"], blob["last_modified"]) for blob in batch]

    async def prefixes(self) -> list[str]:
        """Return the first segments of all keys, each with its slash. Raises BlobStoreAway."""
        async with self._opened("list") as store:
            listed = await store.list_with_delimiter_async()
        return sorted(f"{prefix}/" for prefix in listed["common_prefixes"])

    async def sweep(self, prefix: str, older_than: timedelta) -> int:
        """Delete blobs under the prefix that are older than that; return how many."""
        limit = datetime.now(UTC) - older_than
        old = [blob.key async for batch in self.listed(prefix) for blob in batch if blob.at < limit]
        for key in old:
            await self.delete(key)
        return len(old)

    async def delete_under(self, prefix: str) -> int:
        """Delete all blobs under a prefix, and the folders of a local store; return how many blobs.

        Raises BlobStoreAway.
        """
        keys = [blob.key async for batch in self.listed(prefix) for blob in batch]
        for key in keys:
            await self.delete(key)
        if self._folder is not None:  # its name may be an account's
            await asyncio.to_thread(_remove_empty, self._folder / prefix)
        return len(keys)

    @asynccontextmanager
    async def _opened(self, operation: str) -> AsyncIterator[ObjectStore]:
        """Yield the store; raise BlobMissing and BlobStoreAway for what goes wrong with it."""
        try:
            with BLOB_SECONDS.labels(operation).time(), self._errors():
                async with asyncio.timeout(DEADLINE_SECONDS):
                    yield self._store or self._open()
        except BlobStoreAway:
            BLOB_ERRORS.labels(operation).inc()
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            if self._folder is not None and not (self._folder / _MARK).exists():
                raise BlobStoreAway("the folder does not exist") from error
            raise BlobMissing(type(error).__name__) from error
        except AlreadyExistsError as error:
            raise BlobExists from error
        except TimeoutError as error:
            raise BlobStoreAway(f"no answer within {DEADLINE_SECONDS:.0f} seconds") from error
        except (BaseError, OSError) as error:
            raise BlobStoreAway(_REFUSALS.get(type(error), type(error).__name__)) from error

    def _open(self) -> ObjectStore:
        assert self._folder is not None  # noqa: S101 - for the type checker
        store = from_url(self._url, mkdir=True)
        (self._folder / _MARK).touch()
        self._store = store
        return store


def _sync(file: Path, root: Path) -> None:
    """Make a file and its name durable, folders that were made for it included.

    Raises FileNotFoundError when the root is another one by now.
    """
    os.stat(root / _MARK)
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


def _remove_empty(folder: Path) -> None:
    """Remove a folder and those in it, as far as they are empty."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # somebody has put something there
            os.rmdir(path)
