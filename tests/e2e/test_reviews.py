"""Earlier decisions are reviewed, and changed when that is asked for; by SMTP and HTTP."""

from collections.abc import Callable
from typing import Any

from dev.client import Client
from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account


def subjects(client: Client, person_id: str) -> set[str]:
    return {mail["subject"] for mail in client.timeline(person_id)}


def shows(client: Client, person_id: str, expected: set[str]) -> Callable[[], bool]:
    return lambda: subjects(client, person_id) == expected


def review(client: Client, body: Any) -> Any:
    """Return a review that is ready."""
    answer = client.request("POST", "matcher", "/v1/reviews", json=body)
    assert answer.status_code == 202
    return wait_for(client, answer.headers["Location"], "ready")


def wait_for(client: Client, path: str, state: str) -> Any:
    assert eventually(lambda: client.json("GET", "matcher", path)["state"] == state)
    return client.json("GET", "matcher", path)


def changes(client: Client, found: Any) -> set[tuple[str, str, str, str]]:
    """Return what a review says, read page by page."""
    items, cursor = list[Any](), ""
    while True:
        path = f"/v1/reviews/{found['id']}/changes?limit=1{cursor}"
        page = client.json("GET", "matcher", path)
        items += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(items) == found["changes"]
    return {
        (item["outcome"], one["person_id"], one["change"], one["reason"])
        for item in items
        for one in item["profiles"]
    }


def apply(client: Client, found: Any) -> Any:
    path = f"/v1/reviews/{found['id']}"
    answers = [client.request("POST", "matcher", f"{path}:apply") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    return wait_for(client, path, "applied")


def test_nothing_changes_by_itself_and_all_that_was_previewed_when_applied(stack: Stack) -> None:
    account = Account(stack)
    client = account.client
    client.put_person("c2", "candidate", "Second", ["second@mail.example"])
    account.send("cand@mail.example")
    account.send("cand@mail.example, second@mail.example")
    client.await_mails("c1", 2)
    client.await_mails("c2", 1)
    assert review(client, {})["changes"] == 0

    # An address moves.
    client.put_person("c1", "candidate", "Cand", ["own@mail.example"])
    client.put_person("c2", "candidate", "Second", ["second@mail.example", "cand@mail.example"])
    moved = review(client, {"person_id": "c2"})
    assert moved["looked_at"] == 2
    assert changes(client, moved) == {
        ("attach", "c1", "lost", "address_moved"),
        ("attach", "c2", "gained", "address_moved"),
    }
    assert subjects(client, "c1") == {"Mail 1", "Mail 2"}
    assert subjects(client, "c2") == {"Mail 2"}
    done = apply(client, moved)
    assert (done["applied"], done["changed_meanwhile"], done["failed"]) == (2, 0, 0)
    assert subjects(client, "c1") == set()
    assert subjects(client, "c2") == {"Mail 1", "Mail 2"}

    # A candidate would be hired: previewed, then made with the change.
    hired = {"person_id": "c2", "kind": "user", "name": "S", "addresses": ["cand@mail.example"]}
    preview = review(client, {"change": hired})
    assert changes(client, preview) == {("dismiss", "c2", "lost", "blocked")}
    assert preview["dismissals"] == 2
    assert client.json("GET", "matcher", "/v1/people/c2")["kind"] == "candidate"
    assert subjects(client, "c2") == {"Mail 1", "Mail 2"}
    assert apply(client, preview)["applied"] == 2
    assert client.json("GET", "matcher", "/v1/people/c2")["kind"] == "user"
    assert eventually(lambda: client.inbox() == [])
    client.put_person("c2", "candidate", "Second", ["cand@mail.example"])
    assert eventually(shows(client, "c2", set()))
    account.send("cand@mail.example")
    assert eventually(shows(client, "c2", {"Mail 3"}))


def test_a_review_is_its_accounts_own_and_is_applied_when_it_is_ready(stack: Stack) -> None:
    account, stranger = Account(stack).client, Account(stack).client
    answer = account.request("POST", "matcher", "/v1/reviews", json={})
    path = answer.headers["Location"]
    for method, route in (("GET", path), ("GET", f"{path}/changes"), ("POST", f"{path}:apply")):
        assert stranger.request(method, "matcher", route).status_code == 404
    wait_for(account, path, "ready")
    both = {"person_id": "c1", "change": {"person_id": "c1", "deleted": True}}
    assert account.request("POST", "matcher", "/v1/reviews", json=both).status_code == 422
