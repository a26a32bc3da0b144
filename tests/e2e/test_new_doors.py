"""What a stranger, and a user of another account, learn at newer doors: nothing, in one shape."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from shared.contracts.capture_address import account_tag
from shared.contracts.capture_id import capture_id
from tests.e2e.account import Account, await_changes

MAIL = {"Content-Type": "message/rfc822"}


def raw(to: str, number: int) -> bytes:
    return (
        f"From: user@team.example\r\nTo: {to}\r\nMessage-ID: <door{number}@x>\r\n"
        "Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nSubject: Door\r\n\r\nText.\r\n"
    ).encode()


def upload(account: Account, mail: bytes, key: str | None = None) -> httpx.Response:
    return account.client.request(
        "POST",
        "ingest",
        "/v1/mail",
        params={"recipient": account.capture},
        headers=MAIL if key is None else {**MAIL, "Idempotency-Key": key},
        content=mail,
    )


def problem(answer: httpx.Response) -> tuple[int, dict[str, Any], set[str]]:
    """Return all that a problem tells but the id of its request."""
    told = answer.json()
    del told["request_id"]
    return answer.status_code, told, set(answer.headers)


@pytest.fixture
def other(account: Account) -> Account:
    return Account(account.stack)


def test_captures_of_another_account_and_of_nobody_are_told_apart_by_nothing(
    account: Account, other: Account
) -> None:
    attached = upload(account, raw("cand@mail.example", 1)).json()["capture_id"]
    dismissed = upload(account, raw("nobody@x.example", 2)).json()["capture_id"]
    account.client.await_captures(2)
    waiting = capture_id(account_tag(account.name))
    ids = [UUID(attached), UUID(dismissed), waiting, uuid4(), UUID(int=0)]
    stranger = other.client_for("u1", "timeline:read mail:write")
    back_end = other.client_for("u1", "timeline:all")
    for client in (stranger, back_end, other.client):
        told = [problem(client.request("GET", "timeline", f"/v1/captures/{id_}")) for id_ in ids]
        assert all(one == told[0] for one in told)
        assert told[0][0] == 404
    own = [account.client.capture(str(id_))["state"] for id_ in ids[:3]]
    assert own == ["attached", "dismissed", "waiting"]


def test_a_back_end_with_the_cursor_of_another_account_reads_its_own(
    account: Account, other: Account
) -> None:
    upload(account, raw("cand@mail.example", 3)).raise_for_status()
    account.client.await_captures(1)
    theirs = account.client_for("u1", "timeline:all")
    page = await_changes(theirs, 1)
    [mail] = page["items"]
    stranger = other.client_for("u1", "timeline:all")
    for cursor in (page["resume_cursor"], None):
        params = {"person_id": "c1"} | ({"cursor": cursor} if cursor else {})
        assert stranger.json("GET", "timeline", "/v1/mails", params=params)["items"] == []
    for path in ("", "/raw", "/attachments/0"):
        answer = stranger.request("GET", "timeline", f"/v1/mails/{mail['id']}{path}")
        assert answer.status_code == 404
    user = other.client_for("u1", "timeline:read timeline:write")
    assert user.request("GET", "timeline", "/v1/mails").status_code == 403


def test_a_key_of_another_account_is_another_key(account: Account, other: Account) -> None:
    mine = upload(account, raw("cand@mail.example", 4), "the-key")
    theirs = upload(other, raw("cand@mail.example", 5), "the-key")
    again = upload(account, raw("cand@mail.example", 4), "the-key")
    assert [one.status_code for one in (mine, theirs, again)] == [202] * 3
    ids = [one.json()["capture_id"] for one in (mine, theirs, again)]
    assert ids[0] == ids[2] != ids[1]


def test_a_tag_tells_nothing_of_another_accounts_people(account: Account, other: Account) -> None:
    account.client.put_person("c9", "candidate", "Secret", ["c9@mail.example"])
    tag = account.client.request("GET", "matcher", "/v1/people/c9").headers["ETag"]
    asked = [
        other.client.request(
            "PUT", "matcher", f"/v1/people/{id_}", headers={"If-Match": one}, json=new
        )
        for id_ in ("c9", "c10")
        for one in (tag, "*", '"0"')
        for new in [{"kind": "candidate", "name": "X", "addresses": []}]
    ]
    told = [problem(answer) for answer in asked]
    assert all(one == told[0] for one in told)
    assert told[0][0] == 412
    assert account.client.json("GET", "matcher", "/v1/people/c9")["name"] == "Secret"


def test_no_other_origin_frames_the_pages_or_reads_what_they_are_told(account: Account) -> None:
    for path in ("/app/", "/app/inbox", "/app/config.json", "/v1/inbox", "/v1/mails"):
        answer = account.client.request(
            "GET", "timeline", path, headers={"Origin": "https://evil.example"}
        )
        assert "Access-Control-Allow-Origin" not in answer.headers
        if path in ("/app/", "/app/inbox") and answer.status_code == 200:
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'self'" in policy
