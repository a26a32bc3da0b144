"""A private Postfix, configured as `deploy/postfix` says, in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.generate import ROOT
from dev.install import Unavailable, ensure_postfix
from dev.ports import free_port, listens
from dev.process import Process
from tests.deadline import DEADLINE
from tests.smtp_server import make_certificate

_FILES = ROOT / "deploy" / "postfix"


class PostfixProcess:
    """A Postfix in the foreground, with its configuration in a folder of its own."""

    _program: Path
    _folder: Path

    def _run(self, folder: Path) -> None:
        self._folder = folder
        self._process = Process(
            [self._program, "-c", folder, "start-fg"],
            log=folder / "postfix.log",
            environment={"PATH": os.defpath + ":/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
        )
        self._process.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()
        shutil.rmtree(self._folder)

    @property
    def log(self) -> str:
        """What it logged."""
        return (self._folder / "postfix.log").read_text(errors="replace")


class PrivatePostfix(PostfixProcess):
    """Postfix in front of an ingest on this machine."""

    def __init__(self, domain: str, ingest_port: int, **settings: str) -> None:
        self._program = ensure_postfix()
        self.port = free_port()
        self._domain, self._ingest_port, self._settings = domain, ingest_port, settings

    def __enter__(self) -> Self:
        # Its processes run as another user, who may not look into pytest's folders.
        self._folder = Path(tempfile.mkdtemp(prefix="satchel-postfix-"))
        self._folder.chmod(0o755)
        queue, data = self._folder / "queue", self._folder / "data"
        queue.mkdir()
        data.mkdir()
        shutil.chown(data, "postfix")
        certificate, key = make_certificate(self._folder)
        lines = {
            "myhostname": "mx.satchel.test",
            "relay_domains": self._domain,
            "relay_transport": f"relay:[127.0.0.1]:{self._ingest_port}",
            "smtpd_tls_chain_files": f"{key}, {certificate}",
            # What belongs to a machine.
            "queue_directory": str(queue),
            "data_directory": str(data),
            "maillog_file": "/dev/stdout",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "postscreen_greet_wait": "1s",
            **self._settings,
        }
        shutil.copy(_FILES / "main.cf", self._folder)
        self._tool("postconf", "-e", *(f"{name}={value}" for name, value in lines.items()))
        services = (_FILES / "master.cf").read_text()
        assert "\nsmtp        inet" in services
        (self._folder / "master.cf").write_text(
            services.replace("\nsmtp        inet", f"\n127.0.0.1:{self.port} inet")
        )
        self._run(self._folder)
        self.until("postfix listens", lambda: listens(self.port))
        return self

    def queued(self) -> list[str]:
        """Return the mails in the queue, as JSON lines."""
        return self._tool("postqueue", "-j").splitlines()

    def flush(self) -> None:
        """Try to deliver what is queued, now."""
        self._tool("postqueue", "-f")

    def until(self, what: str, happened: Callable[[], bool], seconds: float = DEADLINE) -> None:
        """Wait for it; raise Unavailable with the log."""
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline or not self._process.alive:
                raise Unavailable(f"{what}: not within {seconds} s\n{self.log[-4000:]}")
            time.sleep(0.05)

    def _tool(self, name: str, *words: str) -> str:
        done = subprocess.run(
            [self._program.with_name(name), "-c", self._folder, *words],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout
