"""`make up`: the whole stack in the foreground, until Ctrl-C.

Its data lives in `.satchel/up` and is there again at the next start, with the same secrets.
"""

import json
import os
import secrets
import signal
import socket
import sys
import time

from dev.gateway import Gateway
from dev.generate import ROOT
from dev.pages import build
from dev.run_file import announced, running
from dev.sign_in import Reader, sign_in_link
from dev.stack import Stack
from dev.terminal import command, say
from shared.runtime.mistake import Mistake

FOLDER = ROOT / ".satchel" / "up"
ACCOUNT, PERSON = "acme", "u1"
PAGES_PORT = "PAGES_PORT"
_PORTS = {
    "INGEST_SMTP_PORT": 2525,
    "INGEST_HTTP_PORT": 8001,
    "MATCHER_HTTP_PORT": 8002,
    "TIMELINE_HTTP_PORT": 8003,
    PAGES_PORT: 8000,
}


def chosen_ports() -> dict[str, int]:
    """Return the ports of the environment or the usual ones; raise Mistake when one is taken."""
    ports = {name: _port(name, usual) for name, usual in _PORTS.items()}
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Mistake(
                    f"port {port} is taken: stop what uses it, or set {name} to another"
                ) from error
    return ports


def _port(name: str, usual: int) -> int:
    given = os.environ.get(name) or str(usual)
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise Mistake(f"{name} must be a port, from 1 to 65535, not {given!r}")
    return int(given)


def kept_secrets() -> dict[str, str]:
    """Return this folder's secrets, made at its first start: its capture addresses go on working.

    Those of the environment go before.
    """
    path = FOLDER / "secrets.json"
    made = {
        "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
        "ERASURE_SIGNING_KEY": secrets.token_urlsafe(48),
        "TOKEN_SECRET": secrets.token_urlsafe(48),
    }
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    kept = made | known
    if kept != known:  # the first start, or the first with a secret that is new
        FOLDER.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
    return {name: os.environ.get(name) or value for name, value in kept.items()}


def up() -> int:
    """Start the stack, say where it is, and wait."""
    if already := running():
        raise Mistake(f"a stack is running here already (process {already.pid})")
    ports = chosen_ports()
    build()
    started = time.monotonic()
    with (
        Stack(FOLDER, ports=ports, environment=kept_secrets(), say=say) as stack,
        Gateway(ports[PAGES_PORT], stack.http_ports) as gateway,
    ):
        say_where(stack, gateway.origin, time.monotonic() - started)
        with announced(stack.token_secret, stack.token_issuer):
            try:
                signal.pause()
            except KeyboardInterrupt:
                say("stopping")
    say("stopped")
    return 0


def say_where(stack: Stack, origin: str, seconds: float) -> None:
    """Print the one link, which opens the pages, and where everything listens."""
    where = stack.endpoints
    link = sign_in_link(origin, stack, Reader(ACCOUNT, PERSON))
    sys.stdout.write(
        f"""
Satchel is up after {seconds:.0f} s. The pages, as {PERSON} of the account {ACCOUNT} for a day:

  {link}

What follows #token= is a token for the API as well (others: make token).

  all routes  {origin.removeprefix("http://")}
  ingest      127.0.0.1:{where.ingest_port}, SMTP 127.0.0.1:{where.smtp_port}
  matcher     127.0.0.1:{where.matcher_port}
  timeline    127.0.0.1:{where.timeline_port}
  logs        {stack.folder}/logs

Ctrl-C stops everything.
"""
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(command("make up", up))
