import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from shared.http.auth import (
    AUDIENCE,
    Caller,
    InvalidToken,
    KeysAway,
    TokenVerifier,
    sign,
    token_verifier,
)
from shared.runtime.claims import MIN_SECRET_BYTES, Claims
from shared.runtime.settings import Settings

SECRET = "s" * 64
VERIFIER = TokenVerifier(issuer="ats", secret=SECRET)
CLAIMS = {
    "account": "acme",
    "sub": "u1",
    "scope": "timeline:read directory:write",
    "aud": AUDIENCE,
    "iss": "ats",
    "exp": int(time.time()) + 24 * 3600,
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
    caller = await TokenVerifier(issuer="ats", secret=SECRET).verify(token)
    scopes = frozenset({"timeline:read", "directory:write"})
    assert caller == Caller("acme", "u1", scopes, expires_at)
    assert caller.may("timeline:read")
    assert caller.may("directory:read"), "a write scope includes its read scope"
    assert not caller.may("timeline:write"), "a read scope includes nothing"
    assert not caller.may("mail:write")
    assert caller.has_person
    assert Caller("acme", "", scopes).has_person is False


async def test_a_back_ends_token_names_no_person() -> None:
    token = jwt.encode(
        {name: value for name, value in CLAIMS.items() if name != "sub"}
        | {"scope": "timeline:read timeline:all"},
        SECRET,
        algorithm="HS256",
    )
    caller = await VERIFIER.verify(token)
    assert (caller.account, caller.person_id, caller.has_person) == ("acme", "", False)


def test_a_token_carries_the_persons_name_where_it_is_given() -> None:
    def payload(**more: str) -> dict[str, Any]:
        token = sign(
            SECRET, issuer="ats", account="acme", person_id="u1", scope="s", expires_at=9, **more
        )
        found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        return found

    plain = {
        "account": "acme",
        "scope": "s",
        "exp": 9,
        "sub": "u1",
        "aud": AUDIENCE,
        "iss": "ats",
    }
    assert payload() == plain
    assert payload(name="Anna") == plain | {"name": "Anna"}


def test_a_back_ends_token_is_made_without_a_person() -> None:
    token = sign(SECRET, issuer="ats", account="acme", person_id=None, scope="s", expires_at=9)
    assert "sub" not in jwt.decode(token, options={"verify_signature": False})


async def test_a_verifier_is_made_as_the_settings_say() -> None:
    former = "f" * 64
    settings = Settings.model_construct(
        token_secret=SecretStr(SECRET),
        token_former_secret=SecretStr(former),
        token_jwks_url=None,
        token_issuer="ats",
        token_account_claim="tenant",
        token_person_claim="sub",
        token_scope_claim="scope",
    )
    claims = {**CLAIMS, "tenant": "tenant-9"}
    for secret in (SECRET, former):
        caller = await token_verifier(settings).verify(jwt.encode(claims, secret))
        assert caller.account == "tenant-9"
    other = jwt.encode(claims | {"iss": "satchel"}, SECRET)
    with pytest.raises(InvalidToken):
        await token_verifier(settings).verify(other)
    alone = settings.model_copy(update={"token_former_secret": None})
    with pytest.raises(InvalidToken):
        await token_verifier(alone).verify(jwt.encode(claims, former))
    fetching = {"token_secret": None, "token_jwks_url": "http://127.0.0.1:9/"}
    keys = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(KeysAway):
        await token_verifier(alone.model_copy(update=fetching)).verify(
            jwt.encode(claims, keys, algorithm="ES256", headers={"kid": "k"})
        )


@pytest.mark.parametrize("claim", CLAIMS)
async def test_every_claim_is_required(claim: str) -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != claim}
    with pytest.raises(InvalidToken, match=f"has no claim {claim}"):
        await VERIFIER.verify(jwt.encode(claims, SECRET, algorithm="HS256"))


@pytest.mark.parametrize(
    ("claim", "seconds", "is_good"),
    [
        ("iat", 3600, True),  # this clock jumped back, or the issuer's is ahead: no reason to doubt
        ("nbf", 30, True),
        ("nbf", 3600, False),
        ("nbf", -3600, True),
        ("exp", 3600, True),
        ("exp", -1, False),
        ("exp", -3600, False),
    ],
)
async def test_clocks_differ_and_a_token_never_lives_longer(
    claim: str, seconds: int, *, is_good: bool
) -> None:
    token = jwt.encode(CLAIMS | {claim: int(time.time()) + seconds}, SECRET, algorithm="HS256")
    if is_good:
        assert (await VERIFIER.verify(token)).account == "acme"
    else:
        with pytest.raises(InvalidToken):
            await VERIFIER.verify(token)


