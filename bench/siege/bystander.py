"""An account that is not attacked: its mails, one after the other, until each is visible."""

import contextlib
import smtplib
import threading
import time
from dataclasses import dataclass, field

import httpx

from dev.client import Client
from dev.siege.crafted_mails import ordinary
from dev.siege.ground import USER

_SIZE = 100 * 1024
_RETRY_SECONDS, _LOOK_SECONDS = 0.2, 0.02


@dataclass
class Fared:
    """How mails fared."""

    sent: int = 0
    accepted: int = 0
    visible: int = 0
    told_to_wait: int = 0
    """Answers of 4xx or 503, and connections that were lost."""
    accept_waits: list[float] = field(default_factory=list)
    """Seconds from the first try to 250 or 202, retries included."""
    visible_waits: list[float] = field(default_factory=list)
    """Seconds from the acceptance until the inbox shows it."""


class Bystander:
    """Sends by SMTP and by HTTP in turn, from an address of its own, and reads its inbox."""

    def __init__(self, client: Client, smtp_port: int, name: str, source: str) -> None:
        """`client` is of an account with a user `u1`; `source` its mail server's address."""
        self.client, self._smtp_port, self._source = client, smtp_port, source
        self.capture, self._name = client.mint("u1"), name
        self._numbers = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Send no more, and wait for nothing."""
        self._stopping.set()

    def fare(self, mails: int, patience: float) -> Fared:
        """Send so many mails; wait `patience` seconds at most for each step of each."""
        fared = Fared()
        for _ in range(mails):
            fared.sent += 1
            number, began = self._next(), time.monotonic()
            while not self.offer(number, by_http=fared.sent % 2 == 0):
                fared.told_to_wait += 1
                if time.monotonic() > began + patience or self._stopping.wait(_RETRY_SECONDS):
                    break
            else:
                accepted = time.monotonic()
                fared.accepted += 1
                fared.accept_waits.append(accepted - began)
                if self._is_shown(number, accepted + patience):
                    fared.visible += 1
                    fared.visible_waits.append(time.monotonic() - accepted)
        return fared

    def try_once(self, mails: int) -> int:
        """Send so many mails by SMTP, a try for each; return how many were taken."""
        return sum(self.offer(self._next()) for _ in range(mails))

    def offer(self, number: str, *, by_http: bool = False) -> bool:
        """Return whether a mail was taken."""
        raw = ordinary(number, _SIZE)
        try:
            if by_http:
                return self.client.upload(self.capture, raw).status_code == 202
            source = (self._source, 0)
            with smtplib.SMTP(
                "127.0.0.1", self._smtp_port, "sender.test", 30, source_address=source
            ) as session:
                session.sendmail(USER, [self.capture], raw)
        except (OSError, smtplib.SMTPException, httpx.HTTPError):
            return False
        return True

    def _next(self) -> str:
        self._numbers += 1
        return f"{self._name}-{self._numbers}"

    def _is_shown(self, number: str, until: float) -> bool:
        while time.monotonic() < until and not self._stopping.wait(_LOOK_SECONDS):
            with contextlib.suppress(httpx.HTTPError, RuntimeError):
                page = self.client.json("GET", "timeline", "/v1/inbox", params={"limit": 50})
                if any(item["subject"] == number for item in page["items"]):
                    return True
        return False
