"""`make token ACCOUNT=acme PERSON=u1 SCOPE="..."`: prints a token for the running stack."""

import argparse
import sys
import time

from dev.client import SCOPES
from dev.run_file import running
from shared.auth import sign


def main() -> int:
    """Print a token."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--account", default="acme")
    parser.add_argument("--person", default="u1")
    parser.add_argument("--scope", default=SCOPES)
    given = parser.parse_args()
    stack = running()
    if stack is None:
        sys.stderr.write("make token: no stack is running here: start one with `make up`\n")
        return 1
    token = sign(
        stack["secret"],
        issuer=stack["issuer"],
        account=given.account or "acme",
        person_id=given.person or "u1",
        scope=given.scope or SCOPES,
        expires_at=int(time.time()) + 24 * 3600,
    )
    print(token)
    return 0


if __name__ == "__main__":
    sys.exit(main())
