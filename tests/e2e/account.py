"""An account of a running stack, as its tests use it."""

import itertools
import time
from typing import Any

from dev.client import Client
from dev.stack import Stack
from tests.deadline import DEADLINE, eventually

_accounts = itertools.count(1)


class Account:
    """A fresh account with a user, a candidate and a capture address."""

    def __init__(self, stack: Stack, name: str | None = None) -> None:
        self.stack, self.name = stack, name or f"account{next(_accounts)}"
        self.client = self.client_for("u1")
        self.client.put_person("u1", "user", "User One", ["user@team.example"])
        self.client.put_person(
            "c1", "candidate", "Cand", ["cand@mail.example", "cand@work.example"]
        )
        self.capture = self.client.mint("u1")
        self.sent = 0

    def client_for(self, person: str, scope: str | None = None, replica: int = 0) -> Client:
        options = {} if scope is None else {"scope": scope}
        return Client(
            self.stack.endpoints_of(replica),
            self.stack.token_secret,
            account=self.name,
            person=person,
            **options,
        )

    def send(
        self,
        to: str,
        *,
        sender: str = "user@team.example",
        capture: str | None = None,
        headers: str = "",
        body: str = "The text.",
        message_id: str | None = None,
    ) -> None:
        self.sent += 1
        message_id = message_id or f"{self.name}-{self.sent}@x"
        raw = (
            f"From: {sender}\r\nTo: {to}\r\nMessage-ID: <{message_id}>\r\n"
            f"Date: Thu, 15 Jan 2026 09:00:{self.sent:02} +0000\r\nSubject: Mail {self.sent}\r\n"
            f"{headers}\r\n{body}\r\n"
        )
        self.client.send("envelope@x.example", [capture or self.capture], raw.encode())

    def explain(self, raw: str) -> dict[str, Any]:
        """Return what the matcher says would become of a mail."""
        headers = {"Content-Type": "message/rfc822"}
        return dict(
            self.client.json(
                "POST", "matcher", "/v1/explain", content=raw.encode(), headers=headers
            )
        )

    def await_no_claims(self, seconds: float = DEADLINE) -> None:
        """Wait until no large mail waits in the blob store."""
        claims = self.stack.folder / "blobs" / "claims"
        deadline = time.monotonic() + seconds
        while list(claims.glob("*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(claims.glob("*")) == []

    def outcome(self, captures: int | None = None) -> dict[str, int]:
        """Return what became of all that was sent, or of so many captures."""
        tally = self.client.await_captures(captures or self.sent)
        return {word: n for word, n in tally.items() if n}

    def shown(self, person_id: str = "c1") -> list[str]:
        return [mail["subject"] for mail in self.client.timeline(person_id)]


def await_changes(back_end: Client, count: int, cursor: str | None = None) -> dict[str, Any]:
    """Return the first page of changed and deleted mails that has at least `count` of them.

    The list shows what a majority has; that is a moment later than a timeline shows it.
    """
    params = {} if cursor is None else {"cursor": cursor}
    page: dict[str, Any] = {}

    def are_there() -> bool:
        page.update(back_end.json("GET", "timeline", "/v1/mails", params=params))
        return len(page["items"]) + len(page["deleted"]) >= count

    assert eventually(are_there), page
    return page
