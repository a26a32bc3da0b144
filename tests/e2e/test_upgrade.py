"""A deployment that an earlier version left behind, taken over by today's services.

Its databases, its blobs, and its broker: queues and bindings as they were declared then, and the
messages that waited in them.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from bson import json_util

from dev.client import Client
from dev.generate import ROOT
from dev.rabbitmq import PrivateRabbitMQ
from dev.stack import Replica
from services.matcher.indexes import INDEXES as MATCHER_INDEXES
from services.timeline.indexes import INDEXES as TIMELINE_INDEXES
from services.timeline.query.row_index import BY_TERM as FORMER_INDEX
from shared.contracts.topology import PEOPLE, QUEUES
from shared.storage.database import connect, migrate
from tests.e2e.parts import Parts, client_of
from tests.e2e.test_start import eventually, get, missing, waits_for
from tests.old_recordings import DEPLOYMENT, declare, fill

VHOST = "an-earlier-version"
THEN = {"Your interview on Friday", "Directions to our office", "The contract"}
WAITED = {
    "Waits for the timeline",
    "Old mail waits for the timeline",
    "Waits for the matcher",
    "Old mail waits for the matcher",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken over, and the services that took it."""

    parts: Parts
    replicas: dict[str, Replica]
    broker_url: str
    waited: int


def recorded(name: str) -> Any:
    return json_util.loads((DEPLOYMENT / f"{name}.json").read_text())


@pytest.fixture
async def taken(
    private_broker: PrivateRabbitMQ, mongodb_url: str, tmp_path: Path
) -> AsyncIterator[Taken]:
    """The deployment, with today's services started on it; its new indexes are not built."""
    private_broker.ctl("add_vhost", VHOST)
    private_broker.ctl("set_permissions", "-p", VHOST, "guest", ".*", ".*", ".*")
    url = f"{private_broker.url.rstrip('/')}/{VHOST}"
    parts = Parts(tmp_path, url, mongodb_url)
    parts.settings |= {"CAPTURE_KEYS": "k1:" + "recorded-" * 4, "CAPTURE_DOMAIN": "in.satchel.test"}
    for part in ("broker", "database", "blobs"):
        parts.bring(part)
    for name, text in recorded("blobs").items():
        path = parts.blobs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(text))
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await declare(channel, json.loads((DEPLOYMENT / "topology.json").read_text()))
        waited = await fill(channel)
    async with connect(mongodb_url, "test") as client:
        names = {s: parts.settings[f"{s.upper()}_DATABASE"] for s in ("matcher", "timeline")}
        for service, name in names.items():
            for collection, documents in recorded(service).items():
                if documents:
                    await client[name][collection].insert_many(documents)
        replicas = parts.start_all()
        for service in names:
            eventually(f"{service} says it", lambda: bool(waits_for(replicas[service], "database")))  # noqa: B023 - used at once
            assert "--migrate" in waits_for(replicas[service], "database")[0]["why"]
            assert "database" in missing(replicas[service])
            assert get(replicas[service], "/readyz").status_code == 503
        await migrate(client[names["matcher"]], MATCHER_INDEXES)
        await migrate(client[names["timeline"]], [*TIMELINE_INDEXES, FORMER_INDEX])
        for replica in replicas.values():
            replica.await_ready()
        yield Taken(parts, replicas, url, waited)
        parts.end()
        for name in names.values():
            await client.drop_database(name)
    private_broker.ctl("delete_vhost", VHOST)


async def test_what_an_earlier_version_left_is_shown_and_what_waited_is_handled(
    taken: Taken,
) -> None:
    ats = client_of(taken.replicas, account="agency", scope=SCOPE)
    assert taken.waited == 10
    eventually("what waited is there", lambda: subjects(ats) >= THEN | WAITED)
    eventually("all is decided", lambda: ats.tally() == TALLY)
    assert client_of(taken.replicas, "ops", "agency").pages("/v1/dead-letters") == []
    await nothing_waits(taken.broker_url)
    the_directory_is_as_it_was(ats)
    mails_are_as_they_were(ats)
    new_mail_joins_what_is_there(ats)
    a_new_address_is_heard_of_through_two_queues_and_known_once(taken, ats)
    before = shown(ats)
    do_chore(taken, "--reprocess")
    assert shown(ats) == before
    await terms_are_indexed_anew(taken, ats)


SCOPE = "directory:write mail:write timeline:read"
TALLY = {"attached": 9, "blocked": 1, "internal": 1, "no_match": 3}


def subjects(ats: Client) -> set[str]:
    return {mail["subject"] for mail in ats.timeline("c1")}


def shown(ats: Client) -> list[dict[str, Any]]:
    """Return all mails of the candidate, in full."""
    return [ats.mail(mail["id"]) for mail in ats.timeline("c1")]


