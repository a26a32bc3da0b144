"""The OpenAPI document of each service, without a running service.

Every function `..._routes` of a service's API makes routes from what they depend on. A description
needs none of that, so each is called with nothing.
"""

import copy
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI

from services.ingest import upload
from services.matcher import api as matcher_api
from services.matcher.api.examples import EXAMPLES as MATCHER_EXAMPLES
from services.timeline import api as timeline_api
from services.timeline.api.examples import EXAMPLES as TIMELINE_EXAMPLES
from shared.http.openapi import TAGS
from shared.http.readiness import Readiness, holds
from shared.http.web import create_app, with_examples
from shared.runtime.settings import Settings

TOKEN_SECRET = "x" * 32
_TITLES = {
    "ingest": ("Satchel ingest", "Accepts mail over SMTP and HTTP."),
    "matcher": (
        "Satchel matcher",
        "The directory, capture addresses and set-up; decides which profiles a mail concerns.",
    ),
    "timeline": (
        "Satchel timeline",
        "Inbox, profile timelines, mails, set-up state and statistics.",
    ),
}
_MERGED = """Email capture for applicant-tracking systems and CRMs: the three services as one API.

Every request has a bearer token (JWT) with `account`, `sub`, `scope`, `aud` (`satchel`), `iss` \
and `exp`. Errors are `application/problem+json`; docs/errors.md lists their codes. Lists have \
`limit`, `cursor` and `next_cursor`. Every answer has an `X-Request-Id`."""
_ROOMS = {"ingest": [upload], "matcher": [matcher_api], "timeline": [timeline_api]}
_EXAMPLES: dict[str, dict[str, Any]] = {
    "ingest": {**upload.EXAMPLES},
    "matcher": {**MATCHER_EXAMPLES},
    "timeline": {**TIMELINE_EXAMPLES},
}


def app_of(service: str, *, ready: bool = True) -> FastAPI:
    """Return a service's app without the parts that its routes depend on."""
    settings = Settings(token_secret=TOKEN_SECRET)
    readiness = Readiness({} if ready else {"parts": holds(lambda: False)})
    app = create_app(*_TITLES[service], settings, readiness)
    for router in _routers(service):
        app.include_router(router)
    with_examples(app, _EXAMPLES[service])
    return app


def document(service: str) -> dict[str, Any]:
    """Return the OpenAPI document of a service, its paths in order; the caller may change it."""
    return copy.deepcopy(_document(service))


@functools.cache
def _document(service: str) -> dict[str, Any]:
    """Make the document once per process: it takes a second, and tests ask for it often."""
    made = app_of(service).openapi()
    return {**made, "paths": dict(sorted(made["paths"].items()))}


def merged() -> dict[str, Any]:
    """Return one document of the three services, as they are behind one origin."""
    documents = [document(service) for service in _ROOMS]
    schemas: dict[str, Any] = {}
    for made in documents:
        for name, schema in made["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two services have another schema each of the name {name}")
    tags = {tag["name"]: tag for made in documents for tag in made["tags"]}
    return {
        "openapi": documents[0]["openapi"],
        "info": {
            "title": "Satchel",
            "description": _MERGED,
            "version": documents[0]["info"]["version"],
        },
        "servers": documents[0]["servers"],
        "paths": dict(sorted(path for made in documents for path in made["paths"].items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": documents[0]["components"]["securitySchemes"],
        },
        "tags": [tags[name] for name in TAGS if name in tags],
    }


def _routers(service: str) -> Iterator[APIRouter]:
    for room in _ROOMS[service]:
        names = [room.__name__]
        if hasattr(room, "__path__"):
            names = [m.name for m in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")]
        for name in names:
            module = importlib.import_module(name)
            for made, function in inspect.getmembers(module, inspect.isfunction):
                if made.endswith("_routes") and function.__module__ == name:
                    yield function(*[None] * len(inspect.signature(function).parameters))
