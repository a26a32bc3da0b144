"""The matcher's settings."""

from pydantic import Field

from shared.settings import CaptureSettings


class MatcherSettings(CaptureSettings):
    """Everything the matcher can be told."""

    matcher_http_port: int = Field(8002, description="Where the HTTP API is.")
    mongodb_url: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=rs0", description="The database; a replica set."
    )
    matcher_database: str = Field("satchel_matcher", description="The matcher's own database.")
    prefetch: int = Field(32, description="Captures in hand at a time.")
