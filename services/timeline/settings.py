"""The timeline's settings."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from shared.blobs import RETENTION
from shared.settings import DatabaseSettings

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
        _ROOT / "frontend" / "dist", description="The built pages, served under `/app/`."
    )
    embed_origins: str = Field(
        "", description="Origins, by comma, whose pages may show Satchel's in a frame."
    )

    remote_images: bool = Field(
        True,
        description="Whether readers may load remote pictures; the timeline fetches them by https.",
    )

    @property
    def embedders(self) -> list[str]:
        """The origins that may show a page in a frame."""
        return [origin.strip() for origin in self.embed_origins.split(",") if origin.strip()]

    @property
    def dead_letters_kept(self) -> timedelta:
        """How long dead letters are kept."""
        return timedelta(days=self.dead_letter_days)
