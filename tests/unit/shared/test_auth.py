import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
