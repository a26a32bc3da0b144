"""The matcher's settings."""

from pydantic import Field

from shared.settings import CaptureSettings, DatabaseSettings


class MatcherSettings(CaptureSettings, DatabaseSettings):
    """Everything the matcher can be told."""

    matcher_http_port: int = Field(8002, description="Where the HTTP API is.")
    matcher_database: str = Field("satchel_matcher", description="The matcher's own database.")
    prefetch: int = Field(32, description="Deliveries in hand at a time.")
    backfill_prefetch: int = Field(4, description="Deliveries of old mail in hand, besides.")
