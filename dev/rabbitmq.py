"""A RabbitMQ of one's own: an ordinary process on loopback, all its data in one folder."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.install import Unavailable, ensure_rabbitmq
from dev.ports import free_port
from dev.process import Process

_START_SECONDS = 90
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
log.console = false
log.file.level = warning
disk_free_limit.absolute = 50MB
"""


class PrivateRabbitMQ:
    """A broker. `start` after `kill` comes back on the same ports with its durable data."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self._folder, self._port = folder, port or free_port()
        self._distribution_port, self._epmd_port = free_port(), free_port()
        self._process: Process | None = None
        self._port_mapper: Process | None = None

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
        """The AMQP URL."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Start it and return when it speaks AMQP; raise Unavailable when it does not."""
        server = ensure_rabbitmq()
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "rabbitmq.conf").write_text(_CONFIGURATION.format(port=self._port))
        (self._folder / "enabled_plugins").write_text("[].\n")
        cookie = self._folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(20))
            cookie.chmod(0o400)
        self._start_port_mapper()
        self._process = Process(
            [str(server)],
            log=self._folder / "output.log",
            environment=self._environment(),
            folder=self._folder,
        )
        self._process.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._speaks_amqp():
            if not self._process.alive or time.monotonic() > deadline:
                raise Unavailable(f"RabbitMQ did not start:\n{self._process.tail()}")
            time.sleep(0.1)

    def _start_port_mapper(self) -> None:
        """Start epmd as a child: one that the node starts as a daemon would outlive everybody."""
        if self._port_mapper is None or not self._port_mapper.alive:
            self._port_mapper = Process(
                ["epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)],
                log=self._folder / "epmd.log",
                environment={"PATH": os.environ["PATH"]},
            )
            self._port_mapper.start()
            while not _listens(self._epmd_port) and self._port_mapper.alive:
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop it."""
        for process in (self._process, self._port_mapper):
            if process is not None:
                process.stop()

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

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against it; return what it prints."""
        control = ensure_rabbitmq().parent / "rabbitmqctl"
        done = subprocess.run(
            [str(control), "--quiet", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def _environment(self) -> dict[str, str]:
        node = f"satchel-{self._port}@localhost"
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "logs"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            # Lets the start script become the node instead of keeping a shell in between.
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none"
            ),
        }

    def _speaks_amqp(self) -> bool:
        """Whether it answers a protocol header with Connection.Start (AMQP 0-9-1, 2.2.4)."""
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._port), timeout=2) as connection,
        ):
            connection.sendall(_PROTOCOL_HEADER)
            return connection.recv(1) == b"\x01"
        return False


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False
