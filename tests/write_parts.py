"""The timeline's writes without a database: what keeps them, and captures in a few words."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne

from services.timeline.content.reader import ReadMail, read
from services.timeline.write.apply import Applied, apply
from services.timeline.write.committing import writes_of
from services.timeline.write.loading import first_queries, second_queries
from services.timeline.write.mail_rows import content_id
from services.timeline.write.projection import project
from services.timeline.write.records import (
    Capture,
    Hint,
    Kept,
    Mail,
    MailRow,
    MatchRecord,
    NamedAddress,
    Outcome,
    ProfileRow,
    RawMail,
    SummaryRow,
    Token,
    Verdict,
)
from services.timeline.write.requests import Answer, Attach, Confirm, Dismiss, Request
from services.timeline.write.state import ById, Draft, NotLoaded, OfConversation, Query, State
from services.timeline.write.stored import from_document
from shared.database import Document
from shared.events import (
    Authentication,
    AuthenticationVerdict,
    Direction,
    DismissalReason,
    Forwarded,
    Kind,
    MailAttached,
    MailConfirmation,
    MailDismissed,
    Match,
    Role,
)

K = TypeVar("K", bound=Kept)

ACCOUNT = "acme"
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FAILED, VERIFIED = AuthenticationVerdict.FAILED, AuthenticationVerdict.VERIFIED
_captures = itertools.count(1)


class Duplicate(Exception):
    """A document is inserted that is there."""


class Memory:
    """A database that is a dictionary: documents by collection, account and id."""

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
        before = deepcopy(self.documents)
        try:
            self.commit(applied.draft)
        except Duplicate:
            self.duplicates += 1
            self.documents = before
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
                for document in documents.values():
                    if all(document.get(field) == value for field, value in which.items()):
                        document |= new.get("$set", {})
                        for field in new.get("$unset", {}):
                            del document[field]
            case UpdateOne():
                tally = documents.setdefault(_key(which), {**which, **new["$setOnInsert"]})
                for name, difference in new["$inc"].items():
                    tally[name] = tally.get(name, 0) + difference
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


# Captures ------------------------------------------------------------------------------------


def match(
    person_id: str = "c1", role: Role = Role.TO, *, address: str = "", kind: Kind = Kind.CANDIDATE
) -> Match:
    """Return a match by an address of this profile."""
    address = address or f"{person_id}@mail.example"
    return Match(person_id=person_id, kind=kind, address=address, role=role)


def mail(
    message_id: str | None = "1@x",
    *,
    references: Iterable[str] = (),
    subject: str = "Hello",
    text: str = "The text.",
    to: str = "c1@mail.example",
    bcc: str = "",
    day: int = 15,
    sender: str = "user@team.example",
    headers: str = "",
) -> bytes:
    """Return a mail."""
    fields = [
        f"From: {sender}",
        f"To: {to}",
        f"Bcc: {bcc}" if bcc else "",
        f"Message-ID: <{message_id}>" if message_id else "",
        "References: " + " ".join(f"<{id_}>" for id_ in references) if references else "",
        f"Date: Thu, {day} Jan 2026 09:00:00 +0000",
        f"Subject: {subject}",
        headers,
    ]
    return ("\r\n".join(filter(None, fields)) + f"\r\n\r\n{text}\r\n").encode()


def bounce(of: str, message_id: str = "bounce@x", recipients: Sequence[str] = ("c1@x.y",)) -> bytes:
    """Return a mail that says that another could not be delivered."""
    failed = "\r\n".join(
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        for recipient in recipients
    )
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"{failed}\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{of}>\r\n"
        "From: user@team.example\r\n\r\n--b--"
    )
    return mail(
        message_id,
        sender="MAILER-DAEMON@mx.example",
        to="user@team.example",
        headers="MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=delivery-status; boundary=b",
        text=body,
    )


@lru_cache(maxsize=2000)
def _read(raw: bytes) -> ReadMail:
    return read(raw)


def a_capture_id() -> UUID:
    """Return the id of a new capture. They grow, as real ones do."""
    return UUID(int=next(_captures))


def attach(
    raw: bytes | None = None,
    *matches: Match,
    capture_id: UUID | None = None,
    owner: str = "u1",
    account: str = ACCOUNT,
    minutes: int = 0,
    part: int = 1,
    parts: int = 1,
    place: str = "",
    sent_by_owner: bool | None = None,
    backfill: bool = False,
    verdict: AuthenticationVerdict | None = None,
    may_wait: bool = False,
    is_released: bool = False,
    forwarded: Forwarded | None = None,
) -> Attach:
    """Return the request to show a mail that arrived so many minutes after NOW."""
    raw = mail() if raw is None else raw
    event = MailAttached(
        capture_id=capture_id or a_capture_id(),
        backfill=backfill,
        account=account,
        owner=owner,
        capture_address="a@in.satchel.test",
        received_at=NOW + timedelta(minutes=minutes),
        decided_at=NOW + timedelta(minutes=minutes),
        door="smtp",
        direction=Direction.OUTBOUND if sent_by_owner else Direction.INBOUND,
        sent_by_owner=sent_by_owner,
        matches=matches or (match(),),
        size=len(raw),
        authentication=Authentication(verdict=verdict) if verdict else None,
        forwarded=forwarded,
        place=place,
        part=part,
        parts=parts,
    )
    return Attach(
        event=event,
        projection=project(event, _read(raw), raw),
        raw=raw,
        may_wait=may_wait,
        is_released=is_released,
    )


def dismiss(
    capture_id: UUID | None = None,
    *,
    account: str = ACCOUNT,
    minutes: int = 0,
    reason: DismissalReason = DismissalReason.NO_MATCH,
    backfill: bool = False,
) -> Dismiss:
    """Return the request to record a dismissed capture."""
    return Dismiss(
        event=MailDismissed(
            capture_id=capture_id or a_capture_id(),
            account=account,
            reason=reason,
            received_at=NOW + timedelta(minutes=minutes),
            decided_at=NOW + timedelta(minutes=minutes),
            message_id_hash="0" * 32,
            backfill=backfill,
        )
    )


def confirm(
    capture_id: UUID | None = None,
    *,
    account: str = ACCOUNT,
    owner: str = "u1",
    backfill: bool = False,
) -> Confirm:
    """Return the request to keep a forwarding confirmation."""
    return Confirm(
        event=MailConfirmation(
            capture_id=capture_id or a_capture_id(),
            account=account,
            owner=owner,
            capture_address="a@in.satchel.test",
            received_at=NOW,
            decided_at=NOW,
            provider="gmail",
            requested_by="user@team.example",
            code="123",
            link="https://provider.example/yes",
            backfill=backfill,
        )
    )


# Records -------------------------------------------------------------------------------------


def match_record(
    number: int = 0,
    owner: str | None = None,
    *,
    role: str = "to",
    kind: str = "candidate",
    source: str = "header",
    shared_address: bool = False,
    person_id: str = "",
) -> MatchRecord:
    """Return a match: from the Bcc of the owner, where one is given. A profile has two numbers."""
    return MatchRecord(
        person_id=person_id or f"c{number // 2}",
        kind=kind,
        address=f"a{number}@x.example",
        role="bcc" if owner else role,
        source=source,
        shared_address=shared_address,
        bcc_owners=(owner,) if owner else (),
    )


def capture_record(
    number: int = 0,
    owner: str = "u1",
    content: str = "k0",
    minute: int = 0,
    matches: Iterable[MatchRecord] | None = None,
    bcc: Iterable[NamedAddress] = (),
    authentication: Verdict | None = None,
) -> Capture:
    """Return a capture that arrived in this minute."""
    at = NOW + timedelta(minutes=minute)
    return Capture(
        owner=owner,
        at=at,
        capture_id=f"{number:03}",
        place="",
        capture_address="a@in.satchel.test",
        door="smtp",
        direction="inbound",
        forwarded=None,
        content=content,
        said="",
        date=at,
        sort_date=at,
        matches=(match_record(),) if matches is None else tuple(matches),
        bcc=tuple(bcc),
        authentication=authentication,
    )


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
    ):
        documents = deepcopy([*memory.documents[name].values()])
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


def shown_content(row: MailRow) -> str:
    """Return the id of the content that a row shows."""
    return content_id(row.mail_id, row.content)
