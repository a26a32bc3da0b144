"""An account's own settings.

`settings`: `{_id: <account>, account, visibility}`. Read with every request, so a change counts
from the next one, in every replica.
"""

from typing import Literal

from services.timeline.viewers import Viewer
from shared.auth import Caller
from shared.database import Database

Visibility = Literal["team", "owner"]


class AccountSettings:
    """The settings of all accounts."""

    def __init__(self, database: Database) -> None:
        self._settings = database["settings"]

    async def visibility(self, account: str) -> Visibility:
        """Return who sees a mail: the team, or only those whose capture address caught it."""
        found = await self._settings.find_one({"_id": account})
        return "owner" if found and found["visibility"] == "owner" else "team"

    async def set_visibility(self, account: str, visibility: Visibility) -> None:
        """Change it."""
        await self._settings.update_one(
            {"_id": account, "account": account},
            {"$set": {"visibility": visibility}},
            upsert=True,
        )

    async def viewer(self, caller: Caller, *, own_only: bool = False) -> Viewer:
        """Return what a caller may see."""
        own_only = own_only or await self.visibility(caller.account) == "owner"
        return Viewer(caller.account, caller.person_id, own_only)
