"""`make token ACCOUNT=acme PERSON=u1 SCOPE="..."`: prints a token, alone on standard output.

With the secret in SIGN_WITH, as for a cluster; else for the stack that `make up` runs here, else
for the one whose secrets `make env` wrote.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass

from dev.client import SCOPES
from dev.env import PATH as ENV_FILE
from dev.env import read_env
from dev.run_file import running
from dev.stack import Stack
from dev.terminal import command
from shared.http.auth import TIMELINE_ALL, sign
from shared.runtime.mistake import Mistake

PAGES_SCOPES = "directory:write mail:write timeline:read timeline:write account:write ops"
"""All there are."""
READER_SCOPES = "timeline:read"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a link signs in to the pages."""

    account: str
    person: str
    scope: str = PAGES_SCOPES
    name: str = ""
    """For the pages' menu."""


def sign_in_link(origin: str, stack: Stack, *readers: Reader) -> str:
    """Return a link that signs the first of them in for a day: the tokens are its fragment.

    The pages' menu changes to the others.
    """
    tokens = [
        sign(
            stack.token_secret,
            issuer=stack.token_issuer,
            account=reader.account,
            person_id=reader.person,
            scope=reader.scope,
            expires_at=int(time.time()) + 24 * 3600,
            name=reader.name,
        )
        for reader in readers
    ]
    return f"{origin}/app/#" + "&".join(f"token={token}" for token in tokens)


def sign_in() -> int:
    """Print a token."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--account")
    parser.add_argument("--person")
    parser.add_argument("--scope")
    given = parser.parse_args()
    secret, issuer = _signing()
    token = sign(
        secret,
        issuer=issuer,
        account=given.account or "acme",
        person_id=given.person or (None if given.scope == TIMELINE_ALL else "u1"),
        scope=given.scope or SCOPES,
        expires_at=int(time.time()) + 24 * 3600,
    )
    print(token)
    return 0


def _signing() -> tuple[str, str]:
    """Return the secret that signs, and the issuer."""
    issuer = os.environ.get("TOKEN_ISSUER", "satchel")
    if given := os.environ.get("SIGN_WITH"):
        return given, issuer
    if run := running():
        return run.token_secret, run.token_issuer
    if ENV_FILE.exists():
        return read_env()["TOKEN_SECRET"], issuer
    raise Mistake("no stack is running here: start one with `make up`")


if __name__ == "__main__":
    sys.exit(command("make token", sign_in))
