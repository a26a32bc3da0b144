"""What a running stack leaves for `make token`: where it is, and the secret that signs tokens.

`.satchel/run.json`, readable by its owner alone, there only while `make up` runs.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.stack import ROOT

PATH = ROOT / ".satchel" / "run.json"


@contextmanager
def announced(token_secret: str, issuer: str) -> Iterator[None]:
    """Announce the stack meanwhile."""
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.unlink(missing_ok=True)
    text = json.dumps({"pid": os.getpid(), "token_secret": token_secret, "token_issuer": issuer})
    descriptor = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    try:
        yield
    finally:
        PATH.unlink(missing_ok=True)


def running(path: Path = PATH) -> dict[str, str] | None:
    """Return the running stack's secret and issuer, or None when no stack runs."""
    try:
        run = json.loads(path.read_text())
        os.kill(run["pid"], 0)
    except (FileNotFoundError, ProcessLookupError, json.JSONDecodeError):
        return None
    return {"secret": run["token_secret"], "issuer": run["token_issuer"]}
