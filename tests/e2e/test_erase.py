"""A person is erased with a receipt; by SMTP and HTTP, on two replicas."""

import secrets
import time
from typing import Any

import jwt

from dev.client import Client
from dev.stack import Stack
from tests.deadline import DEADLINE, eventually
from tests.e2e.account import Account, await_changes
from tests.e2e.test_forgotten import Secret, remains
from tests.e2e.test_one_mail import found_in, kept_in


def erase(client: Client, person_id: str) -> Any:
    return client.request("POST", "matcher", f"/v1/people/{person_id}:erase")


def await_erased(stack: Stack, words: list[str]) -> None:
    """Wait until no word is in a collection, a blob, a log or a metric."""
    deadline = time.monotonic() + DEADLINE
    while left := found_in(remains(stack), words):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def verified(client: Client, receipt: str) -> dict[str, Any]:
    """Return what a receipt says, as whoever has to prove it verifies it."""
    keys = client.json("GET", "matcher", "/v1/erasures/keys")
    key_id = jwt.get_unverified_header(receipt)["kid"]
    [key] = [key for key in keys["keys"] if key["kid"] == key_id]
    claims: dict[str, Any] = jwt.decode(receipt, jwt.PyJWK(key), algorithms=["EdDSA"])
    return claims


def test_of_a_person_who_is_erased_nothing_stays_and_others_keep_their_mail(stack: Stack) -> None:
    account = Account(stack)
    one, other = account.client_for("u1"), account.client_for("u2", replica=1)
    back_end = account.client_for("ats", "timeline:all")
    before = kept_in(stack)
    name, address, former = (f"zq{secrets.token_hex(6)}" for _ in range(3))
    jane, her = f"{address}@{address}.example", f"Jane {name}"
    one.put_person("c5", "candidate", her, [jane])
    one.put_person("c6", "candidate", her, [f"{former}@mail.example"])
    one.json("POST", "matcher", "/v1/people/c6:merge", json={"into": "c5"})

    alone = [Secret(large=large) for large in (False, True)]
    for secret in alone:
        raw = f"Cc: {her} <{jane}>\r\n".encode() + secret.raw
        account.client.send(secret.sender, [account.capture], raw)
    account.send(f"{former}@mail.example")
    account.send(f"{her} <{jane}>, cand@mail.example", body="Both may read it.")
    account.send(f"cand@mail.example, {her} <{jane}>", headers=f"Cc: {former}@mail.example\r\n")
    account.send("cand@mail.example", sender=f"{her} <{jane}>")
    account.send("cand@mail.example", message_id="untouched@x")
    assert one.await_captures(7) == {"attached": 7}
    account.await_no_claims()
    one.await_mails("c5", 6)
    resume = await_changes(back_end, 7)["resume_cursor"]
    kept = {mail["id"] for mail in one.timeline("c1")}

    assert erase(account.client_for("u1", "directory:read"), "c5").status_code == 403
    assert erase(one, "u1").json()["code"] == "is_a_user"
    assert erase(one, "nobody").status_code == 404
    assert erase(Account(stack).client, "c5").status_code == 404
    answer = erase(other, "c6")
    assert answer.status_code == 202
    erasure = answer.json()
    assert erasure["person_ids"] == ["c5", "c6"]
    assert erase(one, "c5").json()["id"] == erasure["id"]
    where = answer.headers["Location"]
    assert where == f"/v1/erasures/{erasure['id']}"
    assert eventually(lambda: one.json("GET", "matcher", where)["state"] == "done")

    done = other.json("GET", "matcher", where)
    counts = done["erased"]
    assert (counts["mails_deleted"], counts["mails_redacted"], counts["failed"]) == (3, 4, 0)
    claims = verified(one, done["receipt"])
    assert claims["erased"] == counts
    assert (claims["account"], claims["person_id"]) == (account.name, "c6")
    words = [name, address, former, *(word for secret in alone for word in secret.words)]
    assert [word for word in words if word in str(claims)] == []
    assert Account(stack).client.request("GET", "matcher", where).status_code == 404
    await_erased(stack, words)
    assert kept_in(stack) == before
    for person in ("c5", "c6"):
        assert one.request("GET", "matcher", f"/v1/people/{person}").status_code == 404
        assert one.timeline(person) == []
    left = {mail["id"]: mail for mail in other.timeline("c1")}
    assert left.keys() == kept
    assert {m["person_id"] for mail in left.values() for m in mail["matches"]} == {"c1"}
    changes = await_changes(back_end, 6, resume)
    assert (len(changes["deleted"]), len(changes["items"])) == (3, 3)
    for mail in changes["items"]:
        raw = one.request("GET", "timeline", f"/v1/mails/{mail['id']}/raw").content
        assert b"erased@erased.invalid" in raw
        assert name.encode() not in raw
    lines = account.client_for("u9", "account:read").pages("/v1/audit-log")
    assert {(line["who"], line["what"], line["profile"]) for line in lines} == {
        ("u2", "erased", "c5"),
        ("u2", "erased", "c6"),
    }

    # Who has the id and the address afterwards starts empty.
    one.put_person("c5", "candidate", her, [jane])
    account.send(f"{her} <{jane}>")
    one.await_mails("c5", 1)
    assert [mail["to"][0]["address"] for mail in one.timeline("c5")] == [jane]
    assert one.json("GET", "matcher", "/v1/erasures")["items"] == [done]
    again = erase(one, "c5").json()
    assert again["id"] != erasure["id"]
    one.put_person("c5", "candidate", "Somebody Else", ["else@mail.example"])  # while it runs
    account.send("else@mail.example")
    assert eventually(
        lambda: one.json("GET", "matcher", f"/v1/erasures/{again['id']}")["state"] == "done"
    )
    await_erased(stack, words)
    assert eventually(
        lambda: [m["to"][0]["address"] for m in one.timeline("c5")] == ["else@mail.example"]
    )
