"""Over SMTP in, over HTTP out: the rules as a user of the product meets them."""

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev.client import Client
from dev.stack import Stack

_accounts = itertools.count(1)


class Account:
    """A fresh account with a user, a candidate and a capture address."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.name = stack, f"account{next(_accounts)}"
        self.client = self.client_for("u1")
        self.client.put_person("u1", "user", "User One", ["user@team.example"])
        self.client.put_person(
            "c1", "candidate", "Cand", ["cand@mail.example", "cand@work.example"]
        )
        self.capture = self.client.mint("u1")
        self.sent = 0

    def client_for(self, person: str, scope: str | None = None, replica: int = 0) -> Client:
        options = {} if scope is None else {"scope": scope}
        return Client(
            self.stack.endpoints_of(replica),
            self.stack.token_secret,
            account=self.name,
            person=person,
            **options,
        )

    def send(
        self,
        to: str,
        *,
        sender: str = "user@team.example",
        capture: str | None = None,
        headers: str = "",
        body: str = "The text.",
        message_id: str | None = None,
    ) -> None:
        self.sent += 1
        message_id = message_id or f"{self.name}-{self.sent}@x"
        raw = (
            f"From: {sender}\r\nTo: {to}\r\nMessage-ID: <{message_id}>\r\n"
            f"Date: Thu, 15 Jan 2026 09:00:{self.sent:02} +0000\r\nSubject: Mail {self.sent}\r\n"
            f"{headers}\r\n{body}\r\n"
        )
        self.client.send("envelope@x.example", [capture or self.capture], raw.encode())

    def outcome(self) -> dict[str, int]:
        """Return what became of all that was sent."""
        return {word: n for word, n in self.client.await_captures(self.sent).items() if n}

    def shown(self, person_id: str = "c1") -> list[str]:
        return [mail["subject"] for mail in self.client.timeline(person_id)]


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack)


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

    def test_what_the_api_acknowledged_decides_the_next_mail(self, account: Account) -> None:
        for n in range(20):
            address = f"new{n}@mail.example"
            account.client_for("u1", replica=n % 2).put_person(f"n{n}", "contact", "N", [address])
            account.send(address)
        assert account.outcome() == {"attached": 20}


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
        raw = f"From: user@team.example\r\nTo: {account.capture}\r\n\r\n{self.block}"
        told = account.client.json(
            "POST",
            "matcher",
            "/v1/explain",
            content=raw.encode(),
            headers={"Content-Type": "message/rfc822"},
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
        assert listed.keys() == mail.keys() - {"text", "html", "participants"}

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
        deadline = time.monotonic() + 10
        claims = account.stack.folder / "blobs" / "claims"
        while list(claims.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(claims.iterdir()) == []

    def test_uploading_is_the_same_as_sending(self, account: Account) -> None:
        raw = b"From: cand@mail.example\r\nTo: user@team.example\r\nSubject: Up\r\n\r\nHello"
        response = account.client.upload(account.capture, raw)
        assert response.status_code == 202
        assert response.json().keys() == {"capture_id"}
        account.client.await_captures(1)
        [mail] = account.client.timeline("c1")
        assert (mail["subject"], mail["direction"]) == ("Up", "inbound")


class TestWrongInput:
    def test_a_made_up_capture_address_is_550_and_422(self, account: Account) -> None:
        made_up = account.capture.replace("@", "x@")
        port = account.stack.endpoints.smtp_port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{made_up}>\r\nQUIT\r\n".encode()
            )
            answers = b""
            while piece := connection.recv(4096):
                answers += piece
        assert b"\r\n550 5.1.1 no such capture address\r\n" in answers
        response = account.client.upload(made_up, b"From: a@b.example\r\n\r\n")
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "recipient"

    def test_another_accounts_capture_address_is_422(self, stack: Stack) -> None:
        ours, theirs = Account(stack), Account(stack)
        response = ours.client.upload(theirs.capture, b"From: a@b.example\r\n\r\n")
        assert response.status_code == 422

    def test_a_body_that_is_no_mail(self, account: Account) -> None:
        for body, status in ((b"", 422), (b"\x00\xff\x00" * 50, 202)):
            assert account.client.upload(account.capture, body).status_code == status
        account.sent = 1
        assert account.outcome() == {"no_match": 1}
        response = account.client.request(
            "POST", "ingest", "/v1/mail", params={"recipient": account.capture}, json={}
        )
        assert response.status_code == 415

    def test_a_mail_over_the_limit_is_413(self, account: Account) -> None:
        assert account.client.upload(account.capture, b"x" * (31 << 20)).status_code == 413

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"kind": "candidate", "name": "N", "addresses": ["ok@x.test", "no"]}, "addresses.1"),
            ({"kind": "boss", "name": "N", "addresses": []}, "kind"),
            ({"kind": "user", "addresses": []}, "name"),
            ({"kind": "user", "name": "N", "addresses": [], "rank": 1}, "rank"),
            ({"kind": "user", "name": {"$ne": 1}, "addresses": []}, "name"),
            ({"kind": "user", "name": "N" * 501, "addresses": []}, "name"),
        ],
    )
    def test_a_wrong_person_is_422_and_names_the_field(
        self, account: Account, body: object, field: str
    ) -> None:
        response = account.client.request("PUT", "matcher", "/v1/people/x1", json=body)
        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in response.json()["errors"]] == [field]
        assert account.client.request("GET", "matcher", "/v1/people/x1").status_code == 404

    @pytest.mark.parametrize("domain", ["a.test", "host.local", "db.internal", "x.invalid"])
    def test_reserved_domains_are_fine(self, account: Account, domain: str) -> None:
        account.client.put_person("c2", "candidate", "C", [f"c@{domain}"])
        account.send(f"c@{domain}")
        assert account.outcome() == {"attached": 1}

    def test_a_body_that_is_too_large_is_413_with_or_without_a_token(
        self, account: Account
    ) -> None:
        def pieces() -> Iterator[bytes]:
            yield b'{"name": "'
            for _ in range(200):
                yield b"x" * 100_000

        response = account.client.request("PUT", "matcher", "/v1/people/x1", content=pieces())
        assert response.status_code == 413
        _without_token(account.client)
        response = account.client.request("PUT", "matcher", "/v1/people/x1", content=pieces())
        assert response.status_code == 413

    def test_a_deleted_user_is_left_no_capture_address(self, account: Account) -> None:
        path = "/v1/capture-addresses"
        for n in range(10):
            user = f"d{n}"
            account.client.put_person(user, "user", "U", [])
            with ThreadPoolExecutor(8) as pool:
                for k in range(7):
                    client = account.client_for("u1", replica=k % 2)
                    pool.submit(client.request, "POST", "matcher", path, json={"person_id": user})
                pool.submit(account.client.delete_person, user)
            listed = account.client.json("GET", "matcher", path, params={"person_id": user})
            assert {address["state"] for address in listed["items"]} <= {"revoked"}

    def test_a_person_can_be_put_by_many_at_once(self, account: Account) -> None:
        with ThreadPoolExecutor(8) as pool:
            for n in range(40):
                clients = [account.client_for("u1", replica=k % 2) for k in range(4)]
                puts = [
                    pool.submit(client.put_person, f"m{n}", "contact", "M", [])
                    for client in clients
                ]
                for put in puts:
                    put.result()

    def test_only_a_user_gets_a_capture_address(self, account: Account) -> None:
        for person in ("c1", "nobody"):
            response = account.client.request(
                "POST", "matcher", "/v1/capture-addresses", json={"person_id": person}
            )
            assert response.status_code == 422
        own = account.client_for("u1", scope="timeline:read")
        assert own.mint("u1") == account.capture
        other = account.client_for("u2", scope="timeline:read")
        assert (
            other.request(
                "POST", "matcher", "/v1/capture-addresses", json={"person_id": "u1"}
            ).status_code
            == 403
        )

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/v1/profiles/c1/timeline?limit=0", 422),
            ("/v1/profiles/c1/timeline?limit=201", 422),
            ("/v1/profiles/c1/timeline?cursor=x", 422),
            ("/v1/profiles/nobody/timeline", 200),
            ("/v1/stats?from=x", 422),
            ("/v1/stats?from=2026-02-01&to=2026-01-01", 422),
            ("/v1/stats?from=2020-01-01&to=2026-01-01", 422),
            ("/v1/stats?to=0001-01-05", 200),
            ("/v1/stats?to=9999-12-31", 200),
            ("/v1/profiles/c1/timeline?cursor=WzEsICJcdWQ4MDAiXQ", 422),
            ("/v1/mails/nope", 422),
            (f"/v1/mails/{'a' * 32}", 404),
            ("/v1/nowhere", 404),
        ],
    )
    def test_what_cannot_be_shown_says_why(self, account: Account, path: str, status: int) -> None:
        response = account.client.request("GET", "timeline", path)
        assert response.status_code == status
        if status != 200:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["detail"]


SERVICES = ("ingest", "matcher", "timeline")


def _routes(account: Account) -> list[tuple[str, str, str]]:
    """Return every method and path of every service, from their own descriptions."""
    parameters = {"person_id": "u1", "mail_id": "a" * 32, "address": account.capture}
    return [
        (service, method.upper(), path.format(**parameters))
        for service in SERVICES
        for path, methods in account.client.json("GET", service, "/openapi.json")["paths"].items()
        for method in methods
    ]


def _without_token(client: Client) -> None:
    client._http.headers.pop("Authorization")


def _foreign_secret(client: Client) -> None:
    client._http.headers["Authorization"] = f"Bearer {'a' * 20}.b.c"


@pytest.mark.parametrize("spoil", [_without_token, _foreign_secret])
def test_every_route_refuses_a_wrong_token(
    account: Account, spoil: Callable[[Client], None]
) -> None:
    client = account.client_for("u1")
    routes = _routes(account)
    assert len(routes) >= 9
    spoil(client)
    for service, method, path in routes:
        response = client.request(method, service, path)
        assert response.status_code == 401, (method, path)
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"] == "Bearer"


def test_every_route_refuses_a_token_without_its_scope(account: Account) -> None:
    client = account.client_for("nobody", scope="other:read")
    person = {"kind": "user", "name": "N", "addresses": []}
    bodies = {"PUT /v1/people/u1": person, "POST /v1/capture-addresses": {"person_id": "u1"}}
    for service, method, path in _routes(account):
        response = client.request(
            method,
            service,
            path,
            json=bodies.get(f"{method} {path}"),
            params={"recipient": account.capture},
        )
        assert response.status_code == 403, (method, path)
        assert "needs the scope" in response.json()["detail"]


def test_every_service_says_how_it_is(account: Account) -> None:
    for service in SERVICES:
        assert account.client.json("GET", service, "/healthz") == {"status": "alive"}
        assert account.client.json("GET", service, "/readyz")["ready"] is True
        assert "satchel_" in account.client.request("GET", service, "/metrics").text


def test_100_mb_without_a_line_end_leaves_ingest_small(account: Account) -> None:
    replica = account.stack.of("ingest")[0]
    with socket.create_connection(("127.0.0.1", replica.ports["INGEST_SMTP_PORT"])) as connection:
        connection.settimeout(60)
        for command in ("EHLO x", "MAIL FROM:<>", f"RCPT TO:<{account.capture}>", "DATA"):
            connection.sendall(f"{command}\r\n".encode())
            time.sleep(0.1)
            connection.recv(4096)
        for _ in range(100):
            connection.sendall(b"x" * (1 << 20))
        connection.sendall(b"\r\n.\r\n")
        assert connection.recv(4096).startswith(b"552 ")
    status = f"/proc/{replica.process.pid}/status"
    with open(status) as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    assert peak < 200 * 1024, f"{peak} KiB"
