"""The timeline's writes without a database: a dictionary keeps them, and tests read it."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from services.timeline.write.apply import Applied, apply
from services.timeline.write.committing import writes_of
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.needed import first_queries, second_queries
from services.timeline.write.records import Kept, Mail, Outcome, RawMail, Token
from services.timeline.write.requests import Answer, Request
from services.timeline.write.side_records import Hint
from services.timeline.write.state import ById, Draft, NotLoaded, OfConversation, Query, State
from services.timeline.write.stored import from_document
from shared.storage.database import Document
from tests.write_parts import ACCOUNT, NOW

K = TypeVar("K", bound=Kept)


class Duplicate(Exception):
    """A document is inserted that is there."""


class Memory:
    """A database that is a dictionary: documents by collection, account and id.

    A document is replaced, never changed, so that copies may share it.
    """

    def __init__(self, *, is_asked_ahead: bool = True, seed: int = 0) -> None:
        self.documents: dict[str, dict[tuple[str, str], Document]] = defaultdict(dict)
        self.hints: list[Hint] = []
        self.blobs: dict[str, bytes] = {}
        self.duplicates = 0
        """How often what was inserted was there, so that the batch was repeated."""
        self.writes: Counter[str] = Counter()
        """How many writes each collection has had."""
        self.loads = 0
        """How often `apply` lacked something in the last batch."""
        self._is_asked_ahead = is_asked_ahead
        self._chance = random.Random(seed)
        self._now = NOW

    def write(self, *requests: Request, now: datetime | None = None) -> tuple[Answer, ...]:
        """Write a batch as the writer does; return the answers."""
        self._now = now or self._now + timedelta(seconds=1)
        applied = self.apply(requests, self._now)
        before = {name: dict(found) for name, found in self.documents.items()}
        try:
            self.commit(applied.draft)
        except Duplicate:
            self.duplicates += 1
            self.documents = defaultdict(dict, before)
            self.commit(applied.draft, upsert=True)
        self.blobs |= applied.draft.blobs
        return applied.answers

    def apply(self, requests: Sequence[Request], now: datetime = NOW) -> Applied:
        """Load what a batch needs, and apply it."""
        state = State()
        self.loads = 0
        if self._is_asked_ahead:
            self.load(state, first_queries(requests))
            self.load(state, second_queries(state, requests))
        while True:
            try:
                return apply(state, requests, now)
            except NotLoaded as missing:
                self.load(state, missing.queries)
                self.loads += 1

    def load(self, state: State, queries: Iterable[Query]) -> None:
        """Add what these queries find to the state."""
        for query in dict.fromkeys(queries):
            if query in state:
                continue
            if isinstance(query, ById):
                state.add(query, self.one(query.kind, query.id, query.account))
            else:
                state.add_all(query, tuple(self._of_conversation(query)))

    def _of_conversation(self, query: OfConversation) -> list[Any]:
        found: list[Any] = []
        for (account, _), document in self.documents[query.kind.collection].items():
            if (account, document["thread"]) != (query.account, query.conversation):
                continue
            if query.audience is not None and document["viewer"] != query.audience:
                continue
            if query.kind is MailRow:
                document = {k: v for k, v in document.items() if k != "terms"}
            found.append(from_document(query.kind, document))
        return found

    def commit(self, draft: Draft, *, upsert: bool = False) -> None:
        """Do the writes of a draft. Those of one collection have no order."""
        for collection, writes in writes_of(draft, slot=0, upsert=upsert).items():
            self.writes[collection] += len(writes)
            self._chance.shuffle(writes)
            for write in writes:
                self._do(collection, write)

    def _do(self, collection: str, write: Any) -> None:
        documents = self.documents[collection]
        which: Document = getattr(write, "_filter", {})
        new: Any = getattr(write, "_doc", None)
        match write:
            case InsertOne() if collection == Hint.collection:
                self.hints.append(from_document(Hint, new))
            case InsertOne():
                if _key(new) in documents:
                    raise Duplicate(collection, new["_id"])
                documents[_key(new)] = dict(new)
            case ReplaceOne():
                assert _key(which) == _key(new)
                if write._upsert or _key(new) in documents:
                    documents[_key(new)] = dict(new)
            case DeleteOne():
                documents.pop(_key(which), None)
            case UpdateMany():
                for key, document in documents.items():
                    if all(document.get(field) == value for field, value in which.items()):
                        new_one = document | new.get("$set", {})
                        gone = new.get("$unset", {}).keys()
                        documents[key] = {k: v for k, v in new_one.items() if k not in gone}
            case UpdateOne():
                tally = documents.get(_key(which), {**which, **new["$setOnInsert"]})
                counts = {name: tally.get(name, 0) + more for name, more in new["$inc"].items()}
                last = {k: max(tally.get(k, v), v) for k, v in new.get("$max", {}).items()}
                documents[_key(which)] = tally | counts | last
            case DeleteMany():
                before = which["day"]["$lt"]
                rest = {name: value for name, value in which.items() if name != "day"}
                for key, document in [*documents.items()]:
                    is_meant = all(document[name] == value for name, value in rest.items())
                    if is_meant and document["day"] < before:
                        del documents[key]
            case _:
                raise AssertionError(write)

    def one(self, kind: type[K], id_: str, account: str = ACCOUNT) -> K | None:
        """Return a record, None when there is none."""
        document = self.documents[kind.collection].get((account, id_))
        return from_document(kind, document) if document is not None else None

    def all(self, kind: type[K], **wanted: object) -> list[K]:
        """Return the records of a kind that have these values, in the order of their ids."""
        found = self.documents[kind.collection]
        records = [from_document(kind, found[key]) for key in sorted(found)]
        return [r for r in records if all(getattr(r, k) == v for k, v in wanted.items())]

    def raws(self) -> dict[str, bytes]:
        """Return all raw bytes by their keys, wherever they are kept."""
        return self.blobs | {one.id: one.raw for one in self.all(RawMail)}

    def tallies(self) -> dict[tuple[str, str, str, str], int]:
        """Return what is counted, by account, day, owner and name, without what is 0."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for document in self.documents["tallies"].values():
            for name, count in document.items():
                if name not in ("_id", "account", "day", "owner"):
                    found[document["account"], document["day"], document["owner"], name] += count
        return {key: count for key, count in found.items() if count}

    def conversation_of(self, token: str, account: str = ACCOUNT) -> str | None:
        """Return the id of the conversation that a token is in."""
        found = self.one(Token, f"{account}/{token}", account)
        return found.conversation if found else None

    def row(self, audience: str, mail_id: str, account: str = ACCOUNT) -> MailRow | None:
        """Return a mail's row in an audience."""
        return self.one(MailRow, f"{account}/{audience}/{mail_id}", account)

    def summary(self, audience: str, conversation: str | None = None) -> SummaryRow:
        """Return a conversation's row in an audience: the only one, where none is named."""
        wanted = {"conversation": conversation} if conversation else {}
        [found] = self.all(SummaryRow, audience=audience, **wanted)
        return found

    def decision(self, capture_id: UUID) -> tuple[str, str | None]:
        """Return what became of a capture, and why."""
        [found] = self.all(Outcome, id=str(capture_id))
        return found.decision, found.reason


