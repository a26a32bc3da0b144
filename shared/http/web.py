"""HTTP, the same in every service: sign-in, problems, health, metrics.

* Errors are `application/problem+json` (RFC 9457; `problems.py`); `errors` names wrong fields.
* Every answer has an `X-Request-Id` (`request_id.py`).
* 401 without a valid token, 403 without the scope, 404 for what another account has.
* `/healthz` says that the process lives and depends on nothing; `/readyz` says whether work can be
  done, and what is missing; `/metrics` is for Prometheus.
* Nothing of a request is logged: a URL can hold an address.
* No answer is kept by a browser or a proxy (`Cache-Control: no-store`), but what says so itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import VERSION
from shared.http.auth import Caller, InvalidToken, KeysAway, token_verifier
from shared.http.codes import Code
from shared.http.metrics import CHECK, Measured
from shared.http.openapi import complete
from shared.http.problems import (
    Problem,
    ProblemBody,
    invalid_field,
    not_found,
    problem_of_status,
    problem_response,
)
from shared.http.readiness import Readiness
from shared.http.request_id import HEADER, RequestIds
from shared.runtime import build  # noqa: F401 - build: so that its metric is there
from shared.runtime.metrics import exposition
from shared.runtime.settings import Settings

__all__ = [
    "ERASE_ACCOUNT",
    "Api",
    "Code",
    "Problem",
    "SignedIn",
    "allowed",
    "allowed_without_person",
    "create_app",
    "demand",
    "invalid_field",
    "not_found",
    "problem_response",
    "refuse_writes",
    "with_examples",
]

log = structlog.get_logger()

MAX_BODY_BYTES = 1024 * 1024
MAX_ERRORS, MAX_FIELD = 20, 200
"""An answer names so many wrong fields, and of the name of one, which a caller chose, so much."""
STREAMED = frozenset({"/v1/mail", "/v1/people:import", "/v1/explain"})
"""Routes that read their own bodies."""

ERASE_ACCOUNT = "/v1/account:erase"
"""Allowed while the account is erased: it returns the running erasure."""
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_NO_TELEMETRY: TelemetryConfig = {
    "auto_configure": False,
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
}
"""The framework's own would export URLs, which hold addresses, and the text of exceptions."""


class Api(FastAPI):
    """An app whose every answer, even to its own failures, has an `X-Request-Id`."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the app in its middleware; the framework answers 500 outside of all others."""
        return RequestIds(super().build_middleware_stack())


def create_app(title: str, description: str, settings: Settings, readiness: Readiness) -> FastAPI:
    """Return an app with everything that all services have."""
    app = Api(
        title=title,
        version=VERSION,
        description=description,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": "/", "description": "The origin that this document comes from"}],
        responses={"default": {"model": ProblemBody, "description": "An error: docs/errors.md"}},
        telemetry=_NO_TELEMETRY,
        generate_unique_id_function=lambda route: route.name,  # what clients' methods are called
    )
    app.state.examples = {}
    app.state.is_erased = None
    complete(app, app.state.examples)
    app.state.verifier = token_verifier(settings)
    app.add_middleware(BodyLimit)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["*"],
            allow_headers=[
                *("Authorization", "Content-Type", "Last-Event-ID"),
                *("If-Match", "Idempotency-Key", HEADER),
            ],
            expose_headers=["ETag", "Retry-After", HEADER],
        )
    app.add_middleware(NoStore)
    app.add_middleware(Measured)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_error)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        ready, checks = await readiness.look()
        return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        _, checks = await readiness.look()
        for name, passes in checks.items():
            CHECK.labels(name).set(passes)
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    return app


def refuse_writes(app: FastAPI, is_erased: Callable[[str], Awaitable[bool]]) -> None:
    """Answer 409 to who would write to an account that is being erased."""
    app.state.is_erased = is_erased


def with_examples(app: FastAPI, examples: Mapping[str, Any]) -> None:
    """Add examples to the app's document, keyed by the name of their schema."""
    app.state.examples.update(examples)


