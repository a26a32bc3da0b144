"""Over SMTP in, over HTTP out: the rules as a user of the product meets them."""

import time

import pytest

from dev.stack import Stack
from shared.contracts.capture_address import KeyRing
from tests.deadline import DEADLINE
from tests.e2e.account import Account


def await_dead_letter(
    account: Account, capture_id: str, reason: str, seconds: float = DEADLINE
) -> None:
    """Return when the capture is a dead letter."""
    ops = account.client_for("op", "ops")
    deadline = time.monotonic() + seconds
    while capture_id not in {x["capture_id"] for x in ops.pages("/v1/dead-letters", reason=reason)}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


class TestRules:
    def test_a_second_address_in_another_case_matches(self, account: Account) -> None:
        account.send('"Cand" <CAND@Work.Example>')
        assert account.outcome() == {"attached": 1}
        [mail] = account.client.timeline("c1")
        assert mail["direction"] == "outbound"
        assert mail["matches"] == [
            {
                "person_id": "c1",
                "kind": "candidate",
                "address": "cand@work.example",
                "role": "to",
                "source": "header",
                "shared_address": False,
            }
        ]

    def test_the_capture_address_may_be_in_the_envelope_only_or_in_cc(
        self, account: Account
    ) -> None:
        account.send("cand@mail.example")
        account.send("cand@mail.example", headers=f"Cc: {account.capture}\r\n")
        assert account.outcome() == {"attached": 2}

    def test_profiles_that_share_an_address_are_all_attached_and_flagged(
        self, account: Account
    ) -> None:
        account.client.put_person("k1", "contact", "K", ["cand@mail.example"])
        account.send("cand@mail.example")
        account.outcome()
        [mail] = account.client.timeline("k1")
        assert {(m["person_id"], m["shared_address"]) for m in mail["matches"]} == {
            ("c1", True),
            ("k1", True),
        }

    def test_a_profile_that_shares_any_address_with_a_user_gets_nothing(
        self, account: Account
    ) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example", "cand@work.example"])
        account.send("cand@mail.example", sender="stranger@x.example")
        assert account.outcome() == {"blocked": 1}
        assert account.shown() == []

    def test_a_blocked_profile_does_not_take_a_clean_one_along(self, account: Account) -> None:
        account.client.put_person("c2", "candidate", "Blocked", ["user@team.example"])
        account.send("cand@mail.example, user@team.example", sender="stranger@x.example")
        assert account.outcome() == {"attached": 1}
        assert account.shown("c1") == ["Mail 1"]
        assert account.shown("c2") == []

    def test_guests_and_vendors_neither_match_nor_block(self, account: Account) -> None:
        account.client.put_person("g1", "guest", "G", ["cand@mail.example", "guest@x.example"])
        account.client.put_person("v1", "vendor", "V", ["cand@work.example"])
        account.send("cand@mail.example")
        account.send("guest@x.example", sender="stranger@x.example")
        assert account.outcome() == {"attached": 1, "no_match": 1}
        assert account.shown("g1") == []

    def test_colleagues_among_themselves_are_forgotten_whatever_they_write(
        self, account: Account
    ) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        account.send("two@team.example", body="> From: cand@mail.example\r\n> Hello")
        assert account.outcome() == {"internal": 1}

    def test_two_profiles_in_one_mail_are_both_attached(self, account: Account) -> None:
        account.client.put_person("k1", "contact", "K", ["boss@client.example"])
        account.send("cand@mail.example", headers="Cc: Boss <boss@client.example>\r\n")
        assert account.outcome() == {"attached": 1}
        assert account.shown("c1") == account.shown("k1") == ["Mail 1"]

    def test_who_is_user_and_candidate_under_two_ids_gets_nothing(self, account: Account) -> None:
        account.client.put_person("c2", "candidate", "Me", ["me@x.example", "user@team.example"])
        account.send("me@x.example", sender="stranger@x.example")
        account.send("cand@mail.example")
        assert account.outcome() == {"attached": 1, "blocked": 1}
        assert account.shown("c2") == []

    def test_addresses_compare_in_one_form(self, account: Account) -> None:
        account.client.put_person("k1", "contact", "K", ["anna@b\u00fccher.example"])
        account.client.put_person("k2", "contact", "K", ["jose\u0301@x.example"])
        account.send("Anna@XN--bcher-kva.Example")
        account.send("jos\u00e9@X.example")
        account.send("anna+tag@xn--bcher-kva.example")  # plus tags are kept
        assert account.outcome() == {"attached": 2, "no_match": 1}

    def test_the_author_behind_a_list_is_recovered(self, account: Account) -> None:
        account.send(
            "team@lists.example",
            sender='"Cand via Team" <team@lists.example>',
            headers="X-Original-From: Cand <cand@mail.example>\r\nList-Id: <team>\r\n",
        )
        assert account.outcome() == {"attached": 1}
        [mail] = account.client.timeline("c1")
        assert (mail["direction"], mail["matches"][0]["role"]) == ("inbound", "from")

    @pytest.mark.parametrize("name", ["Sender", "Reply-To", "Bcc", "Resent-To", "Resent-From"])
    def test_every_header_of_people_counts_and_the_text_does_not(
        self, account: Account, name: str
    ) -> None:
        account.send("x@x.example", headers=f"{name}: a@x.example\r\n{name}: cand@mail.example\r\n")
        account.send("x@x.example", body="Write to cand@mail.example.")
        assert account.outcome() == {"attached": 1, "no_match": 1}

    def test_a_rotated_address_counts_until_its_grace_is_over(self, account: Account) -> None:
        old = account.capture
        path = f"/v1/capture-addresses/{old}:rotate"
        account.client.json("POST", "matcher", path, json={"grace_hours": 1})
        account.send("cand@mail.example", capture=old)
        assert account.outcome() == {"attached": 1}
        current = account.client.mint("u1")
        path = f"/v1/capture-addresses/{current}:rotate"
        account.client.json("POST", "matcher", path, json={"grace_hours": 0})
        account.send("cand@mail.example", capture=current)
        assert account.outcome() == {"attached": 1, "revoked_address": 1}

    def test_what_was_not_read_whole_is_a_dead_letter_and_never_dismissed(
        self, account: Account
    ) -> None:
        padding = "".join(f"X-{number}: {'y' * 70}\r\n" for number in range(1500))
        raw = f"From: stranger@x.example\r\n{padding}To: cand@mail.example\r\n\r\nHello"
        capture_id = account.client.upload(account.capture, raw.encode()).json()["capture_id"]
        await_dead_letter(account, capture_id, "header_too_long")
        assert account.client.tally() == {}

    def test_a_valid_address_without_a_record_is_a_dead_letter(self, account: Account) -> None:
        ring = KeyRing.parse(account.stack.environment["CAPTURE_KEYS"])
        domain = account.capture.partition("@")[2]
        address = ring.mint(account.name, "restored", domain).address
        raw = b"From: cand@mail.example\r\n\r\nHello"
        capture_id = account.client.upload(address, raw).json()["capture_id"]
        await_dead_letter(account, capture_id, "unknown_capture_address")
        assert account.client.tally() == {}

    def test_two_accounts_know_nothing_of_each_other(self, stack: Stack) -> None:
        ours, theirs = Account(stack), Account(stack)
        theirs.client.put_person("u9", "user", "U", ["cand@mail.example"])
        ours.send("cand@mail.example")
        assert ours.outcome() == {"attached": 1}
        assert theirs.shown() == []
        [mail] = ours.client.timeline("c1")
        for path in (f"/v1/mails/{mail['id']}", f"/v1/mails/{mail['id']}/raw"):
            assert theirs.client.request("GET", "timeline", path).status_code == 404
        assert theirs.client.tally() == {}

    def test_a_deleted_users_address_counts_no_more(self, account: Account) -> None:
        account.client.delete_person("u1")
        account.send("cand@mail.example", sender="stranger@x.example")
        assert account.outcome() == {"revoked_address": 1}


