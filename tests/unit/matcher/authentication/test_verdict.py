"""The table in docs/authentication.md, case by case; signed by others' code (`tests/signed.py`)."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dev.generate import ROOT
from services.matcher.authentication.resolver import NoAnswer
from services.matcher.authentication.verdict import Question, authenticate
from shared.mail.headers import read_header_block
from tests.cost import LINEAR, growth
from tests.signed import FIELDS, SELECTOR, key_record, letter, sealed, signed, zone

Zone = Mapping[str, Sequence[str]]
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
REJECT, NONE = "p=reject", "p=none"
LIST = "List-Id: <list.lists.test>\r\n"
BORDER = "Authentication-Results: mx.border.test; "


async def verdict(raw: bytes, names: Zone, **options: Any) -> tuple[str, str | None]:
    """Return the verdict about a mail, and its method or its reason. A name without records that
    is in the zone is not answered."""

    async def ask(name: str) -> list[str]:
        if name in names and not names[name]:
            raise NoAnswer(name)
        return list(names.get(name, ()))

    header = read_header_block(raw)
    found = await authenticate(Question(raw, header, NOW, ask, **options))
    return found.verdict.value, found.reason or found.method


def altered(raw: bytes) -> bytes:
    return raw.replace(b"Hello.", b"Hullo.")


def added(raw: bytes, field: str = "Subject: Another") -> bytes:
    return field.encode() + b"\r\n" + raw


PASSES = "dkim=pass header.d=mail.test; dmarc=pass (p=reject) header.from=mail.test"
VOUCHED = {"trusted_sealers": {"forward.test"}}
BELIEVED = {"authserv_id": "mx.border.test"}
SIGNED = signed(letter())
UNANSWERED: dict[str, list[str]] = {f"{SELECTOR}._domainkey.mail.test": []}

CASES: dict[str, tuple[bytes, Zone, dict[str, Any], tuple[str, str]]] = {
    "signed by the sender": (SIGNED, zone("mail.test"), {}, ("verified", "dkim")),
    "signed by the sender's organization": (
        signed(letter("x@sub.mail.test"), "mail.test"),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "the organization signs, and the sender asks for its own signature": (
        signed(letter("x@sub.mail.test"), "mail.test"),
        zone("mail.test", policy="p=none; adkim=s"),
        {},
        ("unverified", "signature"),
    ),
    "signed by somebody else": (
        signed(letter(), "sender.test"),
        zone("sender.test"),
        {},
        ("unverified", "unsigned"),
    ),
    "signed by a neighbour below a public suffix": (
        signed(letter("x@a.co.uk"), "b.co.uk"),
        zone("b.co.uk"),
        {},
        ("unverified", "unsigned"),
    ),
    "signed by a public suffix": (
        signed(letter("x@a.co.uk"), "co.uk"),
        zone("co.uk"),
        {},
        ("unverified", "unsigned"),
    ),
    "not signed": (letter(), zone("mail.test"), {}, ("unverified", "unsigned")),
    "not signed, and the sender demands it": (
        letter(),
        zone("mail.test", policy=REJECT),
        {},
        ("failed", "policy"),
    ),
    "not signed, and the sender demands it of its subdomains": (
        letter("x@sub.mail.test"),
        zone("mail.test", policy="p=none; sp=quarantine"),
        {},
        ("failed", "policy"),
    ),
    "not signed, and the sender demands it of itself alone": (
        letter("x@sub.mail.test"),
        zone("mail.test", policy="p=reject; sp=none"),
        {},
        ("unverified", "unsigned"),
    ),
    "changed": (altered(SIGNED), zone("mail.test"), {}, ("failed", "altered")),
    "changed, a second signature holds": (
        signed(altered(SIGNED)),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "changed by a mailing list": (
        altered(signed(letter(headers=LIST))),
        zone("mail.test", policy=NONE),
        {},
        ("unverified", "list"),
    ),
    "changed by a mailing list, and the sender demands": (
        altered(signed(letter(headers=LIST))),
        zone("mail.test", policy=REJECT),
        {},
        ("failed", "altered"),
    ),
    "changed, with a key that is being tested": (
        altered(SIGNED),
        zone("mail.test", record=key_record(tags="t=y")),
        {},
        ("unverified", "signature"),
    ),
    "another Subject before the signed one": (
        added(SIGNED),
        zone("mail.test"),
        {},
        ("failed", "altered"),
    ),
    "another Content-Type, which was not signed": (
        added(SIGNED, "Content-Type: text/html"),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "the Subject was not signed": (
        signed(letter(), fields=("From", "Date")),
        zone("mail.test"),
        {},
        ("unverified", "signature"),
    ),
    "signed in part, with more after it": (
        signed(letter(), length=True) + b"More.\r\n",
        zone("mail.test"),
        {},
        ("unverified", "signature"),
    ),
    "signed in part, and that is all": (
        signed(letter(), length=True),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "the key is gone": (SIGNED, {}, {}, ("unverified", "signature")),
    "the key is gone, and the sender demands": (
        SIGNED,
        {"_dmarc.mail.test": ["v=DMARC1; p=reject"]},
        {},
        ("failed", "policy"),
    ),
    "the key is revoked": (
        SIGNED,
        zone("mail.test", record="v=DKIM1; p="),
        {},
        ("unverified", "signature"),
    ),
    "signed with SHA-1": (
        SIGNED.replace(b"rsa-sha256", b"rsa-sha1"),
        zone("mail.test"),
        {},
        ("unverified", "unsigned"),
    ),
    "DNS does not answer for the key": (SIGNED, UNANSWERED, {}, ("unverified", "dns")),
    "DNS does not answer for the key, and the sender demands": (
        SIGNED,
        {**UNANSWERED, "_dmarc.mail.test": ["v=DMARC1; p=reject"]},
        {},
        ("unverified", "dns"),
    ),
    "DNS does not answer what the sender demands": (
        letter(),
        {"_dmarc.mail.test": []},
        {},
        ("unverified", "dns"),
    ),
    "forwarded and changed, a trusted forwarder vouches": (
        sealed(altered(SIGNED), "forward.test", PASSES),
        zone("mail.test", "forward.test", policy=REJECT),
        VOUCHED,
        ("verified", "arc"),
    ),
    "an unknown forwarder vouches": (
        sealed(letter(), "forward.test", PASSES),
        zone("forward.test"),
        {},
        ("unverified", "unsigned"),
    ),
    "a trusted forwarder found another sender": (
        sealed(letter(), "forward.test", "dmarc=pass header.from=other.test"),
        zone("forward.test"),
        VOUCHED,
        ("unverified", "unsigned"),
    ),
    "a trusted forwarder found SPF alone": (
        sealed(letter(), "forward.test", "spf=pass smtp.mailfrom=mail.test"),
        zone("forward.test"),
        VOUCHED,
        ("unverified", "unsigned"),
    ),
    "changed after a trusted forwarder": (
        altered(sealed(letter(), "forward.test", PASSES)),
        zone("mail.test", "forward.test", policy=REJECT),
        VOUCHED,
        ("failed", "policy"),
    ),
    "a lie that a trusted forwarder passed on": (
        sealed(
            sealed(letter(), "liar.test", PASSES),
            "forward.test",
            "arc=pass; dmarc=fail header.from=mail.test",
        ),
        zone("mail.test", "forward.test", "liar.test", policy=REJECT),
        VOUCHED,
        ("failed", "policy"),
    ),
    "the first of two trusted forwarders vouches": (
        sealed(
            sealed(letter(), "first.test", PASSES),
            "forward.test",
            "arc=pass; dmarc=fail header.from=mail.test",
        ),
        zone("mail.test", "forward.test", "first.test", policy=REJECT),
        {"trusted_sealers": {"forward.test", "first.test"}},
        ("verified", "arc"),
    ),
    "somebody changed what a trusted forwarder found": (
        sealed(letter(), "forward.test", "dmarc=fail header.from=mail.test").replace(
            b"dmarc=fail", b"dmarc=pass"
        ),
        zone("mail.test", "forward.test", policy=REJECT),
        VOUCHED,
        ("failed", "policy"),
    ),
    "the border found that it is the sender's": (
        letter(headers=f"{BORDER}{PASSES}\r\n"),
        {},
        BELIEVED,
        ("verified", "authentication_results"),
    ),
    "somebody else found that": (
        letter(headers=f"Authentication-Results: mx.liar.test; {PASSES}\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("failed", "policy"),
    ),
    "somebody says on the way that the border found that": (
        letter(headers=f"Received: by a\r\nReceived: by b\r\n{BORDER}{PASSES}\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("failed", "policy"),
    ),
    "the border found SPF to fail alone": (
        letter(headers=f"{BORDER}spf=fail smtp.mailfrom=mail.test\r\n"),
        zone("mail.test", policy=NONE),
        BELIEVED,
        ("unverified", "unsigned"),
    ),
    "the border found SPF to fail, the signature holds": (
        letter(
            headers=f"{BORDER}spf=fail smtp.mailfrom=mail.test; dkim=pass header.d=mail.test\r\n"
        ),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("verified", "authentication_results"),
    ),
    "the border found that nothing holds": (
        letter(headers=f"{BORDER}dmarc=fail (p=none dis=none) header.from=mail.test\r\n"),
        {},
        BELIEVED,
        ("unverified", "unsigned"),
    ),
    "the border found that nothing holds, and the sender demands": (
        letter(headers=f"{BORDER}dmarc=fail (p=reject) header.from=mail.test\r\n"),
        {},
        BELIEVED,
        ("failed", "policy"),
    ),
    "the border found it changed": (
        letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n"),
        {},
        BELIEVED,
        ("failed", "altered"),
    ),
    "the border found it changed by a mailing list": (
        letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n{LIST}"),
        {},
        BELIEVED,
        ("unverified", "list"),
    ),
    "the border had no answer from DNS": (
        letter(headers=f"{BORDER}dmarc=temperror header.from=mail.test\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("unverified", "dns"),
    ),
    "the border said nothing": (SIGNED, zone("mail.test"), BELIEVED, ("verified", "dkim")),
    "nobody is in From": (letter("nobody"), {}, {}, ("unverified", "no_sender")),
    "two senders, one of them signed": (
        signed(letter("a@mail.test, b@other.test")),
        zone("mail.test"),
        {},
        ("unverified", "unsigned"),
    ),
    "a second From, before the signed one": (
        added(SIGNED, "From: boss@other.test"),
        zone("mail.test"),
        {},
        ("failed", "altered"),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_mail_is_judged_by_the_table(case: str) -> None:
    raw, names, options, expected = CASES[case]
    assert await verdict(raw, names, **options) == expected


def test_the_table_in_the_documentation_has_every_case() -> None:
    page = (ROOT / "docs/authentication.md").read_text()
    rows = [f"| {case} | `{word}` | `{why}` |" for case, (*_, (word, why)) in CASES.items()]
    assert [row for row in rows if row not in page] == []


@pytest.mark.parametrize("canonical", ["relaxed/relaxed", "simple/simple", "relaxed/simple"])
@pytest.mark.parametrize(
    "body", ["", "a  b \t\r\n\r\n c  \r\n\r\n\r\n", " ", "\r\n\r\n", "x\r\r", "x\r\n\r", "ü \r\n "]
)
async def test_all_forms_of_all_bodies_are_read_as_the_signer_reads_them(
    canonical: str, body: str
) -> None:
    raw = signed(letter(body=body), canonical=canonical)
    assert await verdict(raw, zone("mail.test")) == ("verified", "dkim")


async def test_line_ends_of_a_file_are_those_of_a_mail() -> None:
    assert await verdict(SIGNED.replace(b"\r\n", b"\n"), zone("mail.test")) == ("verified", "dkim")


async def test_a_short_key_says_nothing() -> None:
    raw = signed(letter(), bits=1024)
    assert await verdict(raw, zone("mail.test", record=key_record(1024))) == ("verified", "dkim")
    for bits in (768, 1023, 8200):
        public = RSAPublicNumbers(65537, 2 ** (bits - 1) + 1).public_key()
        data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = zone("mail.test", record=f"p={b64encode(data).decode()}")
        assert await verdict(SIGNED, names) == ("unverified", "signature")


async def test_a_signature_that_has_run_out_says_nothing() -> None:
    for seconds, expected in ((-1, ("unverified", "signature")), (1, ("failed", "altered"))):
        expires = int(NOW.timestamp()) + seconds
        raw = SIGNED.replace(b"q=dns/txt;", f"q=dns/txt; x={expires};".encode())
        assert await verdict(raw, zone("mail.test")) == expected


RFC_8463 = """\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""


