"""What every answer of a service has."""

import httpx
import pytest
from fastapi.responses import PlainTextResponse
from pymongo.errors import ServerSelectionTimeoutError

from dev.openapi import TOKEN_SECRET
from shared.http.readiness import Readiness
from shared.http.web import ERASE_ACCOUNT, SignedIn, create_app, not_found, refuse_writes
from shared.runtime.settings import Settings
from shared.storage.database import DatabaseAway, answer_outages
from tests.signed_in import bearer


@pytest.mark.parametrize(
    ("path", "status", "kept"),
    [
        ("/v1/mails/1", 200, "no-store"),
        ("/v1/mails/none", 404, "no-store"),
        ("/v1/mails/broken", 500, "no-store"),
        ("/nowhere", 404, "no-store"),
        ("/healthz", 200, "no-store"),
        ("/assets/a", 200, "public, max-age=60"),
    ],
)
async def test_no_cache_stores_an_answer_that_does_not_allow_it(
    path: str, status: int, kept: str
) -> None:
    app = create_app("t", "t", Settings(token_secret="s" * 32), Readiness({}))

    @app.get("/v1/mails/{id_}")
    async def mail(id_: str) -> str:
        if id_ == "broken":
            raise RuntimeError(id_)
        if id_ == "none":
            raise not_found("mail")
        return id_

    @app.get("/assets/a")
    async def asset() -> PlainTextResponse:
        return PlainTextResponse("a", headers={"Cache-Control": "public, max-age=60"})

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://satchel") as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, kept)


@pytest.mark.parametrize("error", [DatabaseAway("away"), ServerSelectionTimeoutError("away")])
async def test_an_outage_of_the_database_is_answered_with_503(error: Exception) -> None:
    app = create_app("t", "t", Settings(token_secret="s" * 32), Readiness({}))
    answer_outages(app)

    @app.get("/v1/mails")
    async def mails() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://satchel") as client:
        answer = await client.get("/v1/mails")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


@pytest.mark.parametrize(
    ("method", "path", "account", "status"),
    [
        ("PUT", "/v1/things/1", "acme", 409),
        ("PUT", "/v1/things/1", "other", 200),
        ("GET", "/v1/things/1", "acme", 200),
        ("POST", ERASE_ACCOUNT, "acme", 200),
    ],
)
async def test_an_account_that_is_being_erased_can_be_read_and_not_written(
    method: str, path: str, account: str, status: int
) -> None:
    app = create_app("t", "t", Settings(token_secret=TOKEN_SECRET), Readiness({}))

    async def is_erased(account: str) -> bool:
        return account == "acme"

    refuse_writes(app, is_erased)

    @app.api_route("/v1/things/{id_}", methods=["GET", "PUT"])
    async def thing(id_: str, caller: SignedIn) -> str:
        return caller.account + id_

    @app.post(ERASE_ACCOUNT)
    async def erase(caller: SignedIn) -> str:
        return caller.account

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://satchel") as client:
        answer = await client.request(method, path, headers=bearer(scope="x", account=account))
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["code"] == "account_erasing"
