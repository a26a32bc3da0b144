"""What a fault run has in its hands: the stack, the wires between its parts, and the senders."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo

from chaos.mailing import Mailing
from chaos.proxy import Wire, Wires
from dev.ledger import Ledger
from dev.mongodb import PrivateMongoDB
from dev.rabbitmq import PrivateRabbitMQ
from dev.senders import Senders
from dev.stack import Replica, Stack
from shared.runtime.mistake import Mistake

Document = dict[str, Any]
_SERVER_SELECTION_MS = 1500


def wired(wires: Wires) -> Callable[[str, dict[str, str]], dict[str, str]]:
    """Return what gives each replica its own wires to broker and database (`Stack.settings_of`)."""

    def settings_of(name: str, environment: dict[str, str]) -> dict[str, str]:
        amqp, mongodb = urlsplit(environment["AMQP_URL"]), urlsplit(environment["MONGODB_URL"])
        broker = wires.lay(name, "broker", amqp.port or 0)
        own = {"AMQP_URL": f"amqp://{amqp.username}:{amqp.password}@127.0.0.1:{broker.port}/"}
        if not name.startswith("ingest"):
            mongod = wires.lay(name, "mongod", mongodb.port or 0)
            # Direct: else the driver asks the set for its members, and goes around the wire.
            own["MONGODB_URL"] = f"mongodb://127.0.0.1:{mongod.port}/?directConnection=true"
        return own

    return settings_of


@dataclass
class Scene:
    """All that can be broken, and who notices."""

    stack: Stack
    wires: Wires
    ledger: Ledger
    senders: Senders
    blob_folder: Path | None
    """The folder on a file system of its own, when there could be one."""
    say: Callable[[str], None]
    mailing: Mailing | None = None
    """The other mail of the run, where profiles live meanwhile."""
    slowest_stop: float = 0.0
    """Of all orderly ends of a service, in seconds."""
    complaints: list[str] = field(default_factory=list)
    """Services that ended by themselves, or not with 0; faults that could not be done."""

    @property
    def broker(self) -> PrivateRabbitMQ:
        """The private broker."""
        if self.stack.broker is None:
            raise Mistake("the run breaks the broker, so it needs its own: unset AMQP_URL")
        return self.stack.broker

    @property
    def mongod(self) -> PrivateMongoDB:
        """The private database server."""
        if self.stack.database is None:
            raise Mistake("the run breaks MongoDB, so it needs its own: unset MONGODB_URL")
        return self.stack.database

    @property
    def sources(self) -> list[tuple[Senders | Mailing, Ledger]]:
        """All who send mail, with what they were promised."""
        mailing = [(self.mailing, self.mailing.ledger)] if self.mailing is not None else []
        return [(self.senders, self.ledger), *mailing]

    def replicas(self, service: str, numbers: tuple[int, ...]) -> list[Replica]:
        """Return those replicas of the service."""
        return [self.stack.of(service)[number] for number in numbers]

    def wires_of(self, service: str, peer: str, numbers: tuple[int, ...]) -> list[Wire]:
        """Return the wires between those replicas and their peer."""
        return [self.wires.of(r.name, peer) for r in self.replicas(service, numbers)]

    @contextlib.contextmanager
    def database(self) -> Iterator[pymongo.MongoClient[Document]]:
        """Open a connection to mongod that goes through no wire."""
        with pymongo.MongoClient[Document](
            self.stack.environment["MONGODB_URL"],
            directConnection=True,
            serverSelectionTimeoutMS=_SERVER_SELECTION_MS,
            tz_aware=True,
        ) as client:
            yield client

    @property
    def timeline_database(self) -> str:
        """The name of the timeline's database."""
        return self.stack.environment.get("TIMELINE_DATABASE", "satchel_timeline")
