"""What an app says of itself, completed: scopes, problems, tags, and words for every field.

The framework's document lacks these. `complete` adds them to an app; `missing_words` names what is
still without a description, which a contract test refuses.

* A route's scopes come from its dependencies (`web.allowed`); one that decides by itself has them
  in `openapi_extra` as `x-scopes`. They are listed as alternatives in `security`.
* A field has the description that stands beside it, else the one of its name in `WORDS`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from shared.http.problems import PROBLEM_TYPE, Code
from shared.http.request_id import HEADER

Document = dict[str, Any]
SCHEME = "HTTPBearer"
SCOPES_OF_ITSELF = "x-scopes"
TAGS = {
    "upload": "Mail that comes by HTTP rather than SMTP.",
    "captures": "What became of what was sent.",
    "directory": "The account's people, as the ATS keeps them, and what a mail would mean to them.",
    "capture addresses": "The private addresses to which users copy and forward their mail.",
    "never capture": "Addresses and domains whose mail is never stored.",
    "set-up": "How far a user's set-up has come, and what proves that it works.",
    "inbox": "Conversations, what is read and unread, and live updates.",
    "mail": "Mails of a profile and of an account, one mail, its attachments and its raw bytes.",
    "quarantine": "Mail that waits for a user's decision, because it is not from whom it says.",
    "settings": "What an account can set.",
    "stats": "What became of the captures, day by day.",
    "dead letters": "What could not be handled, for operators.",
}
WORDS = {
    "limit": "At most so many on a page",
    "cursor": "`next_cursor` of the page before",
    "next_cursor": "Where the next page begins: send it as `cursor`. null: this page is the last",
    "items": "What is on this page",
    "id": "Its id",
    "person_id": "The person's id in the ATS",
    "kind": "What they are in the account's directory",
    "name": "Their name; may be empty",
    "address": "The email address",
    "addresses": "Their email addresses",
    "role": "How the address takes part in the mail",
    "source": "Where the address was found",
    "capture_id": "The capture's id: `GET /v1/captures/{capture_id}` tells what becomes of it",
    "at": "When",
    "subject": "Its subject, decoded",
    "date": "When it was sent, as it says itself; never later than its arrival",
    "direction": "`outbound` when a user of the account sent it, else `inbound`",
    "from": "Who wrote it; of an inline forward who wrote the original",
    "to": "Its recipients",
    "cc": "Who got a copy",
    "reply_to": "Where answers are to go",
    "snippet": "The beginning of its new text",
    "attachments": "Its attachments",
    "matches": "The profiles that it is on, and why",
    "captured_by": "Whose capture address caught it, and when",
    "forwarded_by": "The user who forwarded it, of an inline forward",
    "participants": "The addresses that take part",
    "shared_address": "Whether other profiles have the address, too",
    "conversation_id": "The conversation that it belongs to",
    "message_id": "Its Message-ID, without brackets",
    "index": "Its number within the mail",
    "filename": "Its name; may be empty",
    "content_type": "Its media type",
    "size": "Its size in bytes",
    "text": "Its text",
    "signature": "The signature and footers that were cut off `new_text`",
    "mails": "Its mails, newest first",
    "profiles": "The candidates and contacts with mail in it",
    "last_mail_at": "The date of its newest mail",
    "mail_count": "How many mails the caller may see in it",
    "unread": "Whether there is anything that the caller has not read",
    "has_attachments": "Whether any of its mails has an attachment",
    "capture_address": "The capture address",
    "capture_addresses": "The caller's own capture addresses",
    "state": "Its state",
    "reason": "Why, in one word",
    "scope": "Whose it is: a user's or the account's",
    "created_at": "When it was made",
    "valid_until": "When it stops counting; null while it is active",
    "sent_at": "When it was sent",
    "expires_at": "When it goes",
    "received_at": "When it arrived",
    "since": "Since when",
    "provider": "The mail provider",
    "owner": "`me`: only what the caller's own capture address caught",
    "decision": "What would become of it",
    "day": "The day (UTC)",
    "days": "The days, oldest first",
    "attached": "Captures that were attached",
    "verdict": "Whether it is from whom it says",
    "authentication": "Whether it is from whom it says",
    "by": "Who did it",
    "detail": "More of the reason, for people",
    "headers": "The fields of its header",
    "value": "The field's value",
    "settled": "What was done with it; null while it waits",
    "sender": "Who sent it",
    "halves": "How far each half has come",
    "grace_hours": "For so many hours the old address goes on counting",
    "description": "The event's description",
    "summary": "The event's title",
    "location": "Where it takes place",
    "conference": "The address of its video conference",
    "start": "When it begins",
    "end": "When it ends",
    "zone": "Its time zone",
    "all_day": "Whether it takes whole days",
    "organizer": "Who invites",
    "attendees": "Who is invited",
    "attendees_left_out": "How many more are invited",
    "recurrence": "The rule by which it repeats (RFC 5545)",
    "sequence": "Its revision",
    "uid": "The event's id",
    "method": "What the mail does with the event: it invites, answers or cancels",
    "status": "The event's status",
    "partstat": "Their answer",
    "can": "What the provider can do besides",
    "cannot": "What it cannot do",
    "evidence": "How this is known",
    "notes": "What else is known of it",
    "needs": "What it takes",
    "guide": "The guide",
}
"""What a field or parameter of this name is, where nothing stands beside it."""
_ANSWER_HEADERS = {
    HEADER: {
        "description": "The id of the request, which every log line of it has",
        "schema": {"type": "string"},
    }
}
_ETAG = {
    "description": "Send it as `If-Match` with the change that rests on this",
    "schema": {"type": "string"},
}


def complete(app: FastAPI, examples: Mapping[str, Any]) -> None:
    """Let an app describe itself completely; examples are by the name of their schema.

    More may be added to them later. The framework could show them, but leaves out every null.
    """
    describe = app.openapi

    def openapi() -> Document:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = describe()
        operations = {o["operationId"]: o for _, _, o in operations_of(document)}
        for route in _routes_of(app.routes):
            if route.include_in_schema:
                _complete_operation(operations[route.name], route)
        used = {tag for operation in operations.values() for tag in operation["tags"]}
        document["tags"] = [
            {"name": name, "description": text} for name, text in TAGS.items() if name in used
        ]
        _add_words(document)
        for name, example in {"ProblemBody": _PROBLEM, **examples}.items():
            if name in document["components"]["schemas"]:
                document["components"]["schemas"][name]["examples"] = [example]
        return document

    app.openapi = openapi  # type: ignore[method-assign] # its documented way


def _routes_of(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes_of(included.routes)
        elif isinstance(route, APIRoute):
            yield route


def operations_of(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield the path, the method and the description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def missing_words(document: Document) -> list[str]:
    """Return the parameters and fields that have no description."""
    missing = []
    for path, method, operation in operations_of(document):
        for parameter in operation.get("parameters", ()):
            if "description" not in parameter:
                missing.append(f"{method} {path} {parameter['name']}")
    for name, schema in document["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            if "description" not in described:
                missing.append(f"{name}.{field}")
    return missing


def _complete_operation(operation: Document, route: APIRoute) -> None:
    scopes = operation.pop(SCOPES_OF_ITSELF, None)
    if scopes is None:
        scopes = _scopes_of(route.dependant)
    operation["security"] = [{SCHEME: [scope]} for scope in scopes] or [{SCHEME: []}]
    needs = " or ".join(f"`{scope}`" for scope in scopes)
    scope = f"Scope: {needs}." if scopes else "Any valid token of a person will do."
    operation["description"] = f"{operation['description'].strip()}\n\n{scope}"
    content = operation["responses"]["default"]["content"]
    if body := content.pop("application/json", None):
        content[PROBLEM_TYPE] = body
    for status, answer in operation["responses"].items():
        if status.startswith(("4", "5")):
            answer["content"] = content
        answer.setdefault("headers", {}).update(_ANSWER_HEADERS)
        if status in ("200", "201") and _has_etag(operation):
            answer["headers"]["ETag"] = _ETAG


def _has_etag(operation: Document) -> bool:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    return "If-Match" in names or "`ETag`" in operation["description"]


def _scopes_of(dependant: Dependant) -> list[str]:
    found = [*getattr(dependant.call, "scopes", ())]
    for inner in dependant.dependencies:
        found += _scopes_of(inner)
    return found


def _add_words(document: Document) -> None:
    for _, _, operation in operations_of(document):
        for parameter in operation.get("parameters", ()):
            if parameter["name"] in WORDS:
                parameter.setdefault("description", WORDS[parameter["name"]])
    for schema in document["components"]["schemas"].values():
        for field, described in schema.get("properties", {}).items():
            if field in WORDS:
                described.setdefault("description", WORDS[field])


_PROBLEM = {
    "type": Code.NOT_FOUND.type,
    "code": Code.NOT_FOUND.code,
    "title": Code.NOT_FOUND.title,
    "status": Code.NOT_FOUND.status,
    "detail": "there is no such mail",
    "request_id": "5f0c2a9e7b3d4c1e8f6a0b9d2c4e6f81",
    "errors": None,
}
