"""Signed mail over SMTP, from its signature to what is shown; keys are in the tests' own DNS."""

import pytest

from dev.dns_server import DnsServer
from dev.stack import Stack
from tests.e2e.account import Account
from tests.signed import SELECTOR, letter, signed, zone

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


def test_a_providers_question_has_a_verdict_too(signer: Account, dns: DnsServer) -> None:
    dns.records |= zone("google.com")
    to = signer.capture.encode()
    body = "user@team.example asks to forward.\r\nConfirmation code: 48291563{}\r\n"
    for number, altered in ((1, False), (2, True)):
        raw = letter("forwarding-noreply@google.com", body=body.format(number))
        asked = raw.replace(b"user@team.example\r\nSubject", b"%s\r\nSubject" % to)
        raw = signed(asked, "google.com")
        send(signer, raw.replace(b"asks", b"begs") if altered else raw)
    assert signer.outcome() == {"confirmation": 2}
    shown = signer.client.json("GET", "timeline", "/v1/setup")["confirmations"]
    assert {one["code"]: one["authentication"]["verdict"] for one in shown} == {
        "482915631": "verified",
        "482915632": "failed",
    }


def test_of_a_mail_that_is_forgotten_nothing_is_asked(signer: Account, dns: DnsServer) -> None:
    dns.asked.clear()
    nobody = signed(letter("nobody@forgotten.test"), "forgotten.test")
    send(signer, nobody)
    assert signer.outcome() == {"no_match": 1}
    assert [name for name in dns.asked if "forgotten" in name] == []


def test_what_has_failed_waits_for_a_users_yes_where_an_account_wants_it(signer: Account) -> None:
    admin = signer.client_for("u9", "account:write timeline:read")
    decider = signer.client_for("u1", "timeline:write")
    wanted = {"visibility": "team", "quarantine": "failed"}
    shown = wanted | {"quarantine_forwards": False}
    assert admin.json("PUT", "timeline", "/v1/settings", json=wanted) == shown
    # Who changes something else leaves it as it is.
    team = {"visibility": "team"}
    assert admin.json("PUT", "timeline", "/v1/settings", json=team) == shown
    good = signed(mail_from(number=1), "signed.test")
    send(signer, good)
    for number in (2, 3):
        raw = signed(mail_from(number=number), "signed.test")
        send(signer, raw.replace(b"Hello.", b"Zqaltered."))
    assert signer.outcome() == {"attached": 1, "quarantined": 2}
    assert signer.shown() == ["Mail 1"]
    found = signer.client.json("GET", "timeline", "/v1/inbox", params={"q": "zqaltered"})
    assert found["items"] == []
    held = {item["mails"][0]["subject"]: item for item in signer.client.pages("/v1/quarantine")}
    assert held.keys() == {"Mail 2", "Mail 3"}
    assert held["Mail 2"]["authentication"]["verdict"] == "failed"
    assert held["Mail 2"]["mails"][0]["from"]["address"] == SENDER
    paths = {subject: f"/v1/quarantine/{item['id']}" for subject, item in held.items()}
    assert signer.client.request("DELETE", "timeline", paths["Mail 2"]).status_code == 403

    assert decider.request("POST", "timeline", paths["Mail 2"] + "/release").status_code == 204
    assert decider.request("DELETE", "timeline", paths["Mail 3"]).status_code == 204
    assert signer.outcome() == {"attached": 2, "refused": 1}
    assert sorted(signer.shown()) == ["Mail 1", "Mail 2"]
    assert signer.client.pages("/v1/quarantine") == []
    for path in paths.values():
        assert decider.request("POST", "timeline", path + "/release").status_code == 404
    assert not list((signer.stack.folder / "blobs" / "quarantine").rglob(f"*{signer.name}*/*/*"))


