"""The rows that are read: a mail as each audience (`audiences.py`) sees it.

* `mail_rows`: one per audience and mail: its conversation, its search terms, what lists need.
* `profile_mails`: one per audience, profile and mail.
* `conversations`: one per audience and conversation: its summary (`summary.py`), and `arrived`, a
  number that grows with every new mail: it tells what is unread. Backfill is not new: the number
  stays, and is 0 where there is nothing else.

Every page is one range of one index. All of a mail's rows are written in its one transaction.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any

from pymongo import ASCENDING, DESCENDING, DeleteOne, IndexModel, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.timeline.content.inline_data import searchable
from services.timeline.content.terms import terms_of
from services.timeline.write import summary
from services.timeline.write.audiences import Seen, profiles_by_audience, seen_by_audience
from services.timeline.write.conversations import Conversation
from services.timeline.write.read_marks import ReadMarks
from shared.database import BY_ID, Database, Document, Index, of_id, of_ids

MAX_PARTICIPANTS = 50
"""Of one mail, for the summary of its conversation."""
_NEWEST = [("date", DESCENDING), ("mail_id", DESCENDING)]


def _index(collection: str, name: str, *fields: str) -> Index:
    """Return an index led by account and audience; a minus makes a field descending."""
    keys = [(f.lstrip("-"), DESCENDING if f.startswith("-") else ASCENDING) for f in fields]
    return Index(collection, IndexModel([("account", ASCENDING), *keys], name=name))


INDEXES = (
    # query/mails.py: profile_timeline
    _index("profile_mails", "timeline", "viewer", "person_id", "-date", "-mail_id"),
    # query/mails.py: of_conversation; Rows._follow, Rows._make_anew
    _index("mail_rows", "of_thread", "viewer", "thread", "-date", "-mail_id"),
    # query/search.py: hits
    _index("mail_rows", "by_term", "viewer", "terms", "-date", "-mail_id"),
    # query/search.py: hits, when a query has dates only
    _index("mail_rows", "by_date", "viewer", "-date", "-mail_id"),
    # query/inbox.py: page
    _index("conversations", "inbox", "viewer", "-last_mail_at", "-thread"),
    # query/inbox.py: page with person_id
    _index("conversations", "of_person", "viewer", "persons.person_id", "-last_mail_at", "-thread"),
    # query/inbox.py: unread_page, unread_count
    _index("conversations", "arrivals", "viewer", "-arrived", "-thread"),
    # Rows._follow, Rows.are_all
    _index("conversations", "of_thread", "thread"),
)


class Rows:
    """Writes rows, within the transaction of a mail."""

    def __init__(self, database: Database) -> None:
        self._mails = database["mail_rows"]
        self._profiles = database["profile_mails"]
        self._conversations = database["conversations"]
        self._contents = database["contents"]
        self._read_marks = ReadMarks(database)

    async def write(
        self,
        mail: Document,
        before: Sequence[Document],
        contents: Mapping[str, Document],
        conversation: Conversation,
        session: AsyncClientSession,
        *,
        is_news: bool,
    ) -> set[str]:
        """Bring the rows of a mail up to date; return the audiences for which something changed.

        `before` are the mail's captures as the rows have them, `contents` those that are at hand.
        """
        await self._follow(mail["account"], conversation, session)
        seen = seen_by_audience(mail["captures"])
        known = await self._known(mail, seen_by_audience(before), session)
        contents = await self._contents_of(mail, seen, known, contents, session)
        rows = {
            audience: mail_row(mail, audience, conversation.name, view, contents[view.content])
            for audience, view in seen.items()
            if view.content in contents
        }
        changed = {r: row for r, row in rows.items() if row != known.get(r)}
        gone = known.keys() - seen.keys()
        writes: list[Any] = [
            ReplaceOne(of_id(row["account"], row["_id"]), row, upsert=True)
            for row in changed.values()
        ]
        writes += [DeleteOne(of_id(mail["account"], known[audience]["_id"])) for audience in gone]
        if writes:
            await self._mails.bulk_write(writes, session=session)
        await self._write_profiles(mail, before, seen, session)
        await self._write_conversations(
            mail, conversation, known, changed, gone, session, is_news=is_news
        )
        return {*changed, *gone}

    async def are_all(self, mail: Document, conversation: str, session: AsyncClientSession) -> bool:
        """Return whether a conversation has no mails but this one."""
        of_conversation = {"account": mail["account"], "thread": conversation}
        rows = self._conversations.find(of_conversation, {"mail_count": 1}, session=session)
        count = sum([row["mail_count"] async for row in rows])
        return bool(count <= len(seen_by_audience(mail["captures"])))

    async def _known(
        self, mail: Document, before: Mapping[str, Seen], session: AsyncClientSession
    ) -> dict[str, Document]:
        if not before:
            return {}
        ids = [_row_id(mail, audience) for audience in before]
        found = self._mails.find(of_ids(mail["account"], ids), session=session).hint(BY_ID)
        return {row["viewer"]: row async for row in found}

    async def _contents_of(
        self,
        mail: Document,
        seen: Mapping[str, Seen],
        known: Mapping[str, Document],
        contents: Mapping[str, Document],
        session: AsyncClientSession,
    ) -> dict[str, Document]:
        """Return the contents that the rows are made of; those at hand are not asked for."""
        missing = {view.content for view in seen.values()} - contents.keys()
        if not missing:
            return dict(contents)
        ids = [f"{mail['_id']}/{key}" for key in missing]
        found = self._contents.find(of_ids(mail["account"], ids), session=session).hint(BY_ID)
        return {**contents, **{c["_id"].partition("/")[2]: c async for c in found}}

    async def _write_profiles(
        self,
        mail: Document,
        before: Sequence[Document],
        seen: Mapping[str, Seen],
        session: AsyncClientSession,
    ) -> None:
        account = mail["account"]
        old = {(r, p) for r, persons in profiles_by_audience(before).items() for p in persons}
        writes: list[Any] = []
        for audience, persons in profiles_by_audience(mail["captures"]).items():
            # A profile that one owner alone may see beside others: dated as the owner has the mail.
            view = seen.get(audience) or seen[audience.removeprefix("!")]
            for person_id in persons:
                old.discard((audience, person_id))
                writes.append(
                    UpdateOne(
                        of_id(account, _profile_row_id(mail, audience, person_id)),
                        {
                            "$set": {"date": view.date},
                            "$setOnInsert": {
                                "viewer": audience,
                                "person_id": person_id,
                                "mail_id": mail["_id"],
                            },
                        },
                        upsert=True,
                    )
                )
        gone = [_profile_row_id(mail, audience, person_id) for audience, person_id in sorted(old)]
        writes += [DeleteOne(of_id(account, id_)) for id_ in gone]
        if writes:
            await self._profiles.bulk_write(writes, session=session)

    async def _write_conversations(
        self,
        mail: Document,
        conversation: Conversation,
        known: Mapping[str, Document],
        changed: Mapping[str, Document],
        gone: Collection[str],
        session: AsyncClientSession,
        *,
        is_news: bool,
    ) -> None:
        account = mail["account"]
        ids = {r: _conversation_row_id(account, r, conversation.name) for r in {*changed, *gone}}
        if not ids:
            return
        of_rows = of_ids(account, ids.values())
        found = self._conversations.find(of_rows, session=session).hint(BY_ID)
        old = {row["viewer"]: row async for row in found}
        writes: list[Any] = []
        for audience, id_ in ids.items():
            had, row, was = old.get(audience), changed.get(audience), known.get(audience)
            new: Document | None
            if row is not None and had is None:
                new = summary.summary_of(row)
            elif row is not None and had is not None and was is None:
                new = summary.joined(had, summary.summary_of(row))
            else:
                new = summary.changed(had, was, row) if had and was and row else None
                new = new or await self._make_anew(account, audience, conversation.name, session)
            if new is None:
                writes.append(DeleteOne(of_id(account, id_)))
                continue
            arrived = had["arrived"] if had else 0
            if was is None and is_news:
                arrived = max(arrived + 1, time.time_ns() // 1_000_000)
            fields = {"account": account, "viewer": audience, "thread": conversation.name}
            about = {**fields, "arrived": arrived, **new}
            which = of_id(account, id_)
            writes.append(ReplaceOne(which, {"_id": id_, **about}, upsert=True))
        await self._conversations.bulk_write(writes, session=session)

    async def _make_anew(
        self, account: str, audience: str, conversation: str, session: AsyncClientSession
    ) -> Document | None:
        of_conversation = {"account": account, "viewer": audience, "thread": conversation}
        rows = await self._mails.find(of_conversation, {"terms": 0}, session=session).to_list()
        return reduce(summary.joined, map(summary.summary_of, rows)) if rows else None

    async def _follow(
        self, account: str, conversation: Conversation, session: AsyncClientSession
    ) -> None:
        """Move the rows of conversations that were merged into this one."""
        if not conversation.merged:
            return
        of_account = {"account": account}
        names = [conversation.name, *conversation.merged]
        of_conversations = {**of_account, "thread": {"$in": names}}
        rows = await self._conversations.find(of_conversations, session=session).to_list()
        by_audience: dict[str, list[Document]] = {}
        for row in sorted(rows, key=lambda row: row["thread"] != conversation.name):
            by_audience.setdefault(row["viewer"], []).append(row)
        writes: list[Any] = [DeleteOne(of_id(account, row["_id"])) for row in rows]
        for audience, parts in by_audience.items():
            id_ = _conversation_row_id(account, audience, conversation.name)
            fields = {"_id": id_, **of_account, "viewer": audience, "thread": conversation.name}
            arrived = max(part["arrived"] for part in parts)
            joined = reduce(summary.joined, parts)
            new = {"arrived": arrived, **{key: joined[key] for key in summary.FIELDS}}
            writes.append(ReplaceOne(of_id(account, id_), {**fields, **new}, upsert=True))
        if writes:
            await self._read_marks.follow(account, conversation.name, rows, session)
            await self._conversations.bulk_write(writes, session=session)
            merged = {**of_account, "viewer": {"$in": list(by_audience)}}
            merged["thread"] = {"$in": list(conversation.merged)}
            renamed = {"$set": {"thread": conversation.name}}
            await self._mails.update_many(merged, renamed, session=session)


def mail_row(
    mail: Document, audience: str, conversation: str, seen: Seen, content: Document
) -> Document:
    """Return the row of a mail for an audience."""
    people = [entry for entry in content["participants"] if entry["role"] != "reply_to"]
    named = {entry["address"].lower(): entry for entry in reversed(people)}
    first = [named[key] for key in dict.fromkeys(p["address"].lower() for p in people)]
    return {
        "_id": _row_id(mail, audience),
        "account": mail["account"],
        "viewer": audience,
        "mail_id": mail["_id"],
        "thread": conversation,
        "date": seen.date,
        "content": seen.content,
        "subject": content["subject"],
        "snippet": content["snippet"],
        "has_attachments": bool(content["attachments"]),
        "participants": [
            {"name": entry["name"], "address": entry["address"]}
            for entry in first[:MAX_PARTICIPANTS]
        ],
        "persons": [{"person_id": id_, "kind": kind} for id_, kind in seen.persons],
        "terms": terms_of(
            subject=content["subject"],
            text=searchable(content["text"]),
            sender=[(p["name"], p["address"]) for p in people if p["role"] in ("from", "sender")],
            recipients=[(p["name"], p["address"]) for p in people if p["role"] in ("to", "cc")],
            attachments=[attachment["filename"] for attachment in content["attachments"]],
            is_whole=not content["incomplete"],
        ),
    }


def _row_id(mail: Document, audience: str) -> str:
    return f"{mail['account']}/{audience}/{mail['_id']}"


def _profile_row_id(mail: Document, audience: str, person_id: str) -> str:
    return f"{mail['account']}/{audience}/{person_id}/{mail['_id']}"


def _conversation_row_id(account: str, audience: str, conversation: str) -> str:
    return f"{account}/{audience}/{conversation}"
