"""Settings: one typed tree that prints its own documentation.

Each is an environment variable of the field's name in capitals. All have a default that works on
one machine, except secrets, which have none.
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
from shared.http.auth import MIN_SECRET_BYTES, Claims, TokenVerifier
from shared.runtime.relay import Relay, relay_place

S = TypeVar("S", bound="Settings")


def with_ca(url: str, option: str, file: Path | None) -> str:
    """Return the URL with the file of a certificate authority as this option, if there is one."""
    if file is None:
        return url
    parts = urlsplit(url)
    query = "&".join(filter(None, [parts.query, urlencode({option: str(file)})]))
    return parts._replace(path=parts.path or "/", query=query).geturl()


class Settings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    # URLs can hold passwords: whatever shows the settings does not show them.
    amqp_url: str = Field(
        "amqp://guest:guest@127.0.0.1:5672/", repr=False, description="The broker."
    )
    amqp_ca_file: Path | None = Field(
        None,
        description="The certificate authority of an amqps:// broker, in PEM, when the system "
        "does not know it.",
    )
    blob_url: str = Field(
        "file:///var/lib/satchel/blobs",
        repr=False,
        description="The blob store, shared by all services: file:///folder, s3://bucket/prefix. "
        "docs/blob-store.md says what a cloud's needs besides (AWS_REGION and such).",
    )
    bind_host: str = Field("0.0.0.0", description="The address to listen on.")  # noqa: S104 - in a container it must be
    token_secret: SecretStr | None = Field(
        None,
        description="Verifies HS256 tokens; at least 32 characters. Required unless "
        "TOKEN_JWKS_URL is set. Who holds it can make tokens: for development and installations "
        "on one machine.",
    )
    token_former_secret: SecretStr | None = Field(
        None,
        description="The secret before TOKEN_SECRET: its tokens count too, during a rotation.",
    )
    token_jwks_url: str | None = Field(
        None, description="Where the public keys of asymmetric tokens are; TOKEN_SECRET is unused."
    )
    token_issuer: str = Field("satchel", description="The `iss` that tokens must have.")
    token_account_claim: str = Field("account", description="The claim that names the account.")
    token_person_claim: str = Field("sub", description="The claim that names the person.")
    token_scope_claim: str = Field(
        "scope",
        description="The claim that has the scopes: words in a text; or, where it has another "
        "name, a list of words.",
    )
    cors_origins: str = Field(
        "", description="Origins that a browser may call the API from, separated by commas."
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        repr=False,
        description="A collector of traces (OTLP over HTTP, http://collector:4318); "
        "without one, none are recorded.",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

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
                    f"TOKEN_SECRET must be set, to at least {MIN_SECRET_BYTES} characters "
                    "(or TOKEN_JWKS_URL)"
                )
            former = self.token_former_secret
            if former and len(former.get_secret_value().encode()) < MIN_SECRET_BYTES:
                raise ValueError(
                    f"TOKEN_FORMER_SECRET must have at least {MIN_SECRET_BYTES} characters"
                )
        return self

    @property
    def token_verifier(self) -> TokenVerifier:
        """The verifier of bearer tokens."""
        return TokenVerifier(
            issuer=self.token_issuer,
            secret=self.token_secret.get_secret_value() if self.token_secret else None,
            former_secret=self.token_former_secret.get_secret_value()
            if self.token_former_secret
            else None,
            jwks_url=self.token_jwks_url,
            claims=self.token_claims,
        )

    @property
    def token_claims(self) -> Claims:
        """The names of the claims that say who calls."""
        return Claims(self.token_account_claim, self.token_person_claim, self.token_scope_claim)

    @property
    def origins(self) -> list[str]:
        """The origins that a browser may call from."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]


class CaptureSettings(Settings):
    """What services that mint or recognise capture addresses need besides."""

    capture_domain: str = Field(
        "in.satchel.test", description="The domain of all capture addresses of this deployment."
    )
    capture_keys: SecretStr = Field(
        description="The keys of capture addresses, id:secret,id:secret; all of them verify."
    )
    capture_signing_key: str | None = Field(
        None, description="The id of the key that signs new addresses; the first when not given."
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
        """The key ring of capture addresses."""
        return KeyRing.parse(self.capture_keys.get_secret_value(), self.capture_signing_key)


class RelaySettings(CaptureSettings):
    """What services that send mail need besides."""

    relay_url: str | None = Field(
        None,
        description="The SMTP relay that takes challenges to users' own mailboxes (round trips), "
        "and what POSTMASTER_FORWARD passes on: smtp://host:587 with STARTTLS, or "
        "smtps://host:465. Without one none are sent.",
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
        description="The author of challenges, and the envelope sender of what is passed on; "
        "satchel@CAPTURE_DOMAIN when not given. The relay has to be allowed to send for its "
        "domain, and for CAPTURE_DOMAIN (SPF, DKIM).",
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
    """What services with a database need besides."""

    mongodb_url: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=rs0",
        repr=False,
        description="MongoDB; a replica set.",
    )
    mongodb_ca_file: Path | None = Field(
        None,
        description="The certificate authority of MongoDB, in PEM, when the system does not know "
        "it; turns TLS on.",
    )

    @model_validator(mode="after")
    def _checks_the_database(self) -> Self:
        self.__dict__["mongodb_url"] = with_ca(self.mongodb_url, "tlsCAFile", self.mongodb_ca_file)
        return self


OLD_NAMES = {"MAX_BYTES_IN_HAND": "MAX_BYTES_IN_FLIGHT"}
"""Settings that have a better name now. The old one is read until 0.2."""


def load(model: type[S], service: str, options: str = "") -> S:
    """Read the settings from the environment, or say in one line what to set and exit with 2.

    With `--help` on the command line the settings are printed instead, after `options`, the text
    about other words on the command line; with `--version` the version.
    """
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{service} {VERSION}\n")
        sys.exit(0)
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(
            f"{service}\n\n{options}Settings, as environment variables:\n\n{describe(model)}"
        )
        sys.exit(0)
    for old, new in OLD_NAMES.items():
        if old in os.environ and new not in os.environ:
            os.environ[new] = os.environ[old]
            sys.stderr.write(f"{service}: {old} is called {new} now; please rename it\n")
    try:
        return model()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(map(str, problem["loc"])).upper()
            message = problem["msg"].removeprefix("Value error, ")
            text = "must be set" if problem["type"] == "missing" else message
            sys.stderr.write(f"{service}: {name} {text}".replace("  ", " ") + "\n")
        sys.exit(2)


def describe(model: type[Settings]) -> str:
    """Return every setting with its default and meaning, one a paragraph."""
    paragraphs = []
    for name, setting in model.model_fields.items():
        default = "required" if setting.is_required() else f"default: {setting.default!s}"
        paragraphs.append(f"  {name.upper()}  ({default})\n      {setting.description}\n")
    return "\n".join(paragraphs)
