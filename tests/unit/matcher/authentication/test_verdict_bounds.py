"""What a verdict looks at, how much of it, and what it does not wait for."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.matcher.authentication import verdict as verdict_module
from services.matcher.authentication.signature import Bodies
from services.matcher.authentication.verdict import Question, authenticate
from services.matcher.resolver import NoAnswer
from shared.mail.headers import read_header_block
from tests.cost import LINEAR, growth
from tests.deadline import DEADLINE
from tests.signed import FIELDS, SELECTOR, key_record, letter, signed, zone
from tests.verdict_parts import (
    BELIEVED,
    BORDER,
    DEMAND,
    LIST,
    NONE,
    NOW,
    PASSES,
    REJECT,
    SIGNED,
    UNANSWERED,
    VOUCHED,
    Zone,
    altered,
    verdict,
)


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


@pytest.mark.cost
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


@pytest.mark.parametrize("field", ["List-Id", "List-Post", "List-Unsubscribe", "Mailing-List"])
async def test_a_list_is_known_by_any_of_its_fields(field: str) -> None:
    raw = altered(signed(letter(headers=f"{field}: <x>\r\n")))
    assert await verdict(raw, zone("mail.test", policy=NONE)) == ("unverified", "list")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(3, ("verified", "authentication_results")), (4, ("unverified", "no_sender"))],
)
async def test_three_senders_are_looked_at(count: int, expected: tuple[str, str]) -> None:
    domains = [f"d{n}.test" for n in range(count)]
    found = "; ".join(f"dmarc=pass header.from={domain}" for domain in domains)
    senders = ", ".join(f"a@{domain}" for domain in [*domains, domains[0]])
    raw = letter(senders, headers=f"{BORDER}{found}\r\n")
    assert await verdict(raw, {}, **BELIEVED) == expected


async def test_one_sender_without_a_domain_spoils_all() -> None:
    raw = letter("x@mail.test, <x@a..b>", headers=f"{BORDER}{PASSES}\r\n")
    assert await verdict(raw, {}, **BELIEVED) == ("unverified", "no_sender")


@pytest.mark.parametrize("order", [1, -1])
async def test_of_several_senders_the_worst_counts(order: int) -> None:
    names = zone("mail.test") | {"_dmarc.other.test": ["v=DMARC1; p=reject"]}
    senders = ", ".join(["a@mail.test", "b@other.test", "c@plain.test"][::order])
    assert await verdict(signed(letter(senders)), names) == ("failed", "policy")


async def test_what_is_said_names_the_sender_and_how_it_was_found() -> None:
    async def told(raw: bytes, names: Zone, **options: Any) -> tuple[object, ...]:
        async def ask(name: str) -> list[str]:
            if name in names and not names[name]:
                raise NoAnswer(name)
            return list(names.get(name, ()))

        found = await authenticate(Question(raw, read_header_block(raw), NOW, ask, **options))
        return found.verdict.value, found.method, found.domain, found.reason

    border = letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n")
    unsure = letter(headers=f"{BORDER}dmarc=temperror header.from=mail.test\r\n")
    failed = letter(headers=f"{BORDER}dmarc=fail (p=reject) header.from=mail.test\r\n")
    plain = letter(headers=f"{BORDER}dmarc=fail (p=none) header.from=mail.test\r\n")
    by_list = letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n{LIST}")
    demanded = zone("mail.test", policy=REJECT)
    on_its_way = altered(signed(letter(headers=LIST)))
    about, border_said = "mail.test", "authentication_results"
    assert await told(SIGNED, zone("mail.test")) == ("verified", "dkim", about, None)
    assert await told(altered(SIGNED), zone("mail.test")) == ("failed", "dkim", about, "altered")
    assert await told(letter(), demanded) == ("failed", None, about, "policy")
    assert await told(letter(), {}) == ("unverified", None, about, "unsigned")
    assert await told(SIGNED, {}) == ("unverified", None, about, "signature")
    assert await told(SIGNED, UNANSWERED) == ("unverified", None, about, "dns")
    assert await told(on_its_way, zone("mail.test")) == ("unverified", None, about, "list")
    assert await told(letter("nobody"), {}) == ("unverified", None, None, "no_sender")
    assert await told(border, {}, **BELIEVED) == ("failed", border_said, about, "altered")
    assert await told(failed, {}, **BELIEVED) == ("failed", border_said, about, "policy")
    assert await told(unsure, {}, **BELIEVED) == ("unverified", None, about, "dns")
    assert await told(plain, {}, **BELIEVED) == ("unverified", None, about, "unsigned")
    assert await told(by_list, {}, **BELIEVED) == ("unverified", None, about, "list")


@pytest.mark.parametrize(
    ("found", "names", "expected"),
    [
        # What another method or domain has for a policy is not the sender's.
        ("dkim=fail (p=reject) header.d=mail.test", {}, ("failed", "altered")),
        ("dmarc=fail (p=reject) header.from=other.test", {}, ("unverified", "unsigned")),
        ("dmarc=pass header.from=other.test", {}, ("unverified", "unsigned")),
        ("dmarc=pass header.from=sub.mail.test", {}, ("unverified", "unsigned")),
        ("dmarc=pass", {}, ("unverified", "unsigned")),
        ("dkim=pass header.d=sub.mail.test", {}, ("verified", "authentication_results")),
        ("dkim=pass header.d=other.test", {}, ("unverified", "unsigned")),
        ("spf=pass smtp.mailfrom=mail.test", {}, ("unverified", "unsigned")),
        ("dkim=neutral header.d=mail.test", {}, ("unverified", "unsigned")),
        # Where the border names no policy the sender's is asked for.
        (
            "dmarc=fail header.from=mail.test",
            zone("mail.test", policy=REJECT),
            ("failed", "policy"),
        ),
        (
            "dmarc=fail header.from=mail.test",
            zone("mail.test", policy=NONE),
            ("unverified", "unsigned"),
        ),
        ("dkim=temperror header.d=other.test", {}, ("unverified", "unsigned")),
        (
            "dkim=fail header.d=mail.test; dmarc=fail (p=reject) header.from=mail.test",
            {},
            ("failed", "altered"),
        ),
    ],
)
async def test_what_the_border_found_counts_for_the_sender_it_is_about(
    found: str, names: Zone, expected: tuple[str, str]
) -> None:
    raw = letter(headers=f"{BORDER}{found}\r\n")
    assert await verdict(raw, names, **BELIEVED) == expected


@pytest.mark.parametrize(
    ("others", "expected"), [(4, ("verified", "dkim")), (5, ("unverified", "signature"))]
)
async def test_five_signatures_of_the_organization_are_looked_at(
    others: int, expected: tuple[str, str]
) -> None:
    """All before the good one have a key that is not there."""
    bad = SIGNED.partition(b"From:")[0].replace(f"s={SELECTOR}".encode(), b"s=gone")
    assert await verdict(bad * others + SIGNED, zone("mail.test")) == expected


async def test_the_senders_own_signature_is_looked_at_before_those_of_its_organization() -> None:
    raw = letter("x@sub.mail.test")
    own = signed(raw, "sub.mail.test")
    of_organization = signed(raw, "mail.test").partition(b"From:")[0]
    asked: list[str] = []

    async def ask(name: str) -> list[str]:
        asked.append(name)
        return zone("sub.mail.test").get(name, [])

    mail = of_organization + own
    found = await authenticate(Question(mail, read_header_block(mail), NOW, ask))
    assert found.verdict.value == "verified"
    assert asked == [f"{SELECTOR}._domainkey.sub.mail.test"], "nothing more is asked"


async def test_an_unanswered_signature_is_no_reason_to_give_up_another() -> None:
    raw = signed(letter("x@sub.mail.test"), "mail.test").partition(b"From:")[0] + signed(
        letter("x@sub.mail.test"), "sub.mail.test"
    )
    names = zone("mail.test") | {f"{SELECTOR}._domainkey.sub.mail.test": []}
    assert await verdict(raw, names) == ("verified", "dkim")


@pytest.mark.parametrize(("room", "in_a_thread"), [(0, False), (-1, True)])
async def test_a_large_mail_is_hashed_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, room: int, in_a_thread: bool
) -> None:
    threads = []
    hash_ = Bodies.hash

    def watched(bodies: Any, form: Any) -> object:
        threads.append(threading.get_ident())
        return hash_(bodies, form)

    monkeypatch.setattr(Bodies, "hash", watched)
    monkeypatch.setattr(verdict_module, "_LARGE", len(SIGNED) + room)
    assert await verdict(SIGNED, zone("mail.test")) == ("verified", "dkim")
    assert threads
    assert (threads[0] != threading.get_ident()) is in_a_thread


async def test_a_mail_that_readers_see_in_two_ways_is_not_verified() -> None:
    """A bare CR in its header: to some it ends a field."""
    assert await verdict(SIGNED.replace(b"Subject: ", b"Subject: a\rX: "), zone("mail.test")) == (
        "unverified",
        "unsigned",
    )


async def test_a_slow_name_beside_the_victims_does_not_put_off_the_verdict() -> None:
    """Nor does one of the victim's own: a verdict of `failed` waits for nobody."""

    async def ask(name: str) -> list[str]:
        if "slow.test" in name:
            await asyncio.Event().wait()
        return [DEMAND] if name == "_dmarc.mail.test" else []

    for senders in ("a@slow.test, b@mail.test", "a@slow.test, <x@a..b>, b@mail.test"):
        raw = letter(senders)
        async with asyncio.timeout(DEADLINE):
            found = await authenticate(Question(raw, read_header_block(raw), NOW, ask))
        assert (found.verdict.value, found.domain) == ("failed", "mail.test")


async def test_slow_keys_are_asked_for_together_and_the_policy_beside_them() -> None:
    """One after the other they would use up the time that the policy needs."""
    waiting = asyncio.Event()
    asked: list[str] = []

    async def ask(name: str) -> list[str]:
        asked.append(name)
        if "_domainkey.one." in name:
            raise NoAnswer(name)
        if "_domainkey" in name:
            await waiting.wait()
            raise NoAnswer(name)
        waiting.set()
        return [DEMAND] if name == "_dmarc.mail.test" else []

    fields = [signed(letter(), f"{n}.mail.test").partition(b"From:")[0] for n in ("one", "two")]
    raw = b"".join(fields) + letter()
    async with asyncio.timeout(DEADLINE):
        found = await authenticate(Question(raw, read_header_block(raw), NOW, ask))
    assert (found.verdict.value, found.reason) == ("unverified", "key_unanswered")
    assert len(asked) == len(set(asked)), "each name is asked for once"