async def nothing_waits(url: str) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for queue in QUEUES:
            declared = await channel.declare_queue(queue.name, passive=True)
            assert declared.declaration_result.message_count == 0, queue.name


def the_directory_is_as_it_was(ats: Client) -> None:
    """The matcher has it, and the timeline heard what waited: a new name, a new address."""
    people = {p["person_id"] for p in ats.json("GET", "matcher", "/v1/people")["items"]}
    assert people == {"u1", "u2", "u3", "c1", "c2", "k1"}
    names = {p["name"] for conversation in ats.inbox() for p in conversation["profiles"]}
    assert "First Candidate, Renamed" in names
    [own] = ats.json("GET", "timeline", "/v1/setup")["capture_addresses"]
    addresses = {r["_id"]: r["person_id"] for r in recorded("matcher")["capture_addresses"]}
    assert addresses[own["address"]] == "u1"


def mails_are_as_they_were(ats: Client) -> None:
    """Whole, with bytes and attachments; found by words; and what was read is read."""
    by_subject = {mail["subject"]: mail for mail in shown(ats)}
    contract = by_subject["The contract"]
    assert "sign" in contract["text"]
    [attachment] = contract["attachments"]
    path = f"/v1/mails/{contract['id']}/attachments/{attachment['index']}"
    assert ats.request("GET", "timeline", path).content.startswith(b"%PDF-1.4")
    raw = ats.request("GET", "timeline", f"/v1/mails/{contract['id']}/raw")
    assert raw.content.startswith(b"From: Recruiter One")
    [found] = ats.inbox(q="contract")
    assert found["id"] == contract["conversation_id"]
    old_mail_is_no_news = {
        mail["conversation_id"]
        for subject, mail in by_subject.items()
        if subject.startswith("Old mail")
    }
    unread = {conversation["id"]: conversation["unread"] for conversation in ats.inbox()}
    [mark] = recorded("timeline")["read_marks"]
    sent = by_subject["Waits for the matcher"]["conversation_id"]  # as today's matcher says
    assert {id_ for id_, is_unread in unread.items() if not is_unread} == {
        mark["thread"],
        sent,
        *old_mail_is_no_news,
    }


def new_mail_joins_what_is_there(ats: Client) -> None:
    """An answer comes to a capture address that the earlier version minted."""
    [own] = ats.json("GET", "timeline", "/v1/setup")["capture_addresses"]
    answer = (
        b"From: first@mail.example\r\nTo: one@agency.example\r\nMessage-ID: <answer@x.example>\r\n"
        b"References: <with-file@agency.example>\r\nDate: Fri, 16 Jan 2026 09:00:00 +0000\r\n"
        b"Subject: Signed\r\n\r\nHere it is.\r\n"
    )
    ats.send("first@mail.example", [own["address"]], answer)
    eventually("the answer is there", lambda: "Signed" in subjects(ats))
    conversations = {mail["subject"]: mail["conversation_id"] for mail in shown(ats)}
    assert conversations["Signed"] == conversations["The contract"]


def a_new_address_is_heard_of_through_two_queues_and_known_once(taken: Taken, ats: Client) -> None:
    """Then, people's queue was bound to such events, too; that binding is still there."""
    then = json.loads((DEPLOYMENT / "topology.json").read_text())["queues"]
    [people] = [queue for queue in then if queue["name"] == PEOPLE.name]
    assert {key for _, key in people["bindings"]} > set(PEOPLE.keys)
    ats.put_person("u4", "user", "Recruiter Four", ["four@agency.example"])
    address = ats.mint("u4")
    four = client_of(taken.replicas, account="agency", person="u4")

    def known() -> list[str]:
        setup = four.json("GET", "timeline", "/v1/setup")
        return [own["address"] for own in setup["capture_addresses"]]

    eventually("the new address is known", lambda: known() == [address])


async def terms_are_indexed_anew(taken: Taken, ats: Client) -> None:
    """The same is found by the former index, and without it while services run."""
    name = taken.parts.settings["TIMELINE_DATABASE"]
    queries = ("contract", "cont", "with:x here", "from:first@mail.example", "nowhere")
    before = {q: [found["id"] for found in ats.inbox(q=q)] for q in queries}
    async with connect(taken.parts.settings["MONGODB_URL"], "test") as client:
        rows = client[name][FORMER_INDEX.collection]
        assert FORMER_INDEX.name in await rows.index_information()
        do_chore(taken, "--index-terms")
        assert FORMER_INDEX.name not in await rows.index_information()
    assert {q: [found["id"] for found in ats.inbox(q=q)] for q in queries} == before
    assert before["contract"]


def do_chore(taken: Taken, word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "services.timeline", word],
        env={"PATH": os.environ["PATH"], **taken.parts.settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
