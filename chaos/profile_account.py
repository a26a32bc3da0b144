"""An account whose profiles change while things break: its people, its API, and its mail.

A request is repeated, on either replica, until it is acknowledged. Mail is uploaded with an
`Idempotency-Key`, so that a repeated upload is the same capture, and every capture is known.
"""

import contextlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from chaos.mailing import Mailing
from chaos.profile_model import Mail, Model
from dev.client import SCOPES, Client
from dev.ledger import Letter
from dev.stack import Stack
from shared.storage.blob_keys import CLAIM_CHECK_BYTES

USERS = ("u0", "u1", "u2")
PEOPLE = tuple(f"c{number}" for number in range(7))
WORD = r"zq[0-9a-f]{16}"
"""What is in one mail, one name or one address alone, and nowhere else."""
_SCOPES = f"{SCOPES} timeline:write account:write"
_SENDER = "recruiter@agency.example"
_LARGE_SHARE = 0.03
_LINE = "All work and no play makes a dull mail.\r\n"
_ANSWER_SECONDS = 20.0
"""Longer than any fault: what a frozen service carries out late must not undo what came after."""
ACKNOWLEDGED_SECONDS = 900.0
"""A safety net: on a busy machine a backlog of several faults takes minutes to go."""
_AGAIN_SECONDS = 0.2


class NotAcknowledged(Exception):
    """A request was repeated for minutes, and never carried out."""


@dataclass
class Told:
    """What the operator of an account did, and was told."""

    operations: Counter[str] = field(default_factory=Counter)
    tried_again: int = 0
    wrong: int = 0
    """Captures whose outcome is not the one it must be."""
    complaints: list[str] = field(default_factory=list)


