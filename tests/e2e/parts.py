"""What services need, behind wires: it can be there late, and be silent for a while."""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from dev.client import SCOPES, Client, Endpoints
from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from dev.stack import PORT_SETTINGS, SERVICES, Replica, own_databases
from tests.e2e.wire import Wire

SECRET = "t" * 40


class Parts:
    """Broker, database and blob store, none of them there yet."""

    def __init__(self, folder: Path, amqp_url: str, mongodb_url: str) -> None:
        self.folder = folder
        self.broker = Wire(urlsplit(amqp_url).port or 5672)
        self.database = Wire(urlsplit(mongodb_url).port or 27017)
        self._started: list[Replica] = []
        self.blobs = folder / "mount" / "blobs"
        (folder / "mount").write_text("in the way")
        amqp = urlsplit(amqp_url)
        host = amqp.netloc.rpartition("@")[0]
        self.settings = {
            **own_databases(),
            "PATH": os.environ["PATH"],
            "AMQP_URL": amqp._replace(netloc=f"{host}@127.0.0.1:{self.broker.port}").geturl(),
            # Direct: else the driver would go where the replica set says that it is.
            "MONGODB_URL": f"mongodb://127.0.0.1:{self.database.port}/?directConnection=true",
            "BLOB_URL": f"file://{self.blobs}",
            "CAPTURE_KEYS": f"k1:{secrets.token_urlsafe(24)}",
            "TOKEN_SECRET": SECRET,
            "BIND_HOST": "127.0.0.1",
        }

    def bring(self, name: str) -> None:
        """Let a part be there."""
        if name == "blobs":
            (self.folder / "mount").unlink()
        else:
            getattr(self, name).open()

    def end(self) -> None:
        """End what was started."""
        for replica in self._started:
            replica.process.kill()
        for wire in (self.broker, self.database):
            wire.thaw()
            wire.close()

    def start_all(self) -> dict[str, Replica]:
        """Start every service; return them by name."""
        return {service: self.start(service) for service in SERVICES}

    def start(self, service: str, **settings: str) -> Replica:
        """Start a service, with these settings besides."""
        ports = {name: free_port() for name in PORT_SETTINGS[service]}
        process = Process(
            [sys.executable, "-m", f"services.{service}"],
            log=self.folder / f"{service}.log",
            environment=self.settings | settings | {n: str(p) for n, p in ports.items()},
            folder=ROOT,
        )
        replica = Replica(service, service, ports, process)
        replica.start()
        self._started.append(replica)
        return replica


def client_of(
    replicas: dict[str, Replica], scope: str = SCOPES, account: str = "acme", person: str = "u1"
) -> Client:
    """Return a client of running services."""
    endpoints = Endpoints(
        smtp_port=replicas["ingest"].ports["INGEST_SMTP_PORT"],
        ingest_port=replicas["ingest"].http_port,
        matcher_port=replicas["matcher"].http_port,
        timeline_port=replicas["timeline"].http_port,
    )
    return Client(endpoints, SECRET, account=account, person=person, scope=scope)