def test_no_form_of_a_forgery_walks_around_the_quarantine(signer: Account, dns: DnsServer) -> None:
    """Each was shown as `unverified` once: its domain demands a signature."""
    dns.records["_dmarc.demands.test"] = ["v=DMARC1; p=reject"]
    broken = f"{SELECTOR}._domainkey.broken.demands.test"
    dns.ignored.add(broken)
    victim = "boss@demands.test"
    signer.client.put_person("c2", "contact", "Boss", [victim])
    admin = signer.client_for("u9", "account:write timeline:read")
    wanted = {"visibility": "team", "quarantine": "failed"}
    admin.json("PUT", "timeline", "/v1/settings", json=wanted)
    forged = [
        mail_from(f"a@one.test, b@two.test, c@three.test, {victim}", number=1),
        mail_from(f"{victim}, <x@a..b>", number=2),
        mail_from(victim, number=3).replace(b"From:", b"Sender:"),
        signed(mail_from(victim, number=4), "broken.demands.test"),
        b"From: nobody\r\n" + mail_from(victim, number=5),
    ]
    for raw in forged:
        send(signer, raw)
    send(signer, mail_from("boss@plain.test, cand@mail.example", number=6))
    assert signer.outcome() == {"attached": 1, "quarantined": 5}
    assert signer.shown() == ["Mail 6"]
    held = signer.client.pages("/v1/quarantine")
    reasons = {item["mails"][0]["subject"]: item["authentication"]["reason"] for item in held}
    assert reasons.pop("Mail 4") == "key_unanswered"
    assert set(reasons.values()) == {"policy"}
    dns.ignored.discard(broken)


def test_with_visibility_owner_each_decides_about_their_own(signer: Account) -> None:
    signer.client.put_person("u2", "user", "User Two", ["two@team.example"])
    admin = signer.client_for("u9", "account:write timeline:read")
    settings = {"visibility": "owner", "quarantine": "failed"}
    admin.json("PUT", "timeline", "/v1/settings", json=settings)
    send(signer, signed(mail_from(), "signed.test").replace(b"Hello.", b"Hullo."))
    assert admin.json("GET", "timeline", "/v1/quarantine")["items"] == []
    owner, other = (signer.client_for(person, "timeline:write") for person in ("u1", "u2"))
    assert signer.outcome() == {"quarantined": 1}
    [item] = owner.pages("/v1/quarantine")
    assert other.pages("/v1/quarantine") == []
    foreign = Account(signer.stack).client_for("u1", "timeline:write")
    for client in (other, foreign):
        path = f"/v1/quarantine/{item['id']}"
        assert client.request("DELETE", "timeline", path).status_code == 404
        assert client.request("POST", "timeline", f"{path}/release").status_code == 404
    path = f"/v1/quarantine/{item['id']}/release"
    assert owner.request("POST", "timeline", path).status_code == 204
    assert signer.shown() == ["Mail 0"]


def test_a_forged_copy_puts_no_text_on_a_profile_that_it_does_not_name(signer: Account) -> None:
    """The same Message-ID, From and Date with another To, to a colleague's capture address: before
    the genuine mail, and after it."""
    signer.client.put_person("u2", "user", "User Two", ["two@team.example"])
    signer.client.put_person("c2", "candidate", "Other", ["other@mail.example"])
    colleague, genuine = signer.client.mint("u2"), mail_from(number=1, body="Genuine words.")
    forged = genuine.replace(b"To: user@team.example", b"To: other@mail.example")
    copies = [forged.replace(b"Genuine", b"Forged%d" % number) for number in (1, 2)]
    for to, raw in (
        (colleague, copies[0]),
        (signer.capture, signed(genuine, "signed.test")),
        (colleague, copies[1]),
    ):
        signer.client.send("envelope@x.example", [to], raw)
        signer.sent += 1
        signer.outcome()
    assert signer.outcome() == {"attached": 3}

    def text(mail: dict[str, str], variant: str) -> str:
        path = f"/v1/mails/{mail['id']}/variants/{variant}"
        return str(signer.client.json("GET", "timeline", path)["text"]).strip()

    [other] = signer.client.timeline("c2")
    assert text(other, other["variant"]) == other["snippet"] == "Forged1 words."
    assert [address["address"] for address in other["to"]] == ["other@mail.example"]
    assert {match["person_id"] for match in other["matches"]} == {"c1", "c2"}, "From is c1"
    [own] = signer.client.timeline("c1")
    assert own["snippet"] == "Genuine words."
    assert own["authentication"]["verdict"] == "verified"
    assert {match["person_id"] for match in own["matches"]} == {"c1"}
    assert signer.client.mail(own["id"])["text"].strip() == "Genuine words."
    assert {text(own, variant["id"]) for variant in own["variants"]} == {
        "Forged1 words.",
        "Forged2 words.",
    }
    [conversation] = signer.client.inbox()
    assert (conversation["snippet"], conversation["mail_count"]) == ("Genuine words.", 1)
    raw_path = f"/v1/mails/{own['id']}/raw"
    for params, word in (({}, b"Genuine"), ({"variant": other["variant"]}, b"Forged1")):
        raw = signer.client.request("GET", "timeline", raw_path, params=params).content
        assert word in raw
