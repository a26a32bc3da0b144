"""What `bench.pages` asks the timeline for: every view, with frequent and rare things in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pymongo import DESCENDING
from pymongo.database import Database

from bench.mailbox import ACCOUNT, PROFILES, profile_id, vocabulary
from services.timeline.query.cursors import write_cursor
from services.timeline.write.identity import token
from shared.storage.database import Document

READ_ONE_BY_ONE = 1900
"""Conversations that `u9` has marked as read, the latest ones."""
LEFT_UNREAD = 100
"""Conversations that have come since `u2` read everything."""


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of one kind, sent in turn."""

    name: str
    paths: Sequence[str]
    person: str = "u1"
    method: str = "GET"
    visibility: str = "team"


def prepare(database: Database[Document]) -> None:
    """Let two users have read something: `u2` all but the latest, `u9` many, one by one."""
    latest = list(
        database["conversations"]
        .find({"account": ACCOUNT, "viewer": "*"}, {"thread": 1, "arrived": 1})
        .sort([("arrived", DESCENDING), ("thread", DESCENDING)])
        .limit(READ_ONE_BY_ONE)
    )
    for name in ("readers", "read_marks"):
        database[name].delete_many({})
    before = latest[min(LEFT_UNREAD, len(latest) - 1)]["arrived"]
    database["readers"].insert_one(
        {"_id": f"{ACCOUNT}/u2", "account": ACCOUNT, "read_before": before}
    )
    database["read_marks"].insert_many(
        {
            "_id": f"{ACCOUNT}/u9/{row['thread']}",
            "account": ACCOUNT,
            "user": "u9",
            "thread": row["thread"],
            "through": row["arrived"],
            "unread": False,
        }
        for row in latest
    )


def all_requests(database: Database[Document]) -> list[Requests]:
    """Return what is asked for in this mailbox."""
    words = vocabulary()
    common, second = words[0], words[1]
    rare = next(word for word in reversed(words) if _some(database, "mail_rows", terms=word))
    people = (profile_id(number) for number in reversed(range(PROFILES)))
    rare_profile = next(id_ for id_ in people if _some(database, "profile_mails", person_id=id_))
    frequent = profile_id(0)
    long = token(ACCOUNT, "0.0@mail.bench.example")
    deep = _middle(database, "conversations", "last_mail_at", "thread")
    deep_word = _middle(database, "mail_rows", "date", "mail_id", terms=common)
    deep_profile = _middle(database, "profile_mails", "date", "mail_id", person_id=frequent)
    conversations = _sample(database, "conversations", {"viewer": "*", "mail_count": {"$lte": 10}})
    mails = _sample(database, "mail_rows", {"viewer": "*"})
    short = [f"/v1/conversations/{conversation}" for conversation in conversations]
    timeline = f"/v1/profiles/{frequent}/timeline"
    return [
        Requests("inbox", ["/v1/inbox"]),
        Requests("inbox, from the middle", [_inbox(cursor=deep)]),
        Requests("inbox, `owner=me`", [_inbox(owner="me")]),
        Requests("inbox, `person_id` frequent", [_inbox(person_id=frequent)]),
        Requests("inbox, `person_id` rare", [_inbox(person_id=rare_profile)]),
        Requests("`unread`, nothing read", [_inbox(unread="true")]),
        Requests(f"`unread`, all but {LEFT_UNREAD} read", [_inbox(unread="true")], "u2"),
        Requests(f"`unread`, {READ_ONE_BY_ONE:,} read singly", [_inbox(unread="true")], "u9"),
        Requests("`q` rare word", [_inbox(q=f'"{rare}"')]),
        Requests("`q` common word", [_inbox(q=f'"{common}"')]),
        Requests("`q` common word, from the middle", [_inbox(q=f'"{common}"', cursor=deep_word)]),
        Requests("`q` two common words", [_inbox(q=f'"{common}" "{second}"')]),
        Requests("`q` common and rare word", [_inbox(q=f'"{common}" "{rare}"')]),
        Requests("`q` prefix of three letters", [_inbox(q=f"{common[:3]}*")]),
        Requests("`q` prefix of one letter", [_inbox(q=f"{common[:1]}*")]),
        Requests("`q` phrase", [_inbox(q=f'"{common} {second}"')]),
        Requests(
            "`q` phrase that is nowhere", [_inbox(q=f'"{common} {common} {common} {second}"')]
        ),
        Requests("`q` `from:` a user", [_inbox(q="from:anna.berg@agency.example")]),
        Requests("`q` `has:attachment`", [_inbox(q="has:attachment")]),
        Requests("`q` `after:` `before:`", [_inbox(q=f"after:{_year(-2)} before:{_year(-1)}")]),
        Requests("`q` common word `before:`", [_inbox(q=f"{common} before:{_year(-1)}")]),
        Requests("conversation, up to 10 mails", short),
        Requests("conversation, the longest", [f"/v1/conversations/{long}"]),
        Requests("PUT conversation read", [f"{path}/read" for path in short], "u8", "PUT"),
        Requests("PUT conversation unread", [f"{path}/unread" for path in short], "u8", "PUT"),
        Requests("profile, frequent", [timeline]),
        Requests("profile, frequent, from the middle", [f"{timeline}?cursor={deep_profile}"]),
        Requests("profile, rare", [f"/v1/profiles/{rare_profile}/timeline"]),
        Requests("mail", [f"/v1/mails/{mail}" for mail in mails]),
        Requests("unread count, nothing read", ["/v1/inbox/unread"]),
        Requests(f"unread count, all but {LEFT_UNREAD} read", ["/v1/inbox/unread"], "u2"),
        Requests("stats, 30 days", ["/v1/stats"]),
        Requests("inbox, visibility `owner`", ["/v1/inbox"], visibility="owner"),
        Requests("profile, frequent, visibility `owner`", [timeline], visibility="owner"),
        Requests("`q` common word, visibility `owner`", [_inbox(q=common)], visibility="owner"),
    ]


def _inbox(**query: str) -> str:
    return f"/v1/inbox?{urlencode(query)}"


def _year(ago: int) -> int:
    return datetime.now(UTC).year + ago


def _some(database: Database[Document], collection: str, **which: str) -> bool:
    query = {"account": ACCOUNT, "viewer": "*", **which}
    return database[collection].find_one(query) is not None


def _middle(
    database: Database[Document], collection: str, date: str, id_: str, **which: Any
) -> str:
    """Return the cursor of the middle of a list."""
    query = {"account": ACCOUNT, "viewer": "*", **which}
    count = database[collection].count_documents(query)
    newest = [(date, DESCENDING), (id_, DESCENDING)]
    [row] = database[collection].find(query).sort(newest).skip(count // 2).limit(1)
    return write_cursor((row[date], row[id_]))


def _sample(database: Database[Document], collection: str, which: Document) -> list[str]:
    stages: list[Document] = [{"$match": which}, {"$limit": 20_000}, {"$sample": {"size": 100}}]
    return [row["_id"].rpartition("/")[2] for row in database[collection].aggregate(stages)]
