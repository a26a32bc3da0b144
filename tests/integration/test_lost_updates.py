"""Writes that rest on what was read: of several with the same tag one succeeds."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from dev.openapi import TOKEN_SECRET
from services.matcher.api.leaving import Leaving
from services.matcher.api.never_capture import never_capture_routes
from services.matcher.api.people import people_routes
from services.matcher.api.setup_prove import setup_prove_routes
from services.matcher.directory.never_capture_lists import NeverCaptureLists
from services.matcher.directory.versions import Versions
from services.matcher.round_trip.proving import Proving
from services.matcher.round_trip.records import RoundTrips
from services.timeline.api.settings import settings_routes
from services.timeline.write.account_settings import AccountSettings
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.settings import Settings
from tests.matcher_parts import DOMAIN, RING, Replica
from tests.signed_in import bearer

C1 = "/v1/people/c1"
PERSON = {"kind": "candidate", "name": "C", "addresses": ["cand@mail.example"]}
REPLACED: list[tuple[str, list[dict[str, Any]]]] = [
    (C1, [{**PERSON, "name": f"Name {n}"} for n in range(8)]),
    (
        "/v1/settings",
        [{"visibility": v, "quarantine": q, "quarantine_forwards": f} for v, q, f in (
            ("owner", "off", False), ("team", "failed", False), ("owner", "failed", True),
            ("owner", "unverified", False), ("team", "off", True), ("owner", "off", True),
            ("team", "unverified", True), ("team", "failed", True),
        )],
    ),
    (
        "/v1/never-capture",
        [{"account": {"addresses": [f"a{n}@x.example"], "domains": []}} for n in range(8)],
    ),
    ("/v1/setup/round-trips", [{"repeat": "weekly"}] * 8),
]  # fmt: skip


@pytest.fixture
async def client(matcher: Replica) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app("t", "t", Settings(token_secret=TOKEN_SECRET), Readiness({}))
    lists = NeverCaptureLists(matcher.database, Versions(matcher.database))
    round_trips = RoundTrips(matcher.database)
    leaving = Leaving(matcher.addresses, lists, round_trips)
    proving = Proving(round_trips, None, RING, DOMAIN)
    app.include_router(people_routes(matcher.directory, leaving))
    app.include_router(never_capture_routes(matcher.directory, lists))
    app.include_router(setup_prove_routes(matcher.directory, matcher.addresses, proving))
    app.include_router(settings_routes(AccountSettings(matcher.database)))
    scope = "directory:write account:write timeline:read"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://satchel", headers=bearer(scope=scope)
    ) as client:
        yield client


@pytest.mark.parametrize(("path", "bodies"), REPLACED, ids=[path for path, _ in REPLACED])
async def test_of_eight_who_read_the_same_one_writes(
    client: httpx.AsyncClient, path: str, bodies: list[dict[str, Any]]
) -> None:
    for _ in range(2):  # nothing is stored at first; then something is
        before = await client.get(path)
        headers = {"If-Match": before.headers["ETag"]}
        shown = before.json()  # to write what is there already is no change: it may succeed too
        writes = [body for body in bodies if shown | body != shown]
        answers = await asyncio.gather(
            *(client.put(path, json=body, headers=headers) for body in writes)
        )
        done = [answer for answer in answers if answer.status_code == 200]
        if path.endswith("round-trips"):  # the same by all: a late one has changed nothing
            assert {answer.status_code for answer in answers} <= {200, 412}
            return
        assert len(done) == 1
        assert {answer.status_code for answer in answers} == {200, 412}
        now = await client.get(path)
        assert now.json() == done[0].json()
        assert now.headers["ETag"] == done[0].headers["ETag"] != before.headers["ETag"]


@pytest.mark.parametrize(("path", "bodies"), REPLACED, ids=[path for path, _ in REPLACED])
async def test_without_a_condition_the_last_write_wins(
    client: httpx.AsyncClient, path: str, bodies: list[dict[str, Any]]
) -> None:
    for body in bodies:
        assert (await client.put(path, json=body)).status_code == 200
    last = (await client.get(path)).json()
    assert last == last | bodies[-1]


@pytest.mark.parametrize(("path", "bodies"), REPLACED, ids=[path for path, _ in REPLACED])
async def test_an_older_tag_changes_nothing(
    client: httpx.AsyncClient, path: str, bodies: list[dict[str, Any]]
) -> None:
    old = {"If-Match": (await client.get(path)).headers["ETag"]}
    assert (await client.put(path, json=bodies[0], headers=old)).status_code == 200
    shown = (await client.get(path)).json()
    refused = await client.put(path, json=bodies[-1], headers=old)
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert (await client.get(path)).json() == shown
    anything = await client.put(path, json=bodies[-1], headers={"If-Match": "*"})
    assert anything.status_code == 200


async def test_a_patch_changes_what_it_names(client: httpx.AsyncClient) -> None:
    patch = {"Content-Type": "application/merge-patch+json"}
    before = (await client.get(C1)).json()
    answer = await client.patch(C1, content=b'{"name": "New"}', headers=patch)
    assert answer.json() == {**before, "name": "New"}
    assert answer.headers["ETag"] == (await client.get(C1)).headers["ETag"]
    emptied = await client.patch(C1, json={"addresses": []})
    assert emptied.json() == {**before, "name": "New", "addresses": []}
    assert (await client.patch(C1, json={})).json() == emptied.json()


@pytest.mark.parametrize(
    "body", [{"name": None}, {"kind": "boss"}, {"addresses": ["none"]}, {"person_id": "c2"}, []]
)
async def test_a_patch_that_cannot_be_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    before = (await client.get(C1)).json()
    answer = await client.patch(C1, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await client.get(C1)).json() == before


async def test_patches_of_other_fields_do_not_undo_each_other(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        client.patch(C1, json={"name": "New"}),
        client.patch(C1, json={"kind": "contact"}),
        client.patch(C1, json={"addresses": ["new@mail.example"]}),
    )
    assert [answer.status_code for answer in answers] == [200] * 3
    now = (await client.get(C1)).json()
    assert (now["name"], now["kind"], now["addresses"]) == ("New", "contact", ["new@mail.example"])


async def test_nobody_who_is_not_there_is_patched_or_matched(client: httpx.AsyncClient) -> None:
    assert (await client.patch("/v1/people/none", json={"name": "N"})).status_code == 404
    made = await client.put("/v1/people/none", json=PERSON, headers={"If-Match": "*"})
    assert made.status_code == 412
    await client.delete(C1)
    assert (await client.patch(C1, json={"name": "N"})).status_code == 404
