"""Forwards of all three kinds and forwarding confirmations, over SMTP in and over HTTP out."""

import time

from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.mails import enclosing, mail
from tests.questions import (
    CAPTURE,
    CLOUDFLARE,
    EXMAIL,
    GMAIL,
    MOBILE,
    PROTON,
    QQ,
    YAHOO,
    ZOHO,
)


class TestForwardAsAttachment:
    def about(self, who: str, word: str, **more: str) -> str:
        headers = f"Message-ID: <{word}@x>\r\nDate: Wed, 14 Jan 2026 09:30:00 +0000\r\n"
        return mail(who, "user@team.example", headers=f"{headers}Subject: {word}\r\n", **more)

    def test_of_three_mails_inside_the_one_that_matches_is_a_mail_of_its_own(
        self, account: Account
    ) -> None:
        headers, body = enclosing(
            [
                self.about("shop@x.example", "offers"),
                self.about("Cand <cand@mail.example>", "application", body="Here is my CV."),
                self.about("friend@x.example", "holidays"),
            ]
        )
        account.send(account.capture, headers=headers, body=body)
        assert account.outcome() == {"attached": 1}
        [listed] = account.client.timeline("c1")
        assert (listed["subject"], listed["direction"]) == ("application", "inbound")
        assert listed["message_id"] == "application@x"
        assert listed["date"].startswith("2026-01-14T09:30")
        assert listed["from"] == {"name": "Cand", "address": "cand@mail.example"}
        assert account.client.mail(listed["id"])["text"].strip() == "Here is my CV."
        raw = account.client.request("GET", "timeline", f"/v1/mails/{listed['id']}/raw").text
        assert raw.startswith("From: Cand <cand@mail.example>")
        for forgotten in ("offers", "holidays", "See below"):
            assert forgotten not in raw

    def test_it_is_the_same_mail_as_the_one_that_was_captured_before(
        self, account: Account
    ) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        inner = self.about("cand@mail.example", "application")
        account.client.upload(account.client.mint("u2"), inner.encode())
        headers, body = enclosing([inner])
        account.send(account.capture, headers=headers, body=body)
        account.client.await_captures(2)
        [listed] = account.client.timeline("c1")
        assert sorted(c["person_id"] for c in listed["captured_by"]) == ["u1", "u2"]

    def test_large_ones_as_well_and_no_claim_stays(self, account: Account) -> None:
        filler = "The same line again.\r\n" * 20_000
        headers, body = enclosing(
            [
                self.about("shop@x.example", "offers", body=filler),
                self.about("cand@work.example", "small"),
                self.about("cand@mail.example", "large", body=filler),
            ]
        )
        account.send(account.capture, headers=headers, body=body)
        assert account.outcome() == {"attached": 1}
        account.client.await_mails("c1", 2)
        assert sorted(account.shown()) == ["large", "small"]
        account.await_no_claims()

    def test_a_strangers_attachments_are_ignored(self, account: Account) -> None:
        headers, body = enclosing([self.about("cand@mail.example", "application")])
        account.send(account.capture, sender="stranger@x.example", headers=headers, body=body)
        assert account.outcome() == {"no_match": 1}

    def test_explain_tells_about_each(self, account: Account) -> None:
        headers, body = enclosing(
            [self.about("shop@x.example", "offers"), self.about("cand@mail.example", "application")]
        )
        told = account.explain(mail(to=account.capture, headers=headers, body=body))
        assert (told["decision"], told["reason"], told["direction"]) == ("attach", None, "inbound")
        assert [match["person_id"] for match in told["matches"]] == ["c1"]
        assert [
            (e["place"], e["subject"], e["decision"], e["reason"]) for e in told["enclosed"]
        ] == [
            ("1", "offers", "dismiss", "no_match"),
            ("2", "application", "attach", None),
        ]


class TestInlineForward:
    def block(self, who: str) -> str:
        return (
            f"---------- Forwarded message ---------\r\nFrom: {who}\r\n"
            "Date: Wed, Jan 14, 2026 at 9:30 AM\r\nSubject: Hello\r\nTo: x@x.example\r\n\r\nHi"
        )

    def test_a_forward_of_a_blocked_profile_stays_blocked(self, account: Account) -> None:
        account.client.put_person("c2", "candidate", "Me", ["user@team.example", "me@x.example"])
        account.send(account.capture, body=self.block("me@x.example"))
        assert account.outcome() == {"blocked": 1}

    def test_a_user_whose_own_profile_is_blocked_may_forward_all_the_same(
        self, account: Account
    ) -> None:
        account.client.put_person("c2", "candidate", "Me", ["user@team.example"])
        account.send(account.capture, body=self.block("cand@mail.example"))
        assert account.outcome() == {"attached": 1}
        assert account.shown("c2") == []

    def test_the_body_of_a_mail_to_others_is_ignored(self, account: Account) -> None:
        to = f"{account.capture}, other@x.example"
        account.send(to, body=self.block("cand@mail.example"))
        assert account.outcome() == {"no_match": 1}


