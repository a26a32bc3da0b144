"""People who are deleted, come back and are hired: whose mail is to be seen; by SMTP and HTTP."""

import json
import random
from collections.abc import Callable, Iterable
from typing import Any

from dev.client import Client
from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account, await_changes

RESYNCED = 25


def subjects(client: Client, person_id: str = "c1") -> list[str]:
    return sorted(mail["subject"] for mail in client.timeline(person_id))


def is_hidden(client: Client, person_id: str = "c1") -> str | None:
    path = f"/v1/profiles/{person_id}/timeline"
    hidden: str | None = client.json("GET", "timeline", path)["hidden"]
    return hidden


def hidden(client: Client) -> dict[str, tuple[str, bool]]:
    """Return the hidden profiles, with what is said of each."""
    listed = client.pages("/v1/profiles", hidden="true", limit=7)
    found = {one["person_id"]: (one["reason"], one["in_use"]) for one in listed}
    assert len(found) == len(listed)
    return found


def status(client: Client, *paths: str) -> set[int]:
    return {client.request("GET", "timeline", path).status_code for path in paths}


def import_people(client: Client, people: Iterable[dict[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(person)}\n" for person in people)
    headers = {"Content-Type": "application/x-ndjson"}
    path = "/v1/people:import"
    answer = client.request("POST", "matcher", path, content=lines, headers=headers)
    assert json.loads(answer.text.splitlines()[-1])["done"]


def test_an_id_that_returns_with_a_former_address_gets_its_mail_back(stack: Stack) -> None:
    account = Account(stack)
    client, other = account.client, account.client_for("u1", replica=1)
    account.send("cand@mail.example", body="Zebra.")
    client.await_mails("c1", 1)
    [before] = client.timeline("c1")
    paths = [
        f"/v1/mails/{before['id']}",
        f"/v1/mails/{before['id']}/raw",
        f"/v1/conversations/{before['conversation_id']}",
    ]
    client.delete_person("c1")
    assert eventually(lambda: is_hidden(other) == "deleted")
    assert (other.timeline("c1"), other.inbox(), other.inbox(q="zebra")) == ([], [], [])
    assert other.json("GET", "timeline", "/v1/inbox/unread")["unread"] == 0
    assert status(other, *paths) == {404}
    assert hidden(other) == {"c1": ("deleted", False)}
    back_end = account.client_for("u9", "timeline:all")
    [kept] = await_changes(back_end, 1)["items"]
    assert kept["hidden"] == [{"person_id": "c1", "reason": "deleted"}]

    client.put_person("c1", "candidate", "Somebody Else", ["else@mail.example"])
    account.send("else@mail.example")
    client.await_mails("c1", 1)
    assert eventually(lambda: subjects(other) == ["Mail 2"])
    assert hidden(other) == {"c1": ("deleted", True)}
    assert status(other, *paths) == {404}
    assert len(other.inbox()) == len(other.inbox(person_id="c1")) == 1

    client.put_person("c1", "candidate", "Cand", ["else@mail.example", "CAND@work.example"])
    assert eventually(lambda: subjects(other) == ["Mail 1", "Mail 2"])
    assert (hidden(other), is_hidden(other), status(other, *paths)) == ({}, None, {200})
    [after] = [mail for mail in other.timeline("c1") if mail["id"] == before["id"]]
    assert {**after, "people": None} == {**before, "people": None}


def test_a_hired_candidate_does_not_read_their_own_application(stack: Stack) -> None:
    account = Account(stack)
    client = account.client
    account.send(account.capture, sender="cand@mail.example", body="Zebra.")
    client.await_mails("c1", 1)
    [application] = client.timeline("c1")
    paths = [
        f"/v1/mails/{application['id']}",
        f"/v1/mails/{application['id']}/raw",
        f"/v1/conversations/{application['conversation_id']}",
    ]
    hired = account.client_for("u7", replica=1)

    def tell() -> tuple[object, ...]:
        inbox = [len(one.inbox(**what)) for one in (client, hired) for what in ({}, {"q": "zebra"})]
        return inbox, status(client, *paths), status(hired, *paths), is_hidden(hired)

    shown = ([1, 1, 1, 1], {200}, {200}, None)
    gone = ([0, 0, 0, 0], {404}, {404}, "blocked")
    changes: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (
            lambda: client.put_person(
                "u7", "user", "Hired", ["hired@team.example", "Cand@MAIL.example"]
            ),
            lambda: client.put_person("u7", "user", "Hired", ["hired@team.example"]),
        ),
        (
            lambda: client.put_person("c1", "user", "Cand", ["cand@mail.example"]),
            lambda: client.put_person("c1", "contact", "Cand", ["cand@mail.example"]),
        ),
        (
            lambda: client.put_person("u8", "user", "Hired", ["cand@mail.example"]),
            lambda: client.delete_person("u8"),
        ),
    ]
    assert tell() == shown
    for hire, leave in changes:
        hire()
        assert eventually(lambda: tell() == gone)
        assert hidden(hired) == {"c1": ("blocked", True)}
        leave()
        assert eventually(lambda: tell() == shown)
        assert hidden(hired) == {}
    client.put_person("g1", "guest", "Guest", ["cand@mail.example"])
    client.put_person("v1", "vendor", "Vendor", ["cand@mail.example"])
    Account(stack).client.put_person("u1", "user", "Elsewhere", ["cand@mail.example"])
    client.put_person("marker", "user", "Marker", ["cand@work.example"])
    client.put_person("c1", "candidate", "Cand", ["cand@mail.example", "cand@work.example"])
    assert eventually(lambda: tell() == gone)
    client.delete_person("marker")
    assert eventually(lambda: tell() == shown)


def test_a_resync_that_deletes_and_adds_everybody_loses_nothing(stack: Stack) -> None:
    account = Account(stack)
    replicas = [account.client_for("u1", replica=number) for number in (0, 1)]
    people = [
        {
            "person_id": f"p{number}",
            "kind": "candidate",
            "name": f"Person {number}",
            "addresses": [f"p{number}@mail.example", f"p{number}@work.example"],
        }
        for number in range(RESYNCED)
    ]
    import_people(account.client, people)
    for number in range(RESYNCED):
        account.send(f"p{number}@mail.example")
    expected = {f"p{number}": [f"Mail {number + 1}"] for number in range(RESYNCED)}

    def seen() -> dict[str, list[str]]:
        return {person: subjects(replicas[0], person) for person in expected}

    assert eventually(lambda: seen() == expected)
    chance = random.Random(1)
    order = [*range(RESYNCED)]
    chance.shuffle(order)
    for at, number in enumerate(order):
        replicas[at % 2].delete_person(f"p{number}")
        account.send("cand@mail.example")  # mail arrives meanwhile
        if at % 3 == 0:  # some are back before the others are deleted
            back = people[number]
            import_people(replicas[1], [{**back, "addresses": back["addresses"][::-1]}])
    chance.shuffle(people)
    import_people(replicas[1], [{**one, "addresses": one["addresses"][1:]} for one in people])
    account.client.await_mails("c1", RESYNCED)
    assert eventually(lambda: seen() == expected)
    assert hidden(replicas[1]) == {}
    assert len(replicas[1].inbox()) == 2 * RESYNCED
