"""The table in docs/authentication.md, case by case; signed by others' code (`tests/signed.py`)."""

from typing import Any

import pytest

from dev.generate import ROOT
from tests.signed import SELECTOR, key_record, letter, sealed, signed, zone
from tests.verdict_parts import (
    BELIEVED,
    BORDER,
    DEMAND,
    LIST,
    NONE,
    PASSES,
    REJECT,
    SIGNED,
    UNANSWERED,
    VOUCHED,
    Zone,
    added,
    altered,
    verdict,
)

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
    "signed by another domain": (
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
    "not signed, and the domain demands it": (
        letter(),
        zone("mail.test", policy=REJECT),
        {},
        ("failed", "policy"),
    ),
    "not signed, and the domain demands it of its subdomains": (
        letter("x@sub.mail.test"),
        zone("mail.test", policy="p=none; sp=quarantine"),
        {},
        ("failed", "policy"),
    ),
    "not signed, and the domain demands it of itself alone": (
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
    "signed, and a byte order mark got before it": (
        b"\xef\xbb\xbf" + SIGNED,
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "signed, and a byte order mark is between trace and author": (
        added(b"\xef\xbb\xbf" + SIGNED, "Received: by x.test"),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "signed, and a blank got before a colon": (
        SIGNED.replace(b"\r\nSubject:", b"\r\nSubject\t :"),
        zone("mail.test"),
        {},
        ("verified", "dkim"),
    ),
    "signed, and another From behind a byte order mark": (
        added(SIGNED, "\ufeffFrom: evil@other.test"),
        zone("mail.test"),
        {},
        ("failed", "altered"),
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
        ("unverified", "key_unanswered"),
    ),
    "DNS does not answer for a key below the sender's domain, and the sender demands": (
        signed(letter(), "broken.mail.test"),
        {f"{SELECTOR}._domainkey.broken.mail.test": [], "_dmarc.mail.test": [DEMAND]},
        {},
        ("unverified", "key_unanswered"),
    ),
    "DNS does not answer for a key below the sender's domain": (
        signed(letter(), "broken.mail.test"),
        {f"{SELECTOR}._domainkey.broken.mail.test": []},
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
    "a trusted forwarder's result names another sender": (
        sealed(letter(), "forward.test", "dmarc=pass header.from=other.test"),
        zone("forward.test"),
        VOUCHED,
        ("unverified", "unsigned"),
    ),
    "a trusted forwarder's result is about SPF alone": (
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
    "a false result that a trusted forwarder passed on": (
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
    "a trusted forwarder's result was changed": (
        sealed(letter(), "forward.test", "dmarc=fail header.from=mail.test").replace(
            b"dmarc=fail", b"dmarc=pass"
        ),
        zone("mail.test", "forward.test", policy=REJECT),
        VOUCHED,
        ("failed", "policy"),
    ),
    "the server in front says DMARC passed": (
        letter(headers=f"{BORDER}{PASSES}\r\n"),
        {},
        BELIEVED,
        ("verified", "authentication_results"),
    ),
    "another server says DMARC passed": (
        letter(headers=f"Authentication-Results: mx.liar.test; {PASSES}\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("failed", "policy"),
    ),
    "a field further down says so in the name of the server in front": (
        letter(headers=f"Received: by a\r\nReceived: by b\r\n{BORDER}{PASSES}\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("failed", "policy"),
    ),
    "the server in front says SPF failed, and nothing else": (
        letter(headers=f"{BORDER}spf=fail smtp.mailfrom=mail.test\r\n"),
        zone("mail.test", policy=NONE),
        BELIEVED,
        ("unverified", "unsigned"),
    ),
    "the server in front says SPF failed and the signature holds": (
        letter(
            headers=f"{BORDER}spf=fail smtp.mailfrom=mail.test; dkim=pass header.d=mail.test\r\n"
        ),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("verified", "authentication_results"),
    ),
    "the server in front says DMARC failed": (
        letter(headers=f"{BORDER}dmarc=fail (p=none dis=none) header.from=mail.test\r\n"),
        {},
        BELIEVED,
        ("unverified", "unsigned"),
    ),
    "the server in front says DMARC failed, and the domain demands it": (
        letter(headers=f"{BORDER}dmarc=fail (p=reject) header.from=mail.test\r\n"),
        {},
        BELIEVED,
        ("failed", "policy"),
    ),
    "the server in front says it was changed": (
        letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n"),
        {},
        BELIEVED,
        ("failed", "altered"),
    ),
    "the server in front says it was changed, and a mailing list did it": (
        letter(headers=f"{BORDER}dkim=fail header.d=mail.test\r\n{LIST}"),
        {},
        BELIEVED,
        ("unverified", "list"),
    ),
    "the server in front got no answer from DNS": (
        letter(headers=f"{BORDER}dmarc=temperror header.from=mail.test\r\n"),
        zone("mail.test", policy=REJECT),
        BELIEVED,
        ("unverified", "key_unanswered"),
    ),
    "the server in front says nothing": (SIGNED, zone("mail.test"), BELIEVED, ("verified", "dkim")),
    "From has no address": (letter("nobody"), {}, {}, ("unverified", "no_sender")),
    "From has no address, and Sender's domain demands a signature": (
        letter().replace(b"From:", b"Sender:"),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("failed", "policy"),
    ),
    "From has no address, and Sender's domain demands nothing": (
        letter().replace(b"From:", b"Sender:"),
        zone("mail.test", policy=NONE),
        {},
        ("unverified", "no_sender"),
    ),
    "signed by From's domain, and Sender's other domain demands a signature": (
        added(SIGNED, "Sender: a@other.test"),
        zone("mail.test") | {"_dmarc.other.test": [DEMAND]},
        {},
        ("verified", "dkim"),
    ),
    "an unreadable address beside one whose domain demands": (
        letter("x@mail.test, <x@a..b>"),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("failed", "policy"),
    ),
    "all of From is unreadable, and a domain in it demands": (
        letter("Boss x@mail.test <"),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("failed", "policy"),
    ),
    "a second From without an address, and the first one's domain demands": (
        added(letter(), "From: nobody"),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("failed", "policy"),
    ),
    "four senders, the domain of one demands": (
        letter("a@one.test, b@two.test, c@three.test, d@mail.test"),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("failed", "policy"),
    ),
    "senders of more than ten domains": (
        letter(", ".join(f"a@d{n}.test" for n in range(11))),
        {},
        {},
        ("failed", "too_many_senders"),
    ),
    "a display name that is an address at a domain that demands": (
        letter('"x@mail.test" <a@other.test>'),
        {"_dmarc.mail.test": [DEMAND]},
        {},
        ("unverified", "unsigned"),
    ),
    "two senders, both signed": (
        signed(signed(letter("a@mail.test, b@other.test")), "other.test"),
        zone("mail.test", "other.test", policy=REJECT),
        {},
        ("verified", "dkim"),
    ),
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
