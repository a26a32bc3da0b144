"""The matcher's settings."""

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from services.matcher.resolver import name_servers
from shared.runtime.settings import DatabaseSettings, RelaySettings


class MatcherSettings(RelaySettings, DatabaseSettings):
    """Everything the matcher can be told."""

    matcher_http_port: int = Field(8002, description="Where the HTTP API is.")
    matcher_database: str = Field("satchel_matcher", description="The matcher's own database.")
    prefetch: int = Field(
        32,
        description="Deliveries in flight at a time, besides up to 32 whose sender's DNS is slow.",
    )
    backfill_prefetch: int = Field(4, description="Deliveries of backfill in flight, besides.")
    contact_name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)
    ] = Field(
        "Satchel (my capture address)",
        description="The name of a capture address in its owner's address book, when they import "
        "its contact card: what mail programs complete.",
    )
    authentication_seconds: float = Field(
        4.0,
        ge=0,
        le=60,
        description="How long to find out at most whether a mail is from whom it says; 0: never.",
    )
    dns_servers: str = Field(
        "",
        description="Whom to ask for the keys of senders and for the mail servers of users, "
        "separated by commas: 10.0.0.1, 127.0.0.1:5353, [::1]:53. The system's resolvers when not "
        "given.",
    )
    max_imports: int = Field(
        4,
        ge=1,
        description="Imports of people at a time, each a file of up to 256 MiB in /tmp; beyond: "
        "try again.",
    )
    max_imports_per_account: int = Field(
        1, ge=1, description="Imports of one account at a time; beyond: try again."
    )
    explain_rate: float = Field(
        2 * 1024 * 1024,
        ge=0,
        description="Bytes of mail a second that one account may have explained (POST "
        "/v1/explain), 32 seconds of it at once, and all together four times as much; beyond: try "
        "again. 0: any number.",
    )
    authserv_id: str | None = Field(
        None,
        description="Believe the Authentication-Results of the mail server in front that says so "
        "of itself (RFC 8601). It must remove those that bear its id from what reaches it.",
    )
    trusted_sealers: str = Field(
        "google.com,microsoft.com",
        description="Forwarders that are believed about who sent what they forward (ARC, RFC "
        "8617), separated by commas.",
    )

    @field_validator("dns_servers")
    @classmethod
    def _known_servers(cls, servers: str) -> str:
        name_servers(servers)
        return servers

    @property
    def sealers(self) -> frozenset[str]:
        """The domains of the trusted forwarders."""
        words = self.trusted_sealers.replace(",", " ").split()
        return frozenset(word.lower().rstrip(".") for word in words)