class TestForwards:
    block = (
        "Please look.\r\n\r\n---------- Forwarded message ---------\r\n"
        "From: The Candidate <cand@work.example>\r\nDate: Wed, Jan 14, 2026 at 9:30 AM\r\n"
        "Subject: My application\r\nTo: jobs@x.example\r\n\r\nThe text."
    )

    def test_a_users_forward_shows_the_original(self, account: Account) -> None:
        account.send(account.capture, body=self.block)
        assert account.outcome() == {"attached": 1}
        [listed] = account.client.timeline("c1")
        assert (listed["subject"], listed["direction"]) == ("My application", "inbound")
        assert listed["from"] == {"name": "The Candidate", "address": "cand@work.example"}
        assert listed["forwarded_by"]["address"] == "user@team.example"
        assert listed["date"].startswith("2026-01-14T09:30")
        assert [(m["role"], m["source"]) for m in listed["matches"]] == [("from", "forwarded_body")]

    def test_a_large_forward_as_well(self, account: Account) -> None:
        account.send(account.capture, body=self.block + "\r\nfiller" * 60_000)
        assert account.outcome() == {"attached": 1}

    def test_a_strangers_forward_is_ignored(self, account: Account) -> None:
        account.send(account.capture, sender="stranger@x.example", body=self.block)
        account.send(
            account.capture,
            sender="'User' via List <list@x.example>",
            headers="X-Original-From: user@team.example\r\nList-Id: <list>\r\n",
            body=self.block,
        )
        assert account.outcome() == {"internal": 1, "no_match": 1}

    def test_explain_sees_the_same(self, account: Account) -> None:
        told = account.explain(
            f"From: user@team.example\r\nTo: {account.capture}\r\n\r\n{self.block}"
        )
        assert told["decision"] == "attach"
        assert ("cand@work.example", "forwarded_body", "match") in {
            (p["address"], p["source"], p["verdict"]) for p in told["participants"]
        }


