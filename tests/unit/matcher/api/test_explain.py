"""How much mail is explained at a time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

import httpx

from services.matcher.api.explain import explain_routes
from services.matcher.api.explain_rate import ExplainRate
from services.matcher.decision.never_capture import NOTHING
from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.knowledge import Knowledge
from services.matcher.settings import MatcherSettings
from shared.http.auth import sign
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.in_flight import InFlight
from tests.clock import Clock
from tests.deadline import DEADLINE

SECRET = "t" * 32
MAIL = b"From: a@mail.test\r\nTo: b@mail.test\r\n\r\n" + b"x" * 960
ROOM, SHARE = 4000, 2000


class Slow:
    """A directory that answers when it is let."""

    def __init__(self) -> None:
        self.may_answer, self.asked = asyncio.Event(), 0

    async def never(self, account: str, owner: str | None) -> Any:
        self.asked += 1
        await self.may_answer.wait()
        return NOTHING

    async def people(self, account: str, keys: frozenset[str]) -> Any:
        return ()


Ask = Callable[..., asyncio.Task[httpx.Response]]


@contextlib.asynccontextmanager
async def explaining(
    directory: "Slow", in_flight: InFlight, rate: ExplainRate | None = None
) -> AsyncIterator[Ask]:
    """Serve, and yield what asks."""
    settings = MatcherSettings.model_validate(
        {"token_secret": SECRET, "capture_keys": "k1:" + "s" * 20}
    )
    app = create_app("t", "t", settings, Readiness({}))
    knowledge, addresses = cast(Knowledge, directory), cast(CaptureAddresses, None)
    app.include_router(explain_routes(knowledge, addresses, "in.satchel.test", in_flight, rate))
    async with (
        asyncio.timeout(DEADLINE),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://matcher",
            headers={"Content-Type": "message/rfc822"},
        ) as client,
    ):

        def ask(
            account: str,
            body: bytes | AsyncIterator[bytes] = MAIL,
            more: Mapping[str, str] = MappingProxyType({}),
        ) -> asyncio.Task[httpx.Response]:
            token = sign(
                SECRET,
                issuer="satchel",
                account=account,
                person_id="u1",
                scope="directory:read",
                expires_at=int(time.time()) + 60,
            )
            headers = {"Authorization": f"Bearer {token}", **more}
            return asyncio.create_task(client.post("/v1/explain", content=body, headers=headers))

        yield ask


async def test_bytes_in_flight_are_limited_and_an_account_gets_half() -> None:
    directory, in_flight = Slow(), InFlight(ROOM, SHARE)
    async with explaining(directory, in_flight) as ask:
        read = 0

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal read
            for _ in range(3):
                read += 1
                yield MAIL

        too_much = ask("acme", pieces(), {"Content-Length": str(3 * len(MAIL))})
        assert (await too_much).status_code == 503
        assert read <= 1, "for what has no room nothing is read"

        flood = [ask("acme") for _ in range(24)]
        while sum(not task.done() for task in flood) > SHARE // len(MAIL):
            await asyncio.sleep(0.01)
        quiet = ask("quiet")
        while directory.asked < SHARE // len(MAIL) + 1:
            await asyncio.sleep(0.01)
        directory.may_answer.set()
        answers = await asyncio.gather(*flood)
        assert sorted(answer.status_code for answer in answers) == [200] * 2 + [503] * 22
        refused = [answer for answer in answers if answer.status_code == 503]
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        assert (await quiet).status_code == 200
        assert in_flight.idle.is_set(), "an answered request is no longer in flight"
        assert (await ask("acme")).status_code == 200
        assert (await ask("acme", b"")).status_code == 422
        assert in_flight.idle.is_set()


async def test_an_upload_that_stalls_makes_room_for_another_account() -> None:
    directory, clock = Slow(), Clock()
    directory.may_answer.set()
    in_flight, stalls = InFlight(ROOM, ROOM, clock), asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield MAIL
        stalls.set()
        await asyncio.Event().wait()

    async with explaining(directory, in_flight) as ask:
        slow = ask("acme", stalling(), {"Content-Length": str(ROOM)})
        await stalls.wait()
        assert (await ask("quiet")).status_code == 503, "it has only just begun"
        clock.now += 60
        assert (await ask("quiet")).status_code == 200
        answer = await slow
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert in_flight.idle.is_set()


async def test_an_account_explains_so_many_bytes_and_others_go_on() -> None:
    directory, clock = Slow(), Clock()
    directory.may_answer.set()
    rate = ExplainRate(len(MAIL) / 32, clock)  # a mail at once, and one each 32 seconds
    async with explaining(directory, InFlight(ROOM, SHARE), rate) as ask:
        codes = [(await ask("acme")).status_code for _ in range(4)]
        assert codes == [200, 200, 429, 429]
        answer = await ask("acme")
        assert int(answer.headers["Retry-After"]) == 32
        assert answer.json()["code"] == "rate_limited"
        assert (await ask("quiet")).status_code == 200
        clock.now += 33
        assert (await ask("acme")).status_code == 200
