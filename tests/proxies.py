"""nginx and HAProxy as people put them in front of an API, with the defaults of their packages."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from dev.install import ensure_proxy
from dev.ports import free_port, listens
from dev.process import Process
from tests.deadline import DEADLINE

Kind = Literal["nginx", "nginx unbuffered", "haproxy"]
KINDS: tuple[Kind, ...] = ("nginx", "nginx unbuffered", "haproxy")
_NGINX = """\
daemon off; {user} pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
  client_max_body_size 100m;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{service}; proxy_http_version 1.1; {buffering} }}
  }}
}}
"""
_HAPROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend api
  bind 127.0.0.1:{port}
  default_backend service
backend service
  server one 127.0.0.1:{service}
"""


class Proxy:
    """A proxy in the foreground, in front of a port of this machine."""

    def __init__(self, kind: Kind, folder: Path, service: int) -> None:
        self.port = free_port()
        program = ensure_proxy(kind.partition(" ")[0])
        form = _HAPROXY if kind == "haproxy" else _NGINX
        unbuffered = "proxy_request_buffering off;" if kind == "nginx unbuffered" else ""
        settings = {"folder": folder, "port": self.port, "service": service}
        user = "user root;" if os.geteuid() == 0 else ""
        text = form.format(**settings, buffering=unbuffered, user=user)
        (folder / "proxy.conf").write_text(text)
        file = folder / "proxy.conf"
        command: list[str | Path] = (
            [program, "-db", "-f", file] if kind == "haproxy" else [program, "-c", file]
        )
        environment = {"PATH": os.defpath + ":/usr/sbin:/sbin"}
        self._process = Process(command, log=folder / "proxy.log", environment=environment)

    def __enter__(self) -> Self:
        self._process.start()
        deadline = time.monotonic() + DEADLINE
        while not listens(self.port):
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()
