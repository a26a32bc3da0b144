"""An account with two users who both capture mail, each word of it known, and a third who does not.

What is asked of it stands in `every_question.py`.
"""

import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dev.client import SCOPES as CLIENT_SCOPES
from dev.stack import Stack
from tests.e2e.account import Account
from tests.e2e.answers import Known

MONTHS = {"u1": "Jan", "u2": "Feb"}
"""Nothing but a user's own mail is of that month."""
SCOPES = f"{CLIENT_SCOPES} timeline:write"
ADDRESSES = {"u1": "user@team.example", "u2": "two@team.example"}


@dataclass
class Secrets:
    """What stands in one user's mail and nowhere else."""

    open: list[str] = field(default_factory=list)
    bcc: list[str] = field(default_factory=list)
    """Not even the team may see these."""
    way: list[str] = field(default_factory=list)
    """In the raw mail only."""
    forgotten: list[str] = field(default_factory=list)
    """Of dismissed mail, or the directory's alone: not even the owner finds them."""

    def word(self) -> str:
        return _new(self.open)

    def hidden(self) -> str:
        return _new(self.bcc)

    def on_the_way(self) -> str:
        return _new(self.way)

    @property
    def all(self) -> list[str]:
        return [*self.open, *self.bcc, *self.way]


class TwoUsers:
    """The account. Everything in it concerns u1 and u2 alike."""

    def __init__(self, stack: Stack) -> None:
        self.account = account = Account(stack)
        account.client.put_person("u2", "user", "User Two", ["two@team.example"])
        account.client.put_person("u3", "user", "User Three", ["three@team.example"])
        self.users = {person: account.client_for(person, SCOPES) for person in ("u1", "u2", "u3")}
        self.admin = account.client_for("u9", "account:write timeline:read")
        self.capture = {"u1": account.capture, "u2": account.client.mint("u2")}
        self.secrets = {"u1": Secrets(), "u2": Secrets()}
        self.by_bcc_of: dict[str, list[str]] = {"u1": [], "u2": []}
        """The mails that a user captured with nobody known from open fields."""
        self.attached = {"u1": 0, "u2": 0}
        self.profiles = ["c1"]
        self._minutes = itertools.count()
        self._captures = 0
        self.capture_ids: list[str] = []
        self.document = account.client.json("GET", "timeline", "/openapi.json")

    def set_visibility(self, visibility: str) -> None:
        self.admin.json("PUT", "timeline", "/v1/settings", json={"visibility": visibility})

    def profile(self, owner: str, *, bcc: bool = False) -> tuple[str, str]:
        """Store a candidate whom only the owner writes to; return their id and address."""
        word = self.secrets[owner].hidden if bcc else self.secrets[owner].word
        id_, address = word(), f"{word()}@mail.example"
        self.account.client.put_person(id_, "candidate", word(), [address])
        self.profiles.append(id_)
        return id_, address

    def arrives(self, owner: str, raw: str) -> None:
        """Let the owner's capture address catch a mail."""
        self._captures += 1
        self.attached[owner] += 1
        answer = self.users[owner].upload(self.capture[owner], raw.encode())
        assert answer.status_code == 202
        self.capture_ids.append(answer.json()["capture_id"])

    def close(self) -> None:
        """Close the connections."""
        for client in (self.admin, self.account.client, *self.users.values()):
            client.close()

    def settle(self) -> dict[str, int]:
        """Wait until all that arrived is there; the team sees everything afterwards."""
        self.set_visibility("team")
        return self.admin.await_captures(self._captures)

    def date(self, owner: str) -> str:
        return f"15 {MONTHS[owner]} 2026 09:{next(self._minutes):02}:00 +0000"

    def letter(
        self,
        owner: str,
        to: str,
        *,
        sender: str | None = None,
        message_id: str | None = None,
        date: str | None = None,
        references: str = "",
        bcc: str = "",
        hidden: bool = False,
    ) -> str:
        """Return a mail that has words of its owner in every place."""
        known = self.secrets[owner]
        word = known.hidden if hidden else known.word
        sender = sender or ADDRESSES[owner]
        fields = [
            f"Delivered-To: {known.on_the_way()}@in.example",
            f"Comments: {known.on_the_way()}",
            f"From: {sender}",
            f"To: {to}, {word()} <{word()}@to.example>",
            f"Cc: {word()} <{word()}@cc.example>",
            f"Bcc: {known.hidden()} <{known.hidden()}@bcc.example>{bcc and ', '}{bcc}",
            f"Reply-To: {word()} <{word()}@reply.example>",
            f"Message-ID: <{message_id or word() + '@id.example'}>" if message_id != "" else "",
            f"References: {references}" if references else "",
            f"Date: {date or self.date(owner)}",
            f"Subject: {word()}",
            "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=m",
        ]
        html = f"<p title='{word()}'>{word()}</p><!-- {known.on_the_way()} -->"
        parts = [
            "--m",
            "Content-Type: multipart/alternative; boundary=a",
            "",
            f"--a\r\nContent-Type: text/plain\r\n\r\n{word()} {word()}\r\n",
            f"--a\r\nContent-Type: text/html\r\n\r\n{html}\r\n--a--",
            f'--m\r\nContent-Type: text/csv; name="{word()}.csv"\r\n\r\n{known.on_the_way()}',
            "--m--",
        ]
        return "\r\n".join([*filter(None, fields), "", *parts, ""])

    def plain(self, owner: str, message_id: str, date: str) -> str:
        """Return a mail that shows nothing of its owner: their words are in the raw mail alone."""
        known = self.secrets[owner]
        return (
            f"Delivered-To: {known.on_the_way()}@in.example\r\nComments: {known.on_the_way()}\r\n"
            f"From: cand@mail.example\r\nTo: jobs@team.example\r\n"
            f"Bcc: {known.hidden()}@bcc.example\r\nMessage-ID: <{message_id}>\r\nDate: {date}\r\n"
            "Subject: For both\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
            f"<p>Hello</p><!-- {known.on_the_way()} -->\r\n"
        )

    def confirmation(self, owner: str) -> str:
        """Return a provider's question whether it may forward to the owner."""
        word = self.secrets[owner].hidden
        code = str(secrets.randbelow(9 * 10**8) + 10**8)
        self.secrets[owner].bcc.append(code)
        return (
            f"From: Gmail Team <forwarding-noreply@google.com>\r\nTo: {self.capture[owner]}\r\n"
            f"Subject: (#{code}) Gmail Forwarding Confirmation\r\n\r\n"
            f"{word()}@team.example has requested to automatically forward mail to your email\r\n"
            f"address.\r\nConfirmation code: {code}\r\n\r\nTo allow, please click:\r\n"
            f"https://mail-settings.google.com/mail/vf-%5BANGjdJ8{word()}%5D-abcDEF123\r\n"
        )

    def fill(self, owners: Sequence[str] = ("u1", "u2")) -> None:
        """Let mail of every kind arrive, of each of these owners first, and wait for it."""
        for owner in owners:
            other = "u1" if owner == "u2" else "u2"
            self._alone(owner)
            self._conversation(other, owner)
            self._same_mail(owner, other)
            self.arrives(owner, self.confirmation(owner))
            self.attached[owner] -= 1
            for _ in range(3 if owner == "u2" else 1):
                self.dismissed(owner)
        self.settle()

    def dismissed(self, owner: str) -> None:
        """Let a mail arrive that matches no profile."""
        before = {*self.secrets[owner].all}
        self.arrives(owner, self.letter(owner, "nobody@x.example", hidden=True))
        self.attached[owner] -= 1
        self.secrets[owner].forgotten += {*self.secrets[owner].all} - before

    def _alone(self, owner: str) -> None:
        """Mail of one user: with somebody who is known from Bcc; with nobody else."""
        _, address = self.profile(owner)
        _, hidden = self.profile(owner, bcc=True)
        self.arrives(owner, self.letter(owner, address, bcc=hidden))
        _, hidden = self.profile(owner, bcc=True)
        message_id = self.secrets[owner].hidden() + "@id.example"
        nobody = f"{self.secrets[owner].hidden()}@x.example"
        options: dict[str, Any] = {"message_id": message_id, "bcc": hidden, "hidden": True}
        self.arrives(owner, self.letter(owner, nobody, **options))
        self.by_bcc_of[owner].append(message_id)

    def _conversation(self, first: str, second: str) -> None:
        """One user answers the other, with and without a Message-ID."""
        root = _new([]) + "@id.example"
        self.arrives(first, self.letter(first, "cand@mail.example", message_id=root))
        for message_id in (None, ""):
            options: dict[str, Any] = {"message_id": message_id, "references": f"<{root}>"}
            self.arrives(second, self.letter(second, "cand@mail.example", **options))

    def _same_mail(self, first: str, second: str) -> None:
        """One mail in the form in which it reached each, first the one, then the other."""
        for write in (self._other_form, self.plain):
            shared, date = _new([]) + "@id.example", "16 Mar 2026 09:00:00 +0000"
            for person in (first, second):
                self.arrives(person, write(person, shared, date))
                self.settle()
        # And where the second knows nobody from open fields.
        shared = _new([]) + "@id.example"
        options: dict[str, Any] = {"message_id": shared, "date": "17 Mar 2026 09:00:00 +0000"}
        options["sender"] = ADDRESSES[first]
        self.arrives(first, self.letter(first, "cand@mail.example", **options))
        _, hidden = self.profile(second, bcc=True)
        nobody = f"{self.secrets[second].hidden()}@x.example"
        options |= {"bcc": hidden, "hidden": True}
        self.arrives(second, self.letter(second, nobody, **options))
        self.by_bcc_of[second].append(shared)

    def _other_form(self, owner: str, message_id: str, date: str) -> str:
        options: dict[str, Any] = {"message_id": message_id, "date": date}
        return self.letter(owner, "jobs@team.example", sender="cand@mail.example", **options)

    def known_to(self, person: str) -> "Known":
        """Return what a person can find."""
        return Known.of(self.users[person], self.profiles)


def _new(words: list[str]) -> str:
    words.append(f"zq{secrets.token_hex(6)}")
    return words[-1]
