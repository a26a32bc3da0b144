"""`/v1/stats`: what became of the captures, day by day."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.timeline.admin.stats import Stats
from services.timeline.query.viewer import viewer_of
from services.timeline.write.account_settings import AccountSettings
from shared.http.auth import Caller
from shared.http.web import allowed, invalid_field

MAX_DAYS = 366
DEFAULT_DAYS = 30


class DayOut(BaseModel):
    """What became of the captures of one day (UTC)."""

    day: str
    attached: int
    dismissed: dict[str, int] = Field(description="Number of dismissed captures by reason")
    confirmations: int = Field(
        description="Number of forwarding confirmations, which only their owner sees"
    )
    quarantined: int = Field(description="Number of captures still in quarantine")


class StatsOut(BaseModel):
    """Days with captures, oldest first."""

    days: list[DayOut]


def stats_routes(tallies: Stats, settings: AccountSettings) -> APIRouter:
    """Return the routes of the tallies."""
    router = APIRouter(tags=["stats"])

    @router.get("/v1/stats")
    async def get_capture_stats(
        caller: Annotated[Caller, allowed("timeline:read")],
        first: Annotated[date | None, Query(alias="from", description="UTC day, inclusive")] = None,
        last: Annotated[date | None, Query(alias="to", description="UTC day, inclusive")] = None,
    ) -> StatsOut:
        """Return the captures of each day, attached and dismissed by reason; 30 days by default.

        With the visibility `owner` only the caller's own captures count, and dismissed ones are
        left out.
        """
        last = last or datetime.now(UTC).date()
        if first is None:
            first = last - min(timedelta(days=DEFAULT_DAYS - 1), last - date.min)
        if not timedelta(0) <= last - first < timedelta(days=MAX_DAYS):
            raise invalid_field("from", f"must be at most {MAX_DAYS} days before `to`")
        own_only = (await viewer_of(settings, caller)).own_only
        owner = caller.person_id if own_only else None
        days = await tallies.days(caller.account, first, last, owner)
        return StatsOut(days=[DayOut(**asdict(day)) for day in days])

    return router
