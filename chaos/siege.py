"""Attacks beside a fault run, in their turn, on accounts that the reckoning does not count.

The stack's limits are on. The account that the reckoning counts is not aimed at: whatever is
attacked and broken, all of its mail has to be there, once.
"""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dev.dns_server import DnsServer
from dev.siege.attacks import ATTACKS, Attack
from dev.siege.ground import MIB, SILENT, Scale, ground
from dev.stack import Stack

SCALE = Scale(
    sessions=160, mail_bytes=MIB // 4, uploads=4, upload_bytes=4 * MIB, pause=1.0, enclosed=10
)
"""Small: faults need the machine as well."""
_STRIKES = 6.0
"""Seconds of each attack."""


@contextmanager
def limits(rate: float) -> Iterator[dict[str, str]]:
    """Yield the settings of a stack that is attacked, whose senders send `rate` mails a second.

    All of these come from one address. Without a rate nothing is limited.
    """
    if not rate:
        yield {}
        return
    with DnsServer() as dns:
        dns.ignored_end = SILENT
        yield SCALE.settings(dns) | {
            "ACCOUNT_RATE": str(3 * rate),
            "NETWORK_SHARE": "1",
            "SMTP_MAX_CONNECTIONS_PER_ADDRESS": "60",
            "SMTP_MAX_CONNECTIONS_PER_NETWORK": "60",
        }


class Siege:
    """Attacks from `start` to `stop`."""

    def __init__(self, stack: Stack) -> None:
        count = len(stack.of("ingest"))
        endpoints = [stack.endpoints_of(number) for number in range(count)]
        self._ground = ground(endpoints, stack.token_secret, SCALE, stack.token_issuer)
        self.told: dict[str, Counter[str]] = {attack.name: Counter() for attack in ATTACKS}
        """What the attackers were told, by attack."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._attack, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Attack no more."""
        self._stopping.set()
        self._thread.join()

    def _attack(self) -> None:
        while True:
            for attack in ATTACKS:
                if self._stopping.is_set():
                    return
                asyncio.run(self._strike(attack))

    async def _strike(self, attack: Attack) -> None:
        striking = asyncio.ensure_future(attack.run(self._ground, self.told[attack.name]))
        until = time.monotonic() + _STRIKES
        while time.monotonic() < until and not striking.done() and not self._stopping.is_set():
            await asyncio.sleep(0.1)
        striking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await striking
