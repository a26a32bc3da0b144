"""Every operation of every service, from the services' own OpenAPI documents, ready to be asked.

What is new here fails until its parameters and its body are known, and the scope that it needs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import httpx

from dev.client import Client
from dev.stack import SERVICES
from services.timeline.query.mail_changes import Position
from tests.deadline import eventually
from tests.e2e.account import Account

EVENTS = "/v1/events"
"""Its answer has no end."""
SCOPES: dict[str, str | None] = {
    "POST /v1/mail": "mail:write",
    "GET /v1/people": "directory:read",
    "GET /v1/people/{person_id}": "directory:read",
    "PUT /v1/people/{person_id}": "directory:write",
    "DELETE /v1/people/{person_id}": "directory:write",
    "PATCH /v1/people/{person_id}": "directory:write",
    "POST /v1/people:import": "directory:write",
    "POST /v1/people/{person_id}:merge": "directory:write",
    "POST /v1/people/{person_id}:erase": "directory:write",
    "GET /v1/erasures": "directory:read",
    "GET /v1/erasures/keys": None,
    "GET /v1/erasures/{erasure_id}": "directory:read",
    "POST /v1/account:erase": "account:erase",
    "GET /v1/account-erasures": "account:erase",
    "GET /v1/account-erasures/{erasure_id}": "account:erase",
    "GET /v1/merges": "directory:read",
    "GET /v1/merges/{merge_id}": "directory:read",
    "POST /v1/merges/{merge_id}:undo": "directory:write",
    "POST /v1/reviews": "directory:write",
    "GET /v1/reviews/{review_id}": "directory:write",
    "GET /v1/reviews/{review_id}/changes": "directory:write",
    "POST /v1/reviews/{review_id}:apply": "directory:write",
    "GET /v1/capture-addresses": "directory:write",
    "POST /v1/capture-addresses": "directory:write",
    "POST /v1/capture-addresses/{address}:rotate": "directory:write",
    "DELETE /v1/capture-addresses/{address}": "directory:write",
    "GET /v1/capture-addresses/{address}/contact.vcf": "directory:write",
    "GET /v1/never-capture": None,
    "PUT /v1/never-capture": "account:write",
    "GET /v1/rematch-window": "account:read",
    "PUT /v1/rematch-window": "account:write",
    "POST /v1/explain": "directory:read",
    "GET /v1/captures/{capture_id}": "timeline:read",
    "GET /v1/inbox": "timeline:read",
    "PUT /v1/inbox/read": "timeline:read",
    "GET /v1/inbox/unread": "timeline:read",
    "GET /v1/conversations/{conversation_id}": "timeline:read",
    "PUT /v1/conversations/{conversation_id}/read": "timeline:read",
    "PUT /v1/conversations/{conversation_id}/unread": "timeline:read",
    "GET /v1/profiles/{person_id}/timeline": "timeline:read",
    "GET /v1/profiles": "timeline:read",
    "GET /v1/mails": "timeline:all",
    "GET /v1/mails/{mail_id}": "timeline:read",
    "DELETE /v1/mails/{mail_id}": "timeline:write",
    "DELETE /v1/mails/{mail_id}/matches/{person_id}": "timeline:write",
    "PUT /v1/mails/{mail_id}/matches/{person_id}": "timeline:write",
    "PUT /v1/mails/{mail_id}/visibility": "timeline:write",
    "GET /v1/audit-log": "account:read",
    "POST /v1/hand-overs": "account:write",
    "GET /v1/hand-overs/{hand_over_id}": "account:write",
    "GET /v1/mails/{mail_id}/images": "timeline:read",
    "GET /v1/mails/{mail_id}/raw": "timeline:read",
    "GET /v1/mails/{mail_id}/attachments/{index}": "timeline:read",
    "GET /v1/mails/{mail_id}/variants/{variant}": "timeline:read",
    "GET /v1/events": "timeline:read",
    "GET /v1/setup": "timeline:read",
    "GET /v1/setup/guides": None,
    "POST /v1/setup:prove": None,
    "GET /v1/setup/round-trips": None,
    "PUT /v1/setup/round-trips": "account:write",
    "GET /v1/setup:watch": None,
    "POST /v1/setup:watch": None,
    "GET /v1/settings": "timeline:read",
    "PUT /v1/settings": "account:write",
    "GET /v1/stats": "timeline:read",
    "GET /v1/dead-letters": "ops",
    "GET /v1/dead-letters/{dead_letter_id}": "ops",
    "GET /v1/dead-letters/{dead_letter_id}/raw": "ops",
    "POST /v1/dead-letters/{dead_letter_id}/replay": "ops",
    "DELETE /v1/dead-letters/{dead_letter_id}": "ops",
    "GET /v1/reprocess/preview": "ops",
    "POST /v1/reprocess": "ops",
    "GET /v1/reprocess/{reprocessing_id}": "ops",
    "GET /v1/quarantine": "timeline:read",
    "POST /v1/quarantine/{held_id}/release": "timeline:write",
    "DELETE /v1/quarantine/{held_id}": "timeline:write",
}
"""None: whoever the token is for, whatever its scopes."""
INSTEAD: Mapping[str, set[str]] = {
    "GET /v1/captures/{capture_id}": {"mail:write", "timeline:all"},
    "GET /v1/mails/{mail_id}": {"timeline:all"},
    "DELETE /v1/mails/{mail_id}": {"account:write"},
    "GET /v1/mails/{mail_id}/raw": {"timeline:all"},
    "GET /v1/mails/{mail_id}/attachments/{index}": {"timeline:all"},
    "GET /v1/mails/{mail_id}/variants/{variant}": {"timeline:all"},
}
"""Scopes that will do instead."""
ALL_SCOPES = frozenset(filter(None, SCOPES.values())) | {"directory:write"}
JSON, NDJSON, MAIL = "application/json", "application/x-ndjson", "message/rfc822"
BODIES: Mapping[str, Any] = {
    "PATCH /v1/people/{person_id}": {"kind": "contact", "name": "N", "addresses": ["n@x.example"]},
    "PUT /v1/people/{person_id}": {"kind": "contact", "name": "N", "addresses": ["n@x.example"]},
    "POST /v1/people/{person_id}:merge": {"into": "unknown"},
    "POST /v1/reviews": {"change": {"person_id": "c1", "deleted": True}},
    "POST /v1/reprocess": {"all": True},
    "POST /v1/account:erase": {"account": "another"},  # else nothing is left
    "POST /v1/capture-addresses": {"person_id": "u1"},
    "POST /v1/capture-addresses/{address}:rotate": {"grace_hours": 1},
    "PUT /v1/never-capture": {
        "account": {"addresses": ["a@x.example"], "domains": ["never.example"]},
        "own": {"addresses": ["b@x.example"], "domains": []},
    },
    "PUT /v1/rematch-window": {"days": 7},
    "PUT /v1/mails/{mail_id}/visibility": {"visibility": "private"},
    "POST /v1/hand-overs": {"from": "c1", "to": "u1"},
    "PUT /v1/inbox/read": {"before": "2026-01-01T00:00:00Z"},
    "POST /v1/setup:prove": {"address": "user@team.example"},
    "PUT /v1/setup/round-trips": {"repeat": "never"},
    "PUT /v1/settings": {"visibility": "team", "quarantine": "off"},
}
"""What can be sent as JSON, with every field."""


@dataclass(frozen=True)
class Operation:
    """One operation, with values for all that it can be given."""

    service: str
    method: str
    path: str
    """Its template."""
    in_path: Mapping[str, str]
    query: Mapping[str, str]
    """Of every parameter of the query, a value that it may have."""
    required: frozenset[str]
    media_type: str | None
    """Of the body that it takes."""
    content: bytes | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str | None:
        return SCOPES[self.name]

    @property
    def filled(self) -> str:
        """The path with its values."""
        return self.path.format(**self.in_path)

    def ask(self, client: Client, **changes: Any) -> httpx.Response:
        """Ask as a good client does, with what is required and whatever is changed."""
        content_type = {"Content-Type": self.media_type} if self.media_type else {}
        body = {"json": self.body} if self.body is not None else {"content": self.content}
        params = changes.pop("params", {name: self.query[name] for name in self.required})
        query = urlencode(params, doseq=True, errors="surrogatepass")
        path = f"{self.filled}?{query}" if query else self.filled
        options: dict[str, Any] = {
            **(body if self.media_type else {}),
            **changes,
            "headers": {**content_type, **changes.get("headers", {})},
        }
        if self.path == EVENTS:
            with client.stream(self.service, path, **options) as answer:
                if answer.is_error:
                    answer.read()
                return answer
        return client.request(self.method, self.service, path, **options)

    def at(self, **in_path: str) -> "Operation":
        """Return the operation with other values in its path."""
        return replace(self, in_path={**self.in_path, **in_path})


def operations(account: Account) -> list[Operation]:
    """Return all operations, about the account's own things: one of its mails is attached."""
    [mail, *_] = account.client.timeline("c1")
    assert eventually(lambda: _names(account, mail["id"]) >= {"c1", "u1"})
    values = {
        "person_id": "c1",
        "mail_id": mail["id"],
        "conversation_id": mail["conversation_id"],
        "variant": "0" * 32,
        "dead_letter_id": "a" * 32,
        "held_id": "a" * 32,
        "hand_over_id": "a" * 32,
        "merge_id": "a" * 32,
        "review_id": "a" * 32,
        "reprocessing_id": "a" * 32,
        "erasure_id": "a" * 32,
        "capture_id": "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f",
        "index": "0",
        "address": account.capture,
        "recipient": account.capture,
        "limit": "5",
        "cursor": "WzE3NjkyNDYwMDAwMDAsICJhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYSJd",
        "q": "text",
        "unread": "true",
        "owner": "me",
        "reason": "handler_error",
        "state": "waiting",
        "why": "text",
        "images": "remote",
        "styles": "inline",
        "url": "https://pictures.example/a.png",
        "guide": "gmail",
        "language": "de",
        "updated_since": "2026-01-01T00:00:00Z",
        "direction": "outbound",
        "captures": "own",
        "all": "true",
        "hidden": "true",
        "from": "2026-01-01",
        "to": "2026-01-31",
    }
    values_in = {"/v1/people": {"address": "cand@mail.example", "cursor": "c1"}}
    values_in["/v1/people/{person_id}:erase"] = {"person_id": "unknown"}  # else nothing is left
    values_in["/v1/erasures"] = {"cursor": "a" * 32}
    values_in["/v1/account-erasures"] = {"cursor": "a" * 32}
    values_in["/v1/merges"] = {"cursor": "a" * 32}
    values_in["/v1/reviews/{review_id}/changes"] = {"cursor": "a" * 32}
    values_in["/v1/profiles"] = {"cursor": "WyJ1MSIsICIiXQ"}
    values_in["/v1/mails"] = {"cursor": Position().encode()}
    values_in["/v1/reprocess/preview"] = {"cursor": f"{'a' * 32}/{'0' * 32}"}
    values_in["/v1/setup/guides"] = {"address": "user@team.example"}
    values_in["/v1/capture-addresses"] = {"cursor": account.capture, "person_id": "u1"}
    values_in["/v1/capture-addresses"]["scope"] = "account"
    found = []
    for service in SERVICES:
        document = account.client.json("GET", service, "/openapi.json")
        for path, methods in document["paths"].items():
            for method, described in methods.items():
                known = values | values_in.get(path, {})
                found.append(_operation(service, method.upper(), path, described, known))
    return found


