"""Services start in any order: each says what it waits for, and goes on when it is there."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dev import local_http
from dev.stack import Replica
from services.matcher.indexes import INDEXES as MATCHER_INDEXES
from services.timeline.indexes import INDEXES as TIMELINE_INDEXES
from shared.storage.database import connect, migrate
from tests.deadline import DEADLINE
from tests.e2e.parts import Parts

NEEDS = {
    "ingest": {"broker"},
    "matcher": {"broker", "database"},
    "timeline": {"broker", "database"},
}
ORDERS = [("database", "blobs", "broker")]
"""One of the six: what a service waits for does not depend on what else is away."""
PASSWORD = "the-wrong-password"


def get(replica: Replica, path: str) -> httpx.Response:
    return local_http.get(f"http://127.0.0.1:{replica.http_port}{path}", timeout=DEADLINE)


def lines(replica: Replica) -> list[dict[str, Any]]:
    """Return what a service has logged."""
    text = replica.process.log.read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def eventually(what: str, happened: Callable[[], bool], seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def answers(replica: Replica) -> bool:
    try:
        return get(replica, "/healthz").status_code == 200
    except httpx.TransportError:
        return False


def missing(replica: Replica) -> set[str]:
    """Return what /readyz says is missing."""
    checks: dict[str, bool] = get(replica, "/readyz").json()["checks"]
    return {name for name, there in checks.items() if not there}


def waits_for(replica: Replica, what: str) -> list[dict[str, Any]]:
    return [line for line in lines(replica) if line["event"] == f"waiting for the {what}"]


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_each_service_waits_for_each_part_and_says_so(
    parts: Parts, mongodb_url: str, order: tuple[str, ...]
) -> None:
    async with connect(mongodb_url, "test") as client:
        await migrate(client[parts.settings["MATCHER_DATABASE"]], MATCHER_INDEXES)
        await migrate(client[parts.settings["TIMELINE_DATABASE"]], TIMELINE_INDEXES)
        replicas = parts.start_all()
        for service, replica in replicas.items():
            eventually(f"{service} lives", lambda: answers(replica))  # noqa: B023 - used at once
            assert missing(replica) == {*NEEDS[service], "blobs"}
            assert get(replica, "/readyz").status_code == 503
            for what, port in (
                ("broker", parts.broker.port),
                ("database", parts.database.port),
            ):
                if what in NEEDS[service]:
                    eventually(what, lambda: bool(waits_for(replica, what)))  # noqa: B023 - used at once
                    line = waits_for(replica, what)[0]
                    assert line["at"].startswith(f"127.0.0.1:{port}")
                    assert line["attempt"] == 1
                    assert line["next_try_in"] > 0
            assert waits_for(replica, "blob store")
        away = {"broker", "database", "blobs"}
        for part in order:
            parts.bring(part)
            away.remove(part)
            for service, replica in replicas.items():
                expected = away & {*NEEDS[service], "blobs"}
                eventually(f"{service}: {part}", lambda: missing(replica) == expected)  # noqa: B023 - used at once
                ready = get(replica, "/readyz").status_code
                assert ready == (503 if expected & NEEDS[service] else 200)
        for name in ("MATCHER_DATABASE", "TIMELINE_DATABASE"):
            await client.drop_database(parts.settings[name])


def test_wrong_credentials_are_said_and_never_shown(parts: Parts) -> None:
    for part in ("broker", "database", "blobs"):
        parts.bring(part)
    replica = parts.start(
        "matcher",
        AMQP_URL=f"amqp://guest:{PASSWORD}@127.0.0.1:{parts.broker.port}/",
        MONGODB_URL=f"mongodb://anybody:{PASSWORD}@127.0.0.1:{parts.database.port}/",
    )
    for what in ("broker", "database"):
        eventually(what, lambda: bool(waits_for(replica, what)))  # noqa: B023 - used at once
        assert waits_for(replica, what)[0]["why"] == "the credentials are refused"
    assert answers(replica)
    assert PASSWORD not in replica.process.log.read_text()


def test_indexes_that_are_not_built_are_named(parts: Parts) -> None:
    for part in ("broker", "database", "blobs"):
        parts.bring(part)
    replica = parts.start("timeline")
    eventually("says it", lambda: bool(waits_for(replica, "database")))
    assert "--migrate" in waits_for(replica, "database")[0]["why"]
    eventually("lives", lambda: answers(replica))
    assert "database" in missing(replica)
