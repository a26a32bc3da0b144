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
from types import FrameType

from dev.client import SCOPES
from dev.install import Unavailable
from dev.run_file import announced
from dev.stack import ROOT, Stack, StackError
from shared.auth import sign

FOLDER = ROOT / ".satchel" / "up"
ACCOUNT, PERSON = "acme", "u1"
_PORTS = {
    "INGEST_SMTP_PORT": 2525,
    "INGEST_HTTP_PORT": 8001,
    "MATCHER_HTTP_PORT": 8002,
    "TIMELINE_HTTP_PORT": 8003,
}


def say(line: str) -> None:
    """Show progress; standard output is for what the user wants to keep."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def stop_on_sigterm() -> None:
    """Let SIGTERM end the launcher as Ctrl-C does, so that it stops what it started."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def chosen_ports() -> dict[str, int]:
    """Return the ports of the environment or the usual ones; raise StackError when one is taken."""
    ports = {name: int(os.environ.get(name) or usual) for name, usual in _PORTS.items()}
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise StackError(
                    f"port {port} is taken: stop what uses it, or set {name} to another"
                ) from error
    return ports


def kept_secrets() -> dict[str, str]:
    """Return this folder's secrets, made at its first start: its capture addresses go on working.

    Those of the environment go before.
    """
    path = FOLDER / "secrets.json"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        made = {
            "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
            "TOKEN_SECRET": secrets.token_urlsafe(48),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file)
    kept: dict[str, str] = json.loads(path.read_text())
    return {name: os.environ.get(name) or value for name, value in kept.items()}


def main() -> int:
    """Start the stack, say where it is, and wait."""
    stop_on_sigterm()
    started = time.monotonic()
    try:
        with Stack(FOLDER, ports=chosen_ports(), environment=kept_secrets(), say=say) as stack:
            _say_where(stack, time.monotonic() - started)
            with announced(stack.token_secret, stack.token_issuer):
                signal.pause()
    except KeyboardInterrupt:
        say("stopped")
        return 0
    except (StackError, Unavailable) as error:
        say(f"make up: {error}")
        return 1
    return 0


def _say_where(stack: Stack, seconds: float) -> None:
    where = stack.endpoints
    token = sign(
        stack.token_secret,
        issuer=stack.token_issuer,
        account=ACCOUNT,
        person_id=PERSON,
        scope=SCOPES,
        expires_at=int(time.time()) + 24 * 3600,
    )
    sys.stdout.write(
        f"""
Satchel is up after {seconds:.0f} s.

  SMTP      smtp://127.0.0.1:{where.smtp_port}
  ingest    http://127.0.0.1:{where.ingest_port}/openapi.json
  matcher   http://127.0.0.1:{where.matcher_port}/openapi.json
  timeline  http://127.0.0.1:{where.timeline_port}/openapi.json
  logs      {stack.folder}/logs

A token of the user {PERSON} of the account {ACCOUNT}, for a day (others: make token):

{token}

Ctrl-C stops everything.
"""
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
