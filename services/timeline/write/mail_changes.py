"""The order in which an account's mails change, for who keeps a copy (decision 46).

Every commit that writes a mail or what is shown of it stamps the mail with `{slot, change}`, and so
does one that says where it is shown now (`admin/merged_mails.py`). The slot is that of the lane
that writes; `change` grows within an account and slot, and says when, in
microseconds since 1970: the clock, or one more than the last where the clock is not ahead of it.

    mail_changes   {_id: "<account>/<slot>", account, slot, last}

`last` is read and written in the transaction of the mails. So two writers of one slot conflict
there, and what has a higher number is visible later: who has read a slot up to a number never
misses what is before it. Between slots there is no order, and none is needed: a reader has a
position in each (`query/mail_changes.py`).
"""

import time
from collections import defaultdict
from collections.abc import Mapping

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.write.records import Content, Mail
from services.timeline.write.side_records import Held
from services.timeline.write.state import ById, Draft
from shared.storage.database import Database, Document

COUNTERS = "mail_changes"
MailKey = tuple[str, str]
"""An account and the id of one of its mails."""


def counter_id(account: str, slot: int) -> str:
    """Return the id of an account's counter in a slot."""
    return f"{account}/{slot}"


class Stamps:
    """Which mails a batch changes, the number of each, and the counters to write."""

    def __init__(
        self, slot: int, mails: Mapping[MailKey, int], others: Mapping[str, int] | None = None
    ) -> None:
        """`others` are numbers of accounts of which no mail changes."""
        self._slot, self._mails, self._others = slot, mails, others or {}

    def fields(self, key: MailKey) -> Document:
        """Return the fields of a mail that changes; none of one that does not."""
        change = self._mails.get(key)
        return {} if change is None else {"slot": self._slot, "change": change}

    def keys(self) -> set[MailKey]:
        """Return the mails that change."""
        return set(self._mails)

    def counters(self) -> list[ReplaceOne[Document]]:
        """Return the writes of the counters."""
        last = dict(self._others)
        for (account, _), change in self._mails.items():
            last[account] = max(change, last.get(account, 0))
        return [
            ReplaceOne(
                {"_id": counter_id(account, self._slot), "account": account},
                {"account": account, "slot": self._slot, "last": change},
                upsert=True,
            )
            for account, change in last.items()
        ]


NO_STAMPS = Stamps(0, {})


async def stamps_for(
    database: Database, draft: Draft, slot: int, session: AsyncClientSession
) -> Stamps:
    """Return the stamps of what a draft changes."""
    changed = changed_mails(draft)
    if not changed:
        return NO_STAMPS
    last = draft.state.last_changes
    if unknown := [account for account in changed if account not in last]:
        counters = database[COUNTERS].find(
            {
                "_id": {"$in": [counter_id(account, slot) for account in unknown]},
                "account": {"$in": unknown},
            },
            session=session,
        )
        last = last | {counter["account"]: counter["last"] async for counter in counters}
    mails: dict[MailKey, int] = {}
    others: dict[str, int] = {}
    for account, ids in changed.items():
        number = max(time.time_ns() // 1000, last.get(account, 0) + 1)
        if not ids:
            others[account] = number
        for id_ in ids:
            mails[account, id_] = number
            number += 1
    return Stamps(slot, mails, others)


def changed_mails(draft: Draft) -> dict[str, list[str]]:
    """Return the mails whose shown content a draft changes, by account; none of an account where
    only what waits for a yes changes. Pure.

    Its counter is written all the same: to erase a person meets every batch there (`erased.py`).
    """
    changed: dict[str, dict[str, None]] = defaultdict(dict)
    for query, record in draft.written.items():
        if record is None or record == draft.state.known(query):
            continue
        if isinstance(record, Mail):
            changed[record.account][record.id] = None
        elif isinstance(record, Content):
            changed[record.account][record.mail_id] = None
        elif isinstance(record, Held):
            _ = changed[record.account]
    for account, id_ in sorted(draft.stamped):
        changed[account][id_] = None
    return {
        account: [id_ for id_ in ids if _stays(draft, account, id_)]
        for account, ids in changed.items()
    }


def _stays(draft: Draft, account: str, id_: str) -> bool:
    return draft.written.get(ById(Mail, account, id_), draft) is not None
