"""Mail servers: SMTP sessions that keep a mail until it was answered with 250.

A 4xx and a lost connection mean "try again", on another connection, after a pause; a 5xx means that
the mail is given up, and is noted.
"""

import random
import smtplib
import threading
import time
from collections.abc import Iterable, Sequence

from dev.ledger import Ledger, Letter

_RETRY_SECONDS = 0.2


class Senders:
    """So many SMTP sessions, which share the letters among them."""

    def __init__(
        self,
        letters: Iterable[Letter],
        ledger: Ledger,
        ports: Sequence[int],
        *,
        sessions: int,
        rate: float | None = None,
        patience: float = 30.0,
    ) -> None:
        """Send the letters to one of the ports each: `rate` a second in all, or what they can.

        Who does not answer for `patience` seconds is a lost connection.
        """
        self._ledger, self._ports, self._patience = ledger, list(ports), patience
        self._pause = sessions / rate if rate else 0.0
        self._letters, self._taking = iter(letters), threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._in_flight = 0
        self._finished = False
        self._threads = [
            threading.Thread(target=self._send_all, args=(random.Random(number),), daemon=True)
            for number in range(sessions)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    @property
    def sending(self) -> bool:
        """Whether a letter is still without its 250."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def idle(self) -> bool:
        """Whether no letter is under way."""
        return self._in_flight == 0

    def pause(self) -> None:
        """Take no new letter; those under way go on until their 250."""
        self._open.clear()

    def resume(self) -> None:
        """Go on."""
        self._open.set()

    def finish(self) -> None:
        """Take no new letter ever; `wait` for those under way."""
        self._finished = True
        self._open.set()

    def wait(self, seconds: float) -> bool:
        """Return whether all letters were sent within that time."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not self.sending

    def _send_all(self, chance: random.Random) -> None:
        session: smtplib.SMTP | None = None
        while (letter := self._next()) is not None:
            session = self._send(letter, session, chance)
            with self._taking:
                self._in_flight -= 1
            if self._pause:
                time.sleep(self._pause * chance.uniform(0.5, 1.5))
        if session is not None:
            session.close()

    def _next(self) -> Letter | None:
        """Return the next letter once sending is open; None when there will be none."""
        while True:
            self._open.wait()
            with self._taking:
                if self._finished:
                    return None
                if self._open.is_set():  # or closed again meanwhile
                    letter = next(self._letters, None)
                    self._in_flight += letter is not None
                    return letter

    def _send(
        self, letter: Letter, session: smtplib.SMTP | None, chance: random.Random
    ) -> smtplib.SMTP | None:
        """Send one letter until it is answered with 250 or 5xx; return the session to use next."""
        while True:
            try:
                session = session or self._connect(chance)
                code, answer = self._transact(session, letter)
            except (OSError, smtplib.SMTPException):
                code, answer = 421, b"connection lost"
            if code == 250:
                self._ledger.accepted(letter, answer.decode().rpartition(" ")[2])
                return session
            if session is not None:
                session.close()
            session = None
            if code >= 500:
                self._ledger.refuse(f"{code} {answer.decode(errors='replace')}")
                return None
            self._ledger.retry()
            time.sleep(_RETRY_SECONDS * chance.uniform(0.5, 1.5))

    def _connect(self, chance: random.Random) -> smtplib.SMTP:
        session = smtplib.SMTP(timeout=self._patience, local_hostname="sender.test")
        session.connect("127.0.0.1", chance.choice(self._ports))
        session.ehlo()
        return session

    def _transact(self, session: smtplib.SMTP, letter: Letter) -> tuple[int, bytes]:
        """Return the first answer that is no yes, or the answer to DATA."""
        commands = [f"RCPT TO:<{recipient}>" for recipient in letter.recipients]
        for command in ("MAIL FROM:<recruiter@agency.example>", *commands):
            code, answer = session.docmd(command)
            if code != 250:
                return code, answer
        return session.data(letter.raw)