class BodyLimit:
    """ASGI middleware: no request body is larger than MAX_BODY_BYTES, with or without a token.

    The framework reads a body before it authenticates the caller. Routes that take mail or whole
    directories read their bodies themselves, after authentication, and in pieces.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what is read of it."""
        if scope["type"] != "http" or scope["path"] in STREAMED:
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY_BYTES:
                raise HTTPException(413, "Request too large")
            return message

        await self._app(scope, counted, send)


class NoStore:
    """ASGI middleware: no cache stores an answer unless the answer allows it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the header of its answer."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, complete if scope["type"] == "http" else send)


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")


async def _caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    if credentials is None:
        raise _unauthorized("a bearer token is needed")
    try:
        caller: Caller = await request.app.state.verifier.verify(credentials.credentials)
    except InvalidToken as error:
        raise _unauthorized(str(error)) from error
    except KeysAway as error:
        raise Problem(Code.SIGNING_KEYS_UNAVAILABLE, str(error)) from error
    is_erased = request.app.state.is_erased
    if is_erased is not None and request.method not in _READS:
        path = request.scope["path"]
        if path != ERASE_ACCOUNT and await is_erased(caller.account):
            raise Problem(Code.ACCOUNT_ERASING, "the account is being erased")
    return caller


async def _person(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    if not caller.has_person:
        raise Problem(
            Code.PERSON_REQUIRED, "this route needs a token of a person, and the token names none"
        )
    return caller


SignedIn = Annotated[Caller, Depends(_person)]
"""A person with a valid token, whatever its scopes."""


def allowed(*scopes: str) -> Any:
    """Return the dependency that gives the caller, when the token has one of the scopes."""

    async def check(caller: SignedIn) -> Caller:
        demand(caller, *scopes)
        return caller

    check.scopes = scopes  # type: ignore[attr-defined] # for the API's description
    return Depends(check)


def allowed_without_person(*scopes: str) -> Any:
    """Return what `allowed` does, also for the token of a back-end, which has no person."""

    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        demand(caller, *scopes)
        return caller

    check.scopes = scopes  # type: ignore[attr-defined] # for the API's description
    return Depends(check)


def demand(caller: Caller, *scopes: str) -> None:
    """Raise the problem 403 unless the caller has one of the scopes."""
    if not any(map(caller.may, scopes)):
        raise Problem(Code.INSUFFICIENT_SCOPE, f"the token needs the scope {' or '.join(scopes)}")


def _unauthorized(detail: str) -> Problem:
    return Problem(Code.UNAUTHORIZED, detail)


async def _on_problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - for the type checker
    return problem_response(error)


async def _on_http_exception(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    detail = {404: "there is no such route", 405: "the route has no such method"}
    text = detail.get(error.status_code, error.detail)
    return problem_response(problem_of_status(error.status_code, text), error.headers)


async def _on_validation_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker
    errors = {
        ".".join(map(str, problem["loc"][1:] or problem["loc"]))[:MAX_FIELD]: problem[
            "msg"
        ].removeprefix("Value error, ")
        for problem in error.errors()[:MAX_ERRORS]
    }
    detail = "; ".join(f"{field}: {message}" for field, message in errors.items())
    return problem_response(Problem(Code.INVALID_REQUEST, detail, errors=errors))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    """Answer a client that disconnected during its request, which is no failure of the service.

    The client does not get it; it is counted as 499, like a disconnect before the answer.
    """
    return Response(status_code=499)


async def _on_error(request: Request, error: Exception) -> JSONResponse:
    route = getattr(request.scope.get("route"), "path", "unknown")
    log.error("request failed", route=route, exc_info=error)
    answer = problem_response(Problem(Code.INTERNAL_ERROR, "the service failed; it was logged"))
    answer.headers["Cache-Control"] = "no-store"  # it is made outside of the middleware
    return answer
