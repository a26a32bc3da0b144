"""Two profiles are merged and parted; by SMTP and HTTP, on two replicas."""

from collections.abc import Callable
from typing import Any

from dev.client import Client
from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account, await_changes


def subjects(client: Client, person_id: str) -> set[str]:
    return {mail["subject"] for mail in client.timeline(person_id)}


def matches_of(client: Client, person_id: str) -> list[Any]:
    return [(mail["id"], mail["variant"], mail["matches"]) for mail in client.timeline(person_id)]


def shows(client: Client, person_id: str, expected: set[str]) -> Callable[[], bool]:
    return lambda: subjects(client, person_id) == expected


def is_as(client: Client, person_id: str, before: list[Any]) -> Callable[[], bool]:
    return lambda: matches_of(client, person_id) == before


def test_merged_profiles_are_one_until_they_are_parted(stack: Stack) -> None:
    account = Account(stack)
    client, other = account.client, account.client_for("u2", replica=1)
    back_end = account.client_for("ats", "timeline:all")
    account.send("cand@mail.example", body="Zebra.")
    for person in ("c2", "c3"):
        client.put_person(person, "candidate", f"Person {person}", [f"{person}@mail.example"])
    account.send("c2@mail.example", body="Zebra.")
    account.send("cand@mail.example, c2@mail.example, c3@mail.example")
    for person, count in (("c1", 2), ("c2", 2), ("c3", 1)):
        client.await_mails(person, count)
    before = {person: matches_of(client, person) for person in ("c1", "c2", "c3")}
    cursor = await_changes(back_end, 3)["resume_cursor"]

    def merge(person: str, into: str) -> Any:
        return client.request("POST", "matcher", f"/v1/people/{person}:merge", json={"into": into})

    first = merge("c1", "c2")
    assert first.status_code == 201
    assert (merge("c1", "c2").status_code, merge("c1", "c2").json()) == (200, first.json())
    codes = [merge("c1", "c3").json()["code"], merge("c2", "c1").json()["code"]]
    assert codes == ["merged_already", "merge_circle"]
    assert merge("u1", "c1").json()["code"] == "not_a_profile"
    assert merge("c2", "unknown").status_code == 404
    client.delete_person("c1")
    whole = {"Mail 1", "Mail 2", "Mail 3"}
    for one in (client, other):
        for person in ("c1", "c2"):
            assert eventually(shows(one, person, whole))
    account.send("cand@mail.example")
    whole.add("Mail 4")
    assert eventually(shows(other, "c2", whole))
    [to_both] = [mail for mail in other.timeline("c2") if mail["subject"] == "Mail 3"]
    made = {(m["person_id"], m.get("made_for"), m["shared_address"]) for m in to_both["matches"]}
    assert made == {("c2", "c1", False), ("c2", None, False), ("c3", None, False)}
    assert {"c2", "c3"} <= {person["person_id"] for person in to_both["people"]}
    for person in ("c1", "c2"):
        found = other.inbox(person_id=person)
        assert {conversation["subject"] for conversation in found} == whole
        assert {p["person_id"] for c in found for p in c["profiles"]} == {"c2", "c3"}
        assert len(other.inbox(person_id=person, q="zebra")) == 2
        assert len(other.inbox(person_id=person, unread="true")) == 4

    def told(since: str) -> set[str]:
        page = back_end.json("GET", "timeline", f"/v1/mails?person_id=c2&cursor={since}")
        return {mail["subject"] for mail in page["items"]}

    assert eventually(lambda: told(cursor) == {"Mail 1", "Mail 3", "Mail 4"})

    merge("c2", "c3")
    assert eventually(shows(other, "c1", whole))
    client.put_person("c1", "candidate", "Cand", ["cand@mail.example"])
    undo = f"/v1/merges/{first.json()['id']}:undo"
    assert client.request("POST", "matcher", undo).json()["state"] == "undone"
    assert client.request("POST", "matcher", undo).status_code == 200
    stranger = Account(stack).client
    assert stranger.request("POST", "matcher", undo).status_code == 404
    assert eventually(shows(other, "c1", {"Mail 1", "Mail 3", "Mail 4"}))
    assert eventually(shows(other, "c3", {"Mail 2", "Mail 3"}))
    merges = client.json("GET", "matcher", "/v1/merges")["items"]
    assert [(m["person_id"], m["into"], m["state"]) for m in merges] == [
        ("c2", "c3", "merged"),
        ("c1", "c2", "undone"),
    ]
    client.request("POST", "matcher", f"/v1/merges/{merges[0]['id']}:undo")
    for person in ("c2", "c3"):
        assert eventually(is_as(other, person, before[person]))
    assert matches_of(other, "c1")[1:] == before["c1"], "and Mail 4, which came meanwhile"
