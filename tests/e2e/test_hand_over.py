"""A user leaves and another gets their mail; by SMTP and HTTP, on two replicas."""

from typing import Any

from dev.client import Client
from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account


def subjects(client: Client, person_id: str = "c1") -> set[str]:
    return {mail["subject"] for mail in client.timeline(person_id)}


def test_a_leavers_mail_is_another_users_where_each_sees_their_own_alone(stack: Stack) -> None:
    account = Account(stack)
    leaver, heir = account.client, account.client_for("u2", replica=1)
    colleague = account.client_for("u3")
    admin = account.client_for("u9", "account:write", replica=1)
    for user in ("u2", "u3"):
        leaver.put_person(user, "user", f"User {user}", [f"{user}@team.example"])
    leaver.put_person("c2", "candidate", "Hidden", ["hidden@mail.example"])
    settings = {"visibility": "owner"}
    assert admin.request("PUT", "timeline", "/v1/settings", json=settings).status_code == 200
    account.send("cand@mail.example", headers="Bcc: hidden@mail.example")
    account.send("cand@mail.example", body="Zebra.")
    account.send("cand@mail.example", capture=leaver.mint("u3"))
    for client, count in ((leaver, 2), (colleague, 1)):
        client.await_mails("c1", count)
    saw = {person: leaver.timeline(person) for person in ("c1", "c2")}
    assert len(saw["c2"]) == 1
    assert heir.inbox() == []

    leaver.delete_person("u1")
    order = {"from": "u1", "to": "u2"}

    def ask(client: Client, **body: Any) -> Any:
        return client.request("POST", "timeline", "/v1/hand-overs", json=order | body)

    assert ask(leaver).status_code == 403
    assert [ask(admin, to=person).status_code for person in ("c1", "u1", "u9")] == [409] * 3
    assert eventually(lambda: ask(admin, **{"from": "unknown"}).status_code == 404)
    assert eventually(lambda: ask(admin, to="u2").status_code == 202)
    answer = ask(admin)
    where = answer.headers["Location"]
    assert where == f"/v1/hand-overs/{answer.json()['id']}"
    assert eventually(lambda: admin.json("GET", "timeline", where)["state"] == "done")
    elsewhere = Account(stack).client_for("u9", "account:write")
    assert elsewhere.request("GET", "timeline", where).status_code == 404

    for person, mails in saw.items():
        now = {mail["id"]: mail for mail in heir.timeline(person)}
        assert now.keys() == {mail["id"] for mail in mails}
        for mail in mails:
            assert now[mail["id"]]["bcc"] == mail["bcc"]
            assert now[mail["id"]]["matches"] == mail["matches"]
            assert [c["person_id"] for c in now[mail["id"]]["captured_by"]] == ["u2"]
    assert not any(conversation["unread"] for conversation in heir.inbox())
    assert len(heir.inbox(q="zebra")) == 1
    [with_bcc] = saw["c2"]
    raw = heir.request("GET", "timeline", f"/v1/mails/{with_bcc['id']}/raw")
    assert b"Bcc: hidden@mail.example" in raw.content
    assert leaver.inbox() == []
    assert (subjects(colleague), subjects(colleague, "c2")) == ({"Mail 3"}, set())
    lines = account.client_for("u9", "account:read").pages("/v1/audit-log")
    assert ("u9", "handed_over", "captures", "u1", "u2") in {
        (line["who"], line["what"], line["kind"], line["owner"], line["new_owner"])
        for line in lines
    }
