"""The directory's API, as an ATS uses it."""

import json
import socket
from typing import Any

import httpx
import pytest

from dev.stack import Stack
from tests.deadline import DEADLINE, eventually
from tests.e2e.account import Account


def lines(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def ndjson(*people: object) -> bytes:
    return b"\n".join(json.dumps(person).encode() for person in people)


def candidate(number: int, **also: object) -> dict[str, object]:
    return {
        "person_id": f"i{number}",
        "kind": "candidate",
        "name": f"Candidate {number}",
        "addresses": [f"i{number}@mail.example"],
        **also,
    }


class TestImport:
    def import_(self, account: Account, body: bytes) -> list[dict[str, Any]]:
        return lines(account.client.request("POST", "matcher", "/v1/people:import", content=body))

    def test_each_bad_line_is_named_and_every_good_one_is_stored(self, account: Account) -> None:
        body = b"\n".join(
            [
                ndjson(candidate(1)),
                b"no json",
                ndjson(candidate(2, addresses=["i2@mail.example", "nope"])),
                b"",
                ndjson(candidate(3, kind="boss", rank=1)),
                b"\xff\xfe",
                ndjson(candidate(4, person_id="a/b")),
                b'{"person_id": "i6", "name": "' + b"x" * 70_000 + b'"}',
                ndjson(candidate(5)),
                ndjson(candidate(6, person_id="..")),
            ]
        )
        *bad, end = self.import_(account, body)
        assert end == {"lines": 10, "stored": 2, "failed": 7, "done": True}
        named = {line["line"]: [error["field"] for error in line["errors"]] for line in bad}
        assert named == {
            2: ["line"],
            3: ["addresses.1"],
            5: ["kind", "rank"],
            6: ["line"],
            7: ["person_id"],
            8: ["line"],
            10: ["person_id"],
        }
        account.send("i5@mail.example")
        account.send("i1@mail.example")
        assert account.outcome() == {"attached": 2}

    def test_a_hundred_thousand_people_with_progress(self, account: Account, share: float) -> None:
        people = 100_000 if share == 1 else 6_000
        told = self.import_(account, ndjson(*(candidate(n) for n in range(people))))
        assert told[-1] == {"lines": people, "stored": people, "failed": 0, "done": True}
        assert [line["lines"] for line in told[:-1]] == list(range(5000, people + 1, 5000))
        account.send(f"i{people - 1}@mail.example")
        assert account.outcome() == {"attached": 1}

    def test_what_is_no_directory_ends_the_import_and_stalls_nobody(self, account: Account) -> None:
        *bad, end = self.import_(account, b"nope\n" * 200_000 + ndjson(candidate(1)))
        assert (end["done"], end["error"]) == (False, "more than 10000 bad lines")
        assert len([line for line in bad if "errors" in line]) == 10_001
        line = json.dumps(candidate(1) | {f"x{n}": n for n in range(1000)}).encode()
        assert len(self.import_(account, line)[0]["errors"]) == 10

    def test_of_the_same_person_the_last_line_counts(self, account: Account) -> None:
        user = {"person_id": "u1", "kind": "user", "name": "U", "addresses": ["user@team.example"]}
        self.import_(account, ndjson(candidate(1, person_id="u1"), user))
        account.send("cand@mail.example")
        assert account.outcome() == {"attached": 1}

    def test_who_is_no_user_any_more_loses_their_capture_address(self, account: Account) -> None:
        self.import_(account, ndjson(candidate(1, person_id="u1", kind="contact")))
        account.send("cand@mail.example", sender="stranger@x.example")
        assert account.outcome() == {"revoked_address": 1}


class TestPeople:
    def get(self, account: Account, query: str) -> dict[str, Any]:
        return dict(account.client.json("GET", "matcher", f"/v1/people?{query}"))

    def test_pages_hold_everyone_once(self, account: Account, stack: Stack) -> None:
        Account(stack)  # another account's people are not seen
        for n in range(5):
            account.client.put_person(f"p{n}", "contact", "P", [])
        seen: list[str] = []
        cursor = ""
        while True:
            page = self.get(account, f"limit=3{cursor}")
            seen += [person["person_id"] for person in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == ["c1", "p0", "p1", "p2", "p3", "p4", "u1"]

    @pytest.mark.parametrize(
        "written", ["CAND@mail.example", "%20cand@Mail.Example%20", "x@b%C3%BCcher.example"]
    )
    def test_who_has_an_address_however_it_is_written(self, account: Account, written: str) -> None:
        account.client.put_person("c2", "candidate", "C", ["x@xn--bcher-kva.example"])
        found = self.get(account, f"address={written}")["items"]
        assert [p["person_id"] for p in found] == (["c2"] if "%BC" in written else ["c1"])

    def test_an_address_of_nobody(self, account: Account) -> None:
        assert self.get(account, "address=nobody@x.example") == {"items": [], "next_cursor": None}


class TestCaptureAddresses:
    def call(self, account: Account, method: str, path: str, **options: Any) -> httpx.Response:
        return account.client.request(method, "matcher", f"/v1/capture-addresses{path}", **options)

    def test_rotation_gives_a_new_address_and_the_old_one_grace(self, account: Account) -> None:
        new = self.call(account, "POST", f"/{account.capture}:rotate", json={"grace_hours": 1})
        address = new.json()["address"]
        assert address != account.capture
        assert account.client.mint("u1") == address
        account.send("cand@mail.example")
        account.send("cand@mail.example", capture=address)
        assert account.outcome() == {"attached": 2}
        again = self.call(account, "POST", f"/{account.capture}:rotate")
        assert again.json()["address"] == address, "asking twice is no second rotation"
        listed = self.call(account, "GET", "").json()["items"]
        assert {(a["address"], a["state"]) for a in listed} == {
            (account.capture, "grace"),
            (address, "active"),
        }

    def test_after_its_grace_an_address_counts_no_more(self, account: Account) -> None:
        self.call(account, "POST", f"/{account.capture}:rotate", json={"grace_hours": 0})
        account.send("cand@mail.example")
        assert account.outcome() == {"revoked_address": 1}

    def test_a_deleted_address_counts_no_more(self, account: Account) -> None:
        assert self.call(account, "DELETE", f"/{account.capture.upper()}").status_code == 204
        account.send("cand@mail.example")
        assert account.outcome() == {"revoked_address": 1}
        assert account.client.mint("u1") != account.capture

    def test_an_address_is_a_contact_to_import(self, account: Account) -> None:
        account.client.put_person("u1", "user", "One;\r\nEMAIL:x@x.example", ["user@team.example"])
        card = self.call(account, "GET", f"/{account.capture.upper()}/contact.vcf")
        assert card.status_code == 200
        assert card.headers["content-type"] == "text/vcard; charset=utf-8"
        assert card.headers["content-disposition"] == 'attachment; filename="satchel.vcf"'
        assert card.headers["cache-control"] == "no-store"
        lines = card.text.replace("\r\n ", "").split("\r\n")
        assert "FN:Satchel (my capture address)" in lines
        assert [line for line in lines if line.startswith("EMAIL")] == [
            f"EMAIL;TYPE=INTERNET:{account.capture}"
        ]

    def test_an_address_that_should_not_be_used_any_more_is_no_contact(
        self, account: Account
    ) -> None:
        new = self.call(account, "POST", f"/{account.capture}:rotate").json()["address"]
        assert self.call(account, "GET", f"/{account.capture}/contact.vcf").status_code == 404
        assert self.call(account, "GET", f"/{new}/contact.vcf").status_code == 200
        self.call(account, "DELETE", f"/{new}")
        assert self.call(account, "GET", f"/{new}/contact.vcf").status_code == 404

    def test_a_contact_is_the_owners_and_that_of_who_keeps_the_directory(
        self, account: Account, stack: Stack
    ) -> None:
        path = f"/v1/capture-addresses/{account.capture}/contact.vcf"
        readers = {
            "owner": account.client_for("u1", "timeline:read"),
            "colleague": account.client_for("u2", "timeline:read directory:read account:write"),
            "keeper": account.client_for("u9", "directory:write"),
            "stranger": Account(stack).client_for("u1", "timeline:read"),
            "other keeper": Account(stack).client_for("u1", "directory:write"),
        }
        found = {
            who: client.request("GET", "matcher", path).status_code
            for who, client in readers.items()
        }
        assert found == {
            "owner": 200,
            "colleague": 403,
            "keeper": 200,
            "stranger": 403,
            "other keeper": 404,
        }

    def test_pages_hold_every_address_once(self, account: Account) -> None:
        for n in range(4):
            account.client.put_person(f"u1{n}", "user", "U", [])
            account.client.mint(f"u1{n}")
        seen: list[str] = []
        query = "?limit=2"
        while True:
            page = self.call(account, "GET", query).json()
            seen += [address["person_id"] for address in page["items"]]
            if page["next_cursor"] is None:
                break
            query = f"?limit=2&cursor={page['next_cursor']}"
        assert seen == ["u1", "u10", "u11", "u12", "u13"]

    def test_a_made_up_cursor_is_422(self, account: Account) -> None:
        assert self.call(account, "GET", "?cursor=x").status_code == 422

    def test_a_user_manages_their_own_and_no_others(self, account: Account, stack: Stack) -> None:
        account.client.put_person("u2", "user", "U2", [])
        other = account.client.mint("u2")
        own = account.client_for("u1", scope="timeline:read")
        paths = "/v1/capture-addresses"
        assert own.request("GET", "matcher", f"{paths}?person_id=u1").status_code == 200
        assert own.request("GET", "matcher", paths).status_code == 403
        assert own.request("GET", "matcher", f"{paths}?person_id=u2").status_code == 403
        assert own.request("DELETE", "matcher", f"{paths}/{other}").status_code == 403
        assert own.request("POST", "matcher", f"{paths}/{other}:rotate").status_code == 403
        assert own.request("POST", "matcher", f"{paths}/{account.capture}:rotate").is_success
        stranger = Account(stack)
        assert self.call(stranger, "DELETE", f"/{other}").status_code == 404
        assert self.call(stranger, "POST", f"/{other}:rotate").status_code == 404


class TestExplain:
    def explain(self, account: Account, raw: str, **params: str) -> dict[str, Any]:
        return dict(
            account.client.json(
                "POST",
                "matcher",
                "/v1/explain",
                params=params,
                content=raw.encode(),
                headers={"Content-Type": "message/rfc822"},
            )
        )

    def test_it_tells_what_would_become_of_a_mail_and_stores_nothing(
        self, account: Account
    ) -> None:
        account.client.put_person(
            "c2", "candidate", "Blocked", ["b@x.example", "user@team.example"]
        )
        account.client.put_person("g1", "guest", "G", ["guest@x.example"])
        told = self.explain(
            account,
            "From: user@team.example\r\nTo: cand@mail.example, b@x.example\r\n"
            f"Cc: guest@x.example, nobody@x.example, {account.capture}\r\n\r\n",
        )
        assert (told["decision"], told["reason"], told["direction"]) == (
            "attach",
            None,
            "outbound",
        )
        assert {(p["address"], p["role"], p["verdict"]) for p in told["participants"]} == {
            ("user@team.example", "from", "blocked"),
            ("cand@mail.example", "to", "match"),
            ("b@x.example", "to", "blocked"),
            ("guest@x.example", "cc", "guest"),
            ("nobody@x.example", "cc", "unknown"),
        }
        assert [match["person_id"] for match in told["matches"]] == ["c1"]
        assert account.client.tally() == {}

    def test_a_dismissal_has_its_reason(self, account: Account) -> None:
        told = self.explain(account, "From: a@x.example\r\nTo: b@x.example\r\n\r\n")
        assert (told["decision"], told["reason"], told["matches"]) == ("dismiss", "no_match", [])

    def test_a_revoked_recipient(self, account: Account, stack: Stack) -> None:
        account.client.request("DELETE", "matcher", f"/v1/capture-addresses/{account.capture}")
        raw = "From: a@x.example\r\nTo: cand@mail.example\r\n\r\n"
        told = self.explain(account, raw, recipient=account.capture)
        assert told["reason"] == "revoked_address"
        foreign = Account(stack).client.request(
            "POST",
            "matcher",
            "/v1/explain",
            params={"recipient": account.capture},
            content=raw.encode(),
            headers={"Content-Type": "message/rfc822"},
        )
        assert foreign.status_code == 422


def stalled(account: Account, path: str, kind: str) -> socket.socket:
    """Begin a request of 20 MiB, and say nothing more."""
    token = account.client.request("GET", "matcher", "/v1/people").request.headers["Authorization"]
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {20 << 20}\r\n\r\n"
    )
    port = account.stack.endpoints.matcher_port
    session = socket.create_connection(("127.0.0.1", port), DEADLINE)
    session.sendall(head.encode() + b"x")
    return session


@pytest.mark.full
def test_an_import_that_stalls_makes_room_for_the_next_of_its_account(account: Account) -> None:
    def again() -> httpx.Response:
        return account.client.request(
            "POST", "matcher", "/v1/people:import", content=ndjson(candidate(1))
        )

    sessions, answers = list[socket.socket](), list[httpx.Response]()

    def is_refused() -> bool:
        for earlier in sessions:  # this one was faster, and the other may have been refused
            earlier.close()
        sessions.append(stalled(account, "/v1/people:import", "application/x-ndjson"))
        answers.append(again())
        return answers[-1].status_code != 200

    def is_stored() -> bool:
        answers.append(again())
        return answers[-1].status_code == 200

    assert eventually(is_refused, poll=0.2)
    answer, session = answers[-1], sessions[-1]
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_imports")
    assert int(answer.headers["Retry-After"]) > 0
    with session:
        assert eventually(is_stored, poll=1)
        assert lines(answers[-1])[-1] == {"lines": 1, "stored": 1, "failed": 0, "done": True}
        told = session.recv(1000)
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in told.lower()


def test_mails_to_explain_that_stall_make_room(account: Account) -> None:
    """Two of 20 MiB are more than an account may have at a time, and the first never comes."""
    mail = b"From: a@mail.example\r\n\r\n" + b"x" * (20 << 20)

    def explained() -> int:
        headers = {"Content-Type": "message/rfc822"}
        return account.client.request(
            "POST", "matcher", "/v1/explain", content=mail, headers=headers
        ).status_code

    told = list[int]()

    def is_explained() -> bool:
        told.append(explained())
        return told[-1] == 200

    with stalled(account, "/v1/explain", "message/rfc822") as session:
        assert eventually(is_explained, poll=1)
        assert set(told) <= {200, 503}
        assert session.recv(1000).startswith(b"HTTP/1.1 503 ")
