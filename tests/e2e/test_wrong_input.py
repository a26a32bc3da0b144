"""Wrong input gets a clear answer and harms nothing: input, tokens, scopes, sizes."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dev.stack import SERVICES, Stack
from tests.deadline import DEADLINE
from tests.e2e.account import Account


class TestWrongInput:
    def test_a_made_up_capture_address_is_550_and_422(self, account: Account) -> None:
        made_up = account.capture.replace("@", "x@")
        port = account.stack.endpoints.smtp_port
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
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
        account.client._http.headers.pop("Authorization")
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
            ("/v1/inbox?q=before:nonsense", 422),
            ("/v1/inbox?q=%00", 422),
            ("/v1/inbox?cursor=x", 422),
            ("/v1/inbox?unread=true&cursor=x", 422),
            ("/v1/inbox?q=x&cursor=x", 422),
            ("/v1/inbox?owner=you", 422),
            ("/v1/inbox?limit=201", 422),
            ("/v1/inbox?person_id=nobody", 200),
            (f"/v1/conversations/{'a' * 32}", 404),
            ("/v1/conversations/nope", 422),
            (f"/v1/mails/{'a' * 32}/variants/{'0' * 32}", 404),
            ("/v1/mails/nope", 422),
            (f"/v1/mails/{'a' * 32}", 404),
            ("/v1/quarantine?cursor=x", 422),
            ("/v1/quarantine?limit=0", 422),
            ("/v1/nowhere", 404),
        ],
    )
    def test_what_cannot_be_shown_says_why(self, account: Account, path: str, status: int) -> None:
        response = account.client.request("GET", "timeline", path)
        assert response.status_code == status
        if status != 200:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["detail"]


def test_every_service_says_how_it_is(account: Account) -> None:
    for service in SERVICES:
        assert account.client.json("GET", service, "/healthz") == {"status": "alive"}
        assert account.client.json("GET", service, "/readyz")["ready"] is True
        assert "satchel_" in account.client.request("GET", service, "/metrics").text
