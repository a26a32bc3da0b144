import asyncio
import shutil
import socket
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from chaos import bucket
from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from shared.storage.blob_keys import claim_key, mail_key
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from tests.deadline import DEADLINE


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(f"file://{tmp_path}/a folder/blobs".replace(" ", "%20"))


async def test_what_was_put_is_there(blobs: Blobs, tmp_path: Path) -> None:
    key = claim_key(uuid4())
    await blobs.put(key, b"mail" * 100)
    assert await blobs.get(key) == b"mail" * 100
    assert await blobs.get_start(key, 6) == b"mailma"
    assert await blobs.get_start(key, 10_000) == b"mail" * 100
    assert await blobs.get_range(key, 6, 9) == b"ilm"
    assert await blobs.get_range(key, 399, 10_000) == b"l"
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
    assert await blobs.why_not() is None
    (tmp_path / "a folder" / "blobs" / "claims").write_text("in the way of the folder")
    with pytest.raises(BlobStoreAway):
        await blobs.put("claims/a", b"mail")


async def test_a_folder_that_is_gone_is_away_and_nothing_of_it_is_missing(
    blobs: Blobs, tmp_path: Path
) -> None:
    """As when it was unmounted: an empty folder is in its place."""
    await blobs.put("claims/a", b"mail")
    mounted = tmp_path / "a folder" / "blobs"
    mounted.rename(tmp_path / "elsewhere")
    for empty in (False, True):
        if empty:
            mounted.mkdir(exist_ok=True)
        with pytest.raises(BlobStoreAway):
            await blobs.get("claims/a")
        with pytest.raises(BlobStoreAway):
            await blobs.delete("claims/a")
        with pytest.raises(BlobStoreAway):
            await blobs.put("claims/b", b"mail")
        assert await blobs.why_not() == "the folder does not exist"
    shutil.rmtree(mounted)
    (tmp_path / "elsewhere").rename(mounted)
    assert await blobs.get("claims/a") == b"mail"


async def test_a_folder_that_cannot_be_made_yet_is_away_until_it_can(tmp_path: Path) -> None:
    (tmp_path / "later").write_text("in the way")
    blobs = Blobs(f"file://{tmp_path}/later/blobs")
    with pytest.raises(BlobStoreAway):
        await blobs.put("claims/a", b"mail")
    (tmp_path / "later").unlink()
    await blobs.put("claims/a", b"mail")


async def test_an_endpoint_that_is_silent_is_away_within_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.storage.blobs.DEADLINE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name, value in bucket.settings(silent.getsockname()[1]).items():
            monkeypatch.setenv(name, value)
        blobs = Blobs(f"s3://{bucket.NAME}/")
        async with asyncio.timeout(DEADLINE):
            for operation in (blobs.put("a", b"mail"), blobs.get("a"), blobs.delete("a")):
                with pytest.raises(BlobStoreAway):
                    await operation


async def test_a_bucket_keeps_what_a_folder_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    process = Process(
        [sys.executable, "-m", "chaos.bucket", str(port), str(tmp_path / "bucket")],
        log=tmp_path / "bucket.log",
        folder=ROOT,
    )
    process.start()
    for name, value in bucket.settings(port).items():
        monkeypatch.setenv(name, value)
    blobs = Blobs(f"s3://{bucket.NAME}/")
    try:
        async with asyncio.timeout(DEADLINE):
            while await blobs.why_not():
                await asyncio.sleep(0.05)
        await blobs.put("claims/a", b"mail" * 100_000)
        assert await blobs.get("claims/a") == b"mail" * 100_000
        assert await blobs.get_start("claims/a", 6) == b"mailma"
        assert await blobs.get_range("claims/a", 6, 500_000) == (b"mail" * 100_000)[6:]
        await blobs.delete("claims/none")
        with pytest.raises(BlobMissing):
            await blobs.get("claims/none")
        assert await blobs.sweep("claims/", timedelta(seconds=-5)) == 1
    finally:
        process.kill()


async def test_a_sweep_takes_what_is_old_and_nothing_else(blobs: Blobs) -> None:
    await blobs.put("claims/a", b"mail")
    await blobs.put("mails/acme/x/y", b"mail")
    assert await blobs.sweep("claims/", timedelta(days=1)) == 0
    assert await blobs.sweep("claims/", timedelta(seconds=-1)) == 1
    assert await blobs.get("mails/acme/x/y") == b"mail"


def test_the_same_bytes_have_the_same_key() -> None:
    assert mail_key("acme", "m", b"1") == mail_key("acme", "m", b"1")
    assert mail_key("acme", "m", b"1") != mail_key("acme", "m", b"2")
