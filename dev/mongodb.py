"""A private MongoDB: one mongod as a replica set of one, in a folder of its own.

* A set, because transactions and change streams need one. It is initiated at the first start; when
  the folder comes back on another port, its configuration follows.
* It listens on loopback only, without a Unix socket.
* It starts fast and stays small: a small oplog and journal, no diagnostics, and unless told
  otherwise a cache of 256 MB. Writes are as durable as in production (journaled, synced).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from dev.install import find_mongod
from dev.ports import listens
from dev.server import PrivateServer

_SET = "satchel"
_ALREADY_INITIALIZED = 23
# A primary waits for its clients to leave before it ends; by default, for 15 seconds.
_QUIET_END = "shutdownTimeoutMillisForSignaledShutdown=100"


class PrivateMongoDB(PrivateServer):
    """One mongod, primary of its own replica set."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        cache_gb: float = 0.25,
        options: Sequence[str] = (),
    ) -> None:
        """Keep all data in the folder; `options` are more words for mongod's command line."""
        super().__init__(folder)
        self._cache_gb, self._more_options = cache_gb, options
        self._port = self._folder.port("mongod.port", port)
        self._member = f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The URL of the replica set."""
        return f"mongodb://{self._member}/?replicaSet={_SET}"

    def _launch(self) -> None:
        self._run("mongod", [find_mongod(), *self._options()])
        self._await("mongod listens", lambda: listens(self._port))
        with MongoClient[dict[str, Any]](self._member, directConnection=True) as client:
            self._await("the set has its member", lambda: self._joined(client))
            self._await("mongod is primary", lambda: _is_primary(client))

    def _options(self) -> list[str]:
        return [
            *("--dbpath", str(self._folder.subfolder("data"))),
            *("--bind_ip", "127.0.0.1"),
            *("--port", str(self._port)),
            "--nounixsocket",
            *("--replSet", _SET),
            *("--oplogSize", "256"),
            *("--wiredTigerCacheSizeGB", str(self._cache_gb)),
            *("--wiredTigerEngineConfigString", "log=(file_max=16MB,prealloc=false)"),
            "--quiet",
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", _QUIET_END),
            # As in docker-compose.yml: what a killed service had begun is given up soon.
            *("--setParameter", "transactionLifetimeLimitSeconds=15"),
            *self._more_options,
        ]

    def _joined(self, client: MongoClient[dict[str, Any]]) -> bool:
        """Make this mongod the member of its set; False while it is too early to tell."""
        member = self._folder.recall("member")
        try:
            if member is None:
                _initiate(client, self._member)
            elif member != self._member:
                _move(client, self._member)
        except PyMongoError:
            return False
        self._folder.keep("member", self._member)
        return True


def _initiate(client: MongoClient[dict[str, Any]], member: str) -> None:
    members = [{"_id": 0, "host": member}]
    try:
        client.admin.command("replSetInitiate", {"_id": _SET, "members": members})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise


def _move(client: MongoClient[dict[str, Any]], member: str) -> None:
    config = client.admin.command("replSetGetConfig")["config"]
    config["members"][0]["host"] = member
    config["version"] += 1
    client.admin.command("replSetReconfig", config, force=True)


def _is_primary(client: MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False
