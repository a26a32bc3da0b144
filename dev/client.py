"""A client of a running stack: what an ATS, a mail server and a frontend do to it."""

import smtplib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from dev.local_http import NO_TLS
from shared.http.auth import sign

SCOPES = "directory:write mail:write timeline:read"
PATIENCE = 120  # seconds without a byte: a safety net, also on one busy core


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where one replica of each service listens on this machine."""

    smtp_port: int
    ingest_port: int
    matcher_port: int
    timeline_port: int


class Client:
    """Acts for one person of one account."""

    def __init__(
        self,
        endpoints: Endpoints,
        secret: str,
        *,
        account: str,
        person: str,
        scope: str = SCOPES,
        issuer: str = "satchel",
    ) -> None:
        self._endpoints = endpoints
        token = sign(
            secret,
            issuer=issuer,
            account=account,
            person_id=person,
            scope=scope,
            expires_at=int(time.time()) + 24 * 3600,
        )
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"},
            timeout=PATIENCE,
            trust_env=False,
            verify=NO_TLS,
        )

    def put_person(
        self, person_id: str, kind: str, name: str, addresses: Iterable[str]
    ) -> dict[str, Any]:
        """Store a person in the directory."""
        body = {"kind": kind, "name": name, "addresses": list(addresses)}
        return dict(self.json("PUT", "matcher", f"/v1/people/{person_id}", json=body))

    def delete_person(self, person_id: str) -> None:
        """Forget a person."""
        self.request("DELETE", "matcher", f"/v1/people/{person_id}").raise_for_status()

    def mint(self, person_id: str) -> str:
        """Return the user's capture address."""
        body = {"person_id": person_id}
        answer = self.json("POST", "matcher", "/v1/capture-addresses", json=body)
        return str(answer["address"])

    def timeline(self, person_id: str) -> list[dict[str, Any]]:
        """Return all mails of a profile, newest first."""
        return self.pages(f"/v1/profiles/{person_id}/timeline")

    def inbox(self, **params: Any) -> list[dict[str, Any]]:
        """Return the account's conversations, newest first; `params` are those of the route."""
        return self.pages("/v1/inbox", **params)

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Return the items of all pages of one of the timeline's lists."""
        items: list[dict[str, Any]] = []
        params = {"limit": 200, **params}
        while True:
            page = self.json("GET", "timeline", path, params=params)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            params["cursor"] = page["next_cursor"]

    def mail(self, mail_id: str) -> dict[str, Any]:
        """Return one mail."""
        return dict(self.json("GET", "timeline", f"/v1/mails/{mail_id}"))

    def capture(self, capture_id: str) -> dict[str, Any]:
        """Return what became of a capture."""
        return dict(self.json("GET", "timeline", f"/v1/captures/{capture_id}"))

    def tally(self) -> dict[str, int]:
        """Return what became of all captures: attached, and each reason of dismissal."""
        total: dict[str, int] = {}
        for day in self.json("GET", "timeline", "/v1/stats")["days"]:
            confirmed = {"confirmation": day["confirmations"]} if day["confirmations"] else {}
            for word, count in {
                "attached": day["attached"],
                **confirmed,
                **({"quarantined": day["quarantined"]} if day["quarantined"] else {}),
                **day["dismissed"],
            }.items():
                total[word] = total.get(word, 0) + count
        return total

    def await_captures(self, count: int, seconds: float = 300) -> dict[str, int]:
        """Return the tally once it holds so many captures; raise TimeoutError with what it has."""
        deadline = time.monotonic() + seconds
        while sum((tally := self.tally()).values()) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} captures expected, these are there: {tally}")
            time.sleep(0.05)
        return tally

    def await_mails(self, person_id: str, count: int, seconds: float = 300) -> None:
        """Wait until a profile's timeline has so many mails; raise TimeoutError."""
        deadline = time.monotonic() + seconds
        while (found := len(self.timeline(person_id))) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count} mails expected, {found} are there")
            time.sleep(0.05)

    def send(self, sender: str, recipients: Iterable[str], raw: bytes) -> None:
        """Send one mail by SMTP; as mail servers do, again while the answer is 451.

        On a busy machine the broker may confirm too late. Raises smtplib's errors.
        """
        port, to = self._endpoints.smtp_port, list(recipients)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as session:
                    session.sendmail(sender, to, raw)
                return
            except smtplib.SMTPDataError as answer:
                if answer.smtp_code != 451 or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def upload(self, recipient: str, raw: bytes) -> httpx.Response:
        """Send one mail by HTTP."""
        headers = {"Content-Type": "message/rfc822"}
        params = {"recipient": recipient}
        return self.request(
            "POST", "ingest", "/v1/mail", params=params, headers=headers, content=raw
        )

    def json(self, method: str, service: str, path: str, **options: Any) -> Any:
        """Return the JSON of a successful answer."""
        response = self.request(method, service, path, **options)
        if response.is_error:
            raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def request(self, method: str, service: str, path: str, **options: Any) -> httpx.Response:
        """Return the answer of a service."""
        return self._http.request(method, self._url(service, path), **options)

    @contextmanager
    def stream(self, service: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Open an answer that goes on, to be read line by line."""
        with self._http.stream("GET", self._url(service, path), **options) as response:
            yield response

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _url(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{getattr(self._endpoints, f'{service}_port')}{path}"
