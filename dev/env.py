"""`make env`: writes `.env` with random secrets for docker compose; an existing one stays."""

import os
import secrets
import sys

from dev.stack import ROOT


def secrets_for_compose() -> dict[str, str]:
    """Return fresh values for every variable that the compose file asks for."""
    return {
        "CAPTURE_KEYS": f"dev:{secrets.token_urlsafe(32)}",
        "RABBITMQ_PASSWORD": secrets.token_urlsafe(32),
        "TOKEN_SECRET": secrets.token_urlsafe(48),
    }


def main() -> int:
    """Write the file."""
    path = ROOT / ".env"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.stderr.write("make env: .env is there already; remove it to get new secrets\n")
        return 0
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in secrets_for_compose().items())
    sys.stderr.write("make env: wrote .env\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
