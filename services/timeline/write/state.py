"""What a batch sees of the database, and what it changes of it. No I/O.

`State` is what was loaded, absence included. `Draft` lies over it: it reads through to the state
and keeps what `apply` writes. Whatever was not loaded raises `NotLoaded`, which says what to load:
so `apply` never decides on a guess, and only what it asks for is read.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Literal, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.records import RAW_IN_DATABASE_BYTES, Kept, RawMail, Token
from services.timeline.write.side_records import DroppedBlob, Hint, ReadMark

K = TypeVar("K", bound=Kept)
C = TypeVar("C", SummaryRow, ReadMark, MailRow)


class ById(Struct, frozen=True):
    """A document, by its account and id."""

    kind: type[Kept]
    account: str
    id: str


class OfConversation(Struct, frozen=True):
    """All documents of a kind that belong to a conversation; of an audience where one is named."""

    kind: type[SummaryRow | ReadMark | MailRow]
    account: str
    conversation: str
    audience: str | None = None


Query = ById | OfConversation


class NotLoaded(Exception):
    """Something must be loaded before the batch can be applied."""

    def __init__(self, *queries: Query) -> None:
        super().__init__(*queries)
        self.queries = queries


class State:
    """The loaded part of the database."""

    def __init__(self) -> None:
        self._found: dict[Query, Kept | tuple[Kept, ...] | None] = {}

        self.last_changes: dict[str, int] = {}
        """The last number of accounts in the writer's slot, as far as loaded; 0 if there is none
        (`mail_changes.py`)."""

        self.terms: dict[str, tuple[str, ...]] = {}
        """What contents are found by, by their ids. Dear to make, so kept while a batch is applied
        again with more loaded."""

    def __contains__(self, query: Query) -> bool:
        return query in self._found

    def add(self, query: ById, found: Kept | None) -> None:
        """Record a loaded document; None records its absence."""
        self._found[query] = found

    def assume_absent(self, query: ById) -> None:
        """Record that a document does not exist, because what it depends on does not."""
        self._found.setdefault(query, None)

    def add_all(self, query: OfConversation, found: tuple[Kept, ...]) -> None:
        """Note all that belongs to a conversation."""
        self._found[query] = found
        for record in found:
            if isinstance(record, MailRow):
                continue  # of these only what a summary needs is loaded
            self._found.setdefault(ById(type(record), record.account, record.id), record)

    def one(self, kind: type[K], account: str, id_: str) -> K | None:
        """Return the document, None when there is none. Raises NotLoaded."""
        query = ById(kind, account, id_)
        if query not in self._found:
            raise NotLoaded(query)
        return cast("K | None", self._found[query])

    def known(self, query: ById) -> Kept | Literal["unknown"] | None:
        """Return the document, None when there is none, "unknown" when it was not loaded."""
        return cast("Kept | None", self._found[query]) if query in self._found else "unknown"

    def all(self, query: OfConversation) -> tuple[Any, ...]:
        """Return all that belongs to a conversation. Raises NotLoaded."""
        if query not in self._found:
            raise NotLoaded(query)
        return cast("tuple[Any, ...]", self._found[query])


class TallyKey(Struct, frozen=True):
    """What is counted: captures of an account's day and owner, by what became of them."""

    account: str
    day: str
    owner: str
    counted_as: str


class HalfDayKey(Struct, frozen=True):
    """What a half of an owner's set-up caught on a day."""

    account: str
    owner: str
    half: str
    day: str


class Seen(Struct):
    """How much that is, and when the last of it came."""

    count: int
    last: datetime