@pytest.mark.parametrize("nbf", ["soon", None, [], {}, "1e999", float("nan"), float("inf"), True])
async def test_a_moment_that_is_none_is_refused(nbf: object) -> None:
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS | {"nbf": nbf}, SECRET, algorithm="HS256"))


async def test_a_token_that_has_expired_says_so() -> None:
    expired = jwt.encode(CLAIMS | {"exp": 1_000_000_000}, SECRET, algorithm="HS256")
    with pytest.raises(InvalidToken, match="has expired"):
        await VERIFIER.verify(expired)
    with pytest.raises(InvalidToken, match="not valid for this API"):
        await VERIFIER.verify("x")


@pytest.mark.parametrize(
    ("scopes", "asked", "may"),
    [
        ({"timeline:write"}, "timeline:write", True),
        ({"timeline:write"}, "timeline:read", True),
        ({"timeline:read"}, "timeline:write", False),
        ({"timeline:write"}, "timeline:list", False),
        ({"timeline:write"}, "directory:read", False),
        ({"ops"}, "ops", True),
        ({"timeline:write"}, "ops", False),
        ({":write"}, "read", False),
    ],
)
def test_a_write_scope_includes_its_read_scope_and_no_more(
    scopes: set[str], asked: str, may: bool
) -> None:
    assert Caller("acme", "u1", frozenset(scopes)).may(asked) is may


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
    for secret in ("short", "s" * (MIN_SECRET_BYTES - 1), "", None):
        with pytest.raises(ValueError, match="TOKEN_SECRET"):
            TokenVerifier(issuer="ats", secret=secret)
    TokenVerifier(issuer="ats", secret="s" * MIN_SECRET_BYTES)
    TokenVerifier(issuer="ats", secret="é" * (MIN_SECRET_BYTES // 2))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TestKeysOfAUrl:
    """Asymmetric tokens, whose public keys anybody can read."""

    @pytest.fixture
    def verifier(self, key: rsa.RSAPrivateKey) -> Iterator[TokenVerifier]:
        published = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        body = json.dumps({"keys": [{**published, "kid": "k1", "use": "sig"}]}).encode()

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Keys) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield TokenVerifier(issuer="ats", jwks_url=f"http://127.0.0.1:{server.server_port}/")
            server.shutdown()
            thread.join()

    async def test_a_token_of_a_published_key_is_good(
        self, key: rsa.RSAPrivateKey, verifier: TokenVerifier
    ) -> None:
        token = jwt.encode(CLAIMS, key, algorithm="RS256", headers={"kid": "k1"})
        assert (await verifier.verify(token)).account == "acme"

    async def test_the_keys_are_fetched_once_and_beside_the_event_loop(
        self, key: rsa.RSAPrivateKey, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fetch = jwt.PyJWKClient.fetch_data
        threads = []

        def watched(client: jwt.PyJWKClient) -> object:
            threads.append(threading.get_ident())
            return fetch(client)

        monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", watched)
        token = jwt.encode(CLAIMS, key, algorithm="RS256", headers={"kid": "k1"})
        for _ in range(3):
            await verifier.verify(token)
        assert len(threads) == 1
        assert threads[0] != threading.get_ident()

    async def test_where_the_keys_cannot_be_had_nobody_is_refused_for_good(
        self, key: rsa.RSAPrivateKey
    ) -> None:
        verifier = TokenVerifier(issuer="ats", jwks_url="http://127.0.0.1:1/")
        token = jwt.encode(CLAIMS, key, algorithm="RS256", headers={"kid": "k1"})
        with pytest.raises(KeysAway):
            await verifier.verify(token)

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
    async def test_each_asymmetric_algorithm_is_accepted(
        self, key: rsa.RSAPrivateKey, algorithm: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own: Any = {
            "ES256": ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": Ed25519PrivateKey.generate(),
        }
        private = own.get(algorithm, key)
        monkeypatch.setattr(
            jwt.PyJWKClient, "get_signing_key_from_jwt", lambda *_: private.public_key()
        )
        verifier = TokenVerifier(issuer="ats", jwks_url="http://127.0.0.1:1/")
        caller = await verifier.verify(jwt.encode(CLAIMS, private, algorithm=algorithm))
        assert (caller.account, caller.person_id) == ("acme", "u1")
        assert caller.expires_at == CLAIMS["exp"]

    async def test_the_public_key_signs_nothing(
        self, key: rsa.RSAPrivateKey, verifier: TokenVerifier
    ) -> None:
        """Not as the secret of HS256, in whatever form a library may have it."""
        public = key.public_key()
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(public)
        forms = [
            public.public_bytes(e, f)
            for e, f in (
                (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
                (Encoding.PEM, PublicFormat.PKCS1),
                (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            )
        ]
        for form in [*forms, forms[0].strip(), jwk.encode()]:
            with pytest.raises(InvalidToken):
                await verifier.verify(_by_hand({"alg": "HS256", "kid": "k1"}, form))

    async def test_a_token_brings_no_key_of_its_own(self, verifier: TokenVerifier) -> None:
        own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
        for header in ({"kid": "k1", "jwk": jwk}, {"kid": "k1", "jku": "http://127.0.0.1:1/"}, {}):
            token = jwt.encode(CLAIMS, own, algorithm="RS256", headers=header)
            with pytest.raises(InvalidToken):
                await verifier.verify(token)

    async def test_other_algorithms_are_refused(self, verifier: TokenVerifier) -> None:
        for algorithm in ("none", "None", "HS256", "RS1", "", "ES256K"):
            with pytest.raises(InvalidToken):
                await verifier.verify(_by_hand({"alg": algorithm, "kid": "k1"}, b""))


def _by_hand(header: dict[str, str], key: bytes) -> str:
    """Return a token whose HMAC-SHA-256 nobody hinders."""
    parts = [json.dumps(part).encode() for part in ({"typ": "JWT", **header}, CLAIMS)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    mac = base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256")).rstrip(b"=")
    return b".".join([signed, mac]).decode()


@pytest.mark.parametrize("scope", [["directory:write"], {"all": " directory:write "}, 1, None])
async def test_a_scope_is_text(scope: object) -> None:
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS | {"scope": scope}, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("scope", ["timeline:read ops", ["timeline:read", "ops"]])
async def test_an_issuer_may_call_its_claims_otherwise(scope: object) -> None:
    verifier = TokenVerifier(issuer="ats", secret=SECRET, claims=Claims("org", "employee", "scp"))
    claims = {name: CLAIMS[name] for name in ("aud", "iss", "exp")}
    claims |= {"org": "acme", "employee": "u1", "scp": scope, "account": "other", "sub": "x|1"}
    caller = await verifier.verify(jwt.encode(claims, SECRET, algorithm="HS256"))
    assert (caller.account, caller.person_id) == ("acme", "u1")
    assert caller.scopes == {"timeline:read", "ops"}
    for claim in ("org", "employee", "scp"):
        without = {name: value for name, value in claims.items() if name != claim}
        with pytest.raises(InvalidToken, match=f"has no claim {claim}"):
            await verifier.verify(jwt.encode(without, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("scope", [[1], {"all": "ops"}, 1, None])
async def test_scopes_of_another_name_are_words_too(scope: object) -> None:
    verifier = TokenVerifier(issuer="ats", secret=SECRET, claims=Claims(scope="scp"))
    claims = {**CLAIMS, "scp": scope}
    with pytest.raises(InvalidToken):
        await verifier.verify(jwt.encode(claims, SECRET, algorithm="HS256"))


FORMER = "former" * 8


async def test_during_a_rotation_both_secrets_count_and_no_other() -> None:
    verifier = TokenVerifier(issuer="ats", secret=SECRET, former_secret=FORMER)
    for secret in (SECRET, FORMER):
        assert (await verifier.verify(jwt.encode(CLAIMS, secret, algorithm="HS256"))).account
    with pytest.raises(InvalidToken, match="not valid for this API"):
        await verifier.verify(jwt.encode(CLAIMS, "x" * 48, algorithm="HS256"))
    expired = CLAIMS | {"exp": 1_000_000_000}
    with pytest.raises(InvalidToken, match="has expired"):
        await verifier.verify(jwt.encode(expired, FORMER, algorithm="HS256"))
    with pytest.raises(InvalidToken):
        await VERIFIER.verify(jwt.encode(CLAIMS, FORMER, algorithm="HS256"))


async def test_with_a_jwks_url_no_secret_makes_a_token_that_counts() -> None:
    verifier = TokenVerifier(
        issuer="ats", secret=SECRET, former_secret=FORMER, jwks_url="http://127.0.0.1:1/"
    )
    for secret in (SECRET, FORMER):
        with pytest.raises((InvalidToken, KeysAway)):
            await verifier.verify(jwt.encode(CLAIMS, secret, algorithm="HS256"))


@pytest.mark.parametrize("former", ["", "short"])
def test_a_former_secret_is_as_long(former: str) -> None:
    with pytest.raises(ValueError, match="at least 32 characters"):
        TokenVerifier(issuer="ats", secret=SECRET, former_secret=former)
