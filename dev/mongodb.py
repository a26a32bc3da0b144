"""A MongoDB of one's own: a replica set of one, on loopback, all its data in one folder."""

import contextlib
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymongo
from pymongo.errors import PyMongoError

from dev.install import Unavailable, find_mongod
from dev.ports import free_port
from dev.process import Process

_START_SECONDS = 60
_SET = "satchel"


class PrivateMongoDB:
    """A mongod. `start` after `kill` comes back on the same port with its data."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self._folder, self._port = folder, port or free_port()
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The connection string."""
        return f"mongodb://127.0.0.1:{self._port}/?replicaSet={_SET}"

    def start(self) -> None:
        """Start it and return when it is the primary; raise Unavailable when it is not."""
        data = self._folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        self._process = Process(
            [
                str(find_mongod()),
                *("--dbpath", str(data), "--port", str(self._port), "--bind_ip", "127.0.0.1"),
                *("--replSet", _SET, "--wiredTigerCacheSizeGB", "0.25", "--quiet"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *("--nounixsocket", "--oplogSize", "64"),
            ],
            log=self._folder / "mongod.log",
        )
        self._process.start()
        deadline = time.monotonic() + _START_SECONDS
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            "127.0.0.1", self._port, directConnection=True, serverSelectionTimeoutMS=200
        )
        with client:
            while not self._is_primary(client):
                if not self._process.alive or time.monotonic() > deadline:
                    raise Unavailable(f"mongod did not start:\n{self._process.tail()}")
                time.sleep(0.05)

    def _is_primary(self, client: "pymongo.MongoClient[dict[str, Any]]") -> bool:
        with contextlib.suppress(PyMongoError):
            hello = client.admin.command("hello")
            if not hello.get("setName"):
                member = {"_id": 0, "host": f"127.0.0.1:{self._port}"}
                client.admin.command("replSetInitiate", {"_id": _SET, "members": [member]})
            return bool(hello.get("isWritablePrimary"))
        return False

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        """Let it stand still."""
        if self._process is not None:
            self._process.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.thaw()
