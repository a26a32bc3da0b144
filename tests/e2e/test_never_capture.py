"""Never capture, over HTTP and SMTP. That nothing stays is in `test_forgotten.py`."""

from typing import Any

import pytest

from dev.stack import Stack
from services.matcher.api.never_capture import MAX_ADDRESSES
from tests.e2e.account import Account
from tests.mails import mail

ROUTE = "/v1/never-capture"
EMPTY: dict[str, list[str]] = {"addresses": [], "domains": []}
CLINIC = {"addresses": ["counsel@law.example"], "domains": ["clinic.example"]}


def lists(account: Account, *, own: Any = None, of_account: Any = None) -> None:
    """Change lists as a user who may."""
    admin = account.client_for("u1", "account:write")
    body = {"own": own, "account": of_account}
    admin.json("PUT", "matcher", ROUTE, json={k: v for k, v in body.items() if v is not None})


def test_a_mail_with_a_listed_participant_is_dismissed_despite_a_match(stack: Stack) -> None:
    account = Account(stack)
    lists(account, of_account=CLINIC)
    for cc in ("doctor@clinic.example", "A <doctor@mail.CLINIC.example>", "counsel@law.example"):
        account.send(f"cand@mail.example, {cc}")
    account.send("cand@mail.example, somebody@myclinic.example")
    assert account.outcome() == {"attached": 1, "never_capture": 3}
    assert len(account.shown()) == 1


def test_a_change_counts_for_the_very_next_mail_in_every_replica(
    stack: Stack, share: float
) -> None:
    account = Account(stack)
    times = max(20, int(200 * share))
    replicas = [
        account.client_for("u1", "account:write directory:read mail:write", replica=number)
        for number in range(2)
    ]
    raw = "From: cand@mail.example\r\nTo: %s\r\nMessage-ID: <%d@x>\r\n\r\nHi"
    for number in range(times):
        # Lists only grow: a mail that waits while the next change is made is decided by either.
        listed = {"addresses": [f"n{n}@x.example" for n in range(number + 1)], "domains": []}
        key = ("own", "account")[number % 2]
        replicas[number % 2].json("PUT", "matcher", ROUTE, json={key: listed})
        mail_ = raw % (f"n{number}@x.example", number)
        answer = replicas[(number + number // 2) % 2].upload(account.capture, mail_.encode())
        assert answer.status_code == 202
    assert account.outcome(times) == {"never_capture": times}
    for number in range(times, times + 6):
        taken_off = {"own": EMPTY, "account": EMPTY}
        listed = {"addresses": [], "domains": ["mail.example"]}
        change = taken_off if number % 2 else {"own": listed}
        replicas[number % 2].json("PUT", "matcher", ROUTE, json=change)
        replicas[number // 2 % 2].upload(account.capture, (raw % ("x@x.x", number)).encode())
        account.outcome(number + 1)
    assert account.outcome(times + 6) == {"attached": 3, "never_capture": times + 3}


def test_a_users_own_list_counts_for_their_own_captures_alone(stack: Stack) -> None:
    account = Account(stack)
    account.client.put_person("u2", "user", "U2", ["two@team.example"])
    other = account.client.mint("u2")
    account.client_for("u2", "").json("PUT", "matcher", ROUTE, json={"own": CLINIC})
    about = mail("doctor@clinic.example", "cand@mail.example", headers="Message-ID: <1@x>\r\n")
    for capture in (other, account.capture):
        account.client.upload(capture, about.encode())
    assert account.outcome(2) == {"attached": 1, "never_capture": 1}
    told = [
        account.client.request(
            "POST",
            "matcher",
            "/v1/explain",
            params={"recipient": capture} if capture else {},
            content=about.encode(),
            headers={"Content-Type": "message/rfc822"},
        ).json()
        for capture in (other, account.capture, None)
    ]
    assert [(one["decision"], one["reason"]) for one in told] == [
        ("dismiss", "never_capture"),
        ("attach", None),
        ("attach", None),
    ]
    verdicts = {p["address"]: p["verdict"] for p in told[0]["participants"]}
    assert verdicts == {"doctor@clinic.example": "never_capture", "cand@mail.example": "match"}


def test_each_sees_and_changes_what_is_theirs(stack: Stack) -> None:
    account, elsewhere = Account(stack), Account(stack)
    account.client.put_person("u2", "user", "U2", ["two@team.example"])
    one, two = account.client_for("u1", ""), account.client_for("u2", "")
    admin = account.client_for("u9", "account:write")
    assert one.json("GET", "matcher", ROUTE) == {"account": None, "own": EMPTY}
    assert admin.json("GET", "matcher", ROUTE) == {"account": EMPTY, "own": None}
    changed = one.json("PUT", "matcher", ROUTE, json={"own": CLINIC})
    assert changed == {"account": None, "own": CLINIC}
    of_account = {"addresses": ["b@x.example", "a@x.example"], "domains": []}
    stored = {"addresses": ["a@x.example", "b@x.example"], "domains": []}
    assert admin.json("PUT", "matcher", ROUTE, json={"account": of_account}) == {
        "account": stored,
        "own": None,
    }
    assert one.json("PUT", "matcher", ROUTE, json={})["own"] == CLINIC, "as before"
    assert two.json("GET", "matcher", ROUTE)["own"] == EMPTY
    for client in (elsewhere.client_for("u1", "account:write"),):
        assert client.json("GET", "matcher", ROUTE) == {"account": EMPTY, "own": EMPTY}
    refused = one.request("PUT", "matcher", ROUTE, json={"account": EMPTY, "own": EMPTY})
    assert refused.status_code == 403
    assert one.json("GET", "matcher", ROUTE)["own"] == CLINIC, "all or nothing"
    assert admin.request("PUT", "matcher", ROUTE, json={"own": EMPTY}).status_code == 422


def test_a_list_goes_with_its_user(stack: Stack) -> None:
    account = Account(stack)
    user = account.client_for("u1", "")
    for leave in (
        lambda: account.client.delete_person("u1"),
        lambda: account.client.put_person("u1", "contact", "U", ["user@team.example"]),
    ):
        user.json("PUT", "matcher", ROUTE, json={"own": CLINIC})
        leave()
        assert user.json("GET", "matcher", ROUTE)["own"] is None
        account.client.put_person("u1", "user", "U", ["user@team.example"])
        assert user.json("GET", "matcher", ROUTE)["own"] == EMPTY


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (
            {"own": {"addresses": ["x"], "domains": []}},
            "own.addresses.0",
            "is not an email address",
        ),
        ({"own": {"addresses": [], "domains": ["*.x.com"]}}, "own.domains.0", "write example.com"),
        ({"own": {"addresses": [], "domains": ["co.uk"]}}, "own.domains.0", "different owners"),
        ({"own": {"addresses": []}}, "own.domains", "required"),
        (
            {"own": {"addresses": ["a@x.example"] * (MAX_ADDRESSES + 1), "domains": []}},
            "own.addresses",
            f"at most {MAX_ADDRESSES} items",
        ),
        ({"team": EMPTY}, "team", "not permitted"),
    ],
    ids=["address", "wildcard", "suffix", "missing", "too many", "unknown"],
)
def test_what_cannot_be_on_a_list_is_said_in_one_line(
    stack: Stack, body: Any, field: str, message: str
) -> None:
    account = Account(stack)
    answer = account.client_for("u1", "").request("PUT", "matcher", ROUTE, json=body)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"].endswith(field)
    assert message in error["message"]
    assert "\n" not in error["message"]