class TestOneMail:
    def test_it_is_shown_with_text_html_and_attachments(self, account: Account) -> None:
        account.send(
            "cand@mail.example",
            headers="MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
            body="--b\r\nContent-Type: text/html\r\n\r\n<p onclick=x>Hello <b>you</b></p>"
            "<script>bad()</script>\r\n--b\r\nContent-Type: application/pdf\r\n"
            'Content-Disposition: attachment; filename="cv.pdf"\r\n\r\n%PDF\r\n--b--',
        )
        account.outcome()
        [listed] = account.client.timeline("c1")
        mail = account.client.mail(listed["id"])
        assert "Hello you" in mail["text"]
        assert "<b>you</b>" in mail["html"]
        assert "onclick" not in mail["html"]
        assert "bad()" not in mail["html"]
        assert [a["filename"] for a in mail["attachments"]] == ["cv.pdf"]
        assert mail["from"] == {"name": "", "address": "user@team.example"}
        assert {"address": "cand@mail.example", "role": "to", "source": "header"} in mail[
            "participants"
        ]
        in_full = {"text", "new_text", "signature", "html", "has_remote_images", "participants"}
        assert listed.keys() == mail.keys() - in_full

    def test_the_same_mail_by_two_users_is_one(self, account: Account) -> None:
        account.client.put_person("u2", "user", "U2", ["two@team.example"])
        second = account.client.mint("u2")
        account.send("cand@mail.example", message_id="same@x")
        account.sent -= 1  # the same subject and date
        account.send("cand@mail.example", message_id="same@x", capture=second)
        account.client.await_captures(2)
        [mail] = account.client.timeline("c1")
        assert sorted(c["person_id"] for c in mail["captured_by"]) == ["u1", "u2"]

    def test_bcc_is_for_the_owner_of_the_capture_alone(self, account: Account) -> None:
        account.send("cand@mail.example", headers="Bcc: Secret <secret@x.example>\r\n")
        account.outcome()
        [listed] = account.client.timeline("c1")
        raw = f"/v1/mails/{listed['id']}/raw"
        mine = account.client.mail(listed["id"])
        assert [a["address"] for a in mine["bcc"]] == ["secret@x.example"]
        assert "secret@x" in account.client.request("GET", "timeline", raw).text
        colleague = account.client_for("u2")
        assert "secret@x" not in str(colleague.mail(listed["id"]))
        assert "secret@x" not in str(colleague.timeline("c1"))
        assert "secret@x" not in colleague.request("GET", "timeline", raw).text

    def test_a_large_mail_goes_the_whole_way(self, account: Account) -> None:
        account.send("cand@mail.example", body="All the same line.\r\n" * 200_000)
        account.send("nobody@x.example", body="All the same line.\r\n" * 200_000)
        assert account.outcome() == {"attached": 1, "no_match": 1}
        [listed] = account.client.timeline("c1")
        raw = account.client.request("GET", "timeline", f"/v1/mails/{listed['id']}/raw")
        assert raw.headers["content-type"] == "message/rfc822"
        assert raw.headers["x-content-type-options"] == "nosniff"
        assert raw.content.count(b"All the same line.") == 200_000
        account.await_no_claims()

    def test_uploading_is_the_same_as_sending(self, account: Account) -> None:
        raw = b"From: cand@mail.example\r\nTo: user@team.example\r\nSubject: Up\r\n\r\nHello"
        response = account.client.upload(account.capture, raw)
        assert response.status_code == 202
        assert response.json().keys() == {"capture_id"}
        account.client.await_captures(1)
        [mail] = account.client.timeline("c1")
        assert (mail["subject"], mail["direction"]) == ("Up", "inbound")
