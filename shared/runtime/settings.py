"""Settings: one typed tree that prints its own documentation.

Each setting is the environment variable with the field's name in capitals. Each has a default that
works on one machine, except secrets, which have none.
"""

import os
import sys
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared import VERSION
from shared.contracts.capture_address import KeyRing
from shared.runtime.claims import MIN_SECRET_BYTES, Claims
from shared.runtime.relay import Relay, relay_place
from shared.runtime.settings_help import settings_help

S = TypeVar("S", bound="Settings")


def with_ca(url: str, option: str, file: Path | None) -> str:
    """Return the URL with this file as the option for a CA certificate, if a file is given."""
    if file is None:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({option: str(file)})]))
    return parts._replace(path=parts.path or "/", query=query).geturl()


class Settings(BaseSettings):
    """Settings of every service."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    # URLs can hold passwords: whatever shows the settings does not show them.
    amqp_url: str = Field(
        "amqp://guest:guest@127.0.0.1:5672/",
        repr=False,
        description="URL of the RabbitMQ broker, amqps:// for TLS. Its path is the virtual host.",
    )
    amqp_ca_file: Path | None = Field(
        None,
        description="CA certificate (PEM) of an amqps:// broker, if the system does not trust it "
        "already.",
    )
    blob_url: str = Field(
        "file:///var/lib/satchel/blobs",
        repr=False,
        description="Blob store for large mails, receipts and dead letters; the same for all "
        "services: file:///folder or s3://bucket/prefix. Cloud stores need variables "
        "of their own, such as AWS_REGION: see docs/blob-store.md.",
    )
    bind_host: str = Field("0.0.0.0", description="IP address to listen on.")  # noqa: S104 - in a container it must be
    token_secret: SecretStr | None = Field(
        None,
        description="Shared secret that verifies HS256 tokens, at least 32 characters. Required "
        "unless TOKEN_JWKS_URL is set. Anyone who holds it can mint tokens, so use it "
        "only for development and one-machine installations.",
    )
    token_former_secret: SecretStr | None = Field(
        None,
        description="Previous TOKEN_SECRET. Its tokens stay valid during a rotation.",
    )
    token_jwks_url: str | None = Field(
        None,
        description="JWKS URL with the public keys that verify tokens; TOKEN_SECRET is then "
        "ignored. Use this in production.",
    )
    token_issuer: str = Field("satchel", description="The `iss` claim that every token must have.")
    token_account_claim: str = Field("account", description="Token claim that holds the account.")
    token_person_claim: str = Field("sub", description="Token claim that holds the person's id.")
    token_scope_claim: str = Field(
        "scope",
        description="Token claim that holds the scopes, separated by spaces. A claim with another "
        "name than `scope` may also be a list.",
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may call the API from a browser, separated by commas."
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        repr=False,
        description="OTLP/HTTP collector for traces, such as http://collector:4318. If empty, no "
        "traces are recorded.",
    )
    log_level: str = Field(
        "INFO", description="Lowest level that is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _has_a_scheme(cls, endpoint: str | None) -> str | None:
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return endpoint

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return level.upper()

    @model_validator(mode="after")
    def _checks_the_broker(self) -> Self:
        if self.amqp_ca_file and not self.amqp_url.startswith("amqps://"):
            raise ValueError("AMQP_CA_FILE needs an AMQP_URL that begins with amqps://")
        # The model is frozen for all who use it; it is not yet theirs.
        self.__dict__["amqp_url"] = with_ca(self.amqp_url, "cafile", self.amqp_ca_file)
        return self

    @model_validator(mode="after")
    def _can_verify_tokens(self) -> Self:
        if not self.token_jwks_url:
            secret = self.token_secret.get_secret_value() if self.token_secret else ""
            if len(secret.encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"TOKEN_SECRET must be set, with at least {MIN_SECRET_BYTES} "
                    "characters, or TOKEN_JWKS_URL instead"
                )
            former = self.token_former_secret
            if former and len(former.get_secret_value().encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"TOKEN_FORMER_SECRET must have at least {MIN_SECRET_BYTES} characters"
                )
        return self

    @property
    def token_claims(self) -> Claims:
        """The names of the claims that identify the caller."""
        return Claims(self.token_account_claim, self.token_person_claim, self.token_scope_claim)

    @property
    def origins(self) -> list[str]:
        """Origins whose pages may call the API."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]


