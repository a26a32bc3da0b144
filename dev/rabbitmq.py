"""A private RabbitMQ node: Debian's package, run as an ordinary process in a folder of its own.

* Nothing is shared with the machine's own broker or with another private one: configuration, data,
  cookie, node name, ports and the port mapper (epmd) live in or belong to the folder.
* All of it listens on loopback, the node's distribution port and the mapper too. The mapper runs
  in the foreground as our own process; left to Erlang, it would become a daemon that stays.
* The start script becomes the node itself (it would otherwise stay as its parent), so that `kill`
  and `freeze` reach the broker and nothing in between.
* A quorum queue must be a second old to outlive a `kill`: RabbitMQ (3.10 and 4.0 alike) notes a new
  one on disk with some delay, and without the note the queue never finds a leader again (its issue
  15725). What is confirmed in an older queue is safe at once.
* It starts fast and stays small: two schedulers, a small write-ahead log, and no plugins, unless
  Prometheus is to scrape it (its start takes half a second longer then). Schedulers
  spin for a moment before they sleep. Without, each of the thousands of small file operations at
  boot wakes a thread through the kernel, and a start takes three seconds instead of one and a half.
* With SATCHEL_RABBITMQ_ROOT it is the broker of the Debian in that folder (`dev.rabbitmq4`).
"""

import json
import os
import secrets
import socket
import subprocess
from pathlib import Path

from dev import rabbitmq4
from dev.install import RABBITMQ, ensure_rabbitmq
from dev.ports import listens
from dev.server import PrivateServer
from shared.contracts.broker_users import USERS, definitions

LOG_BYTES = 16 * 1024 * 1024
"""A piece of the write-ahead log, the same in every deployment: what was handled is in it until so
much more has been written (docs/privacy.md)."""
_CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
log.console = true
log.console.level = warning
log.file = false
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = {log_bytes}
load_definitions = {definitions}
"""
_TOLD_TO_PROMETHEUS = """\
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {metrics_port}
"""
_SPIN_SHORTLY = "+sbwt very_short +sbwtdio very_short"
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"


class PrivateRabbitMQ(PrivateServer):
    """One broker node with the virtual host `/`: `guest` may do all there, a service what it needs.

    With `metrics` it serves those of its own Prometheus plugin on `metrics_port`.
    """

    def __init__(self, folder: Path, *, port: int | None = None, metrics: bool = False) -> None:
        super().__init__(folder)
        self._root = rabbitmq4.root_in_use()
        self._port = self._folder.port("amqp.port", port)
        self._node_port = self._folder.port("node.port")
        self._mapper_port = self._folder.port("epmd.port")
        self.metrics_port = self._folder.port("metrics.port") if metrics else None
        # Data belongs to a node name: it stays when a port has to change.
        self._node = self._folder.remember("node.name", lambda: f"satchel-{self._port}@localhost")

    @property
    def url(self) -> str:
        """The AMQP URL of the virtual host `/`."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    def url_of(self, service: str) -> str:
        """The AMQP URL for a service: with a user that may do what it needs, and no more."""
        return f"amqp://{service}:{self._password(service)}@127.0.0.1:{self._port}/"

    def _password(self, service: str) -> str:
        return self._folder.remember(f"{service}.password", lambda: secrets.token_urlsafe(24))

    @property
    def data(self) -> Path:
        """Where all that it keeps is."""
        return self._folder.subfolder("data")

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node and return what it prints (0.3 seconds)."""
        if not self.alive:
            raise RuntimeError(f"{self._node} does not run")
        done = subprocess.run(
            self._inside(self._server().with_name("rabbitmqctl"), "--silent", *arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _launch(self) -> None:
        server = self._server()
        self._write_settings()
        environment = self._environment()
        self._run("epmd", self._inside("epmd"), environment)
        self._await("the port mapper listens", lambda: listens(self._mapper_port))
        self._run("rabbitmq", self._inside(server), environment)
        self._await("the broker greets a client", self._greets)
        if (port := self.metrics_port) is not None:
            self._await("its metrics can be asked for", lambda: listens(port))

    def _server(self) -> Path:
        return RABBITMQ if self._root else ensure_rabbitmq()

    def _inside(self, *command: str | Path) -> list[str]:
        """Return the command as it runs where the broker's programs are."""
        enter = rabbitmq4.entering(self._root, self._folder.path) if self._root else []
        return [*enter, *map(str, command)]

    def _greets(self) -> bool:
        """Whether the broker answers the protocol header; it listens once it has recovered."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=1) as client:
                client.sendall(_PROTOCOL_HEADER)
                return client.recv(1) == _METHOD_FRAME
        except OSError:
            return False

    def _write_settings(self) -> None:
        configuration = _CONFIGURATION + (rabbitmq4.CONFIGURATION if self._root else "")
        if self.metrics_port is not None:
            configuration += _TOLD_TO_PROMETHEUS
        ports = {"port": self._port, "metrics_port": self.metrics_port}
        passwords = {name: self._password(name) for name in USERS} | {"guest": "guest"}
        self._folder.keep("definitions.json", json.dumps(definitions(passwords, "guest")))
        path = self._folder.path / "definitions.json"
        configured = configuration.format(**ports, log_bytes=LOG_BYTES, definitions=path)
        self._folder.keep("rabbitmq.conf", configured)
        plugins = "" if self.metrics_port is None else "rabbitmq_prometheus"
        self._folder.keep("enabled_plugins", f"[{plugins}].\n")
        self._folder.remember(".erlang.cookie", lambda: secrets.token_hex(32))

    def _environment(self) -> dict[str, str]:
        """Return the whole environment of the node and its tools; nothing else reaches them."""
        folder = self._folder.path
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),  # where Erlang looks for its cookie
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_MNESIA_BASE": str(self._folder.subfolder("data")),
            "RABBITMQ_LOG_BASE": str(self._folder.subfolder("log")),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG": "warning",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # Files that do not exist, instead of the machine's own.
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "none.d"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            # Two brokers must not be bound to the same two cores: unbound.
            "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"+S 2:2 {_SPIN_SHORTLY}",
            "RABBITMQ_CTL_ERL_ARGS": f"+S 2:2 {_SPIN_SHORTLY}",
            "RUNNING_UNDER_SYSTEMD": "true",  # makes the start script `exec` the node
            # For every Erlang program that the scripts run.
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
