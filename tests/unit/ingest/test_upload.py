"""The HTTP door's limits: 429 for an account over its rate, 503 while too much is in hand."""

import time
from functools import partial
from pathlib import Path

import httpx

from services.ingest.rates import Rates
from services.ingest.receive import Receiver
from services.ingest.settings import IngestSettings
from services.ingest.upload import mail_routes
from shared.auth import sign
from shared.blobs import Blobs
from shared.in_flight import InFlight
from shared.readiness import Readiness
from shared.web import create_app
from tests.fakes import Recorder, RecordingPublisher
from tests.smtp_door import ADDRESS, DOMAIN, RING

SECRET = "t" * 32


SIZES = (100, 101, 100, 100)
"""What is not taken costs nothing of the two mails that may come at once."""


async def test_who_sends_too_much_is_told_when_to_come_again(tmp_path: Path) -> None:
    settings = IngestSettings.model_validate(
        {"token_secret": SECRET, "capture_keys": "k1:" + "s" * 20}
    )
    app = create_app("t", "t", settings, Readiness({}))
    recorder = Recorder()
    receiver = Receiver(RecordingPublisher(recorder), Blobs(f"file://{tmp_path}"))
    in_flight = InFlight(100, 100)
    verify = partial(RING.verify, domain=DOMAIN)
    app.include_router(mail_routes(receiver, verify, 1000, in_flight, Rates(0.1, 2)))
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