class ProfileAccount:
    """One account, its model, and what its users do. Its mail and its operator are two threads."""

    def __init__(self, stack: Stack, name: str, seed: int, mailing: Mailing) -> None:
        self.name, self.model, self.told = name, Model(PEOPLE), Told()
        self.chance = random.Random(f"profiles {seed} {name}")
        self._words = random.Random(f"words {seed} {name}")
        self._stack, self._mailing = stack, mailing
        self._clients: dict[tuple[str, int], Client] = {}
        self._captures: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._gone: set[str] = set()
        self._closed: set[str] = set()
        self._waiting: dict[str, set[str]] = {}
        """Whom mail in flight concerns: those it names, and who captures it."""
        self._changed = threading.Condition()

    def fill(self) -> None:
        """Put users and candidates there."""
        for number, user in enumerate(USERS):
            address = _SENDER if number == 0 else f"recruiter{number}@agency.example"
            self.put_person(user, "user", f"Recruiter <{address}>")
            body = {"person_id": user}
            minted = self.ask(user, "POST", "matcher", "/v1/capture-addresses", json=body)
            self._captures[user] = minted.json()["address"]
        for person in PEOPLE:
            self.add_anew(person)

    def ask(
        self, who: str, method: str, service: str, path: str, *, ok: str = "", **options: Any
    ) -> httpx.Response:
        """Return the answer of a user's request, repeated until it is 2xx or one of `ok`."""
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS
        told = "nothing"
        while time.monotonic() < deadline:
            try:
                answer = self._client(who).request(
                    method, service, path, timeout=_ANSWER_SECONDS, **options
                )
            except httpx.HTTPError as error:
                told = type(error).__name__
            else:
                if answer.is_success or str(answer.status_code) in ok.split():
                    return answer
                told = f"{answer.status_code} {answer.text[:200]}"
                if answer.status_code == 500:
                    self.told.complaints.append(f"{method} {path}: {told}")
            self.told.tried_again += 1
            time.sleep(_AGAIN_SECONDS)
        raise NotAcknowledged(f"{method} {path}: {told}")

    def put_person(self, person: str, kind: str, mailbox: str) -> None:
        """Store somebody whose mailbox is written as in a To."""
        name, _, address = mailbox.rstrip(">").partition(" <")
        body = {"kind": kind, "name": name, "addresses": [address]}
        self.ask(USERS[0], "PUT", "matcher", f"/v1/people/{person}", json=body)

    def put_candidate(self, person: str, kind: str = "candidate") -> None:
        """Store a candidate as whatever kind they are now."""
        self.put_person(person, kind, self._addresses[person])

    def add_anew(self, person: str) -> None:
        """Add a candidate whose name and address were never there."""
        if person in self._addresses:
            self._gone.update(re.findall(WORD, self._addresses[person]))
        name, address = self._word(), self._word()
        self._addresses[person] = f"Candidate{name} <{address}@mail.example>"
        self.put_candidate(person)

    def timeline(self, person: str, viewer: str) -> list[str]:
        """Return the words of the mails on a profile."""
        words: list[str] = []
        params: dict[str, Any] = {"limit": 200}
        path = f"/v1/profiles/{person}/timeline"
        while True:
            page = self.ask(viewer, "GET", "timeline", path, params=params).json()
            words += [mail["subject"] for mail in page["items"]]
            if page["next_cursor"] is None:
                return words
            params["cursor"] = page["next_cursor"]

    # Mail.

    def next_mail(self) -> tuple[Mail, bytes] | None:
        """Return a mail to somebody who is not being changed, or None if all are."""
        with self._changed:
            people = sorted({*PEOPLE} - self._closed)
            users = sorted({*USERS} - self._closed)
            if not people or not users:
                return None
            named = random.sample(people, min(len(people), random.choice((1, 1, 2))))
            return self._begin(random.choice(users), named, is_kept=True)

    def mail_to(self, *named: str, is_kept: bool = False) -> tuple[Mail, bytes, str]:
        """Send a mail of the operator's own; return it once it is settled, with its id."""
        with self._changed:
            mail, raw = self._begin(self.chance.choice(USERS), named, is_kept=is_kept)
        capture_id = self.upload(mail, raw)
        self.settle(mail, capture_id)
        status = self.ask(mail.owner, "GET", "timeline", f"/v1/captures/{capture_id}").json()
        return mail, raw, (status["mail_ids"] or [""])[0]

    def upload(self, mail: Mail, raw: bytes, key: str = "") -> str:
        """Upload a mail until it is acknowledged; return the capture's id."""
        with self._mailing.upload():
            answer = self.ask(
                mail.owner,
                "POST",
                "ingest",
                "/v1/mail",
                params={"recipient": self._captures[mail.owner]},
                headers={"Content-Type": "message/rfc822", "Idempotency-Key": key or mail.word},
                content=raw,
            )
            capture_id = str(answer.json()["capture_id"])
            letter = Letter(0, mail.word, b"", bool(mail.matches), ())
            self._mailing.ledger.accepted(letter, capture_id)
        return capture_id

    def settle(self, mail: Mail, capture_id: str) -> None:
        """Wait until a capture has an outcome, and note that it is the right one."""
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS
        while (state := self.state(capture_id)) == "waiting":
            if time.monotonic() > deadline:
                raise NotAcknowledged(f"the mail {mail.word} has no outcome")
            time.sleep(_AGAIN_SECONDS)
        self.settled(mail, state)

    def state(self, capture_id: str) -> str:
        """Return what became of a capture."""
        path = f"/v1/captures/{capture_id}"
        return str(self.ask(USERS[0], "GET", "timeline", path).json()["state"])

    def settled(self, mail: Mail, state: str) -> None:
        """Note the outcome of a mail's only capture."""
        with self._changed:
            if state != ("attached" if mail.matches else "dismissed"):
                self.told.wrong += 1
                self.told.complaints.append(f"{mail.word} is {state}, named {mail.matches}")
            mail.settled = True
            self._waiting.pop(mail.word, None)
            self._changed.notify_all()

    @contextlib.contextmanager
    def settled_about(self, *people: str) -> Iterator[None]:
        """Let no new mail concern these, once what does is settled."""
        with self._changed:
            self._closed = {*people}
            in_time = self._changed.wait_for(
                lambda: not any(self._closed & concerned for concerned in self._waiting.values()),
                ACKNOWLEDGED_SECONDS,
            )
        try:
            if not in_time:
                raise NotAcknowledged("mail in flight has no outcome")
            yield
        finally:
            with self._changed:
                self._closed = set()

    @contextlib.contextmanager
    def model_held(self) -> Iterator[Model]:
        """Yield the model while no other thread changes it."""
        with self._changed:
            yield self.model

    @property
    def forgotten(self) -> set[str]:
        """All words that may be nowhere: of mails, and of people who were erased."""
        return self.model.forgotten() | self._gone

    @property
    def shown(self) -> set[str]:
        """All words of mails that some profile must show to somebody."""
        timelines = (self.model.timeline(p, viewer) for p in PEOPLE for viewer in USERS)
        return {word for timeline in timelines for word in timeline.must}

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _begin(self, owner: str, named: Collection[str], *, is_kept: bool) -> tuple[Mail, bytes]:
        mail = self.model.sent(self._word(), owner, named, is_kept=is_kept)
        self._waiting[mail.word] = {*named, owner}
        size = CLAIM_CHECK_BYTES if random.random() < _LARGE_SHARE else 500
        raw = (
            f"From: {_SENDER}\r\n"
            f"To: {', '.join(self._addresses[person] for person in named)}\r\n"
            f"Date: Thu, 15 Jan 2026 12:{len(self.model.mails) // 60 % 60:02}:"
            f"{len(self.model.mails) % 60:02} +0000\r\n"
            f"Message-ID: <{mail.word}@agency.example>\r\n"
            f"Subject: {mail.word}\r\n"
            "\r\n"
            f"{mail.word}\r\n{_LINE * (size // len(_LINE) + 1)}"
        )
        return mail, raw.encode()

    def _word(self) -> str:
        return f"zq{self._words.getrandbits(64):016x}"

    def _client(self, person: str) -> Client:
        number = random.randrange(len(self._stack.of("timeline")))
        if (person, number) not in self._clients:
            self._clients[person, number] = Client(
                self._stack.endpoints_of(number),
                self._stack.token_secret,
                account=self.name,
                person=person,
                scope=_SCOPES,
            )
        return self._clients[person, number]
