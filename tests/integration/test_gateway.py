"""The development gateway: one origin, the ingress's routes, bodies as they come."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dev.gateway import Gateway, Rule, ingress_rules, service_of
from dev.local_http import NO_TLS
from dev.ports import free_port, listens
from tests.deadline import DEADLINE

RULES = ingress_rules()


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/mail", "ingest"),
        ("/v1/mails/abc/raw", "timeline"),
        ("/v1/people", "matcher"),
        ("/v1/people/c1", "matcher"),
        ("/v1/people:import", "matcher"),
        ("/v1/people:other", None),
        ("/v1/capture-addresses/a@b:rotate", "matcher"),
        ("/v1/setup", "timeline"),
        ("/v1/setup/guides", "matcher"),
        ("/app/", "timeline"),
        ("/app/people/c1", "timeline"),
        ("/apple", None),
        ("/", "timeline"),
        ("/metrics", None),
        ("/v1/nothing", None),
    ],
)
def test_a_path_leads_where_the_ingress_leads_it(path: str, service: str | None) -> None:
    assert service_of(path, RULES) == service


def test_a_longer_rule_wins() -> None:
    rules = (Rule("/a/b", True, "matcher"), Rule("/a", False, "timeline"))
    assert service_of("/a/b", rules) == "matcher"
    assert service_of("/a/b/c", rules) == "timeline"


class Behind:
    """A service that tells what it was asked, streams, and knows when its reader has gone."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        self.go_on = threading.Event()
        app = Starlette(
            routes=[
                Route("/v1/events", self.events),
                Route("/{path:path}", self.told, methods=["GET", "POST", "PUT"]),
            ]
        )
        self.port = free_port()
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_config=None)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def told(self, request: Request) -> Response:
        body = await request.body()
        return JSONResponse(
            {
                "path": request.scope["raw_path"].decode(),
                "query": request.url.query,
                "headers": dict(request.headers),
                "body": body.decode(),
            },
            headers={"X-Request-Id": "r1", "Connection": "keep-alive"},
        )

    async def events(self, _: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            try:
                yield b"data: one\n\n"
                while not self.go_on.is_set():
                    await asyncio.sleep(0.01)
                while True:
                    yield b"data: more\n\n"
                    await asyncio.sleep(0.01)
            finally:
                self.gone.set()

        return StreamingResponse(stream(), media_type="text/event-stream")


@pytest.fixture
def behind() -> Iterator[Behind]:
    service = Behind()
    service.thread.start()
    deadline = time.monotonic() + DEADLINE
    while not listens(service.port):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield service
    service.server.should_exit = True
    service.go_on.set()
    service.thread.join(DEADLINE)


@pytest.fixture
def client(behind: Behind) -> Iterator[httpx.Client]:
    services = {"timeline": behind.port, "matcher": behind.port, "ingest": free_port()}
    with (
        Gateway(free_port(), services) as gateway,
        httpx.Client(
            base_url=gateway.origin, timeout=DEADLINE, trust_env=False, verify=NO_TLS
        ) as client,
    ):
        yield client


def test_what_is_asked_and_answered_is_passed_on_as_it_is(client: httpx.Client) -> None:
    answer = client.put(
        "/v1/people/c%2F1?q=a%20b&q=%C3%BC", content="bytes", headers={"X-Own": "1"}
    )
    told = answer.json()
    assert told["path"] == "/v1/people/c%2F1"
    assert told["query"] == "q=a%20b&q=%C3%BC"
    assert told["body"] == "bytes"
    assert told["headers"]["x-own"] == "1"
    assert told["headers"]["host"] == str(client.base_url.netloc, "ascii")
    assert answer.headers["X-Request-Id"] == "r1"


def test_nothing_is_put_into_a_request(client: httpx.Client) -> None:
    request = client.build_request("GET", "/v1/inbox")
    for name in ("accept", "accept-encoding", "user-agent"):
        del request.headers[name]
    told = client.send(request).json()["headers"]
    assert told.keys() <= {"host", "connection"}


def test_events_come_when_they_are_sent_and_a_reader_who_goes_is_noticed(
    client: httpx.Client, behind: Behind
) -> None:
    with client.stream("GET", "/v1/events") as answer:
        assert next(answer.iter_text()) == "data: one\n\n"  # the answer goes on meanwhile
        assert not behind.gone.is_set()
    behind.go_on.set()
    assert behind.gone.wait(DEADLINE)


def test_a_service_that_is_away_and_a_path_of_none_are_told(client: httpx.Client) -> None:
    assert client.post("/v1/mail", content="x").status_code == 502
    assert client.get("/metrics").status_code == 404