async def test_the_example_of_rfc_8463_is_verified() -> None:
    key = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    names = {"brisbane._domainkey.football.example.com": [key]}
    assert await verdict(RFC_8463.encode(), names) == ("verified", "dkim")
    assert await verdict(RFC_8463.replace("game", "cup").encode(), names) == ("failed", "altered")


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "spaces": lambda n: letter(body=" " * 10 * n + "x"),
    "line ends": lambda n: letter(body="\r\n" * 5 * n + "\r"),
    "carriage returns": lambda n: letter(body="\r" * 10 * n),
    "seal": lambda n: letter(headers="ARC-Seal: i=1;" + "=" * n + "\r\n"),
    "comments": lambda n: letter(headers=f"{BORDER}{'(' * n}\r\n"),
    "open quote": lambda n: letter(headers=f"{BORDER}{chr(34)}{'x=y;' * (n // 4)}\r\n"),
    "results": lambda n: letter(headers=f"{BORDER}{'a.b=' * (n // 4)}\r\n"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_judged_in_linear_time(name: str) -> None:
    field = SIGNED.partition(b"From:")[0]

    async def judged(many: bytes, hostile: bytes) -> None:
        await verdict(many + hostile, zone("mail.test"), **BELIEVED)
        await verdict(field + hostile, zone("mail.test"), **VOUCHED)

    with asyncio.Runner() as runner:

        def judging(size: int) -> Callable[[], object]:
            names = ":".join(["from", *FIELDS] * (size // 200)).encode()
            many = field.replace(b"h=from", b"h=" + names + b":from") * 3
            hostile = HOSTILE[name](size)
            return lambda: runner.run(judged(many, hostile))

        assert growth(judging, 20_000) < LINEAR
