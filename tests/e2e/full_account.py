"""An account that has something everywhere."""

import secrets
from dataclasses import dataclass, field

from dev.client import Client
from tests.deadline import eventually
from tests.e2e.account import Account
from tests.e2e.test_forgotten import Secret
from tests.e2e.test_setup import confirmation

FILLER = "filler of a large mail\r\n" * 15_000
SCOPES = "account:write timeline:read timeline:write directory:write mail:write ops"


@dataclass
class FullAccount:
    """An account with something in every collection, and the words that are in no other."""

    account: Account
    words: list[str] = field(default_factory=list)

    def word(self) -> str:
        self.words.append(f"zq{secrets.token_hex(6)}")
        return self.words[-1]

    def secret(self, *, large: bool, cc: str = "") -> None:
        secret = Secret(large=large)
        self.words += secret.words
        headers = f"Cc: {cc}\r\n".encode() if cc else b""
        self.account.client.send(secret.sender, [self.account.capture], headers + secret.raw)
        self.account.sent += 1

    def fill(self) -> None:
        account = self.account
        one = account.client_for("u1", SCOPES)
        for large in (False, True):
            self.secret(large=large)
            self.secret(large=large, cc="cand@mail.example")
        one.json("PUT", "matcher", "/v1/rematch-window", json={"days": 3})
        one.json("POST", "matcher", "/v1/setup:watch")
        for large in (False, True):
            self.secret(large=large)
        one.upload(account.capture, confirmation(account))
        self._people(one)
        self._bounce()
        self._uploads(one)
        self._quarantine(one)
        long = "".join(f"X-{number}: x\r\n" for number in range(2000))
        account.send("nobody@x.example", headers=f"{long}X-Last: {self.word()}\r\n")
        assert eventually(lambda: one.pages("/v1/dead-letters")), "no dead letter"
        self._rulings(one)

    def _people(self, one: Client) -> None:
        name, word = self.account.client, self.word
        name.put_person("u2", "user", f"Two {word()}", [f"{word()}@team.example"])
        name.put_person("c2", "contact", f"Con {word()}", [f"{word()}@mail.example"])
        name.put_person("c3", "contact", f"Gone {word()}", [f"{word()}@mail.example"])
        name.put_person("c4", "contact", f"Other {word()}", [f"{word()}@mail.example"])
        one.json("POST", "matcher", "/v1/people/c2:merge", json={"into": "c1"})
        erased = one.request("POST", "matcher", "/v1/people/c3:erase").headers["Location"]
        name.delete_person("c4")
        self.account.client_for("u2").mint("u2")
        listed = {"addresses": [f"{word()}@never.example"], "domains": [f"{word()}.example"]}
        both = {"account": listed, "own": listed}
        one.json("PUT", "matcher", "/v1/never-capture", json=both)
        one.json("PUT", "matcher", "/v1/setup/round-trips", json={"repeat": "weekly"})
        # The end of an erasure deletes reviews.
        assert eventually(lambda: one.json("GET", "matcher", erased)["state"] == "done")
        review = {"change": {"person_id": "c1", "deleted": True}}
        one.json("POST", "matcher", "/v1/reviews", json=review)
        one.json("POST", "timeline", "/v1/hand-overs", json={"from": "u2", "to": "u1"})
        one.json("POST", "timeline", "/v1/reprocess", json={"all": True})

    def _bounce(self) -> None:
        body = (
            "--b\r\nContent-Type: text/plain\r\n\r\nFailed.\r\n--b\r\n"
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
            f"Final-Recipient: rfc822; cand@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
            f"Diagnostic-Code: smtp; 550 {self.word()}\r\n\r\n--b\r\n"
            "Content-Type: text/rfc822-headers\r\n\r\nFrom: user@team.example\r\n"
            f"To: cand@mail.example\r\nMessage-ID: <{self.account.name}-b@x>\r\n\r\n--b--\r\n"
        )
        self.account.send("cand@mail.example", message_id=f"{self.account.name}-b@x")
        report = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        self.account.send(
            "user@team.example", sender="MAILER-DAEMON@mx.example", headers=report, body=body
        )

    def _uploads(self, one: Client) -> None:
        for text in ("Short.", FILLER):
            raw = f"From: user@team.example\r\nTo: cand@mail.example\r\n\r\n{self.word()}{text}\r\n"
            headers = {"Content-Type": "message/rfc822", "Idempotency-Key": self.word()}
            params = {"recipient": self.account.capture}
            answer = one.request(
                "POST", "ingest", "/v1/mail", params=params, headers=headers, content=raw.encode()
            )
            assert answer.status_code == 202

    def _quarantine(self, one: Client) -> None:
        # What was sent before is decided by what the account wanted then.
        assert eventually(lambda: len(one.timeline("c1")) >= 5), self.account.shown()
        wanted = {"visibility": "team", "quarantine": "unverified"}
        one.json("PUT", "timeline", "/v1/settings", json=wanted)
        for text in ("Short.", FILLER):
            self.account.send(
                "user@team.example", sender="cand@mail.example", body=f"{self.word()} {text}"
            )
        assert eventually(lambda: len(one.pages("/v1/quarantine")) == 2)
        one.json("PUT", "timeline", "/v1/settings", json=wanted | {"quarantine": "off"})

    def _rulings(self, one: Client) -> None:
        for _ in range(3):
            self.account.send("cand@mail.example", body=f"To rule on: {self.word()}")
        assert eventually(lambda: len(one.timeline("c1")) >= 8), self.account.shown()
        first, second, third, *_ = one.timeline("c1")
        for method, path, body in (
            ("DELETE", f"{first['id']}/matches/c1", None),
            ("PUT", f"{second['id']}/visibility", {"visibility": "private"}),
            ("DELETE", f"{third['id']}?captures=all", None),
        ):
            answer = one.request(method, "timeline", f"/v1/mails/{path}", json=body)
            assert answer.status_code == 204, answer.text
        conversation = f"/v1/conversations/{second['conversation_id']}"
        assert one.request("PUT", "timeline", f"{conversation}/read").is_success
        read = {"before": "2026-01-16T00:00:00Z"}
        assert one.request("PUT", "timeline", "/v1/inbox/read", json=read).is_success
