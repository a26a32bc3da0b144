"""Those who talk to a pod in the moment in which it is told to end, in every state there is.

Each is brought to its state, then the pod gets SIGTERM, and then some go on and some never do. Who
hears 250 (HTTP 202) notes that; who does not keeps the letter, and sends it again later.
"""

import contextlib
import json
import smtplib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dev.ledger import Ledger, Letter

_PATIENCE_SECONDS = 30.0
IDLE, ENVELOPE, HALF, WHOLE = "idle", "between RCPT and DATA", "half of DATA", "after the final dot"
TAKEN, LEFT = "taken", "told or seen to try again"


class Visitor(Protocol):
    """A connection in some state."""

    def come(self, port: int, letter: Letter) -> None:
        """Connect, and get to the state."""

    def go_on(self) -> None:
        """Do the rest, if there is one."""

    def answers(self) -> Iterator[tuple[int, str]]:
        """Yield code and text of what is still answered, until the other side hangs up."""


class Smtp:
    """An SMTP session."""

    def __init__(self, state: str, *, goes_on: bool = False) -> None:
        self._state, self._goes_on = state, goes_on
        self._session = smtplib.SMTP(timeout=_PATIENCE_SECONDS, local_hostname="witness.test")
        self._rest = b""

    def come(self, port: int, letter: Letter) -> None:
        """Connect, and get to the state."""
        self._session.connect("127.0.0.1", port)
        self._session.ehlo()
        if self._state == IDLE:
            return
        for command in (
            "MAIL FROM:<recruiter@agency.example>",
            f"RCPT TO:<{letter.recipients[0]}>",
        ):
            _expect(250, self._session.docmd(command))
        if self._state == ENVELOPE:
            return
        _expect(354, self._session.docmd("DATA"))
        text = letter.raw + b".\r\n"
        sent = len(text) if self._state == WHOLE else len(text) // 2
        self._session.send(text[:sent])
        self._rest = text[sent:]

    def go_on(self) -> None:
        """Do the rest, if there is one."""
        if self._goes_on:
            self._session.send(self._rest)

    def answers(self) -> Iterator[tuple[int, str]]:
        """Yield code and text of what is still answered, until the other side hangs up."""
        with contextlib.closing(self._session), contextlib.suppress(smtplib.SMTPException, OSError):
            while True:
                code, text = self._session.getreply()
                yield code, text.decode(errors="replace").rpartition(" ")[2]


class Upload:
    """An HTTP request with half of its mail."""

    def __init__(self, token: str, *, goes_on: bool = False) -> None:
        self._token, self._goes_on, self._rest = token, goes_on, b""
        self._connection = socket.socket()

    def come(self, port: int, letter: Letter) -> None:
        """Connect, and get to the state."""
        self._connection.settimeout(_PATIENCE_SECONDS)
        self._connection.connect(("127.0.0.1", port))
        half = len(letter.raw) // 2
        self._connection.sendall(
            f"POST /v1/mail?recipient={letter.recipients[0]} HTTP/1.1\r\nHost: ingest\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Type: message/rfc822\r\n"
            f"Content-Length: {len(letter.raw)}\r\n\r\n".encode()
            + letter.raw[:half]
        )
        self._rest = letter.raw[half:]

    def go_on(self) -> None:
        """Do the rest, if there is one."""
        if self._goes_on:
            self._connection.sendall(self._rest)

    def answers(self) -> Iterator[tuple[int, str]]:
        """Yield code and text of what is still answered, until the other side hangs up."""
        answer = b""
        with contextlib.closing(self._connection), contextlib.suppress(OSError):
            while piece := self._connection.recv(4096):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        if head:
            status = int(head.split()[1])
            yield status, str(json.loads(body)["capture_id"]) if status == 202 else ""


@dataclass
class Witness:
    """One of them: what it is, what must become of it, and what does."""

    name: str
    visitor: Visitor
    expected: str
    letter: Letter
    heard: tuple[int, ...] = ()
    is_taken: bool = False

    def hear(self, ledger: Ledger) -> None:
        """Hear all answers until the end."""
        for code, text in self.visitor.answers():
            self.heard = (*self.heard, code)
            if code in (250, 202):
                self.is_taken = True
                ledger.accepted(self.letter, text)
            elif code >= 500 and code != 503:  # "give up"; 503 of HTTP is "try again"
                ledger.refuse(f"{self.name}: {code}")

    @property
    def as_expected(self) -> bool:
        """Whether it ended as it must."""
        return self.is_taken == (self.expected == TAKEN)


class Witnesses:
    """All of them, at one pod."""

    def __init__(self, letters: Iterator[Letter], token: str, ledger: Ledger) -> None:
        """`token` may upload."""
        self._ledger = ledger
        visitors: Sequence[tuple[str, Visitor, str]] = (
            (IDLE, Smtp(IDLE), LEFT),
            (ENVELOPE, Smtp(ENVELOPE), LEFT),
            (f"{HALF}, then the rest", Smtp(HALF, goes_on=True), TAKEN),
            (f"{HALF}, then silence", Smtp(HALF), LEFT),
            (WHOLE, Smtp(WHOLE), TAKEN),
            ("half of an upload, then the rest", Upload(token, goes_on=True), TAKEN),
            ("half of an upload, then silence", Upload(token), LEFT),
        )
        self.all = [
            Witness(*visitor, letter) for visitor, letter in zip(visitors, letters, strict=False)
        ]
        self._threads: list[threading.Thread] = []

    def come(self, smtp_port: int, http_port: int) -> None:
        """Bring each to its state, and listen."""
        for witness in self.all:
            port = smtp_port if isinstance(witness.visitor, Smtp) else http_port
            witness.visitor.come(port, witness.letter)
            thread = threading.Thread(target=witness.hear, args=(self._ledger,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def go_on(self) -> None:
        """Let those go on who do."""
        for witness in self.all:
            with contextlib.suppress(OSError, smtplib.SMTPException):  # then it hears no 250
                witness.visitor.go_on()

    def wait(self) -> None:
        """Return when all connections are ended."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def unanswered(self) -> list[Letter]:
        """Return the letters of those who heard no 250: their senders try again."""
        return [witness.letter for witness in self.all if not witness.is_taken]


def _expect(wanted: int, answer: tuple[int, bytes]) -> None:
    if answer[0] != wanted:
        raise smtplib.SMTPResponseException(*answer)
