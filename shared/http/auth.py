"""Bearer tokens, verified the same way by every service.

* A token is a JWT (RFC 7519) with `account`, `sub` (the person), `scope`, `aud` (`satchel`), `iss`
  and `exp`, all required. The account comes from the token alone.
* Account, person and scope may have other names, for issuers that cannot choose them (`Claims`).
* Algorithms are pinned: HS256 with a shared secret (two of them during a rotation), or asymmetric
  ones with keys from a JWKS URL, which rule out every secret. The token's own `alg` header chooses
  among the pinned ones only.
* A write scope includes its read scope.
* A token with the scope `timeline:all` may have no person. Then it works for its own routes only.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import TypeAdapter, ValidationError

from shared.contracts.events import Account, PersonId
from shared.runtime.claims import MIN_SECRET_BYTES, OWN_SCOPE, Claims
from shared.runtime.settings import Settings

AUDIENCE = "satchel"
TIMELINE_ALL = "timeline:all"
"""The scope of a back-end, which sees all mail of an account. Its token needs no person."""
_SKEW_SECONDS = 60
"""The issuer's clock may be so far ahead. A token never counts longer for it."""
_ASYMMETRIC = ["RS256", "PS256", "ES256", "EdDSA"]
_ACCOUNT: TypeAdapter[str] = TypeAdapter(Account)
_PERSON: TypeAdapter[str] = TypeAdapter(PersonId)
_SCOPE: TypeAdapter[str] = TypeAdapter(str)
_SCOPES: TypeAdapter[str | list[str]] = TypeAdapter(str | list[str])


class InvalidToken(Exception):
    """The token is invalid or expired."""


class KeysAway(Exception):
    """The JWKS URL cannot be reached, and the key is not cached."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: their account, person and scopes."""

    account: str
    person_id: str
    scopes: frozenset[str]
    expires_at: float = math.inf
    """When the token expires, in Unix time."""

    @property
    def has_person(self) -> bool:
        """Whether the token names a person; a back-end's has an empty `person_id`."""
        return bool(self.person_id)

    def may(self, scope: str) -> bool:
        """Return whether the scope was granted, directly or by its write scope."""
        area, _, verb = scope.partition(":")
        return scope in self.scopes or (verb == "read" and f"{area}:write" in self.scopes)


class TokenVerifier:
    """Turns a bearer token into a Caller."""

    def __init__(
        self,
        *,
        issuer: str,
        secret: str | None = None,
        former_secret: str | None = None,
        jwks_url: str | None = None,
        claims: Claims | None = None,
    ) -> None:
        """Verify with either secret (HS256), or with the keys at the JWKS URL alone."""
        self._issuer, self._claims = issuer, claims or Claims()
        self._key: Callable[[str], Any]
        self._former_key: str | None = None
        if jwks_url:
            keys = jwt.PyJWKClient(jwks_url, cache_keys=True, timeout=5)
            self._key, self._algorithms = keys.get_signing_key_from_jwt, _ASYMMETRIC
        else:
            for given in (secret or "", former_secret):
                if given is not None and len(given.encode()) < MIN_SECRET_BYTES:
                    raise ValueError(f"TOKEN_SECRET needs at least {MIN_SECRET_BYTES} characters")
            self._former_key = former_secret
            self._key, self._algorithms = lambda _: secret, ["HS256"]
        self._fetches = bool(jwks_url)

    async def verify(self, token: str) -> Caller:
        """Return the caller. Raises InvalidToken with a reason to show, or KeysAway."""
        try:
            key = await asyncio.to_thread(self._key, token) if self._fetches else self._key(token)
            claims = self._decode(token, key)
            known = _SCOPE if self._claims.scope == OWN_SCOPE else _SCOPES
            scope = known.validate_python(claims[self._claims.scope])
            scopes = frozenset(scope.split() if isinstance(scope, str) else scope)
            return Caller(
                account=_ACCOUNT.validate_python(claims[self._claims.account]),
                person_id=self._person(claims, scopes),
                scopes=scopes,
                expires_at=float(claims["exp"]),
            )
        except jwt.PyJWKClientConnectionError as error:
            raise KeysAway("the keys that verify tokens cannot be fetched right now") from error
        except jwt.ExpiredSignatureError as error:
            raise InvalidToken("the token has expired") from error
        except jwt.MissingRequiredClaimError as error:
            raise InvalidToken(f"the token has no claim {error.claim}") from error
        except (jwt.PyJWTError, ValidationError, ValueError) as error:
            raise InvalidToken("the token is not valid for this API") from error

    def _decode(self, token: str, key: Any) -> dict[str, Any]:
        try:
            return self._decode_by(token, key)
        except jwt.InvalidSignatureError:
            if self._former_key is None:
                raise
            return self._decode_by(token, self._former_key)

    def _decode_by(self, token: str, key: Any) -> dict[str, Any]:
        claims = jwt.decode(
            token,
            key,
            algorithms=self._algorithms,
            audience=AUDIENCE,
            issuer=self._issuer,
            options={
                "require": self._claims.required_of_all,
                "verify_iat": False,  # how old it is, not from when it counts (RFC 7519)
                "verify_nbf": False,  # below
            },
        )
        not_before = claims.get("nbf", 0)
        is_moment = isinstance(not_before, int | float) and not isinstance(not_before, bool)
        if not (is_moment and not_before <= time.time() + _SKEW_SECONDS):
            raise jwt.ImmatureSignatureError("the token does not count yet")
        return claims

    def _person(self, claims: dict[str, Any], scopes: frozenset[str]) -> str:
        """Return whose token it is. Only a back-end's may have no person."""
        if self._claims.person not in claims:
            if TIMELINE_ALL not in scopes:
                raise jwt.MissingRequiredClaimError(self._claims.person)
            return ""
        return _PERSON.validate_python(claims[self._claims.person])


def token_verifier(settings: Settings) -> TokenVerifier:
    """Return the verifier that these settings ask for."""
    secret, former = settings.token_secret, settings.token_former_secret
    return TokenVerifier(
        issuer=settings.token_issuer,
        secret=secret.get_secret_value() if secret else None,
        former_secret=former.get_secret_value() if former else None,
        jwks_url=settings.token_jwks_url,
        claims=settings.token_claims,
    )


def sign(
    secret: str,
    *,
    issuer: str,
    account: str,
    person_id: str | None,
    scope: str,
    expires_at: int,
    name: str = "",
) -> str:
    """Return an HS256 token, as an ATS makes one for its users, or without a person for its own
    back-end. `expires_at` is Unix time; the person's `name` is for the pages to show."""
    claims: dict[str, Any] = {"account": account, "scope": scope, "exp": expires_at}
    if person_id is not None:
        claims["sub"] = person_id
    if name:
        claims["name"] = name
    return jwt.encode({**claims, "aud": AUDIENCE, "iss": issuer}, secret, algorithm="HS256")
