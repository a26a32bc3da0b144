"""Every route's errors: a problem with its type, its code and the request's id."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dev.openapi import app_of, document
from shared.http.codes import Code
from shared.http.problems import PROBLEM_TYPE
from tests.signed_in import bearer

SERVICES = ("ingest", "matcher", "timeline")
_app = cache(app_of)


def routes() -> list[tuple[str, str, str]]:
    return list(_routes())


def _routes() -> Iterator[tuple[str, str, str]]:
    for service in SERVICES:
        for path, methods in document(service)["paths"].items():
            for method in methods:
                yield service, method.upper(), path


async def ask(app: FastAPI, method: str, path: str, **options: Any) -> httpx.Response:
    filled = re.sub(r"\{\w+\}", "a", path)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://satchel") as client:
        return await client.request(method, filled, **options)


def is_problem(answer: httpx.Response, code: Code) -> None:
    body = answer.json()
    assert answer.headers["Content-Type"] == PROBLEM_TYPE
    assert (answer.status_code, body["status"], body["code"]) == (code.status,) * 2 + (code.code,)
    assert body["type"] == f"urn:satchel:error:{code.code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert ("Retry-After" in answer.headers) == (answer.status_code in (429, 503))


@pytest.mark.parametrize(("service", "method", "path"), routes())
async def test_every_route_answers_with_a_problem(service: str, method: str, path: str) -> None:
    app = _app(service)
    is_problem(await ask(app, method, path), Code.UNAUTHORIZED)
    wrong = await ask(app, "PROPFIND", path, headers={"X-Request-Id": "given-1"})
    is_problem(wrong, Code.METHOD_NOT_ALLOWED)
    assert wrong.headers["X-Request-Id"] == "given-1"


@pytest.mark.parametrize(("service", "method", "path"), routes())
async def test_a_token_without_scopes_never_gets_further_than_its_own_things(
    service: str, method: str, path: str
) -> None:
    """What needs no scope asks the parts behind it, which are not there: a failure, with an id."""
    answer = await ask(_app(service), method, path, headers=bearer(scope="nothing"))
    codes = {code.code: code for code in Code}
    found = codes[answer.json()["code"]]
    assert found in (Code.INSUFFICIENT_SCOPE, Code.INVALID_REQUEST, Code.INTERNAL_ERROR)
    is_problem(answer, found)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "anna@mail.example", "a\tb", "a;b"])
async def test_an_id_that_is_not_safe_is_replaced(given: str) -> None:
    answer = await ask(_app("ingest"), "GET", "/nowhere", headers={"X-Request-Id": given})
    is_problem(answer, Code.NO_ROUTE)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_a_second_id_makes_both_void() -> None:
    headers = [("X-Request-Id", "a"), ("X-Request-Id", "b")]
    answer = await ask(_app("ingest"), "GET", "/healthz", headers=headers)
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_what_is_not_ready_says_when_to_ask_again() -> None:
    app = app_of("ingest", ready=False)
    answer = await ask(app, "GET", "/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_codes_are_words_and_each_is_one_error() -> None:
    codes = [code.code for code in Code]
    assert len(codes) == len(set(codes)) == len(Code.__members__)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)
    assert all(code.meaning.endswith(".") for code in Code)
