"""The timeline's settings."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.timeline.sign_in import SignIn, origin_of
from shared.runtime.settings import DatabaseSettings
from shared.storage.blobs import RETENTION

_ROOT = Path(__file__).parents[2]


class TimelineSettings(DatabaseSettings):
    """Everything the timeline can be told."""

    timeline_http_port: int = Field(8003, description="Where the HTTP API is.")
    timeline_database: str = Field("satchel_timeline", description="The timeline's own database.")
    prefetch: int = Field(
        128, description="Deliveries in flight at a time: two batches of the writer."
    )
    quarantine_days: int = Field(
        30, ge=1, description="How long mail waits for a user's yes until it is forgotten."
    )
    backfill_prefetch: int = Field(
        64, description="Deliveries of backfill in flight, besides. Live mail goes first."
    )
    dead_letter_days: int = Field(
        RETENTION.days,
        ge=1,
        le=RETENTION.days,  # a claim that its replay needs must be there as long
        description=f"How long dead letters are kept; at most {RETENTION.days}.",
    )

    pages_folder: Path = Field(
        Path("frontend/dist"),
        description="The built pages, served under `/app/`; from the project's folder on.",
    )
    embed_origins: str = Field(
        "", description="Origins, by comma, whose pages may show Satchel's in a frame."
    )

    sign_in_client_id: str = Field(
        "",
        description="Readers of the pages sign in at TOKEN_ISSUER by OpenID Connect (code flow "
        "with PKCE), as this public client. Without one they come with a token in the link.",
    )
    sign_in_scope: str = Field(
        "openid timeline:read timeline:write", description="The scopes that sign-in asks for."
    )
    sign_in_resource: str = Field(
        "", description="The `resource` that sign-in asks for (RFC 8707), where an issuer wants it."
    )
    sign_in_origins: str = Field(
        "",
        description="Origins, by comma, of the issuer's token endpoint, if it is not on the "
        "issuer's own.",
    )

    remote_images: bool = Field(
        True,
        description="Whether readers may load remote pictures; the timeline fetches them by https.",
    )

    @property
    def pages(self) -> Path:
        """Where the built pages are."""
        return _ROOT / self.pages_folder

    @property
    def embedders(self) -> list[str]:
        """The origins that may show a page in a frame."""
        return _listed(self.embed_origins)

    @property
    def sign_in(self) -> SignIn | None:
        """How readers of the pages sign in; None where they come with a token."""
        if not self.sign_in_client_id:
            return None
        return SignIn(
            issuer=self.token_issuer,
            client_id=self.sign_in_client_id,
            scope=self.sign_in_scope,
            resource=self.sign_in_resource or None,
            claims=self.token_claims,
            origins=(origin_of(self.token_issuer), *_listed(self.sign_in_origins)),
        )

    @model_validator(mode="after")
    def _has_an_issuer_to_sign_in_at(self) -> Self:
        if self.sign_in_client_id and not self.token_issuer.startswith(("https://", "http://")):
            raise ValueError("SIGN_IN_CLIENT_ID needs a TOKEN_ISSUER that is a URL")
        return self

    @property
    def dead_letters_kept(self) -> timedelta:
        """How long dead letters are kept."""
        return timedelta(days=self.dead_letter_days)


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]