def _names(account: Account, mail_id: str) -> set[str]:
    """Return whom of a mail the timeline knows by name: the directory's events take a moment."""
    told = account.client.json("GET", "timeline", f"/v1/mails/{mail_id}")
    return {person["person_id"] for person in told["people"] if person["name"]}


def _operation(
    service: str, method: str, path: str, described: Mapping[str, Any], values: Mapping[str, str]
) -> Operation:
    name = f"{method} {path}"
    assert name in SCOPES, f"{name} is new: which scope does it need?"
    parameters = described.get("parameters", ())
    query = [parameter for parameter in parameters if parameter["in"] == "query"]
    in_path = {parameter: values[parameter] for parameter in re.findall(r"\{(\w+)\}", path)}
    [media_type] = described.get("requestBody", {}).get("content", None) or [None]
    assert media_type != JSON or name in BODIES, f"{name} is new: what can be sent to it?"
    person = b'{"person_id": "i1", "kind": "contact", "name": "I", "addresses": []}\n'
    mail = b"From: user@team.example\r\nTo: cand@mail.example\r\n\r\nHello\r\n"
    return Operation(
        service,
        method,
        path,
        in_path=in_path,
        query={parameter["name"]: values[parameter["name"]] for parameter in query},
        required=frozenset(p["name"] for p in query if p.get("required")),
        media_type=media_type,
        content={MAIL: mail, NDJSON: person}.get(media_type or ""),
        body=BODIES.get(name),
    )
