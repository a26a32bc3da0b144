"""The target of attacks: a stack with its limits on, four of its accounts, and their DNS."""

import itertools
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.client import SCOPES, Client, Endpoints
from dev.dns_server import DnsServer
from shared.http.auth import sign

USER, CANDIDATE = "recruiter@agency.example", "candidate@mail.example"
SILENT = "-never.example"
"""Names that end so are never answered."""
_ACCOUNTS = 4
"""An account gets a quarter of all sessions and a half of the memory: these get all of it."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of each attack."""

    mails: int = 20
    """Of the bystander, and of the account that is aimed at, in each attack."""
    sessions: int = 1000
    """As many as the stack takes; and half-sent HTTP requests."""
    mail_bytes: int = 2 * MIB
    """Of a mail that is crafted to be dear."""
    enclosed: int = 98
    """Mails in one mail."""
    pause: float = 0.2
    """Seconds before an attacker comes again."""
    uploads: int = 24
    upload_bytes: int = 29 * MIB
    authentication_seconds: int = 4
    patience: float = 60.0
    """Seconds until a mail of the bystander counts as not accepted, or not visible."""

    def settings(self, dns: DnsServer) -> dict[str, str]:
        """Return the settings of a stack with these limits; they are off in `make up`."""
        return {
            "ACCOUNT_RATE": "20",
            "ACCOUNT_BURST": "50",
            "AUTHENTICATION_SECONDS": str(self.authentication_seconds),
            "DNS_SERVERS": f"127.0.0.1:{dns.port}",
            "SMTP_MAX_CONNECTIONS": str(self.sessions),
            "SMTP_MAX_CONNECTIONS_PER_NETWORK": str(self.sessions // 4),
            "SMTP_MAX_CONNECTIONS_PER_ADDRESS": str(self.sessions // 10),
        }


FULL = Scale(mail_bytes=29 * MIB)


@dataclass(frozen=True, slots=True)
class Target:
    """An account, as somebody who means ill knows it."""

    name: str
    capture: str
    token: str
    """Of a user of that account, who means ill too."""


@dataclass
class Ground:
    """A stack and four accounts of it."""

    endpoints: Sequence[Endpoints]
    """One for each replica."""
    targets: Sequence[Target]
    scale: Scale
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def turn(self) -> int:
        """A number that is used once."""
        return next(self._turns)

    @property
    def replica(self) -> Endpoints:
        """The next replica, by turns."""
        return self.endpoints[self.turn % len(self.endpoints)]


def ground(
    endpoints: Sequence[Endpoints], secret: str, scale: Scale, issuer: str = "satchel"
) -> Ground:
    """Return ground with four fresh accounts."""
    targets = []
    for _ in range(_ACCOUNTS):
        name = f"besieged-{secrets.token_hex(4)}"
        client = furnished(endpoints[0], secret, name, issuer)
        token = sign(
            secret,
            issuer=issuer,
            account=name,
            person_id="u1",
            scope=f"{SCOPES} directory:read",
            expires_at=int(time.time()) + 24 * 3600,
        )
        targets.append(Target(name, client.mint("u1"), token))
        client.close()
    return Ground(endpoints, targets, scale)


def furnished(endpoints: Endpoints, secret: str, account: str, issuer: str = "satchel") -> Client:
    """Return a client of an account with a user and a candidate."""
    client = Client(endpoints, secret, account=account, person="u1", issuer=issuer)
    client.put_person("u1", "user", "Recruiter", [USER])
    client.put_person("c1", "candidate", "Candidate", [CANDIDATE])
    return client
