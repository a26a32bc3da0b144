"""The timeline's settings."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from services.timeline.sign_in import SignIn, origin_of
from shared.runtime.settings import DatabaseSettings
from shared.storage.blob_keys import RETENTION

_ROOT = Path(__file__).parents[2]


class TimelineSettings(DatabaseSettings):
    """The settings of the timeline."""

    timeline_http_port: int = Field(
        8003,
        ge=1,
        le=65535,
        description="Port for the HTTP API, the pages, /metrics and the probes.",
    )
    timeline_database: str = Field(
        "satchel_timeline", description="Name of the timeline's database."
    )
    prefetch: int = Field(
        128, ge=1, description="Live mails in flight per replica. 128 is two batches of the writer."
    )
    quarantine_days: int = Field(
        30,
        ge=1,
        description="Days a quarantined mail waits for a user's decision before it is deleted.",
    )
    backfill_prefetch: int = Field(
        64,
        ge=1,
        description="Backfill mails in flight per replica, in addition to PREFETCH. Live mail goes "
        "first.",
    )
    dead_letter_days: int = Field(
        RETENTION.days,
        ge=1,
        le=RETENTION.days,  # a claim that its replay needs must be there as long
        description=f"Days a dead letter is kept before it is deleted; at most {RETENTION.days}.",
    )

    pages_folder: Path = Field(
        Path("frontend/dist"),
        description="Folder of the built pages, which are served under `/app/`. A relative path "
        "starts at the project's folder.",
    )
    embed_origins: str = Field(
        "",
        description="Origins whose pages may show Satchel's pages in a frame, separated by commas.",
    )

    sign_in_client_id: str = Field(
        "",
        description="Client id for sign-in at TOKEN_ISSUER by OpenID Connect (public client, code "
        "flow with PKCE). If empty, users need a token in the link.",
    )
    sign_in_scope: str = Field(
        "openid timeline:read timeline:write", description="Scopes that sign-in requests."
    )
    sign_in_resource: str = Field(
        "",
        description="The `resource` parameter (RFC 8707) that sign-in sends, for issuers that need "
        "one.",
    )
    sign_in_origins: str = Field(
        "",
        description="Origins of the issuer's token endpoint, separated by commas, if it is not on "
        "the issuer's own origin.",
    )

    remote_images: bool = Field(
        True,
        description="Let users load a mail's remote images. The timeline fetches them over HTTPS.",
    )

    @property
    def pages(self) -> Path:
        """Folder of the built pages."""
        return _ROOT / self.pages_folder

    @property
    def embedders(self) -> list[str]:
        """The origins that may show a page in a frame."""
        return _listed(self.embed_origins)

    @property
    def sign_in(self) -> SignIn | None:
        """How users of the pages sign in; None if they come with a token."""
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
