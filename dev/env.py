"""`make env`: writes `.env` with random secrets for docker compose; what is in it stays.

Needs nothing but Python.
"""

import os
import secrets
import sys
from pathlib import Path

from shared.contracts.broker_users import USERS

PATH = Path(__file__).parent.parent / ".env"


def secrets_for_compose() -> dict[str, str]:
    """Return fresh values for every variable that the compose file asks for."""
    return {
        "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
        "ERASURE_SIGNING_KEY": secrets.token_urlsafe(48),
        "RABBITMQ_PASSWORD": secrets.token_urlsafe(32),
        **{f"RABBITMQ_{name.upper()}_PASSWORD": secrets.token_urlsafe(32) for name in USERS},
        "TOKEN_SECRET": secrets.token_urlsafe(48),
    }


def read_env() -> dict[str, str]:
    """Return what the file says."""
    lines = (line.strip() for line in PATH.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def main() -> None:
    """Write the file, or add to it what is missing."""
    known = read_env() if PATH.exists() else {}
    missing = {name: value for name, value in secrets_for_compose().items() if name not in known}
    if not missing:
        sys.stderr.write("make env: .env has all; remove it to get new secrets\n")
        return
    descriptor = os.open(PATH, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in missing.items())
    sys.stderr.write(f"make env: wrote {', '.join(missing)} to .env\n")


if __name__ == "__main__":
    main()
