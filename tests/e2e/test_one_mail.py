"""One mail on a running stack: removed from a profile, hidden, deleted; by SMTP and HTTP."""

import time

import httpx

from dev.client import SCOPES, Client
from dev.stack import Stack
from tests.deadline import DEADLINE, eventually
from tests.e2e.account import Account, await_changes
from tests.e2e.test_forgotten import Secret, remains, told

WRITES = f"{SCOPES} timeline:write"


def rule(client: Client, method: str, path: str, **options: object) -> httpx.Response:
    return client.request(method, "timeline", f"/v1/mails/{path}", **options)


def subjects(client: Client) -> set[str]:
    return {mail["subject"] for mail in client.timeline("c1")}


def kept_in(stack: Stack) -> list[str]:
    """Return the large raw mails in the blob store."""
    return [path.name for path in (stack.folder / "blobs" / "mails").rglob("*") if path.is_file()]


def test_a_mail_is_detached_hidden_and_deleted_on_every_replica(stack: Stack) -> None:
    account = Account(stack)
    account.client.put_person("u2", "user", "User Two", ["two@team.example"])
    one, two = account.client_for("u1", WRITES), account.client_for("u2", WRITES, replica=1)
    account.send("cand@mail.example")
    account.outcome()
    [mail] = one.timeline("c1")
    id_, subject = mail["id"], mail["subject"]

    assert rule(two, "DELETE", f"{id_}/matches/c1").status_code == 204
    assert subjects(one) == set()
    [conversation] = one.inbox()
    assert conversation["profiles"] == []
    assert one.mail(id_)["detached"] == ["c1"]
    assert rule(one, "PUT", f"{id_}/matches/c1").status_code == 204
    assert subjects(two) == {subject}
    assert rule(one, "DELETE", f"{id_}/matches/c2").status_code == 404

    private, team = ({"visibility": word} for word in ("private", "team"))
    assert rule(two, "PUT", f"{id_}/visibility", json=private).json()["code"] == "not_the_owner"
    assert rule(one, "PUT", f"{id_}/visibility", json=private).status_code == 204
    assert (subjects(one), subjects(two), two.inbox()) == ({subject}, set(), [])
    assert rule(two, "GET", id_).status_code == 404
    assert rule(two, "PUT", f"{id_}/visibility", json=team).status_code == 404
    assert rule(two, "DELETE", id_).status_code == 404
    assert one.mail(id_)["private"] is True
    assert rule(one, "PUT", f"{id_}/visibility", json=team).status_code == 204
    assert subject in subjects(two)

    assert rule(two, "DELETE", id_).json()["code"] == "not_the_owner"
    reader = account.client_for("u1", "timeline:read")
    assert rule(reader, "DELETE", id_).status_code == 403
    assert rule(one, "DELETE", id_, params={"captures": "all"}).status_code == 403
    admin = account.client_for("u9", "account:write", replica=1)
    assert rule(admin, "DELETE", id_).json()["code"] == "not_the_owner"
    assert rule(admin, "DELETE", id_, params={"captures": "all"}).status_code == 204
    assert rule(one, "GET", id_).status_code == 404
    again = rule(admin, "DELETE", id_, params={"captures": "all"})
    assert again.status_code == 204, "again: it is done already"
    assert rule(one, "DELETE", id_).status_code == 404

    assert one.request("GET", "timeline", "/v1/audit-log").status_code == 403
    auditor = account.client_for("u9", "account:read")
    lines = auditor.pages("/v1/audit-log", limit=2)
    assert [(line["who"], line["what"], line["profile"]) for line in lines] == [
        ("u9", "forgotten", None),
        ("u1", "team", None),
        ("u1", "private", None),
        ("u1", "attached", "c1"),
        ("u2", "detached", "c1"),
    ]
    assert {line["mail_id"] for line in lines} == {id_}
    assert Account(stack).client_for("u1", "account:read").pages("/v1/audit-log") == []


def test_of_a_deleted_mail_nothing_stays_anywhere_and_nothing_brings_it_back(stack: Stack) -> None:
    account = Account(stack)
    one, back_end = account.client_for("u1", WRITES), account.client_for("ats", "timeline:all")
    before = kept_in(stack)
    secrets_ = [Secret(large=large) for large in (False, True)]
    raws = [b"Cc: cand@mail.example\r\n" + secret.raw for secret in secrets_]
    words = [word for secret in secrets_ for word in secret.words]
    for secret, raw in zip(secrets_, raws, strict=True):
        account.client.send(secret.sender, [account.capture], raw)
    account.send("cand@mail.example")
    assert account.client.await_captures(3) == {"attached": 3}
    account.await_no_claims()
    ids = [m["id"] for m in one.timeline("c1") if m["subject"] in words]
    resume = await_changes(back_end, 3)["resume_cursor"]
    assert len(kept_in(stack)) == len(before) + 1
    assert len(one.inbox(q="filler")) == 2  # no secret: mongod logs slow queries with their words

    for id_ in ids:
        assert rule(one, "DELETE", id_).status_code == 204
    changes = await_changes(back_end, 2, resume)
    assert ({gone["id"] for gone in changes["deleted"]}, changes["items"]) == ({*ids}, [])
    assert eventually(lambda: kept_in(stack) == before, 0.1)
    await_forgotten(stack, words)
    assert one.inbox(q="filler") == []

    for secret, raw in zip(secrets_, raws, strict=True):
        account.client.send(secret.sender, [account.capture], raw)
    answer = account.client.upload(account.capture, raws[0])
    assert account.client.await_captures(6) == {"attached": 3, "forgotten": 3}
    account.await_no_claims()
    became = account.client.capture(answer.json()["capture_id"])
    assert (became["state"], became["reason"], became["mail_ids"]) == ("dismissed", "forgotten", [])
    await_forgotten(stack, words)
    assert one.inbox(q="filler") == []
    assert subjects(one) == {"Mail 1"}
    assert [conversation["mail_count"] for conversation in one.inbox()] == [1]


def await_forgotten(stack: Stack, words: list[str]) -> None:
    """Wait until no word is in a collection, a blob or a log.

    The matcher's `decisions` keep for 28 days what the event of a large mail says, such as the
    sender's domain (docs/privacy.md).
    """
    deadline = time.monotonic() + DEADLINE
    while left := found_in(remains(stack, without="decisions"), words):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def found_in(text: str, words: list[str]) -> list[str]:
    """Return where the text holds words of a `Secret`."""
    assert "forgotten" in text, "there was something to look through"
    return [text[text.index(word) - 80 : text.index(word) + 40] for word in told(words, text)]
