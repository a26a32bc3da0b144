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
    """Everything ingest can be told."""

    ingest_smtp_port: int = Field(2525, description="Where SMTP is spoken.")
    ingest_http_port: int = Field(8001, description="Where the HTTP API is.")
    max_mail_bytes: int = Field(
        _DEFAULT.mail_bytes, gt=0, description="The largest mail that is taken, in bytes."
    )
    max_bytes_in_flight: int = Field(
        96 * 1024 * 1024,
        description="Bytes of mail that may be in flight together, a half of it for one account; "
        "beyond: try again.",
    )
    smtp_timeout: float = Field(
        _DEFAULT.idle_seconds,
        gt=0,
        description="Seconds without a command or a piece of a mail until a session is ended.",
    )
    smtp_session_seconds: float = Field(
        _DEFAULT.session_seconds, gt=0, description="Seconds that a session may last."
    )
    smtp_min_rate: float = Field(
        _DEFAULT.min_rate,
        gt=0,
        description="Bytes a second that a mail must come with, after SMTP_SLOW_SECONDS.",
    )
    smtp_slow_seconds: float = Field(
        _DEFAULT.slow_seconds, gt=0, description="Seconds that a mail may take at any rate."
    )
    smtp_max_commands: int = Field(
        _DEFAULT.commands, gt=0, description="Commands of a session without a mail that was taken."
    )
    smtp_max_errors: int = Field(
        _DEFAULT.errors, ge=0, description="Commands of a session that may be answered with 5xx."
    )
    smtp_max_recipients: int = Field(
        _DEFAULT.recipients, ge=1, description="Recipients of a mail; beyond: another transaction."
    )
    smtp_max_connections: int = Field(
        _DEFAULT.connections,
        ge=1,
        description="Sessions at a time. Who named no capture address makes room for others.",
    )
    smtp_max_connections_per_address: int = Field(
        _DEFAULT.connections_per_address,
        ge=1,
        description="Sessions at a time from one address, or one /64 of IPv6.",
    )
    smtp_max_connections_per_network: int = Field(
        _DEFAULT.connections_per_network,
        ge=1,
        description="Sessions at a time from one /24 of IPv4, or one /48 of IPv6. Raise it with "
        "SMTP_MAX_CONNECTIONS_PER_ADDRESS where all mail comes through few relays.",
    )
    smtp_tls_cert_file: Path | None = Field(
        None,
        description="The certificate chain for STARTTLS, in PEM; read again when it changes.",
    )
    smtp_tls_key_file: Path | None = Field(
        None, description="The key of the certificate, in PEM, without a password."
    )
    smtp_require_tls: bool = Field(False, description="Whether mail is taken over TLS alone.")
    smtp_proxy_networks: str = Field(
        "",
        description="Networks (CIDR, separated by commas) whose connections begin with a PROXY "
        "header, version 1 or 2.",
    )
    account_rate: float = Field(
        20.0,
        ge=0,
        description="Captures a second of one account, a large mail counting once per MiB; "
        "beyond: try again. 0: any number.",
    )
    account_burst: int = Field(
        50, ge=1, description="Captures of one account that may come at once."
    )
    network_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="The share of ACCOUNT_RATE that mail by SMTP from one /24 of IPv4, or /48 of "
        "IPv6, may use up. 1 where all mail comes through few relays.",
    )
    account_backlog: int = Field(
        20,
        ge=1,
        description="Mails that may wait to be filed; while n times as many do, ACCOUNT_RATE is an "
        "n-th of it, a tenth at least.",
    )
    publish_deadline: float = Field(
        7.0, description="Seconds the broker has to confirm before the sender is told to retry."
    )
    receipt_seconds: float = Field(
        10.0,
        gt=0,
        description="Seconds that receipts (for the audit) are gathered before they are written; "
        "those of as many are missing after a crash of ingest.",
    )

    postmaster_forward: str | None = Field(
        None,
        pattern=r"^[^@\s<>]{1,64}@[A-Za-z0-9.-]{1,253}$",
        description="Where mail goes that is sent to postmaster@ or abuse@ of CAPTURE_DOMAIN (RFC "
        "5321 section 4.5.1): an address elsewhere, by RELAY_URL. It is refused (550) when not "
        "given.",
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
        """What one SMTP session may do."""
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
        """By whom mail for the postmaster is passed on, if anybody reads it."""
        if self.relay is None or self.postmaster_forward is None:
            return None
        return Postmaster(self.relay, self.postmaster_forward, self.capture_domain)

    @property
    def bytes_in_flight_per_account(self) -> int:
        """The share of MAX_BYTES_IN_FLIGHT that one account may have; the largest mail fits."""
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
