"""Requests are counted by their route, whatever a caller writes into the path."""

import asyncio

import httpx
import pytest
import structlog
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import REGISTRY
from starlette.types import Message

from shared.http.metrics import Measured
from shared.http.raw_body import read_mail
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.settings import Settings


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    app.add_middleware(Measured)

    @app.get("/v1/things/{id}")
    async def thing(id: str) -> str:  # noqa: A002 - a parameter's name is the path's
        if id == "broken":
            raise RuntimeError(id)
        if id == "left":
            raise asyncio.CancelledError
        return id

    @app.get("/v1/events")
    async def events() -> PlainTextResponse:
        return PlainTextResponse("data: x\n\n")

    @app.get("/healthz")
    async def healthz() -> str:
        return "alive"

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://satchel")


def counted(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("satchel_http_requests_total", labels) or 0


def timed(method: str, route: str) -> float:
    labels = {"method": method, "route": route}
    return REGISTRY.get_sample_value("satchel_http_seconds_count", labels) or 0


@pytest.mark.parametrize(
    ("method", "path", "route", "status", "is_timed"),
    [
        ("GET", "/v1/things/7", "/v1/things/{id}", "200", True),
        ("GET", "/v1/things/anna@mail.example", "/v1/things/{id}", "200", True),
        ("GET", "/v1/things/broken", "/v1/things/{id}", "500", True),
        ("POST", "/v1/things/7", "/v1/things/{id}", "405", True),
        ("GET", "/v1/anna@mail.example", "unknown", "404", True),
        ("GET", "/v1/events", "/v1/events", "200", False),
    ],
)
async def test_a_request_is_counted_by_its_route(
    client: httpx.AsyncClient, method: str, path: str, route: str, status: str, is_timed: bool
) -> None:
    before, timed_before = counted(method, route, status), timed(method, route)
    assert str((await client.request(method, path)).status_code) == status
    assert counted(method, route, status) == before + 1
    assert timed(method, route) == timed_before + is_timed


async def test_a_method_that_nobody_knows_is_no_label(client: httpx.AsyncClient) -> None:
    await client.request("BREW", "/v1/things/7")
    assert counted("other", "/v1/things/{id}", "405") == 1


async def test_who_leaves_before_the_answer_is_no_failure_of_ours(
    client: httpx.AsyncClient,
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await client.get("/v1/things/left")
    assert counted("GET", "/v1/things/{id}", "499") == 1


async def test_who_leaves_half_way_through_a_request_is_none_either() -> None:
    """A mail that is uploaded slowly, say: nothing failed, nothing is logged."""
    app = create_app("t", "t", Settings.model_validate({"token_secret": "t" * 32}), Readiness({}))

    @app.post("/v1/explain")
    async def explain(request: Request) -> int:
        return len(await read_mail(request, 1000))

    messages: list[Message] = [
        {"type": "http.request", "body": b"From: ", "more_body": True},
        {"type": "http.disconnect"},
    ]
    head = httpx.Request("POST", "http://satchel", headers={"content-type": "message/rfc822"})
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/explain",
        "query_string": b"",
        "headers": [(name.lower(), text) for name, text in head.headers.raw],
    }

    async def receive() -> Message:
        return messages.pop(0)

    async def send(_: Message) -> None:
        pass

    with structlog.testing.capture_logs() as logged:
        await app(scope, receive, send)
    assert logged == []
    assert counted("POST", "/v1/explain", "499") == 1
    assert counted("POST", "/v1/explain", "500") == 0


async def test_probes_are_not_counted(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    assert counted("GET", "/healthz", "200") == 0
