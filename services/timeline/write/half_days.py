"""Counts captures per half and day, and deletes days that the rhythm no longer needs.

As with the tallies, a slot per writer keeps concurrent writers apart.
"""

from pymongo import DeleteMany, UpdateOne

from services.timeline.write.state import Draft


def half_day_writes(draft: Draft, slot: int) -> list[UpdateOne | DeleteMany]:
    """Return the writes to the collection of `HalfDay`."""
    counted = [
        UpdateOne(
            {
                "_id": f"{key.account}/{key.owner}/{key.half}/{key.day}/{slot}",
                "account": key.account,
            },
            {
                "$inc": {"count": seen.count},
                "$max": {"last": seen.last},
                "$setOnInsert": {"owner": key.owner, "half": key.half, "day": key.day},
            },
            upsert=True,
        )
        for key, seen in draft.seen.items()
    ]
    forgotten = [
        DeleteMany({"account": account, "owner": owner, "half": half, "day": {"$lt": first}})
        for (account, owner, half), first in draft.forgotten_days.items()
    ]
    return [*counted, *forgotten]