def _key(document: Document) -> tuple[str, str]:
    return document["account"], document["_id"]


# What is kept, without what depends on the order ---------------------------------------------

_OF_RAW = {"raw_key", "raw_of", "size", "read_at"}
"""Of contents that are equal, the bytes of either are kept."""


def canonical_names(memory: Memory) -> dict[tuple[str, str], str]:
    """Return for each conversation the least of its tokens, by account and name."""
    least: dict[tuple[str, str], str] = {}
    for token in memory.all(Token):
        key, id_ = (token.account, token.conversation), token.id.partition("/")[2]
        least[key] = min(id_, least.get(key, id_))
    return least


def kept(memory: Memory) -> dict[str, list[Document]]:
    """Return all that is kept, by collection, without what says only what was written first."""
    names = canonical_names(memory)
    found: dict[str, list[Document]] = {}
    for name in (
        *("mails", "contents", "tokens", "threads", "mail_rows", "profile_mails"),
        *("conversations", "outcomes", "bounces", "quarantine", "confirmations"),
        *("setups", "half_days", "watched"),
    ):
        documents = [dict(document) for document in memory.documents[name].values()]
        for document in documents:
            for field in _OF_RAW & document.keys() if name == "contents" else ():
                del document[field]
            if "thread" in document:
                document["thread"] = names[document["account"], document["thread"]]
            if name == "conversations":
                document["_id"] = document["_id"].rpartition("/")[0]
                del document["arrived"]
            if name == "mail_rows":
                document.pop("arrived", None)
                document.pop("arrived_before", None)
            if name == "threads":
                document["_id"] = names[document["account"], document["_id"].partition("/")[2]]
                document.pop("joined", None)
            if name == "outcomes":
                document["parts"] = sorted(document.get("parts", ()))
            if name == "quarantine":
                document["ranges"] = sorted(document["ranges"])
                document["mails"] = sorted(document["mails"], key=lambda one: one["part"])
        found[name] = sorted(documents, key=lambda one: (one["account"], one["_id"], repr(one)))
    return found


def written(*requests: Request) -> Memory:
    """Return a timeline in which these were written one by one."""
    memory = Memory()
    for request in requests:
        memory.write(request)
    return memory


def the_mail(memory: Memory) -> str:
    """Return the id of the only mail."""
    [one] = memory.all(Mail)
    return one.id


def mails_by_conversation(memory: Memory) -> set[frozenset[tuple[str, str]]]:
    """Return which mails belong together, by account and id."""
    groups: dict[tuple[str, str | None], set[tuple[str, str]]] = defaultdict(set)
    for one in memory.all(Mail):
        conversation = memory.conversation_of(one.token, one.account)
        groups[one.account, conversation].add((one.account, one.id))
    return {frozenset(group) for group in groups.values()}


def profiles_of(memory: Memory, audience: str, account: str = ACCOUNT) -> set[tuple[str, str]]:
    """Return which profiles have which mails, as an audience has it."""
    rows = memory.all(ProfileRow, audience=audience, account=account)
    return {(row.person_id, row.mail_id) for row in rows}