class TestConfirmation:
    link = "https://mail-settings.google.com/mail/vf-%5BANGjdJ8example%5D-abcDEF123"
    english = (
        "user@team.example has requested to automatically forward mail to your email\r\n"
        "address.\r\nConfirmation code: 482915637\r\n\r\nTo allow, please click:\r\n"
    )
    german = (
        "user@team.example möchte E-Mails automatisch an Ihre Adresse weiterleiten.\r\n"
        "Bestätigungscode: 482915637\r\n\r\nBitte klicken Sie auf den Link:\r\n"
    )

    def confirmation(self, account: Account, text: str, subject: str) -> bytes:
        headers = (
            f"Subject: (#482915637) {subject}\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        )
        sender = "Gmail Team <forwarding-noreply@google.com>"
        body = f"{text}{self.link}\r\n\r\nThanks."
        return mail(sender, account.capture, headers=headers, body=body).encode()

    def test_it_is_for_the_owner_alone_and_never_a_mail(self, account: Account) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        # Not even when the requesting address belongs to a profile.
        account.client.put_person("c9", "candidate", "C", ["forwarding-noreply@google.com"])
        for text, subject in (
            (self.english, "Gmail Forwarding Confirmation - Receive Mail from user@team.example"),
            (self.german, "Gmail-Bestaetigung - E-Mails von user@team.example erhalten"),
        ):
            account.client.upload(account.capture, self.confirmation(account, text, subject))
        assert account.outcome(2) == {"confirmation": 2}
        setup = account.client.json("GET", "timeline", "/v1/setup")
        assert len(setup["confirmations"]) == 2
        for shown in setup["confirmations"]:
            assert shown["provider"] == "gmail"
            assert shown["requested_by"] == "user@team.example"
            assert shown["code"] == "482915637"
            assert shown["link"] == self.link
        colleague = account.client_for("u2").json("GET", "timeline", "/v1/setup")
        assert colleague["confirmations"] == []
        assert account.shown("c9") == []

    def test_every_providers_question_is_shown_and_no_near_miss(self, account: Account) -> None:
        asked = {
            "gmail": GMAIL,
            "proton": PROTON,
            "cloudflare": CLOUDFLARE,
            "zoho": ZOHO,
            "qq": QQ,
            "tencent-exmail": EXMAIL,
            "china-mobile": MOBILE,
            "yahoo": YAHOO,
        }
        for question in asked.values():
            body = question.body.replace(CAPTURE, account.capture)
            for to in (account.capture, f"{account.capture}, friend@x.example"):
                account.client.upload(account.capture, question.but(to=to, body=body).raw())
        captures = 2 * len(asked)
        assert account.outcome(captures)["confirmation"] == len(asked)
        shown = account.client.json("GET", "timeline", "/v1/setup")["confirmations"]
        assert {one["provider"] for one in shown} == asked.keys()
        assert all(one["link"] or one["code"] for one in shown)
        assert not any(word in str(shown) for word in ("/uf-", "decline", "cancelfw"))

    def test_the_set_up_names_the_addresses_that_count(self, account: Account) -> None:
        account.client.json(
            "POST",
            "matcher",
            f"/v1/capture-addresses/{account.capture}:rotate",
            json={"grace_hours": 1},
        )
        new = account.client.mint("u1")
        deadline = time.monotonic() + DEADLINE
        while True:  # what the matcher announces arrives in a moment
            setup = account.client.json("GET", "timeline", "/v1/setup")
            states = [(a["address"], a["state"]) for a in setup["capture_addresses"]]
            if states == [(new, "active"), (account.capture, "grace")]:
                break
            assert time.monotonic() < deadline, states
            time.sleep(0.1)

    def test_a_forged_one_is_an_ordinary_mail(self, account: Account) -> None:
        real = self.confirmation(account, self.english, "Gmail Forwarding Confirmation")
        forged = real.replace(b"forwarding-noreply@google.com", b"forwarding@google.example")
        account.client.upload(account.capture, forged)
        assert account.client.await_captures(1)["no_match"] == 1
        assert account.client.json("GET", "timeline", "/v1/setup")["confirmations"] == []

    def test_explain_knows_it(self, account: Account) -> None:
        raw = self.confirmation(account, self.english, "Gmail Forwarding Confirmation")
        told = account.explain(raw.decode())
        assert (told["decision"], told["matches"]) == ("confirmation", [])

    def test_to_a_revoked_address_it_is_dismissed(self, account: Account) -> None:
        account.client.delete_person("u1")
        raw = self.confirmation(account, self.english, "Gmail Forwarding Confirmation")
        account.client.upload(account.capture, raw)
        assert account.client.await_captures(1)["revoked_address"] == 1
