"""A merged profile is deleted, the one that survives is hired and leaves, the merge is undone: what
is to be seen after each step; by SMTP and HTTP, on two replicas."""

from typing import Any

from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account
from tests.e2e.test_return import hidden, is_hidden, status, subjects


def test_every_step_of_a_merged_profiles_life_shows_what_it_should(stack: Stack) -> None:
    account = Account(stack)
    client, other = account.client, account.client_for("u2", replica=1)
    client.put_person("c2", "candidate", "Second", ["c2@mail.example"])
    account.send("cand@mail.example", body="Zebra.")
    account.send("c2@mail.example", body="Zebra.")
    account.send("cand@mail.example, c2@mail.example", body="Zebra.")
    client.await_mails("c1", 2)
    client.await_mails("c2", 2)
    ids = {mail["subject"]: mail["id"] for one in ("c1", "c2") for mail in client.timeline(one)}

    def seen() -> tuple[object, ...]:
        """Return what the other replica shows: lists, a search, each mail, what is hidden."""
        listed = sorted(one["subject"] for one in other.inbox())
        found = sorted(one["subject"] for one in other.inbox(q="zebra"))
        there = [name for name, id_ in ids.items() if status(other, f"/v1/mails/{id_}") == {200}]
        unread = other.json("GET", "timeline", "/v1/inbox/unread")["unread"]
        why = is_hidden(other, "c1"), is_hidden(other, "c2")
        of_both = subjects(other, "c1"), subjects(other, "c2")
        agree = found == listed == sorted(there) and unread == len(listed)
        return listed, agree, why, of_both, hidden(other)

    def becomes(listed: list[str], why: Any, of_both: Any, hides: Any) -> bool:
        expected = listed, True, why, of_both, hides
        return eventually(lambda: seen() == expected)

    three = ["Mail 1", "Mail 2", "Mail 3"]
    path = "/v1/people/c1:merge"
    merge = client.request("POST", "matcher", path, json={"into": "c2"}).json()
    client.delete_person("c1")
    assert becomes(three, (None, None), (three, three), {})

    account.send("cand@mail.example", body="Zebra.")
    client.await_mails("c2", 4)
    [ids["Mail 4"]] = [m["id"] for m in client.timeline("c2") if m["subject"] == "Mail 4"]
    four = [*three, "Mail 4"]
    assert becomes(four, (None, None), (four, four), {})

    client.put_person("c2", "user", "Second", ["c2@mail.example"])
    blocked = {"c2": ("blocked", True)}
    assert becomes([], ("blocked", "blocked"), ([], []), blocked)
    account.send("cand@mail.example", body="Zebra.")  # dismissed
    account.client.put_person("c3", "candidate", "Third", ["c3@mail.example"])
    account.send("c3@mail.example", body="Zebra.")
    client.await_mails("c3", 1)
    [ids["Mail 6"]] = [mail["id"] for mail in client.timeline("c3")]
    assert becomes(["Mail 6"], ("blocked", "blocked"), ([], []), blocked)

    client.put_person("c2", "candidate", "Second", ["c2@mail.example"])
    assert becomes([*four, "Mail 6"], (None, None), (four, four), {})

    client.request("POST", "matcher", f"/v1/merges/{merge['id']}:undo")
    of_c2, of_c1 = ["Mail 2", "Mail 3"], ["Mail 1", "Mail 3", "Mail 4"]
    gone = {"c1": ("deleted", False)}
    assert becomes([*of_c2, "Mail 6"], ("deleted", None), ([], of_c2), gone)

    client.put_person("c1", "candidate", "Else", ["else@mail.example"])
    assert becomes([*of_c2, "Mail 6"], (None, None), ([], of_c2), {"c1": ("deleted", True)})

    client.put_person("c1", "candidate", "Cand", ["cand@mail.example"])
    assert becomes([*four, "Mail 6"], (None, None), (of_c1, of_c2), {})
