"""Captures, rulings, hand-overs and reviews in any order: what a rebuild from scratch gives.

The truth is a model of what was captured and ruled, and a rebuild that saw each capture once, then
the deletions, then the rulings that count.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.content.reader import read
from services.timeline.write.audiences import TEAM, as_ruled, profile_dates, views
from services.timeline.write.conversations import summary_in
from services.timeline.write.forgetting import common_bytes, shared_contents
from services.timeline.write.listed_records import MailRow, ProfileRef, SummaryRow
from services.timeline.write.mail_rows import content_id
from services.timeline.write.projection import project
from services.timeline.write.recording import part_of
from services.timeline.write.records import Content, Conversation, Mail
from services.timeline.write.redeciding import attachments_of
from services.timeline.write.requests import (
    Attach,
    Detach,
    Forget,
    HandOver,
    Hide,
    Prepared,
    Redecide,
    Request,
)
from services.timeline.write.summary import joined, summary_of
from shared.contracts.events import Role
from shared.storage.database import Document
from tests.capture_cases import OWNERS, Case, cases
from tests.memory_timeline import Memory, kept
from tests.write_parts import detach, forget, hand_over, hide, match, redecide

SEEDS = st.integers(0, 2**32)
LATER = 100_000
"""Minutes: after every capture."""
STALE = frozenset({("nobody", "nobody@x.example")})
LISTED = ("contents", "mail_rows", "profile_mails", "conversations", "bounces", "tokens")


@dataclass
class Ruled:
    """A mail as the model has it."""

    captured: list[Attach] = field(default_factory=list)
    detached: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    deleted: list[Attach] = field(default_factory=list)
    forgotten: set[str | None] = field(default_factory=set)
    seen: set[tuple[UUID, str]] = field(default_factory=set)
    dismissed: list[Attach] = field(default_factory=list)
    settled: set[tuple[str, str]] = field(default_factory=set)
    """The owners and contents of which a review has decided after all captures."""


Model = dict[tuple[str, str], Ruled]


def apply_to(model: Model, request: Request) -> None:
    if isinstance(request, Attach):
        one = model[request.event.account, request.projection.mail_id]
        by, event = request.event.owner, (request.event.capture_id, part_of(request.event))
        if one.forgotten & {by, None} or key_of(request) in one.settled:
            return
        owners = {captured.event.owner for captured in one.captured}
        if event not in one.seen or by in owners:  # else it was handed over
            one.captured.append(request)
            one.seen.add(event)
        return
    if isinstance(request, HandOver):
        hand_over_in(model[request.account, request.mail_id], request.from_, request.to)
        return
    if isinstance(request, Redecide):
        redecide_in(model[request.account, request.mail_id], request)
        return
    assert isinstance(request, Detach | Hide | Forget)
    one = model[request.account, request.mail_id]
    owners = {captured.event.owner for captured in one.captured}
    match request:
        case Detach(person_id=person):
            named = {m.person_id for captured in one.captured for m in captured.event.matches}
            change = one.detached.discard if request.undo else one.detached.add
            if person in named:
                change(person)
        case Hide(who=who):
            if who in owners:
                (one.private.discard if request.undo else one.private.add)(who)
        case Forget(owner=owner):
            gone = [c for c in one.captured if owner in (None, c.event.owner)]
            if not gone:
                return
            one.deleted += gone
            one.captured = [c for c in one.captured if c not in gone]
            one.forgotten.add(owner)
            one.private &= {c.event.owner for c in one.captured}
            if not one.captured:
                one.private, one.detached = set(), set()


def key_of(captured: Attach) -> tuple[str, str]:
    return captured.event.owner, captured.projection.capture.content


def redecide_in(one: Ruled, request: Redecide) -> None:
    """Let captures in the model have been decided so from the beginning, or never been attached."""
    key = request.owner, request.content
    concerned = [captured for captured in one.captured if key_of(captured) == key]
    was = frozenset((m.person_id, m.address) for c in concerned for m in c.event.matches)
    if not concerned or was != request.was:
        return
    one.settled.add(key)
    if request.matches:
        one.captured = [decided_so(c, request) if c in concerned else c for c in one.captured]
        return
    one.dismissed += concerned
    one.captured = [captured for captured in one.captured if captured not in concerned]
    one.private &= {captured.event.owner for captured in one.captured}
    if not one.captured:
        one.private, one.detached = set(), set()


def decided_so(captured: Attach, request: Redecide) -> Attach:
    matches = tuple(
        match(made.person_id, Role(made.role), address=made.address) for made in request.matches
    )
    return changed(captured, {"matches": matches})


def hand_over_in(one: Ruled, from_: str, to: str) -> None:
    """Give the captures of one to another in the model, as if they had been theirs always."""
    theirs = [captured for captured in one.captured if captured.event.owner == from_]
    if not theirs or from_ == to:
        return
    contents = {captured.projection.content.id for captured in theirs}
    own = {c.projection.content.id for c in one.captured if c.event.owner == to}
    if from_ in one.private and not contents <= own:
        one.private.add(to)
    if to in one.forgotten:  # lifted, but what they deleted before stays deleted
        one.forgotten = one.forgotten - {to} | {"gone"}
        one.deleted = [owned_by("gone", c) if c.event.owner == to else c for c in one.deleted]
    one.captured = [owned_by(to, c) if c in theirs else c for c in one.captured]


def owned_by(owner: str, captured: Attach) -> Attach:
    return changed(captured, {"owner": owner})


def changed(captured: Attach, fields: Document) -> Attach:
    event = captured.event.model_copy(update=fields)
    read_mail = read(captured.raw, forward=event.forwarded is not None)
    return replace(captured, event=event, projection=project(event, read_mail, captured.raw))


def rulings(chance: random.Random, case: Case, count: int) -> list[Request]:
    """Return rulings about the mails of a case, each also undone at times."""
    mails = sorted({(letter.account, letter.mail_id) for letter in case.letters})
    found: list[Request] = []
    for number in range(count):
        account, id_ = chance.choice(mails)
        owner, undo = chance.choice(OWNERS), chance.random() < 0.3
        person = f"c{chance.randrange(3)}"
        found.append(
            chance.choice(
                (
                    detach(id_, person, who=owner, undo=undo, account=account),
                    hide(id_, who=owner, undo=undo, account=account),
                    forget(id_, chance.choice((owner, owner, None)), account=account),
                    hand_over(id_, owner, chance.choice(OWNERS), account=account),
                    a_review(chance, case, LATER + number),
                )
            )
        )
    return found


def a_review(chance: random.Random, case: Case, minutes: int) -> Redecide:
    """Return what a review makes of a capture: other profiles, or none."""
    of = chance.choice([one for letter in case.letters for one in letter.requests])
    people = chance.sample(range(5), chance.randrange(3))
    roles = chance.choices([Role.TO, Role.BCC], k=len(people))
    matches = (match(f"c{n}", role) for n, role in zip(people, roles, strict=True))
    owner, was = chance.choice((of.event.owner, *OWNERS)), chance.choice((STALE, None, None, None))
    return redecide(of, *matches, minutes=minutes, owner=owner, was=was)


def reviewed(memory: Memory, request: Request) -> Request:
    """Return a review of a capture as it is now."""
    if not isinstance(request, Redecide) or request.was == STALE:
        return request
    one = memory.one(Mail, request.mail_id, request.account)
    captures = [
        capture
        for capture in (one.captures if one else ())
        if (capture.owner, capture.content) == (request.owner, request.content)
    ]
    return replace(request, was=attachments_of(captures))


def write(memory: Memory, request: Request) -> None:
    """Write a request; a deletion with the bytes that it needs, as its caller does."""
    [answer] = memory.write(request)
    if answer.outcome != "unprepared":
        return
    assert isinstance(request, Forget | Redecide)
    one = memory.one(Mail, request.mail_id, request.account)
    assert one is not None
    prepared = {}
    keys = {request.content} if isinstance(request, Redecide) else None
    for key in keys or shared_contents(one, request.owner):
        content = memory.one(Content, content_id(one.id, key), one.account)
        assert content is not None
        raw = common_bytes(memory.raws()[content.raw_key], has_id=one.message_id is not None)
        prepared[key] = Prepared(content.raw_key, f"{content.raw_key}.own", raw)
    [answer] = memory.write(replace(request, prepared=prepared))
    assert answer.outcome == "changed"


def written(case: Case, seed: int) -> tuple[Memory, Model]:
    """Write a case and rulings in any order, some of it again."""
    chance = random.Random(seed)
    requests: list[Request] = [r for x in case.letters if not x.waits for r in x.requests]
    requests += chance.sample(requests, len(requests) // 3)
    requests += rulings(chance, case, chance.randrange(1, 8))
    chance.shuffle(requests)
    memory = Memory(is_asked_ahead=chance.random() < 0.5, seed=chance.randrange(1000))
    model: Model = defaultdict(Ruled)
    for request in requests:
        current = reviewed(memory, request)
        apply_to(model, current)
        write(memory, current)
    return memory, model


def lifted(one: Ruled) -> list[Attach]:
    """Return what was deleted by users who have the mail again."""
    return [c for c in one.deleted if not one.forgotten & {c.event.owner, None}]


def rebuilt(model: Model) -> Memory:
    """Return what is kept when all is captured first, then deleted, then ruled."""
    memory = Memory()
    for one in model.values():
        # Who was given the mail again after they had deleted theirs has but what they were given.
        for request in (*one.dismissed, *lifted(one)):
            memory.write(owned_by("gone", request))
            write(memory, forget(request.projection.mail_id, "gone", account=request.event.account))
    for one in model.values():
        deleted = (captured for captured in one.deleted if captured not in lifted(one))
        for request in (*deleted, *one.captured):
            memory.write(request)
    for (account, id_), one in model.items():
        for owner in sorted(one.forgotten, key=str):
            write(memory, forget(id_, owner, account=account))
    for (account, id_), one in model.items():
        for person in one.detached:
            memory.write(detach(id_, person, account=account))
        for owner in one.private:
            memory.write(hide(id_, who=owner, account=account))
    return memory


def shown(memory: Memory) -> dict[str, list[Document]]:
    found = {n: [dict(one) for one in all_] for n, all_ in kept(memory).items() if n in LISTED}
    mails = [dict(document) for document in kept(memory)["mails"]]
    for document in mails:
        document.pop("team_arrived", None)  # how it came about
        document.pop("forgotten", None)
        document.pop("redecided", None)
        owners = {capture["person_id"] for capture in document["captures"]}
        named = {match["person_id"] for c in document["captures"] for match in c["matches"]}
        detached = [person for person in document.pop("detached", ()) if person in named]
        document["detached"] = detached  # of others: for what may still come
        private = [owner for owner in document.pop("private", ()) if owner in owners]
        document["private"] = private  # of whom has handed it over: for what may still come
    for document in found["contents"]:
        for of_bytes in ("raw_key", "raw_of", "size"):
            document.pop(of_bytes, None)
    return found | {"mails": mails}


@given(cases(max_mails=3, max_captures=8, extras=False), SEEDS)
def test_any_order_gives_what_a_rebuild_from_scratch_gives(case: Case, seed: int) -> None:
    memory, model = written(case, seed)
    again, expected = shown(memory), shown(rebuilt(model))
    for name, documents in expected.items():
        assert again[name] == documents, name


@given(cases(max_mails=3, max_captures=8, extras=False), SEEDS)
def test_what_is_listed_is_what_the_mails_and_their_rulings_say(case: Case, seed: int) -> None:
    memory, model = written(case, seed)
    rows: dict[tuple[str, str, str], tuple[ProfileRef, ...]] = {}
    dates: set[tuple[str, str, str, str]] = set()
    for one in memory.all(Mail):
        captures = as_ruled(one)
        rows |= {(one.account, a, one.id): v.persons for a, v in views(captures).items()}
        dates |= {(one.account, a, p, one.id) for a, p in profile_dates(captures)}
    assert {(r.account, r.audience, r.mail_id): r.persons for r in memory.all(MailRow)} == rows
    for (account, id_), ruled in model.items():
        for owner in ruled.private:
            others = {c.event.owner for c in ruled.captured} - ruled.private
            assert others or (account, TEAM, id_) not in rows, owner
        assert not ruled.detached & {
            person for a, _, person, i in dates if (a, i) == (account, id_)
        }
    members: dict[tuple[str, str, str], list[MailRow]] = defaultdict(list)
    for row in memory.all(MailRow):
        members[row.account, row.audience, row.conversation].append(row)
    assert {
        (row.account, row.audience, row.conversation): summary_in(row)
        for row in memory.all(SummaryRow)
    } == {key: reduce(joined, map(summary_of, own)) for key, own in members.items()}
    counted = defaultdict[tuple[str, str | None], int](int)
    for one in memory.all(Mail):
        if one.captures:
            counted[one.account, memory.conversation_of(one.token, one.account)] += 1
    assert {
        (c.account, c.id.partition("/")[2]): c.mails for c in memory.all(Conversation) if c.mails
    } == counted


def words_of(requests: Iterable[Attach]) -> set[str]:
    """Return the words and the Bcc that stand in these captures, each with its account."""
    found = set()
    for request in requests:
        for word in request.raw.decode().replace("@", " ").replace(".", " ").split():
            if word.startswith(("word", "hidden")):
                found.add(word)
    return found


@given(cases(accounts=("acme",), max_mails=3, max_captures=8, extras=False), SEEDS)
def test_of_what_is_deleted_no_word_stays_anywhere(case: Case, seed: int) -> None:
    memory, model = written(case, seed)
    left = words_of(request for one in model.values() for request in one.captured)
    gone = words_of(r for one in model.values() for r in (*one.deleted, *one.dismissed)) - left
    text = str([*memory.documents.values()]) + str(memory.blobs) + str(memory.hints)
    assert [word for word in sorted(gone) if word in text] == []
    assert all(_is_kept(memory, one.captured) for one in model.values())


def _is_kept(memory: Memory, captured: Sequence[Attach]) -> bool:
    """Return whether all contents of these have bytes."""
    raws = memory.raws()
    contents = [memory.one(Content, request.projection.content.id) for request in captured]
    return all(content is not None and content.raw_key in raws for content in contents)