class CaptureSettings(Settings):
    """Settings of services that mint or verify capture addresses."""

    capture_domain: str = Field(
        "in.satchel.test",
        description="Domain of all capture addresses of this deployment. Its MX record leads to "
        "ingest, or to the mail server in front of it.",
    )
    capture_keys: SecretStr = Field(
        description="Keys that sign and verify capture addresses: id:secret,id:secret with secrets "
        "of at least 16 characters. All of them verify. Removing a key invalidates the "
        "addresses it signed."
    )
    capture_signing_key: str | None = Field(
        None,
        description="Id of the key that signs new capture addresses. Default: the first of "
        "CAPTURE_KEYS.",
    )

    @field_validator("capture_domain")
    @classmethod
    def _lower_domain(cls, domain: str) -> str:
        return domain.strip().rstrip(".").lower()

    @model_validator(mode="after")
    def _usable_keys(self) -> Self:
        _ = self.key_ring
        return self

    @property
    def key_ring(self) -> KeyRing:
        """The keys of capture addresses."""
        return KeyRing.parse(self.capture_keys.get_secret_value(), self.capture_signing_key)


class RelaySettings(CaptureSettings):
    """Settings of services that send mail."""

    relay_url: str | None = Field(
        None,
        description="SMTP relay for outgoing mail, which is test mail to users' own mailboxes "
        "(round trips) and what POSTMASTER_FORWARD forwards: smtp://host:587 with "
        "STARTTLS, or smtps://host:465. If empty, Satchel sends no mail.",
    )
    relay_user: str | None = Field(None, description="User name for the relay.")
    relay_password: SecretStr | None = Field(None, description="Password of RELAY_USER.")
    relay_starttls: bool = Field(
        True,
        description="Refuse an smtp:// relay that does not offer STARTTLS. Turn this off only for "
        "a relay on the same machine.",
    )
    relay_ca_file: str | None = Field(
        None,
        description="CA certificate (PEM) of the relay, if the system does not trust it already.",
    )
    relay_sender: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}$",
        description="From address of test mail and envelope sender of forwarded mail. Default: "
        "satchel@CAPTURE_DOMAIN. SPF and DKIM must let the relay send for this domain "
        "and for CAPTURE_DOMAIN.",
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


class DatabaseSettings(Settings):
    """Settings of services with a database."""

    mongodb_url: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=rs0",
        repr=False,
        description="URL of MongoDB. It must be a replica set; one member is enough.",
    )
    mongodb_ca_file: Path | None = Field(
        None,
        description="CA certificate (PEM) of MongoDB, if the system does not trust it already. "
        "Turns on TLS.",
    )

    @model_validator(mode="after")
    def _checks_the_database(self) -> Self:
        self.__dict__["mongodb_url"] = with_ca(self.mongodb_url, "tlsCAFile", self.mongodb_ca_file)
        return self


OLD_NAMES = {"MAX_BYTES_IN_HAND": "MAX_BYTES_IN_FLIGHT"}
"""Settings that have a better name now. The old one is read until 0.2."""


def load(model: type[S], service: str, options: str = "") -> S:
    """Read the settings from the environment. On an error print what to set, and exit with 2.

    With `--help` on the command line print the settings instead, after `options`, the help text of
    the command line; with `--version` print the version.
    """
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{service} {VERSION}\n")
        sys.exit(0)
    if {"-h", "--help"} & set(sys.argv[1:]):
        settings = settings_help(model.model_fields)
        sys.stdout.write(f"{service}\n\n{options}Settings, as environment variables:\n\n{settings}")
        sys.exit(0)
    for old, new in OLD_NAMES.items():
        if old in os.environ and new not in os.environ:
            os.environ[new] = os.environ[old]
            sys.stderr.write(f"{service}: {old} is now called {new}; please rename it\n")
    try:
        return model()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(map(str, problem["loc"])).upper()
            message = problem["msg"].removeprefix("Value error, ")
            text = "must be set" if problem["type"] == "missing" else message
            sys.stderr.write(f"{service}: {name} {text}".replace("  ", " ") + "\n")
        sys.exit(2)
