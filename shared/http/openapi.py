"""Completes an app's OpenAPI document: scopes, problems, tags, and a description of every field.

The framework's document lacks these. `complete` adds them to an app; `missing_words` names what
still has no description, which a contract test rejects.

* A route's scopes come from its dependencies (`web.allowed`); a route that decides by itself has
  them in `openapi_extra` as `x-scopes`. `security` lists them as alternatives.
* A field has the description that stands beside it, else the one of its name in `WORDS`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from shared.http.codes import Code
from shared.http.problems import PROBLEM_TYPE
from shared.http.request_id import HEADER

Document = dict[str, Any]
SCHEME = "HTTPBearer"
SCOPES_OF_ITSELF = "x-scopes"
TAGS = {
    "upload": "Upload mail over HTTP instead of SMTP.",
    "captures": "Find out what happened to a capture.",
    "directory": "Keep the account's people in step with the ATS, and explain how a mail would "
    "be decided.",
    "capture addresses": "Create, rotate and revoke the private addresses that users send "
    "and forward mail to.",
    "never capture": "List addresses and domains whose mail is never stored.",
    "set-up": "Guide a user through the set-up, and prove that it works.",
    "inbox": "Read conversations, mark them as read, and get live updates.",
    "mail": "Read mails of a profile or an account, with attachments and raw bytes.",
    "quarantine": "Release or refuse mail whose sender could not be authenticated.",
    "settings": "Read and change the account's settings.",
    "stats": "Count captures per day and outcome.",
    "dead letters": "Inspect, replay and drop messages that could not be handled. For operators.",
}
WORDS = {
    "limit": "Page size: the most items on a page",
    "cursor": "`next_cursor` of the previous page",
    "next_cursor": "Send it as `cursor` to get the next page. null on the last page",
    "items": "The items of this page",
    "id": "Its id",
    "person_id": "The person's id in the ATS",
    "kind": "The person's kind in the account's directory",
    "name": "The name; may be empty",
    "address": "The email address",
    "addresses": "The person's email addresses",
    "role": "How the address takes part in the mail",
    "source": "Where the address was found",
    "capture_id": "Id of the capture. `GET /v1/captures/{capture_id}` returns what became of it",
    "at": "When it happened",
    "subject": "The decoded subject",
    "date": "The mail's Date, but never later than its arrival",
    "direction": "`outbound` if a user of the account sent the mail, otherwise `inbound`",
    "from": "The author. For an inline forward, the author of the original",
    "to": "Recipients in To",
    "cc": "Recipients in Cc",
    "reply_to": "Addresses in Reply-To",
    "snippet": "The beginning of the mail's new text",
    "attachments": "The mail's attachments",
    "matches": "The profiles that the mail is filed on, and the address that matched",
    "captured_by": "The users whose capture address received the mail, and when",
    "forwarded_by": "For an inline forward, the user who forwarded it",
    "participants": "The addresses that take part in the mail",
    "shared_address": "Whether other profiles have the same address",
    "conversation_id": "Id of the mail's conversation",
    "message_id": "The Message-ID without angle brackets",
    "index": "Number of the attachment within the mail",
    "filename": "The file name; may be empty",
    "content_type": "The media type",
    "size": "Size in bytes",
    "text": "The text",
    "signature": "The signature and footers that `new_text` leaves out",
    "mails": "The mails, newest first",
    "profiles": "Candidates and contacts with mail in the conversation",
    "last_mail_at": "Date of the newest mail",
    "mail_count": "Number of mails that the caller may see",
    "unread": "Whether the caller has unread mail in it",
    "has_attachments": "Whether any mail has an attachment",
    "capture_address": "The capture address",
    "capture_addresses": "The caller's own capture addresses",
    "state": "The state",
    "reason": "The reason, as one word",
    "scope": "Whether the address belongs to a user or to the account",
    "created_at": "When it was created",
    "valid_until": "When it stops being accepted; null while it is active",
    "sent_at": "When it was sent",
    "expires_at": "When it expires",
    "received_at": "When it arrived",
    "since": "When it began",
    "provider": "The mail provider",
    "owner": "`me`: only mail received at the caller's own capture address",
    "decision": "What would be decided",
    "day": "The day (UTC)",
    "days": "The days, oldest first",
    "attached": "Number of attached captures",
    "verdict": "What authentication found out about the sender",
    "authentication": "What authentication found out about the sender",
    "by": "Id of the person who did it",
    "detail": "The reason in words",
    "headers": "Header fields",
    "value": "The field's value",
    "settled": "How it was settled; null while it waits",
    "sender": "The sender",
    "halves": "State of each half of the set-up",
    "grace_hours": "Hours for which the old address is still accepted",
    "description": "The event's description",
    "summary": "The event's title",
    "location": "Where the event takes place",
    "conference": "URL of the video conference",
    "start": "When the event begins",
    "end": "When the event ends",
    "zone": "The event's time zone",
    "all_day": "Whether the event lasts whole days",
    "organizer": "The organizer",
    "attendees": "The attendees",
    "attendees_left_out": "Number of attendees that are not listed",
    "recurrence": "The recurrence rule (RFC 5545)",
    "sequence": "The event's revision number",
    "uid": "The event's id",
    "method": "What the mail does: invite, reply or cancel",
    "status": "The event's status",
    "partstat": "The attendee's answer",
    "can": "What else the provider can do",
    "cannot": "What the provider cannot do",
    "evidence": "How reliable this information is",
    "notes": "Further notes",
    "needs": "What the user needs for it",
    "guide": "The guide",
}
"""What a field or parameter of this name is, where nothing stands beside it."""
_ANSWER_HEADERS = {
    HEADER: {
        "description": "Id of the request. Every log line of the request contains it",
        "schema": {"type": "string"},
    }
}
_ETAG = {
    "description": "Send it as `If-Match` when you change what you read",
    "schema": {"type": "string"},
}


def complete(app: FastAPI, examples: Mapping[str, Any]) -> None:
    """Complete the document of an app; `examples` are keyed by the name of their schema.

    More may be added later. The framework could show them, but leaves out every null.
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
    """Yield the path, method and description of each operation."""
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
