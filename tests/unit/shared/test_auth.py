import time

import jwt
import pytest

from shared.auth import AUDIENCE, Caller, InvalidToken, TokenVerifier, sign

SECRET = "s" * 64
VERIFIER = TokenVerifier(issuer="ats", secret=SECRET)
CLAIMS = {
    "account": "acme",
    "sub": "u1",
    "scope": "timeline:read directory:write",
    "aud": AUDIENCE,
    "iss": "ats",
    "exp": int(time.time()) + 60,
}


async def test_a_token_says_who_calls() -> None:
    expires_at = int(time.time()) + 60
    token = sign(
        SECRET,
        issuer="ats",
        account="acme",
        person_id="u1",
        scope="timeline:read directory:write",
        expires_at=expires_at,
    )
    caller = await VERIFIER.verify(token)
    scopes = frozenset({"timeline:read", "directory:write"})
    assert caller == Caller("acme", "u1", scopes, expires_at)
    assert caller.may("timeline:read")
    assert caller.may("directory:read"), "a write scope includes its read scope"
    assert not caller.may("timeline:write"), "a read scope includes nothing"
    assert not caller.may("mail:write")


@pytest.mark.parametrize("claim", CLAIMS)
async def test_every_claim_is_required(claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(claims, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"iss": "other"},
        {"exp": int(time.time()) - 60},
        {"account": "a/b"},
        {"account": {"$ne": ""}},
        {"account": ""},
        {"sub": "a b"},
        {"sub": ""},
    ],
)
async def test_a_wrong_claim_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS | changed, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
async def test_the_algorithm_is_pinned(algorithm: str) -> None:
    key = "" if algorithm == "none" else SECRET
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS, key, algorithm=algorithm))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "ey" * 5000])
async def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(token)


async def test_another_secret_is_refused() -> None:
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS, "t" * 64, algorithm="HS256"))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="TOKEN_SECRET"):
        TokenVerifier(issuer="ats", secret="short")
