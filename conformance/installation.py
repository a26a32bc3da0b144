"""An installation, as a stranger to its inside sees it: three origins, a mail server, tokens."""

import os
import smtplib
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from shared.runtime.mistake import Mistake

SCOPES = "directory:write mail:write timeline:read account:write"
_POLL_SECONDS = 0.1
_ANSWER_SECONDS = 60

TokenSource = Callable[[str, str], str]
"""From an account and a person to a token with SCOPES."""


def by_command(command: str) -> TokenSource:
    """Return what runs a shell command, with ACCOUNT, PERSON and SCOPE in its environment, which
    prints a token.

    The source raises Mistake when the command fails or prints nothing.
    """

    def token(account: str, person: str) -> str:
        given = {"ACCOUNT": account, "PERSON": person, "SCOPE": SCOPES}
        done = subprocess.run(  # the operator's own command line
            command, shell=True, env=os.environ | given, capture_output=True, text=True, check=False
        )
        if done.returncode or not done.stdout.strip():
            said = (done.stderr.strip() or "it printed nothing").splitlines()[-1]
            raise Mistake(f"the token command failed with {done.returncode}: {said}")
        return done.stdout.strip()

    return token


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the services are, and how to get in."""

    ingest: str
    matcher: str
    timeline: str
    token: TokenSource
    smtp: tuple[str, int] | None = None
    """Where mails are sent to; None: they are uploaded."""
    patience: float = 60
    """Seconds to wait for what was sent."""
    verify: bool = True
    """Whether certificates are checked."""


class User:
    """A user of an account."""

    def __init__(self, installation: Installation, account: str, person_id: str) -> None:
        self._at = installation
        self.patience = installation.patience
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {installation.token(account, person_id)}"},
            timeout=_ANSWER_SECONDS,
            trust_env=False,
            verify=installation.verify,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def put(self, path: str, body: Any, *, at_timeline: bool = False) -> None:
        """Store something."""
        self._ask("PUT", self._at.timeline if at_timeline else self._at.matcher, path, json=body)

    def delete(self, path: str) -> None:
        """Delete something from the directory."""
        self._ask("DELETE", self._at.matcher, path)

    def mint(self, person_id: str) -> str:
        """Return a user's capture address."""
        body = {"person_id": person_id}
        answer = self._ask("POST", self._at.matcher, "/v1/capture-addresses", json=body)
        return str(answer.json()["address"])

    def deliver(self, capture: str, raw: bytes) -> None:
        """Send a mail to a capture address: by SMTP where that is known, else by HTTP."""
        if self._at.smtp is None:
            headers = {"Content-Type": "message/rfc822"}
            params = {"recipient": capture}
            self._ask(
                "POST", self._at.ingest, "/v1/mail", params=params, headers=headers, content=raw
            )
            return
        host, port = self._at.smtp
        try:
            with smtplib.SMTP(host, port, timeout=_ANSWER_SECONDS) as session:
                session.ehlo_or_helo_if_needed()
                if session.has_extn("starttls"):
                    session.starttls()
                session.sendmail("conformance@sender.example", [capture], raw)
        except (OSError, smtplib.SMTPException) as error:
            raise Mistake(f"SMTP at {host}:{port}: {error}") from None

    def tally(self) -> Counter[str]:
        """Return what became of the captures that this user is told of."""
        total = Counter[str]()
        for day in self.get("/v1/stats")["days"]:
            total.update(day["dismissed"])
            total.update(attached=day["attached"], confirmation=day["confirmations"])
            total.update(quarantined=day["quarantined"])
        return +total

    def timeline(self, person_id: str) -> list[dict[str, Any]]:
        """Return the mails of a profile, whole, oldest first, then by Message-ID."""
        listed = self._pages(f"/v1/profiles/{person_id}/timeline")
        listed.sort(key=lambda mail: (mail["date"], mail["message_id"] or ""))
        return [self.get(f"/v1/mails/{mail['id']}") for mail in listed]

    def inbox(self, **params: str) -> list[dict[str, Any]]:
        """Return the conversations, newest first."""
        return self._pages("/v1/inbox", **params)

    def get(self, path: str, **params: Any) -> Any:
        """Return what the timeline answers."""
        return self._ask("GET", self._at.timeline, path, params=params).json()

    def _pages(self, path: str, **params: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=200, **params)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            params["cursor"] = page["next_cursor"]

    def _ask(self, method: str, origin: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, f"{origin}{path}", **options)
        except httpx.HTTPError as error:
            raise Mistake(f"{method} {origin}{path}: {error}") from None
        if answer.is_error:
            raise Mistake(f"{method} {origin}{path}: {answer.status_code} {answer.text[:300]}")
        return answer


def await_captures(users: Sequence[User], count: int) -> dict[str, int]:
    """Return what became of the captures that these users are told of, once there are so many.

    Raises TimeoutError, with what there is.
    """
    patience = users[0].patience
    deadline = time.monotonic() + patience
    while sum((tally := sum((user.tally() for user in users), Counter[str]())).values()) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"{count} captures were sent; after {patience:.0f} s these were decided: "
                f"{dict(tally) or 'none'}"
            )
        time.sleep(_POLL_SECONDS)
    return dict(tally)
