"""Whether a log tells a secret: a key, a password of a URL, or somebody's token."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}")
_PASSWORD = re.compile(r"://[^/@\s]*:([^/@\s]+)@")
_SECRET_SETTINGS = ("TOKEN_SECRET", "CAPTURE_KEYS", "ERASURE_SIGNING_KEY", "AWS_SECRET_ACCESS_KEY")


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what must stay in the environment; a short password with what is around it in a URL."""
    for name in _SECRET_SETTINGS:
        for entry in environment.get(name, "").split(","):
            yield from filter(None, [entry.rpartition(":")[2]])
    for value in environment.values():
        for found in _PASSWORD.finditer(value):
            yield found[1] if len(found[1]) > 8 else f":{found[1]}@"


def told_secrets(logs: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the lines of a folder's logs that tell a secret, each with its file."""
    secrets = [*secrets_of(environment)]
    return [
        f"{log.name}: {line[:300]}"
        for log in sorted(logs.glob("*.log"))
        for line in log.read_text(errors="replace").splitlines()
        if _TOKEN.search(line) or any(secret in line for secret in secrets)
    ]
