"""An account's own settings.

`settings`: `{_id: <account>, account, visibility, quarantine, quarantine_forwards}`. Read with
every request and every mail that may have to wait, so a change counts from the next one, in every
replica.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from pymongo.errors import DuplicateKeyError

from services.timeline.write.authentication import Quarantined, WhatWaits
from shared.storage.database import Database, Document

Visibility = Literal["team", "owner"]
_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {"visibility": "team", "quarantine": "off", "quarantine_forwards": False}
)


class AccountSettings:
    """The settings of all accounts."""

    def __init__(self, database: Database) -> None:
        self._settings = database["settings"]

    async def visibility(self, account: str) -> Visibility:
        """Return who sees a mail: the team, or only users whose capture address received it."""
        found = await self._settings.find_one({"_id": account})
        return "owner" if found and found.get("visibility") == "owner" else "team"

    async def set_visibility(self, account: str, visibility: Visibility) -> None:
        """Change the visibility."""
        await self._settings.update_one(
            {"_id": account, "account": account},
            {"$set": {"visibility": visibility}},
            upsert=True,
        )

    async def replace(
        self,
        account: str,
        given: Mapping[str, object],
        expected: Mapping[str, object] | None = None,
    ) -> bool:
        """Change the given settings in one write; None leaves a setting as it is.

        Return False, and change nothing, if the settings are not as expected.
        """
        change = {name: value for name, value in given.items() if value is not None}
        which: Document = {"_id": account, "account": account}
        for name, value in (expected or {}).items():  # what was never set is not stored
            which[name] = {"$in": [value, None] if value == _DEFAULTS[name] else [value]}
        try:
            await self._settings.update_one(which, {"$set": change}, upsert=True)
        except DuplicateKeyError:
            if expected is None:
                raise
            return False
        return True

    async def quarantine(self, account: str) -> WhatWaits:
        """Return which mail is quarantined."""
        return (await self.quarantined(account)).what

    async def quarantined(self, account: str) -> Quarantined:
        """Return which mail is quarantined, including forwards."""
        found = await self._settings.find_one({"_id": account}) or {}
        known: dict[object, WhatWaits] = {word: word for word in get_args(WhatWaits)}
        return Quarantined(
            what=known.get(found.get("quarantine"), "off"),
            forwards=found.get("quarantine_forwards") is True,
        )

    async def set_quarantine(
        self, account: str, what_waits: WhatWaits | None = None, *, forwards: bool | None = None
    ) -> None:
        """Change which mail is quarantined. Mail that already waits stays."""
        given = {"quarantine": what_waits, "quarantine_forwards": forwards}
        change = {name: value for name, value in given.items() if value is not None}
        if change:
            await self._settings.update_one(
                {"_id": account, "account": account}, {"$set": change}, upsert=True
            )
