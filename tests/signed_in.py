"""A caller's header, for apps that are tried without servers."""

import time

from dev.openapi import TOKEN_SECRET
from shared.http.auth import sign


def bearer(
    *, scope: str, person: str = "u1", account: str = "acme", secret: str = TOKEN_SECRET
) -> dict[str, str]:
    """Return the header of a request by a person of an account."""
    token = sign(
        secret,
        issuer="satchel",
        account=account,
        person_id=person,
        scope=scope,
        expires_at=int(time.time()) + 600,
    )
    return {"Authorization": f"Bearer {token}"}
