"""Moments as the database keeps them."""

from datetime import datetime


def as_stored(moment: datetime) -> datetime:
    """Return the moment in whole milliseconds, which is what BSON keeps."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
