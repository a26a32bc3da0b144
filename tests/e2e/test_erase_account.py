"""An account is erased with a receipt: nothing of it is left anywhere, and nothing comes back.

By SMTP and HTTP, on two replicas, which are killed meanwhile.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from chaos.reconcile import drained
from dev.client import Client
from dev.dns_server import DnsServer
from dev.stack import Stack, own_databases
from shared.contracts.capture_address import account_tag
from tests.deadline import DEADLINE, eventually
from tests.e2e.account import Account
from tests.e2e.full_account import FILLER, SCOPES, FullAccount
from tests.e2e.test_erase import verified
from tests.e2e.test_forgotten import remains

ERASE = "/v1/account:erase"
NAMED_IN_LOGS = ('"account mail read"', '"merged mails stamped"')
"""Log lines that name an account (docs/logs.md)."""

EVERYWHERE = {
    *("people", "capture_addresses", "never_capture", "merges", "reviews", "erasures", "accounts"),
    *("decisions", "windows", "rematch_windows", "rematch_sealed", "round_trip_accounts"),
    *("mails", "contents", "raw_mails", "mail_rows", "profile_mails", "conversations", "threads"),
    *("tokens", "outcomes", "bounces", "quarantine", "confirmations", "setups", "half_days"),
    *("watched", "read_marks", "readers", "changes", "audit_log", "hand_overs", "review_walks"),
    *("reprocess_jobs", "erased_people", "settings", "tallies", "mail_changes", "dead_letters"),
    "told_merges",
}
"""The collections in which a full account has something."""


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory, dns: DnsServer) -> Iterator[Stack]:
    """A stack of two replicas, which may be killed; a second pass comes after seconds."""
    environment = own_databases() | {
        "LOG_LEVEL": "DEBUG",
        "ACCOUNT_ERASURE_SECONDS": "6",
        "AUTHENTICATION_SECONDS": "4",
        "DNS_SERVERS": f"127.0.0.1:{dns.port}",
    }
    folder = tmp_path_factory.mktemp("own-stack")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AMQP_URL", "MONGODB_URL", "BLOB_URL"):
            patch.delenv(name, raising=False)
        with Stack(folder, replicas=2, environment=environment) as stack:
            yield stack


class Storage:
    """What is stored of an account."""

    def __init__(self, stack: Stack) -> None:
        self.folder = stack.folder
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            stack.environment["MONGODB_URL"]
        )
        names = [stack.environment[f"{one}_DATABASE"] for one in ("MATCHER", "TIMELINE")]
        self.databases = [self.client[name] for name in names]

    def documents(self, word: str) -> dict[str, list[str]]:
        """Return the documents that have a word, by collection."""
        found: dict[str, list[str]] = {}
        for database in self.databases:
            for name in database.list_collection_names():
                texts = [str(one) for one in database[name].find() if word in str(one)]
                if texts:
                    found[f"{database.name.partition('_')[0]}.{name}"] = texts
        return found

    def collections(self, word: str) -> set[str]:
        return {name.partition(".")[2] for name in self.documents(word)}

    def blobs(self, word: str) -> list[Path]:
        """Return the files and folders of the blob store that have a word, in name or content."""
        paths = (self.folder / "blobs").rglob("*")
        return [
            path
            for path in paths
            if word in str(path.relative_to(self.folder))
            or (path.is_file() and word.encode() in path.read_bytes())
        ]

    def logged(self, word: str) -> list[str]:
        return [
            line
            for path in (self.folder / "logs").rglob("*")
            if path.is_file()
            for line in path.read_text(errors="replace").splitlines()
            if word in line and not any(known in line for known in NAMED_IN_LOGS)
        ]


@pytest.fixture
def storage(own_stack: Stack) -> Iterator[Storage]:
    storage = Storage(own_stack)
    yield storage
    storage.client.close()


def settled(read: Any) -> Any:
    """Return what is read once it stays the same: what follows in the background is done."""
    before, deadline = read(), time.monotonic() + DEADLINE
    while True:
        time.sleep(3)
        now = read()
        if now == before:
            return now
        assert time.monotonic() < deadline
        before = now


def of_other(storage: Storage, other: Account) -> Any:
    return storage.documents(other.name), [
        (path, path.read_bytes()) for path in sorted(storage.blobs(other.name)) if path.is_file()
    ]


def ask(client: Client, account: str) -> Any:
    return client.request("POST", "matcher", ERASE, json={"account": account})


def await_erased(client: Client, id_: str) -> dict[str, Any]:
    where = f"/v1/account-erasures/{id_}"
    assert eventually(lambda: client.json("GET", "matcher", where)["state"] == "done")
    return dict(client.json("GET", "matcher", where))


def test_of_an_account_that_is_erased_the_receipt_alone_is_left(
    own_stack: Stack, storage: Storage
) -> None:
    other = FullAccount(Account(own_stack, f"other{secrets.token_hex(6)}"))
    for large in (False, True):
        other.secret(large=large)
        other.secret(large=large, cc="cand@mail.example")
    assert other.account.outcome() == {"attached": 2, "no_match": 2}
    account = Account(own_stack, f"zq{secrets.token_hex(6)}")
    full = FullAccount(account)
    full.fill()
    eraser = account.client_for("u1", "account:erase")
    second = account.client_for("u2", "account:erase", replica=1)
    await_quiet(own_stack)
    account.await_no_claims()
    untouched = settled(lambda: of_other(storage, other.account))
    tag = account_tag(account.name)
    filled = storage.collections(account.name) | storage.collections(tag)
    assert filled >= EVERYWHERE, EVERYWHERE - filled

    # Mail keeps coming, before, during and after.
    stop, late = threading.Event(), FullAccount(account)

    def keep_sending() -> None:
        while not stop.is_set():
            late.secret(large=len(late.words) % 3 == 0, cc="cand@mail.example")

    sending = threading.Thread(target=keep_sending)
    sending.start()
    try:
        assert ask(account.client_for("u1", SCOPES), account.name).status_code == 403
        assert ask(eraser, "acme").status_code == 422
        answer = ask(eraser, account.name)
        assert answer.status_code == 202, answer.text
        erasure = answer.json()
        assert answer.headers["Location"] == f"/v1/account-erasures/{erasure['id']}"
        assert ask(second, account.name).json()["id"] == erasure["id"]
        person = {"kind": "contact", "name": "N", "addresses": []}
        for service, path in (("matcher", "/v1/people/c9"), ("timeline", "/v1/settings")):
            client = account.client_for("u1", f"{SCOPES} account:erase", replica=1)
            body = person if service == "matcher" else {"visibility": "team", "quarantine": "off"}

            def is_refused(client: Client = client, at: Any = (service, path, body)) -> bool:
                refused = client.request("PUT", at[0], at[1], json=at[2])
                return refused.status_code == 409 and refused.json()["code"] == "account_erasing"

            assert eventually(is_refused)
        done = await_erased(second, erasure["id"])
        assert account.client.timeline("c1") == account.client.inbox() == []
    finally:
        stop.set()
        sending.join()

    counts = done["erased"]
    assert (counts["quarantined"], counts["dead_letters"]) == (2, 1)
    assert counts["mails"] >= 7
    assert counts["people"] == 6
    claims = verified(account.client, done["receipt"])
    assert (claims["account"], claims["kind"]) == (account.name, "account")
    assert claims["erased"] == counts

    late.secret(large=False, cc="cand@mail.example")
    late.secret(large=True, cc="cand@mail.example")
    await_drained_of(own_stack, storage, account.name)
    words = [*full.words, *late.words]
    text = remains(own_stack)
    assert [word for word in words if word in text] == []
    assert storage.collections(account.name) == {"account_erasures"}
    receipt = own_stack.folder / "blobs" / "erasures" / account.name
    assert sorted(storage.blobs(account.name)) == [receipt, receipt / erasure["id"]]
    assert storage.logged(account.name) == []
    assert storage.collections(account_tag(account.name)) <= {"erased_addresses", "erased_accounts"}
    assert of_other(storage, other.account) == untouched

    # An account with the same id starts empty.
    account.client.put_person("u1", "user", "User One", ["user@team.example"])
    account.client.put_person("c1", "candidate", "Cand", ["cand@mail.example"])
    former, account.capture = account.capture, account.client.mint("u1")
    account.send("cand@mail.example", capture=former)
    account.send("cand@mail.example")
    account.client.await_mails("c1", 1)
    await_drained_of(own_stack, storage, account.name, again=True)
    assert len(account.client.timeline("c1")) == 1
    assert account.client.await_captures(1) == {"attached": 1}


@pytest.mark.parametrize("number", [0, 1])
def test_one_replica_finishes_what_the_other_began(
    own_stack: Stack, storage: Storage, number: int
) -> None:
    account = Account(own_stack, f"zq{secrets.token_hex(6)}")
    for _ in range(20):
        account.send("cand@mail.example", body=f"{account.name} {FILLER}")
    account.outcome()
    eraser = account.client_for("u1", "account:erase", replica=1 - number)
    erasure = ask(eraser, account.name).json()
    victims = [own_stack.of(service)[number] for service in ("matcher", "timeline")]
    jobs = storage.databases[1]["account_erasures"]
    assert eventually(lambda: jobs.find_one({"account": account.name}) is not None, poll=0.001)
    for victim in victims:
        victim.kill()
    done = await_erased(eraser, erasure["id"])
    assert done["erased"]["mails"] == 20
    assert verified(eraser, done["receipt"])["erased"] == done["erased"]
    for victim in victims:
        victim.start()
        victim.await_ready()
    await_drained_of(own_stack, storage, account.name)
    assert storage.collections(account.name) == {"account_erasures"}
    receipt = own_stack.folder / "blobs" / "erasures" / account.name
    assert sorted(storage.blobs(account.name)) == [receipt, receipt / erasure["id"]]


def await_quiet(stack: Stack) -> None:
    """Wait until no queue holds anything."""
    assert stack.broker is not None
    broker = stack.broker
    assert eventually(lambda: drained(broker), poll=0.2)


def await_drained_of(stack: Stack, storage: Storage, account: str, *, again: bool = False) -> None:
    """Wait until nothing of the account is in flight; no dead letter may be left of it."""
    await_quiet(stack)
    claims = stack.folder / "blobs" / "claims"
    assert eventually(lambda: not list(claims.glob("*")), poll=0.1)
    letters = storage.databases[1]["dead_letters"]
    assert letters.count_documents({"account_tag": account_tag(account)}) == 0
    assert again or "dead_letters" not in storage.collections(account)
