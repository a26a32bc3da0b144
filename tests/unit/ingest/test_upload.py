"""The HTTP door: its limits (429 for an account over its rate, 503 while too much is in flight),
and uploads that are repeated with a key."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.openapi import TOKEN_SECRET
from services.ingest import idempotency
from services.ingest.idempotency import IdempotencyKeys, Upload
from services.ingest.rates import Rates
from services.ingest.receive import Receiver
from services.ingest.settings import IngestSettings
from services.ingest.upload import mail_routes
from shared.contracts.events import MailReceived
from shared.http.auth import sign
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.in_flight import InFlight
from shared.storage.blobs import Blobs
from tests.clock import Clock
from tests.deadline import DEADLINE
from tests.fakes import Crash, Recorder, RecordingPublisher
from tests.signed_in import bearer
from tests.smtp_server import ADDRESS, DOMAIN, RING

SECRET = "t" * 32
MAIL = b"From: a@x.example\r\nSubject: Hello\r\n\r\nHello.\r\n"


SIZES = (100, 101, 100, 100)
"""What is not taken costs nothing of the two mails that may come at once."""


async def test_who_sends_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    settings = IngestSettings.model_validate(
        {"token_secret": SECRET, "capture_keys": "k1:" + "s" * 20}
    )
    app = create_app("t", "t", settings, Readiness({}))
    recorder = Recorder()
    receiver = Receiver(RecordingPublisher(recorder), Blobs(f"file://{tmp_path}"))
    in_flight, keys = InFlight(100, 100), IdempotencyKeys(Blobs(f"file://{tmp_path}"))
    verify = partial(RING.verify, domain=DOMAIN)
    app.include_router(mail_routes(receiver, verify, 1000, in_flight, Rates(0.1, 2), keys))
    token = sign(
        SECRET,
        issuer="satchel",
        account="acme",
        person_id="u1",
        scope="mail:write",
        expires_at=int(time.time()) + 60,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://ingest",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"},
        params={"recipient": ADDRESS},
    ) as client:
        answers = [await client.post("/v1/mail", content=b"x" * size) for size in SIZES]
    assert [answer.status_code for answer in answers] == [202, 503, 202, 429]
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 10
    assert answers[3].headers["content-type"] == "application/problem+json"
    assert in_flight.idle.is_set(), "what was refused is held no more"
    told = [event for event, _ in recorder.published]
    assert [getattr(event, "account", None) for event in told] == ["acme", "acme"]


async def test_an_upload_that_stalls_makes_room_for_another(tmp_path: Path) -> None:
    settings = IngestSettings.model_validate(
        {"token_secret": TOKEN_SECRET, "capture_keys": "k1:" + "s" * 20}
    )
    app = create_app("t", "t", settings, Readiness({}))
    receiver = Receiver(RecordingPublisher(Recorder()), Blobs(f"file://{tmp_path}"))
    clock, stalls = Clock(), asyncio.Event()
    in_flight, keys = InFlight(100, 100, clock), IdempotencyKeys(Blobs(f"file://{tmp_path}"))
    verify = partial(RING.verify, domain=DOMAIN)
    app.include_router(mail_routes(receiver, verify, 1000, in_flight, Rates(1e6, 10**6), keys))

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 90
        stalls.set()
        await asyncio.Event().wait()

    async with (
        asyncio.timeout(DEADLINE),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://ingest",
            headers={**bearer(scope="mail:write"), "Content-Type": "message/rfc822"},
            params={"recipient": ADDRESS},
        ) as client,
    ):
        stalled = asyncio.create_task(client.post("/v1/mail", content=body()))
        await stalls.wait()
        assert (await client.post("/v1/mail", content=MAIL)).status_code == 503, "just begun"
        clock.now += 60
        assert (await client.post("/v1/mail", content=MAIL)).status_code == 202
        assert (await stalled).status_code == 503
        assert in_flight.idle.is_set()


@dataclass
class Admission:
    """The HTTP door, and what came through it."""

    client: httpx.AsyncClient
    recorder: Recorder
    blobs: Blobs
    folder: Path

    async def send(self, key: str | None, mail: bytes = MAIL, **options: Any) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.client.post("/v1/mail", content=mail, headers=headers, **options)

    @property
    def ids(self) -> list[str]:
        events = [event for event, _ in self.recorder.published]
        return [str(e.capture_id) for e in events if isinstance(e, MailReceived)]


@asynccontextmanager
async def admission(
    folder: Path, recorder: Recorder, rates: Rates | None = None
) -> AsyncIterator[Admission]:
    """Serve; without `rates` any number."""
    settings = IngestSettings.model_validate(
        {"token_secret": TOKEN_SECRET, "capture_keys": "k1:" + "s" * 20}
    )
    app = create_app("t", "t", settings, Readiness({}))
    blobs = Blobs(f"file://{folder}")
    receiver = Receiver(RecordingPublisher(recorder), blobs)
    verify = partial(RING.verify, domain=DOMAIN)
    keys = IdempotencyKeys(blobs)
    in_flight, rates = InFlight(1 << 20, 1 << 20), rates or Rates(1e6, 10**6)
    app.include_router(mail_routes(receiver, verify, 1 << 20, in_flight, rates, keys))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://ingest",
        headers={**bearer(scope="mail:write"), "Content-Type": "message/rfc822"},
        params={"recipient": ADDRESS},
    ) as client:
        yield Admission(client, recorder, blobs, folder)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Admission]:
    async with admission(tmp_path, Recorder()) as served:
        yield served


async def test_a_key_makes_repetitions_one_capture(door: Admission) -> None:
    answers = [await door.send("k") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert [answer.json()["capture_id"] for answer in answers] == door.ids * 3
    others = [await door.send("l"), await door.send(None), await door.send(None)]
    assert len({answer.json()["capture_id"] for answer in others} | set(door.ids)) == 4


async def test_requests_at_the_same_time_are_one_capture(door: Admission) -> None:
    answers = await asyncio.gather(*(door.send("k") for _ in range(8)))
    [id_] = {answer.json()["capture_id"] for answer in answers}
    assert set(door.ids) == {id_}


async def test_a_key_with_another_mail_is_refused(door: Admission) -> None:
    await door.send("k")
    refused = await door.send("k", MAIL + b"more")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(door.ids) == 1


async def test_what_was_not_accepted_is_the_same_capture_later(door: Admission) -> None:
    door.recorder.away = True
    refused = await door.send("k")
    assert (refused.status_code, refused.json()["code"]) == (503, "mail_not_accepted")
    door.recorder.away = False
    accepted = await door.send("k")
    assert [accepted.json()["capture_id"]] == door.ids
    [record] = [p for p in door.folder.rglob("idempotency/*") if p.is_file()]
    known = Upload.model_validate_json(record.read_text())
    assert (str(known.capture_id), known.accepted) == (door.ids[0], True)


def records(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("idempotency/*") if path.is_file()]


async def test_keys_are_within_the_rate_though_no_mail_is_accepted(tmp_path: Path) -> None:
    recorder = Recorder(away=True)
    async with admission(tmp_path, recorder, Rates(0.001, 3)) as door:
        codes = [(await door.send(f"k{n}")).status_code for n in range(6)]
        assert codes == [503] * 3 + [429] * 3
        assert len(records(tmp_path)) == 3


async def test_a_mail_with_a_key_costs_as_much_as_one_without(tmp_path: Path) -> None:
    async with admission(tmp_path, Recorder(), Rates(0.001, 3)) as door:
        codes = [(await door.send(key)).status_code for key in ("k", "k", "l", None, "m")]
        assert codes == [202, 202, 202, 202, 429], "what is repeated costs nothing"


async def test_a_key_is_repeated_while_the_broker_is_away_and_costs_once(tmp_path: Path) -> None:
    recorder = Recorder(away=True)
    async with admission(tmp_path, recorder, Rates(0.001, 2)) as door:
        assert [(await door.send("k")).status_code for _ in range(5)] == [503] * 5
        recorder.away = False
        assert [(await door.send(key)).status_code for key in "klm"] == [202, 202, 429]


async def test_a_crash_after_the_publish_is_the_same_capture_later(door: Admission) -> None:
    door.recorder.crash_after = 1
    with pytest.raises(Crash):
        await door.send("k")
    await door.send("k")
    assert len(door.ids) == 2
    assert len(set(door.ids)) == 1


async def test_a_key_counts_for_a_day(door: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    await door.send("k")
    monkeypatch.setattr(idempotency, "KEPT", timedelta(0))
    assert (await door.send("k", MAIL + b"more")).status_code == 202
    assert len(set(door.ids)) == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_is_bounded(door: Admission, key: str) -> None:
    assert (await door.send(key)).status_code == 422
    assert door.ids == []


async def test_keys_of_others_are_others(door: Admission) -> None:
    await door.send("k")
    other = {**bearer(scope="mail:write", person="u2"), "Idempotency-Key": "k"}
    answer = await door.client.post("/v1/mail", content=MAIL + b"more", headers=other)
    assert answer.status_code == 202


async def test_a_record_holds_nothing_of_the_mail(door: Admission) -> None:
    await door.send("the-key")
    [record] = [p for p in door.folder.rglob("idempotency/*") if p.is_file()]
    text = f"{record.name} {record.read_text()}"
    assert all(word not in text for word in ("the-key", ADDRESS, "Hello", "a@x.example", "acme"))
