"""ingest's settings."""

from pydantic import Field

from shared.settings import CaptureSettings


class IngestSettings(CaptureSettings):
    """Everything ingest can be told."""

    ingest_smtp_port: int = Field(2525, description="Where SMTP is spoken.")
    ingest_http_port: int = Field(8001, description="Where the HTTP API is.")
    max_mail_bytes: int = Field(
        30 * 1024 * 1024, description="The largest mail that is taken, in bytes."
    )
    max_bytes_in_hand: int = Field(
        384 * 1024 * 1024,
        description="Bytes of mail that all SMTP sessions may hold together; beyond: try again.",
    )
    smtp_timeout: float = Field(
        300.0,
        description="Seconds without a command or a piece of DATA until a session is closed.",
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