class Draft:
    """A state, and the changes on top of it."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.written: dict[ById, Kept | None] = {}
        """None: deleted."""
        self.renamed: dict[tuple[str, str], str] = {}
        """Conversations that were merged into another, by account and id."""
        self.counted: Counter[TallyKey] = Counter()
        self.seen: dict[HalfDayKey, Seen] = {}
        self.forgotten_days: dict[tuple[str, str, str], str] = {}
        """Of an account, owner and half the first day that is remembered now."""
        self.stamped: set[tuple[str, str]] = set()
        """Mails that count as changed although they are not, by account and id."""
        self.hints: list[Hint] = []
        self.blobs: dict[str, bytes] = {}
        """Bytes for the blob store, by their keys: durable before the commit that names them."""

    def one(self, kind: type[K], account: str, id_: str) -> K | None:
        """Return a document as it is now, None when there is none. Raises NotLoaded."""
        query = ById(kind, account, id_)
        if query in self.written:
            return cast("K | None", self.written[query])
        found = self.state.one(kind, account, id_)
        return cast("K | None", self._renamed(found))

    def need(self, queries: Iterable[Query]) -> None:
        """Raise NotLoaded with all of the queries that were not loaded."""
        missing = [q for q in queries if q not in self.state and q not in self.written]
        if missing:
            raise NotLoaded(*missing)

    def many(self, kind: type[K], account: str, ids: Iterable[str]) -> dict[str, K | None]:
        """Return documents as they are now, by id. Raises NotLoaded for all that are missing."""
        ids = list(ids)
        self.need(ById(kind, account, id_) for id_ in ids)
        return {id_: self.one(kind, account, id_) for id_ in ids}

    def of_conversations(
        self, kind: type[C], account: str, names: Collection[str], audience: str | None = None
    ) -> list[C]:
        """Return all documents of a kind that belong to conversations now. Raises NotLoaded.

        That is what these had in the database, what those had that were merged into them, and what
        the batch has written; of one audience where it is named.
        """
        merged: list[str] = []
        for (of, old), new in self.renamed.items():
            if of == account and new in names:
                merged.append(old)
        queries = [OfConversation(kind, account, name, audience) for name in (*names, *merged)]
        self.need(queries)
        found: dict[ById, Kept | None] = {
            ById(kind, account, record.id): self._renamed(record)
            for query in queries
            for record in self.state.all(query)
        }
        found |= {q: r for q, r in self.written.items() if (q.kind, q.account) == (kind, account)}
        members = cast("Iterable[C | None]", found.values())
        return [
            record
            for record in members
            if record is not None
            and record.conversation in names
            and audience in (None, getattr(record, "audience", None))
        ]

    def put(self, record: Kept) -> None:
        """Write a document in the place of what has its id."""
        self.written[ById(type(record), record.account, record.id)] = record

    def see(self, key: HalfDayKey, at: datetime) -> None:
        """Count one more capture of a half, that came then."""
        seen = self.seen.setdefault(key, Seen(0, at))
        seen.count, seen.last = seen.count + 1, max(seen.last, at)

    def keep_raw(self, account: str, key: str, raw: bytes) -> None:
        """Keep the bytes of an attached mail: few with its documents, many in the blob store."""
        if len(raw) <= RAW_IN_DATABASE_BYTES:
            self.put(RawMail(id=key, account=account, raw=raw))
        else:
            self.blobs[key] = raw

    def drop_raw(self, account: str, key: str) -> None:
        """Delete the bytes under this key, wherever they are kept: no content will name them."""
        self.delete(RawMail, account, key)
        self.blobs.pop(key, None)
        self.put(DroppedBlob(id=key, account=account))

    def delete(self, kind: type[Kept], account: str, id_: str) -> None:
        """Delete a document."""
        self.written[ById(kind, account, id_)] = None

    def rename(self, account: str, conversation: str, new: str) -> None:
        """Let the tokens and mail rows of a conversation belong to another."""
        for key, target in self.renamed.items():
            if key[0] == account and target == conversation:
                self.renamed[key] = new
        self.renamed[account, conversation] = new
        for query, record in self.written.items():
            self.written[query] = self._renamed(record)

    def _renamed(self, record: Kept | None) -> Kept | None:
        if isinstance(record, Token | MailRow):
            new = self.renamed.get((record.account, record.conversation))
            if new is not None:
                return cast("Kept", replace(record, conversation=new))
        return record
