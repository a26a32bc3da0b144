"""What a running stack writes for `make token`: its URLs, and the secret that signs tokens.

`.satchel/run.json`, readable by its owner alone, there only while `make up` runs.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from dev.generate import ROOT

PATH = ROOT / ".satchel" / "run.json"


@dataclass(frozen=True, slots=True)
class Run:
    """A running stack."""

    pid: int
    token_secret: str
    token_issuer: str


@contextmanager
def announced(token_secret: str, token_issuer: str) -> Iterator[None]:
    """Announce this process's stack meanwhile."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.unlink(missing_ok=True)
    descriptor = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(Run(os.getpid(), token_secret, token_issuer)), file)
    try:
        yield
    finally:
        PATH.unlink(missing_ok=True)


def running() -> Run | None:
    """Return the running stack, or None when there is none."""
    try:
        run = Run(**json.loads(PATH.read_text()))
        os.kill(run.pid, 0)
    except (FileNotFoundError, ProcessLookupError, json.JSONDecodeError):
        return None
    return run
