"""What the two commands have in common: where everything is, and a backup's folder."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

import aiormq
from aio_pika.exceptions import AMQPError
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pymongo.errors import PyMongoError

from shared.runtime.mistake import Mistake
from shared.runtime.settings import with_ca
from shared.storage.blobs import BlobStoreAway

MANIFEST = "backup.json"
"""Written last: a folder without it is no backup."""


class Places(BaseSettings):
    """Where everything is: environment variables, the same that the services read."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    amqp_url: str = Field("amqp://guest:guest@127.0.0.1:5672/")
    amqp_ca_file: Path | None = None
    mongodb_url: str = Field("mongodb://127.0.0.1:27017/?replicaSet=rs0")
    mongodb_ca_file: Path | None = None
    blob_url: str = Field("file:///var/lib/satchel/blobs")
    matcher_database: str = Field("satchel_matcher")
    timeline_database: str = Field("satchel_timeline")

    @model_validator(mode="after")
    def _checks_both(self) -> Self:
        self.__dict__["amqp_url"] = with_ca(self.amqp_url, "cafile", self.amqp_ca_file)
        self.__dict__["mongodb_url"] = with_ca(self.mongodb_url, "tlsCAFile", self.mongodb_ca_file)
        return self


def write_durably(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and sync it."""
    new = path.with_name(f"{path.name}.new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return what a backup says of itself; raise Mistake when it is none, or not whole."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise Mistake(f"{folder} is no finished backup: it has no {MANIFEST}") from error
    return manifest


def say(line: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def carry_out(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run a command; return its exit code: 0 done, 1 not done, and why in one line.

    SIGTERM ends it as Ctrl-C does, so that what it has stopped is started again.
    """

    async def stoppable() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - there is one in a coroutine
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await work()

    try:
        asyncio.run(stoppable())
    except (KeyboardInterrupt, asyncio.CancelledError):
        say(f"{name}: interrupted; what is there is not whole")
        return 1
    except Mistake as mistake:
        say(f"{name}: {mistake}")
        return 1
    except (AMQPError, aiormq.exceptions.AMQPError, OSError, TimeoutError) as error:
        say(f"{name}: the broker, or a file: {type(error).__name__}: {error}")
        return 1
    except (PyMongoError, BlobStoreAway) as error:
        say(f"{name}: {type(error).__name__}: {error}")
        return 1
    return 0
