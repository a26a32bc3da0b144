"""Databases, as files: one BSON file a collection, as mongodump writes them.

All collections of all databases are read as they were at one moment (a snapshot session), so what
one transaction wrote is there whole or not at all. The server keeps that moment for five minutes
(`minSnapshotHistoryWindowInSeconds`): databases that take longer are for mongodump or for snapshots
of the disk. Indexes are not in it; `--migrate` makes them. Nor is what is to be forgotten
by a certain day (`LEFT_OUT`).
"""

import os
from collections.abc import Sequence
from pathlib import Path

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from shared.runtime.mistake import Mistake

_RAW = CodecOptions(document_class=RawBSONDocument)
_AT_ONCE = 500
LEFT_OUT = frozenset({"rematch_sealed", "rematch_windows", "watched"})
"""Collections that are in no backup: dismissed mail that its owner asked to see for a day, what an
account's rematch window keeps sealed, and the keys of that."""
_TOO_OLD = {239, 246}
"""SnapshotTooOld, SnapshotUnavailable."""


def save(url: str, databases: Sequence[str], folder: Path) -> dict[str, dict[str, int]]:
    """Copy the databases as they are at one moment; return how many documents there were.

    Raises Mistake when it takes longer than the server keeps that moment.
    """
    saved: dict[str, dict[str, int]] = {}
    with _client(url) as client, client.start_session(snapshot=True) as session:
        for name in databases:
            (folder / name).mkdir(parents=True)
            database = client[name]
            saved[name] = {}
            for collection in sorted({*database.list_collection_names()} - LEFT_OUT):
                count = 0
                with (folder / name / f"{collection}.bson").open("wb") as file:
                    try:
                        for document in database[collection].find({}, session=session):
                            file.write(document.raw)
                            count += 1
                    except OperationFailure as failure:
                        if failure.code in _TOO_OLD:
                            raise Mistake(
                                f"{name}.{collection}: it took longer than the server's "
                                "minSnapshotHistoryWindowInSeconds; raise that, or use mongodump"
                            ) from failure
                        raise
                    file.flush()
                    os.fsync(file.fileno())
                saved[name][collection] = count
    return saved


def refuse_documents(url: str, databases: Sequence[str]) -> None:
    """Raise Mistake when one of the databases holds anything."""
    with _client(url) as client:
        for name in databases:
            for collection in client[name].list_collection_names():
                if client[name][collection].find_one({}, {"_id": 1}) is not None:
                    raise Mistake(f"{name}.{collection} is not empty: drop the database first")


def restore(url: str, folder: Path, names: dict[str, str]) -> dict[str, dict[str, int]]:
    """Write what was saved; `names` says which saved database becomes which."""
    restored: dict[str, dict[str, int]] = {}
    with _client(url) as client:
        for saved, name in names.items():
            database = client[name]
            restored[name] = {}
            for path in sorted((folder / saved).glob("*.bson")):
                count, some = 0, []
                with path.open("rb") as file:
                    for document in bson.decode_file_iter(file, _RAW):
                        some.append(document)
                        if len(some) == _AT_ONCE:
                            database[path.stem].insert_many(some, ordered=False)
                            count, some = count + len(some), []
                if some:
                    database[path.stem].insert_many(some, ordered=False)
                restored[name][path.stem] = count + len(some)
    return restored


def _client(url: str) -> MongoClient[RawBSONDocument]:
    return MongoClient(url, document_class=RawBSONDocument, w="majority", journal=True)
