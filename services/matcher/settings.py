"""The matcher's settings."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, field_validator

from services.matcher.resolver import name_servers
from shared.runtime.claims import MIN_SECRET_BYTES
from shared.runtime.settings import DatabaseSettings, RelaySettings


class MatcherSettings(RelaySettings, DatabaseSettings):
    """The settings of the matcher."""

    matcher_http_port: int = Field(
        8002, ge=1, le=65535, description="Port for the HTTP API, /metrics and the probes."
    )
    matcher_database: str = Field("satchel_matcher", description="Name of the matcher's database.")
    prefetch: int = Field(
        32,
        ge=1,
        description="Live mails in flight per replica. Up to 32 more may wait for slow DNS.",
    )
    backfill_prefetch: int = Field(
        4, ge=1, description="Backfill mails in flight per replica, in addition to PREFETCH."
    )
    contact_name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)
    ] = Field(
        "Satchel (my capture address)",
        description="Name on the contact card of a capture address. Mail programs complete it "
        "after the owner has imported the card.",
    )
    authentication_seconds: float = Field(
        4.0,
        ge=0,
        le=60,
        description="Seconds to authenticate a mail's sender (DKIM, ARC, DMARC) before it stays "
        "`unverified`. 0 turns authentication off.",
    )
    dns_servers: str = Field(
        "",
        description="DNS servers, separated by commas: 10.0.0.1, 127.0.0.1:5353, [::1]:53. "
        "Default: the system's resolvers.",
    )
    max_imports: int = Field(
        4,
        ge=1,
        description="Concurrent imports of people. Each needs up to 256 MiB in /tmp.",
    )
    max_imports_per_account: int = Field(
        1, ge=1, description="Concurrent imports of people by one account."
    )
    explain_rate: float = Field(
        2 * 1024 * 1024,
        ge=0,
        description="Bytes of mail per second that one account may send to POST /v1/explain; 32 "
        "seconds' worth may come at once, and all accounts together may send four times as much. 0 "
        "turns the limit off.",
    )
    authserv_id: str | None = Field(
        None,
        description="authserv-id (RFC 8601) of a mail server in front of ingest. Satchel then "
        "trusts its Authentication-Results. That server must strip this id from the "
        "mail it receives.",
    )
    trusted_sealers: str = Field(
        "google.com,microsoft.com",
        description="Domains of forwarders whose ARC seals (RFC 8617) are trusted, separated by "
        "commas.",
    )

    rematch_captures: int = Field(
        5000,
        ge=1,
        description="Unmatched captures of one day that an account with a rematch window may have "
        "sealed. Further ones are forgotten, as without a window.",
    )
    rematch_bytes: int = Field(
        1024**3,
        ge=1,
        description="Bytes of their mail, for each day, likewise.",
    )

    erasure_signing_key: SecretStr | None = Field(
        None,
        description="Secret from which the key is made that signs receipts of erasures: at least "
        "32 random characters. Without it no one can be erased. Receipts still verify after it was "
        "replaced.",
    )

    account_erasure_seconds: float = Field(
        180.0,
        ge=2,
        description="Seconds until the second pass of an account's erasure, which deletes what "
        "requests and mail in flight have written meanwhile. It must exceed the longest request "
        "and the difference between the clocks of two machines.",
    )

    @field_validator("erasure_signing_key")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"must have at least {MIN_SECRET_BYTES} characters")
        return secret

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
