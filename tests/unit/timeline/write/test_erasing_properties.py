"""Captures and an erasure in any order: what a rebuild gives in which nobody was named."""

import random
import re
from collections import defaultdict
from functools import reduce

from hypothesis import assume, given
from hypothesis import strategies as st

from services.timeline.write.audiences import as_ruled, profile_dates, views
from services.timeline.write.conversations import summary_in
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.records import Content, Conversation, Mail
from services.timeline.write.requests import Detach, Hide, Request
from services.timeline.write.summary import joined, summary_of
from shared.storage.database import Document
from tests.capture_cases import OWNERS, Case, Letter, cases
from tests.erasing_parts import erase_all, erased_person, listed
from tests.memory_timeline import Memory, kept
from tests.write_parts import detach, hide

SEEDS = st.integers(0, 2**32)
ADDRESSES = ("a2@mail.example", "a3@mail.example", "0@mail.example", "hiddenu1@mail.example")
"""Of who is erased: two that a match may name, one in To, one in the Bcc of an owner."""
PERSON = erased_person("c1", *ADDRESSES, name="No Name")


def rulings(chance: random.Random, case: Case) -> list[Request]:
    mails = sorted({letter.mail_id for letter in case.letters})
    found: list[Request] = []
    for _ in range(chance.randrange(5)):
        id_, undo = chance.choice(mails), chance.random() < 0.3
        ruling: Detach | Hide = chance.choice(
            (
                detach(id_, f"c{chance.randrange(3)}", undo=undo),
                hide(id_, who=chance.choice(OWNERS), undo=undo),
            )
        )
        found.append(ruling)
    return found


def is_told_apart(case: Case) -> bool:
    """Return whether no two arrivals of one content at one owner became one capture, of which one
    names the erased person alone: what the other was, alone, is not kept."""
    names: dict[tuple[str, str, str], dict[tuple[object, ...], bool]] = defaultdict(dict)
    for letter in case.letters:
        for request in letter.requests:
            is_left = any(m.person_id != "c1" for m in request.event.matches)
            one = names[letter.mail_id, letter.owner, letter.content]
            one[letter.arrival] = one.get(letter.arrival, False) or is_left
    return all(len({*arrivals.values()}) == 1 for arrivals in names.values())


def written(case: Case, seed: int, *, from_the_start: bool) -> Memory:
    """Write a case, some of it again, an erasure anywhere, and rulings after all captures."""
    chance = random.Random(seed)
    captures: list[Request] = [r for x in case.letters if not x.waits for r in x.requests]
    captures += chance.sample(captures, len(captures) // 3)
    chance.shuffle(captures)
    requests = [*captures, *rulings(chance, case)]
    at = chance.randrange(len(requests) + 1)
    memory = Memory(is_asked_ahead=chance.random() < 0.5, seed=chance.randrange(1000))
    if from_the_start:
        listed(memory, PERSON)
    for request in requests[:at]:
        memory.write(request)
    if not from_the_start:
        erase_all(memory, PERSON)
    for request in requests[at:]:
        memory.write(request)
    return memory


def shown(memory: Memory) -> dict[str, list[Document]]:
    """Return what is shown, without the conversations that erased mails tie together, still."""
    found = {}
    for name in ("mails", "contents", "mail_rows", "profile_mails", "bounces"):
        documents = [dict(document) for document in kept(memory)[name]]
        for document in documents:
            for field in ("thread", "forgotten", "team_arrived", "redacted", "block"):
                document.pop(field, None)
        found[name] = [one for one in documents if one.get("captures", True)]
    return found


@given(cases(accounts=("acme",), max_mails=3, max_captures=8, extras=False), SEEDS)
def test_any_order_gives_what_a_rebuild_without_the_person_gives(case: Case, seed: int) -> None:
    assume(is_told_apart(case))
    found = shown(written(case, seed, from_the_start=False))
    expected = shown(written(case, seed, from_the_start=True))
    for name, documents in expected.items():
        assert found[name] == documents, name


@given(cases(accounts=("acme",), max_mails=3, max_captures=8, extras=False), SEEDS)
def test_what_is_listed_is_what_the_mails_say_that_are_left(case: Case, seed: int) -> None:
    memory = written(case, seed, from_the_start=False)
    rows = {
        (audience, one.id): view.persons
        for one in memory.all(Mail)
        for audience, view in views(as_ruled(one)).items()
    }
    assert {(row.audience, row.mail_id): row.persons for row in memory.all(MailRow)} == rows
    dates = {
        (audience, person, one.id)
        for one in memory.all(Mail)
        for audience, person in profile_dates(as_ruled(one))
    }
    assert {(r.audience, r.person_id, r.mail_id) for r in memory.all(ProfileRow)} == dates
    members: dict[tuple[str, str], list[MailRow]] = defaultdict(list)
    for row in memory.all(MailRow):
        members[row.audience, row.conversation].append(row)
    assert {
        (row.audience, row.conversation): summary_in(row) for row in memory.all(SummaryRow)
    } == {key: reduce(joined, map(summary_of, own)) for key, own in members.items()}
    counted = defaultdict[str | None, int](int)
    for one in memory.all(Mail):
        if one.captures:
            counted[memory.conversation_of(one.token)] += 1
    found = {c.id.partition("/")[2]: c.mails for c in memory.all(Conversation) if c.mails}
    assert found == counted


@given(cases(accounts=("acme",), max_mails=3, max_captures=8, extras=False), SEEDS)
def test_nothing_of_who_is_erased_stays_anywhere(case: Case, seed: int) -> None:
    memory = written(case, seed, from_the_start=False)
    documents = {name: own for name, own in memory.documents.items() if name != "erased_people"}
    text = str(documents) + str(memory.hints)
    dropped = {id_ for _, id_ in memory.documents["dropped_blobs"]}
    text += str([raw for key, raw in memory.blobs.items() if key not in dropped])
    gone = [address for address in ADDRESSES if not is_kept(case, address)]
    assert [one for one in gone if re.search(rf"(?<!\w){re.escape(one)}", text)] == []
    deleted = {letter.mail_id for letter in case.letters} - {
        m.id for m in memory.all(Mail) if m.captures
    }
    assert not {content.mail_id for content in memory.all(Content)} & deleted
    assert all(content.raw_key in memory.raws() for content in memory.all(Content))
    words = {word_of(letter) for letter in case.letters if letter.mail_id in deleted}
    left = {word_of(letter) for letter in case.letters if letter.mail_id not in deleted}
    assert [word for word in sorted(words - left) if word in text] == []


def is_kept(case: Case, address: str) -> bool:
    """Return whether somebody else was matched by the address."""
    matches = [found for letter in case.letters for found in letter.matches()]
    return any(person != "c1" and known == address for person, known, _ in matches)


def word_of(letter: Letter) -> str:
    return letter.first.projection.content.subject.partition(" ")[0]
