from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.blobs import BlobMissing, Blobs, BlobStoreAway, claim_key, mail_key


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/a folder/blobs".replace(" ", "%20"))


async def test_what_was_put_is_there(blobs: Blobs, tmp_path: Path) -> None:
    key = claim_key(uuid4())
    await blobs.put(key, b"mail" * 100)
    assert await blobs.get(key) == b"mail" * 100
    assert await blobs.get_start(key, 6) == b"mailma"
    assert await blobs.get_start(key, 10_000) == b"mail" * 100
    assert (tmp_path / "a folder" / "blobs" / key).exists()


async def test_what_is_not_there_is_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        await blobs.get("claims/none")
    with pytest.raises(BlobMissing):
        await blobs.get_start("claims/none", 10)
    await blobs.delete("claims/none")


async def test_delete_removes(blobs: Blobs) -> None:
    await blobs.put("claims/a", b"mail")
    await blobs.delete("claims/a")
    with pytest.raises(BlobMissing):
        await blobs.get("claims/a")


async def test_a_store_that_cannot_be_written_is_away(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "a folder" / "blobs" / "claims").write_text("in the way of the folder")
    with pytest.raises(BlobStoreAway):
        await blobs.put("claims/a", b"mail")


async def test_a_sweep_takes_what_is_old_and_nothing_else(blobs: Blobs) -> None:
    await blobs.put("claims/a", b"mail")
    await blobs.put("mails/acme/x/y", b"mail")
    assert await blobs.sweep("claims/", timedelta(days=1)) == 0
    assert await blobs.sweep("claims/", timedelta(seconds=-1)) == 1
    assert await blobs.get("mails/acme/x/y") == b"mail"


def test_the_same_bytes_have_the_same_key() -> None:
    assert mail_key("acme", "m", b"1") == mail_key("acme", "m", b"1")
    assert mail_key("acme", "m", b"1") != mail_key("acme", "m", b"2")
