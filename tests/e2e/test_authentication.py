"""Signed mail over SMTP, from its signature to what is shown; keys are in the tests' own DNS."""

import pytest

from dev.stack import Stack
from tests.dns_server import DnsServer
from tests.e2e.account import Account
from tests.signed import letter, signed, zone

SENDER = "cand@signed.test"


@pytest.fixture
def signer(stack: Stack, dns: DnsServer) -> Account:
    """An account with a candidate whose domain signs."""
    dns.records |= zone("signed.test")
    account = Account(stack)
    account.client.put_person("c1", "candidate", "Cand", [SENDER, "cand@mail.example"])
    return account


def send(account: Account, raw: bytes) -> None:
    account.sent += 1
    account.client.send("envelope@x.example", [account.capture], raw)


def mail_from(sender: str = SENDER, *, number: int = 0, body: str = "Hello.") -> bytes:
    raw = letter(sender, body=body)
    return raw.replace(b"<1@", f"<{number}@".encode()).replace(b"Friday", b"Mail %d" % number)


def verdicts(account: Account) -> dict[str, str]:
    """Return the verdict and the reason of each mail, by its subject."""
    return {
        mail["subject"]: " ".join(
            filter(None, (mail["authentication"][field] for field in ("verdict", "reason")))
        )
        for mail in account.client.timeline("c1")
    }


def test_a_verdict_is_stored_and_shown_with_each_mail(signer: Account) -> None:
    send(signer, signed(mail_from(number=1), "signed.test"))
    altered = signed(mail_from(number=2), "signed.test").replace(b"Hello.", b"Hullo.")
    send(signer, altered)
    send(signer, mail_from("cand@mail.example", number=3))
    large = mail_from(number=4, body="A long line of a large mail.\r\n" * 10_000)
    send(signer, signed(large, "signed.test"))
    assert signer.outcome() == {"attached": 4}
    assert verdicts(signer) == {
        "Mail 1": "verified",
        "Mail 2": "failed altered",
        "Mail 3": "unverified unsigned",
        "Mail 4": "verified",
    }
    [first] = [m for m in signer.client.timeline("c1") if m["subject"] == "Mail 1"]
    assert signer.client.mail(first["id"])["authentication"] == {
        "verdict": "verified",
        "method": "dkim",
        "domain": "signed.test",
        "reason": None,
    }


def test_of_a_mail_that_is_forgotten_nothing_is_asked(signer: Account, dns: DnsServer) -> None:
    dns.asked.clear()
    nobody = signed(letter("nobody@forgotten.test"), "forgotten.test")
    send(signer, nobody)
    assert signer.outcome() == {"no_match": 1}
    assert [name for name in dns.asked if "forgotten" in name] == []
