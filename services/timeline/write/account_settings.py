"""An account's own settings.

`settings`: `{_id: <account>, account, visibility, quarantine}`. Read with every request and every
mail that has failed, so a change counts from the next one, in every replica.
"""

from typing import Literal

from shared.database import Database

Visibility = Literal["team", "owner"]
WhatWaits = Literal["off", "failed"]


class AccountSettings:
    """The settings of all accounts."""

    def __init__(self, database: Database) -> None:
        self._settings = database["settings"]

    async def visibility(self, account: str) -> Visibility:
        """Return who sees a mail: the team, or only those whose capture address caught it."""
        found = await self._settings.find_one({"_id": account})
        return "owner" if found and found.get("visibility") == "owner" else "team"

    async def set_visibility(self, account: str, visibility: Visibility) -> None:
        """Change it."""
        await self._settings.update_one(
            {"_id": account, "account": account},
            {"$set": {"visibility": visibility}},
            upsert=True,
        )

    async def quarantine(self, account: str) -> WhatWaits:
        """Return which mail waits for a user's yes."""
        found = await self._settings.find_one({"_id": account})
        return "failed" if found and found.get("quarantine") == "failed" else "off"

    async def set_quarantine(self, account: str, what_waits: WhatWaits) -> None:
        """Change it. What waits already goes on waiting."""
        await self._settings.update_one(
            {"_id": account, "account": account},
            {"$set": {"quarantine": what_waits}},
            upsert=True,
        )
