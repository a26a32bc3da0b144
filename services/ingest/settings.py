"""ingest's settings."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.ingest.limits import SmtpLimits
from services.ingest.postmaster import Postmaster
from services.ingest.smtp.certificate import Certificate
from shared.runtime.settings import RelaySettings

_DEFAULT = SmtpLimits(mail_bytes=30 * 1024 * 1024)


class IngestSettings(RelaySettings):
    """The settings of ingest."""

    ingest_smtp_port: int = Field(2525, ge=1, le=65535, description="Port for SMTP.")
    ingest_http_port: int = Field(
        8001, ge=1, le=65535, description="Port for the HTTP API, /metrics and the probes."
    )
    max_mail_bytes: int = Field(
        _DEFAULT.mail_bytes, gt=0, description="Largest accepted mail, in bytes."
    )
    max_bytes_in_flight: int = Field(
        96 * 1024 * 1024,
        gt=0,
        description="Bytes of mail in flight in one replica; one account may use half of them. "
        "Above it, senders are told to try again later.",
    )
    smtp_timeout: float = Field(
        _DEFAULT.idle_seconds,
        gt=0,
        description="Seconds a session may be idle, with neither a command nor mail data, before "
        "it is closed.",
    )
    smtp_session_seconds: float = Field(
        _DEFAULT.session_seconds, gt=0, description="Longest duration of a session, in seconds."
    )
    smtp_min_rate: float = Field(
        _DEFAULT.min_rate,
        gt=0,
        description="Slowest accepted transfer of a mail, in bytes per second, once "
        "SMTP_SLOW_SECONDS have passed.",
    )
    smtp_slow_seconds: float = Field(
        _DEFAULT.slow_seconds, gt=0, description="Seconds before SMTP_MIN_RATE applies to a mail."
    )
    smtp_max_commands: int = Field(
        _DEFAULT.commands,
        gt=0,
        description="Commands in a row without an accepted mail before a session is closed.",
    )
    smtp_max_errors: int = Field(
        _DEFAULT.errors, ge=0, description="Commands answered with 5xx before a session is closed."
    )
    smtp_max_recipients: int = Field(
        _DEFAULT.recipients,
        ge=1,
        description="Recipients per mail. Senders deliver the rest in another transaction.",
    )
    smtp_max_connections: int = Field(
        _DEFAULT.connections,
        ge=1,
        description="Concurrent sessions. When full, the oldest session without a valid RCPT is "
        "closed to make room.",
    )
    smtp_max_connections_per_address: int = Field(
        _DEFAULT.connections_per_address,
        ge=1,
        description="Concurrent sessions from one IPv4 address or IPv6 /64.",
    )
    smtp_max_connections_per_network: int = Field(
        _DEFAULT.connections_per_network,
        ge=1,
        description="Concurrent sessions from one IPv4 /24 or IPv6 /48. Raise this and "
        "SMTP_MAX_CONNECTIONS_PER_ADDRESS if all mail comes through a few relays.",
    )
    smtp_tls_cert_file: Path | None = Field(
        None,
        description="Certificate chain (PEM) for STARTTLS. Reloaded when the file changes. If "
        "empty, STARTTLS is not offered.",
    )
    smtp_tls_key_file: Path | None = Field(
        None, description="Private key (PEM, no password) of SMTP_TLS_CERT_FILE."
    )
    smtp_require_tls: bool = Field(False, description="Refuse mail that is not sent over TLS.")
    smtp_proxy_networks: str = Field(
        "",
        description="Load balancers whose connections begin with a PROXY header (version 1 or 2): "
        "networks in CIDR notation, separated by commas.",
    )
    account_rate: float = Field(
        20.0,
        ge=0,
        description="Captures per second of one account; a large mail counts once per MiB. Above "
        "it, senders are told to try again later. 0 turns the limit off.",
    )
    account_burst: int = Field(
        50,
        ge=1,
        description="Captures of one account that may arrive at once before ACCOUNT_RATE applies.",
    )
    network_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of ACCOUNT_RATE that SMTP mail from one IPv4 /24 or IPv6 /48 may use. "
        "Set it to 1 if all mail comes through a few relays.",
    )
    account_backlog: int = Field(
        20,
        ge=1,
        description="Backlog of live mail above which accounts are slowed down. At n times this "
        "backlog ACCOUNT_RATE is divided by n, by 10 at most.",
    )
    publish_deadline: float = Field(
        7.0,
        gt=0,
        description="Seconds the broker has to confirm a mail before its sender is told to try "
        "again later.",
    )
    receipt_seconds: float = Field(
        10.0,
        gt=0,
        description="Seconds between writes of receipts, which the audit reads. A crash of ingest "
        "loses the receipts of at most this time, never mail.",
    )

    postmaster_forward: str | None = Field(
        None,
        pattern=r"^[^@\s<>]{1,64}@[A-Za-z0-9.-]{1,253}$",
        description="Address outside CAPTURE_DOMAIN that gets the mail for postmaster@ and abuse@ "
        "(RFC 5321 section 4.5.1), through RELAY_URL. If empty, that mail is refused "
        "with 550.",
    )

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.postmaster_forward is not None:
            if self.relay_url is None:
                raise ValueError("POSTMASTER_FORWARD needs RELAY_URL")
            if self.postmaster_forward.lower().endswith(f"@{self.capture_domain}"):
                raise ValueError("POSTMASTER_FORWARD must not be at CAPTURE_DOMAIN: it would loop")
        if self.max_bytes_in_flight < self.max_mail_bytes:
            raise ValueError("MAX_BYTES_IN_FLIGHT must not be less than MAX_MAIL_BYTES")
        if (self.smtp_tls_cert_file is None) != (self.smtp_tls_key_file is None):
            raise ValueError("SMTP_TLS_CERT_FILE and SMTP_TLS_KEY_FILE are needed together")
        if self.smtp_require_tls and self.smtp_tls_cert_file is None:
            raise ValueError("SMTP_REQUIRE_TLS needs SMTP_TLS_CERT_FILE and SMTP_TLS_KEY_FILE")
        try:
            _ = self.smtp_proxies
        except ValueError as error:
            raise ValueError(f"SMTP_PROXY_NETWORKS: {error}") from error
        try:
            _ = self.smtp_certificate()
        except ValueError as error:
            raise ValueError(f"SMTP_TLS_CERT_FILE, SMTP_TLS_KEY_FILE: {error}") from error
        return self

    @property
    def smtp_limits(self) -> SmtpLimits:
        """The limits of one SMTP session."""
        return SmtpLimits(
            mail_bytes=self.max_mail_bytes,
            idle_seconds=self.smtp_timeout,
            session_seconds=self.smtp_session_seconds,
            slow_seconds=self.smtp_slow_seconds,
            min_rate=self.smtp_min_rate,
            commands=self.smtp_max_commands,
            errors=self.smtp_max_errors,
            recipients=self.smtp_max_recipients,
            connections=self.smtp_max_connections,
            connections_per_address=self.smtp_max_connections_per_address,
            connections_per_network=self.smtp_max_connections_per_network,
        )

    @property
    def postmaster(self) -> Postmaster | None:
        """The forwarder of mail to the postmaster, if POSTMASTER_FORWARD is set."""
        if self.relay is None or self.postmaster_forward is None:
            return None
        return Postmaster(self.relay, self.postmaster_forward, self.capture_domain)

    @property
    def bytes_in_flight_per_account(self) -> int:
        """Half of MAX_BYTES_IN_FLIGHT, but enough for the largest mail."""
        return max(self.max_bytes_in_flight // 2, self.max_mail_bytes)

    @property
    def smtp_proxies(self) -> list[IPv4Network | IPv6Network]:
        """The networks of SMTP_PROXY_NETWORKS."""
        given = (network.strip() for network in self.smtp_proxy_networks.split(","))
        return [ip_network(network) for network in given if network]

    def smtp_certificate(self) -> Certificate | None:
        """Read the certificate, if there is one. Raises ValueError."""
        if self.smtp_tls_cert_file is None or self.smtp_tls_key_file is None:
            return None
        return Certificate(self.smtp_tls_cert_file, self.smtp_tls_key_file)
