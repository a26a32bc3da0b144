"""The matcher's settings."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, field_validator

from services.matcher.resolver import name_servers
from services.matcher.round_trip.relay import Relay, relay_place
from shared.settings import CaptureSettings, DatabaseSettings


class MatcherSettings(CaptureSettings, DatabaseSettings):
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

    relay_url: str | None = Field(
        None,
        description="The SMTP relay that takes challenges to users' own mailboxes (round trips): "
        "smtp://host:587 with STARTTLS, or smtps://host:465. Without one none are sent.",
    )
    relay_user: str | None = Field(None, description="Whom the relay knows Satchel as.")
    relay_password: SecretStr | None = Field(None, description="The password of RELAY_USER.")
    relay_starttls: bool = Field(
        True,
        description="Refuse an smtp:// relay without STARTTLS. Turn it off only for a relay on the "
        "same machine.",
    )
    relay_ca_file: str | None = Field(
        None, description="The certificate authority of the relay, when the system knows it not."
    )
    relay_sender: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}$",
        description="The author of challenges; satchel@CAPTURE_DOMAIN when not given. The relay "
        "has to be allowed to send for its domain, and for CAPTURE_DOMAIN (SPF, DKIM).",
    )

    @field_validator("relay_url")
    @classmethod
    def _known_relay(cls, url: str | None) -> str | None:
        if url is not None:
            relay_place(url)
        return url

    @property
    def relay(self) -> Relay | None:
        """The SMTP relay, or None."""
        if self.relay_url is None:
            return None
        return Relay(
            url=self.relay_url,
            sender=self.relay_sender or f"satchel@{self.capture_domain}",
            hostname=self.capture_domain,
            user=self.relay_user,
            password=self.relay_password.get_secret_value() if self.relay_password else None,
            starttls=self.relay_starttls,
            ca_file=self.relay_ca_file,
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
