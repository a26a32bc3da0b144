"""The broker goes away: pages are read, the directory is written, and replicas stay ready."""

from typing import Any

import pytest

from dev.client import Client
from dev.stack import Replica
from services.matcher.indexes import INDEXES as MATCHER_INDEXES
from services.timeline.indexes import INDEXES as TIMELINE_INDEXES
from shared.contracts.capture_address import KeyRing
from shared.storage.database import connect, migrate
from tests.e2e.parts import Parts, client_of
from tests.e2e.test_start import answers, eventually, get

MAIL = b"From: u1@team.example\r\nTo: cand@mail.example\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n"


def state(replica: Replica) -> tuple[int, bool]:
    """Return the status of /readyz and what it says of the broker."""
    answer = get(replica, "/readyz")
    return answer.status_code, answer.json()["checks"]["broker"]


@pytest.fixture
async def replicas(parts: Parts, mongodb_url: str) -> Any:
    """All services with all they need but the broker, which was never there."""
    parts.bring("database")
    parts.bring("blobs")
    async with connect(mongodb_url, "test") as client:
        await migrate(client[parts.settings["MATCHER_DATABASE"]], MATCHER_INDEXES)
        await migrate(client[parts.settings["TIMELINE_DATABASE"]], TIMELINE_INDEXES)
        yield parts.start_all()
        parts.end()
        for name in ("MATCHER_DATABASE", "TIMELINE_DATABASE"):
            await client.drop_database(parts.settings[name])


def test_who_was_connected_once_goes_on_without_the_broker(
    parts: Parts, replicas: dict[str, Replica]
) -> None:
    for service, replica in replicas.items():
        eventually(f"{service} lives", lambda: answers(replica))  # noqa: B023 - used at once
        checks = {"smtp", "database"} & get(replica, "/readyz").json()["checks"].keys()
        eventually(
            f"{service} has all else",
            lambda: all(get(replica, "/readyz").json()["checks"][c] for c in checks),  # noqa: B023 - used at once
        )
        assert state(replica) == (503, False), f"{service} never saw a broker"
    parts.bring("broker")
    for replica in replicas.values():
        replica.await_ready()
    ats, operator = client_of(replicas), client_of(replicas, "ops")
    waiting = with_a_mail_and_a_dead_letter(parts, ats, operator)

    parts.broker.cut()
    for service, unready in (("ingest", 503), ("matcher", 200), ("timeline", 200)):
        expected = (unready, False)
        eventually(service, lambda: state(replicas[service]) == expected)  # noqa: B023 - used at once
        assert get(replicas[service], "/healthz").status_code == 200
    assert len(ats.timeline("c1")) == 1
    assert len(ats.inbox()) == 1
    assert ats.json("GET", "matcher", "/v1/people/c1")["name"] == "Candidate"
    ats.put_person("c1", "candidate", "Renamed", ["cand@mail.example"])
    refused = operator.request("POST", "timeline", f"/v1/dead-letters/{waiting}/replay")
    assert (refused.status_code, refused.headers["content-type"]) == (
        503,
        "application/problem+json",
    )
    letter = operator.json("GET", "timeline", f"/v1/dead-letters/{waiting}")
    assert letter["state"] == "waiting"

    parts.broker.open()
    for service, replica in replicas.items():
        eventually(service, lambda: state(replica) == (200, True))  # noqa: B023 - used at once
    eventually("it is announced", lambda: profile_name(ats) == "Renamed")
    replayed = operator.request("POST", "timeline", f"/v1/dead-letters/{waiting}/replay")
    assert replayed.json()["state"] == "replayed"
    eventually("it died again", lambda: bool(operator.pages("/v1/dead-letters", state="waiting")))


def with_a_mail_and_a_dead_letter(parts: Parts, ats: Client, operator: Client) -> str:
    """Bring one mail to where it is shown, and one to where nobody can handle it: return its id."""
    ats.put_person("u1", "user", "User", ["u1@team.example"])
    ats.put_person("c1", "candidate", "Candidate", ["cand@mail.example"])
    capture = ats.mint("u1")
    unknown = KeyRing.parse(parts.settings["CAPTURE_KEYS"]).mint(
        "acme", "restored", capture.partition("@")[2]
    )
    ats.send("u1@team.example", [capture], MAIL)
    ats.send("u1@team.example", [unknown.address], MAIL)
    ats.await_mails("c1", 1)
    eventually("a dead letter", lambda: bool(operator.pages("/v1/dead-letters")))
    return str(operator.pages("/v1/dead-letters")[0]["id"])


def profile_name(ats: Client) -> str:
    """Return what the inbox calls the profile of its only conversation."""
    [conversation] = ats.inbox()
    return str(conversation["profiles"][0]["name"])
