"""A mail server that sends all the time, and keeps mail that is not accepted.

Mail arrives at it at a steady rate. It tries each mail until the answer is 250. Mail that waited is
sent as soon as it is accepted, not at the rate. Every attempt is recorded.
"""

import contextlib
import itertools
import queue
import random
import smtplib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from dev.ledger import Ledger, Letter
from shared.storage.blob_keys import CLAIM_CHECK_BYTES

ATTACHED_SHARE, LARGE_SHARE = 0.7, 0.15
LOST = 0
"""The code of a connection that ended before the answer."""
_PAUSE_SECONDS = 1.0
_SESSION_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Try:
    """One transaction: when its mail was sent, and what was answered after how many seconds."""

    at: float
    large: bool
    code: int
    seconds: float


class MailServer:
    """Brings letters about a candidate, or about an unknown person, to one recipient."""

    def __init__(
        self, ledger: Ledger, ports: list[int], recipient: str, *, rate: float, sessions: int
    ) -> None:
        """Bring `rate` letters a second to the ports, over so many sessions at a time."""
        self._ledger, self._ports, self._recipient, self._rate = ledger, ports, recipient, rate
        self._queue: queue.Queue[Letter] = queue.Queue()
        self._stopping = threading.Event()
        self.tries: list[Try] = []
        self.sent = 0
        """How many letters there were."""
        bring = [
            threading.Thread(target=self._bring, args=(random.Random(n),), daemon=True)
            for n in range(sessions)
        ]
        self._threads = [threading.Thread(target=self._write, daemon=True), *bring]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write no more letters."""
        self._stopping.set()

    @property
    def waiting(self) -> int:
        """How many letters are without their 250."""
        return self._queue.unfinished_tasks

    def _write(self) -> None:
        started = time.monotonic()
        for letter in _letters(self._recipient):
            due = started + letter.number / self._rate
            if self._stopping.wait(max(0.0, due - time.monotonic())):
                return
            self.sent += 1
            self._queue.put(letter)

    def _bring(self, chance: random.Random) -> None:
        while True:
            letter = self._queue.get()
            while self._try(letter, chance.choice(self._ports)) not in (250, 550, 552, 554):
                self._ledger.retry()
                time.sleep(_PAUSE_SECONDS * chance.uniform(0.5, 1.5))
            self._queue.task_done()

    def _try(self, letter: Letter, port: int) -> int:
        at, code, answer = time.monotonic(), LOST, ""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session = smtplib.SMTP("127.0.0.1", port, "sender.test", timeout=_SESSION_SECONDS)
            with contextlib.closing(session):
                session.ehlo()
                if (code := _first_no(session, self._recipient) or LOST) == LOST:
                    at = time.monotonic()
                    code, text = session.data(letter.raw)
                    answer = text.decode(errors="replace")
        large = len(letter.raw) > CLAIM_CHECK_BYTES
        self.tries.append(Try(at, large, code, time.monotonic() - at))
        if code == 250:
            self._ledger.accepted(letter, answer.rpartition(" ")[2])
        elif code >= 500:
            self._ledger.refuse(f"{code} {answer}")
        return code


def _first_no(session: smtplib.SMTP, recipient: str) -> int | None:
    for command in ("MAIL FROM:<recruiter@agency.example>", f"RCPT TO:<{recipient}>"):
        code, _ = session.docmd(command)
        if code != 250:
            return code
    return None


def _letters(recipient: str) -> Iterator[Letter]:
    """Yield letters without end, the same ones every time."""
    chance = random.Random(1)
    for number in itertools.count():
        attach = chance.random() < ATTACHED_SHARE
        size = CLAIM_CHECK_BYTES if chance.random() < LARGE_SHARE else chance.randint(20, 8000)
        message_id = f"outage-{number}@agency.example"
        minutes, seconds = divmod(number, 60)
        hours, minutes = divmod(minutes, 60)
        line = "All work and no play makes a dull mail.\r\n"
        raw = (
            "From: recruiter@agency.example\r\n"
            f"To: {'candidate@mail.example' if attach else 'nobody@elsewhere.example'}\r\n"
            f"Date: Thu, 15 Jan 2026 {hours % 24:02}:{minutes:02}:{seconds:02} +0000\r\n"
            f"Message-ID: <{message_id}>\r\nSubject: Letter {number}\r\n\r\n"
            f"{line * (size // len(line) + 1)}"
        )
        yield Letter(number, message_id, raw.encode(), attach, (recipient,))
