"""A whole stack on this machine: broker, database and the services, in as many replicas as wanted.

* `AMQP_URL`, `MONGODB_URL` and `BLOB_URL` of the environment are used instead of starting anything,
  and every other setting of the environment is passed on.
* Everything listens on loopback. All that was started is stopped again, in the opposite order; what
  the launcher could not stop (it was killed) ends with it.
* Secrets are random, per stack.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import pymongo
from pymongo.errors import PyMongoError

from dev.client import Endpoints
from dev.generate import ROOT, SETTINGS
from dev.install import ensure_rabbitmq, find_mongod
from dev.local_http import get
from dev.mongodb import PrivateMongoDB
from dev.ports import free_port
from dev.process import Process
from dev.rabbitmq import PrivateRabbitMQ
from shared.broker import depths
from shared.contracts.topology import RECEIVED
from shared.runtime.mistake import Mistake

_READY_SECONDS = 180
_CLOUDS = ("AWS_", "AZURE_", "GOOGLE_")
_MIGRATING = ("matcher", "timeline")
SERVICES = ("ingest", "matcher", "timeline")
PORT_SETTINGS = {
    "ingest": ("INGEST_HTTP_PORT", "INGEST_SMTP_PORT"),
    "matcher": ("MATCHER_HTTP_PORT",),
    "timeline": ("TIMELINE_HTTP_PORT",),
}


@dataclass
class Replica:
    """One process of a service; started again it has the same ports."""

    name: str
    service: str
    ports: dict[str, int]
    process: Process

    @property
    def http_port(self) -> int:
        """Where its API is."""
        return self.ports[PORT_SETTINGS[self.service][0]]

    def start(self) -> None:
        """Start its process; it is ready later."""
        self.process.start()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()

    def ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            url = f"http://127.0.0.1:{self.http_port}/readyz"
            return get(url).status_code == 200
        except httpx.HTTPError:
            return False

    def await_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Return when it is ready; raise Mistake when it ended or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.process.alive or time.monotonic() > deadline:
                raise Mistake(
                    f"{self.name} did not get ready. Its log ends with:\n{self.process.tail()}"
                )
            time.sleep(0.05)


class Stack:
    """Broker, database and services. `with Stack(folder) as stack` starts and stops it."""

    def __init__(
        self,
        folder: Path,
        *,
        replicas: int = 1,
        ports: dict[str, int] | None = None,
        environment: dict[str, str] | None = None,
        modules: dict[str, str] | None = None,
        settings_of: Callable[[str, dict[str, str]], dict[str, str]] = lambda _, __: {},
        mongod_options: Sequence[str] = (),
        metrics: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Keep all data in the folder.

        `ports` fixes those of the first replicas, by setting; `modules` runs another module in the
        place of a service, with the service's name as its argument. `settings_of` tells what one
        replica is told besides, by its name and the settings of all. With `metrics` a broker that
        is started here tells Prometheus, too.
        """
        self.folder, self._say = folder, say
        self.broker: PrivateRabbitMQ | None = None
        self.database: PrivateMongoDB | None = None
        self._given = environment or {}
        self.token_secret = self._given.get("TOKEN_SECRET") or secrets.token_urlsafe(48)
        self.token_issuer = os.environ.get("TOKEN_ISSUER", "satchel")
        self._ports, self._replica_count = ports or {}, replicas
        self._modules = modules or {}
        self._settings_of, self._mongod_options = settings_of, mongod_options
        self._metrics = metrics
        self.replicas: list[Replica] = []
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoints(self) -> Endpoints:
        """Where the first replicas listen."""
        return self.endpoints_of(0)

    def endpoints_of(self, number: int) -> Endpoints:
        """Where the replicas of that number listen."""
        ingest, matcher, timeline = (self.of(service)[number] for service in SERVICES)
        return Endpoints(
            smtp_port=ingest.ports["INGEST_SMTP_PORT"],
            ingest_port=ingest.http_port,
            matcher_port=matcher.http_port,
            timeline_port=timeline.http_port,
        )

    @property
    def http_ports(self) -> dict[str, int]:
        """The ports of the first replicas' APIs, by service."""
        return {service: self.of(service)[0].http_port for service in SERVICES}

    def of(self, service: str) -> list[Replica]:
        """Return the replicas of a service."""
        return [replica for replica in self.replicas if replica.service == service]

    def start(self) -> None:
        """Start everything and return when all of it is ready."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = self._base_environment()
        for service in _MIGRATING:
            self._say(f"{service}: building indexes")
            self._migrate(service)
        for number in range(self._replica_count):
            for service in SERVICES:
                self.add(service, number)
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            replica.await_ready()
            self._say(f"{replica.name}: ready")

    def add(self, service: str, number: int) -> Replica:
        """Return another replica of a service; it is to be started, and stopped with the others."""
        self.replicas.append(self._replica(service, number))
        return self.replicas[-1]

    def stop(self) -> None:
        """Stop what was started: services first, then what they need."""
        for replica in reversed(self.replicas):
            replica.process.stop()
        for server in (self.database, self.broker):
            if server is not None:
                server.stop()

    def restart(self, replica: Replica, settings: dict[str, str]) -> None:
        """Stop a replica, start it with these settings besides the stack's; return when ready."""
        replica.process.stop()
        replica.process = self._process(replica.name, replica.service, replica.ports, settings)
        replica.start()
        replica.await_ready()

    def _base_environment(self) -> dict[str, str]:
        return {
            # Mail that is sent here is not signed, and there may be no DNS.
            "AUTHENTICATION_SECONDS": "0",
            "ACCOUNT_RATE": "0",  # measurements and fault runs send to one account
            **{name: value for name, value in os.environ.items() if _is_passed_on(name)},
            "AMQP_URL": self._given_broker() or self._start_broker(),
            "MONGODB_URL": self._given_database() or self._start_database(),
            "BLOB_URL": os.environ.get("BLOB_URL") or f"file://{self.folder}/blobs",
            "CAPTURE_DOMAIN": os.environ.get("CAPTURE_DOMAIN", "in.satchel.test"),
            "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
            "ERASURE_SIGNING_KEY": secrets.token_urlsafe(48),
            "TOKEN_SECRET": self.token_secret,
            "TOKEN_ISSUER": self.token_issuer,
            "BIND_HOST": "127.0.0.1",
            "PYTHONUNBUFFERED": "1",
            **self._given,
        }

    def _given_broker(self) -> str | None:
        """Return the broker of the environment, once it answers and holds no other mail."""
        url = os.environ.get("AMQP_URL")
        found = asyncio.run(depths(url, [RECEIVED])) if url else {}
        if found is None:
            raise Mistake("AMQP_URL does not answer")
        if users := sum(there.consumers for there in found.values()):
            raise Mistake(
                f"AMQP_URL is the broker of another Satchel ({users} consumers): stop it, or use "
                "another virtual host"
            )
        return url

    def _given_database(self) -> str | None:
        """Return the database server of the environment, once it answers."""
        url = os.environ.get("MONGODB_URL")
        if url:
            try:
                with pymongo.MongoClient[dict[str, Any]](
                    url, serverSelectionTimeoutMS=5000
                ) as client:
                    client.admin.command("ping")
            except PyMongoError as error:
                raise Mistake(f"MONGODB_URL does not answer ({type(error).__name__})") from error
        return url

    def _start_broker(self) -> str:
        ensure_rabbitmq()
        self._say("broker: starting")
        self.broker = PrivateRabbitMQ(self.folder / "rabbitmq", metrics=self._metrics)
        self.broker.start()
        return self.broker.url

    def _start_database(self) -> str:
        find_mongod()
        self._say("database: starting")
        self.database = PrivateMongoDB(self.folder / "mongodb", options=self._mongod_options)
        self.database.start()
        return self.database.url

    def _migrate(self, service: str) -> None:
        migration = Process(
            [sys.executable, "-m", f"services.{service}", "--migrate"],
            log=self.folder / "logs" / f"{service}-migrate.log",
            environment=self.environment,
            folder=ROOT,
        )
        migration.start()
        code = migration.wait(_READY_SECONDS)
        migration.kill()
        if code != 0:
            raise Mistake(f"{service}: no indexes. The log ends with:\n{migration.tail()}")

    def _replica(self, service: str, number: int) -> Replica:
        settings = PORT_SETTINGS[service]
        fixed = self._ports if number == 0 else {}
        ports = {setting: fixed.get(setting) or free_port() for setting in settings}
        name = f"{service}-{number}"
        return Replica(name, service, ports, self._process(name, service, ports, {}))

    def _process(
        self, name: str, service: str, ports: dict[str, int], settings: dict[str, str]
    ) -> Process:
        module = self._modules.get(service)
        listening = {setting: str(port) for setting, port in ports.items()}
        # Where a broker was started here, each service has a user of its own.
        is_ours = self.broker is not None and self.environment["AMQP_URL"] == self.broker.url
        user = {"AMQP_URL": self.broker.url_of(service)} if self.broker and is_ours else {}
        own = self._settings_of(name, self.environment)
        return Process(
            [sys.executable, "-m", *([module, service] if module else [f"services.{service}"])],
            log=self.folder / "logs" / f"{name}.log",
            environment={**self.environment, **user, **own, **settings, **listening},
            folder=ROOT,
        )


def own_databases() -> dict[str, str]:
    """Return settings that keep a stack out of the way of others on a database server."""
    suffix = secrets.token_hex(4)
    return {
        "MATCHER_DATABASE": f"satchel_matcher_{suffix}",
        "TIMELINE_DATABASE": f"satchel_timeline_{suffix}",
    }


def _is_passed_on(name: str) -> bool:
    """Whether a variable is for the services: a setting, or what unlocks a cloud."""
    settings = {field.upper() for model in SETTINGS.values() for field in model.model_fields}
    return name in settings | {"HOME", "LANG", "PATH"} or name.startswith(_CLOUDS)
