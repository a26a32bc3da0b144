"""Whatever comes, in whatever order and batches: what is kept, and who sees what of it.

The truth is a plain model of the captures, and a rebuild that saw each of them once.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.write.audiences import profile_dates, views
from services.timeline.write.conversations import summary_in
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.mail_rows import content_id, mail_row
from services.timeline.write.records import Content, Conversation, Mail, Outcome, Token
from services.timeline.write.requests import Request
from services.timeline.write.side_records import Setup
from services.timeline.write.stored import to_document
from services.timeline.write.summary import joined, summary_of
from shared.contracts.events import Role
from tests.capture_cases import OWNERS, Case, Letter, cases, in_batches, one_by_one, word
from tests.memory_timeline import Memory, kept, mails_by_conversation
from tests.write_parts import (
    VERIFIED,
    attach,
)

SEEDS = st.integers(0, 2**32)


@given(cases(), SEEDS)
def test_any_order_repetition_and_batches_give_what_one_by_one_gives(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    rebuilt = one_by_one(case.requests)
    again, expected = kept(memory), kept(rebuilt)
    for name, documents in expected.items():
        assert again[name] == documents, name
    assert memory.tallies() == rebuilt.tallies()
    assert mails_by_conversation(memory) == mails_by_conversation(rebuilt)
    assert memory.duplicates == rebuilt.duplicates == 0


# Conversations -------------------------------------------------------------------------------


def components(letters: Iterable[Letter]) -> set[frozenset[tuple[str, str]]]:
    """Return which mails belong together: by plain union."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def root(id_: tuple[str, int]) -> tuple[str, int]:
        parent.setdefault(id_, id_)
        while parent[id_] != id_:
            id_ = parent[id_]
        return id_

    ids: dict[tuple[str, int], str] = {}
    for letter in letters:
        own = letter.account, letter.number
        ids[own] = letter.mail_id
        for reference in letter.references:
            parent[root((letter.account, reference))] = root(own)
    groups: dict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    for own, mail_id in ids.items():
        groups[root(own)].add((own[0], mail_id))
    return {frozenset(group) for group in groups.values()}


@given(cases(max_mails=10, max_captures=14, extras=False), SEEDS)
def test_conversations_are_the_components_of_what_mails_name(case: Case, seed: int) -> None:
    memory, answers = in_batches(case.requests, seed)
    shown = [letter for letter in case.letters if not letter.waits]
    assert mails_by_conversation(memory) == components(shown)
    sizes = Counter[tuple[str, str]]()
    for one in memory.all(Mail):
        conversation = memory.conversation_of(one.token, one.account)
        assert conversation is not None
        sizes[one.account, conversation] += 1
    counted = {(c.account, c.id.partition("/")[2]): c.mails for c in memory.all(Conversation)}
    assert counted == sizes
    by_mail = {one.id: one for one in memory.all(Mail)}
    for answer in answers:
        if answer.mail_id is not None:
            assert answer.conversation_id is not None
            one = by_mail[answer.mail_id]
            now = memory.conversation_of(one.token, one.account)
            assert memory.conversation_of(answer.conversation_id, one.account) == now
    for token in memory.all(Token):
        assert (token.account, token.conversation) in counted


# What is listed ------------------------------------------------------------------------------

Listed = dict[tuple[str, str, str], tuple[str, datetime, frozenset[str]]]
Dated = dict[tuple[str, str, str, str], datetime]


def seen(letters: Iterable[Letter]) -> tuple[Listed, Dated]:
    """Return who sees which mails, in which form, on which profiles: straight from the rules.

    Captures of one owner that are the same content count as the first of them.
    """
    rows: Listed = {}
    profiles: Dated = {}
    by_mail: dict[tuple[str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        by_mail[letter.account, letter.mail_id].append(letter)
    for (account, mail_id), captures in by_mail.items():
        captures.sort(key=lambda one: one.arrival)
        groups: dict[tuple[str, str], list[Letter]] = defaultdict(list)
        for one in captures:
            groups[one.owner, one.content].append(one)
        public = [group for group in groups.values() if any(one.is_open for one in group)]
        named = {
            person: [group for group in public if person in people_named(group, hidden=False)]
            for group in public
            for person in people_named(group, hidden=False)
        }
        if public:
            shown = best(public, public)
            rows[account, "*", mail_id] = shown.content, shown.date, frozenset(named)
            for person, naming in named.items():
                profiles[account, "*", person, mail_id] = best(naming, public).date
        for owner in {one.owner for one in captures}:
            own = [group for (by, _), group in groups.items() if by == owner]
            shown = best(own, own)
            people = frozenset(person for group in own for person in people_named(group))
            rows[account, owner, mail_id] = shown.content, shown.date, people
            for person in people:
                date = best([group for group in own if person in people_named(group)], own).date
                profiles[account, owner, person, mail_id] = date
                if person not in named:
                    profiles[account, f"!{owner}", person, mail_id] = date
            if not public:
                rows[account, f"!{owner}", mail_id] = shown.content, shown.date, people
    return rows, profiles


def people_named(letters: Iterable[Letter], *, hidden: bool = True) -> set[str]:
    """Return the profiles that these name; those of a Bcc too, if `hidden`."""
    matches = [match for letter in letters for match in letter.matches()]
    return {person for person, _, is_hidden in matches if hidden or not is_hidden}


def best(groups: Iterable[Sequence[Letter]], known: Iterable[Sequence[Letter]]) -> Letter:
    """Return what is shown of these, to somebody who knows all of the others too: of the content
    that comes first among all that they know, the capture that arrived first."""
    known = sorted(known, key=lambda group: group[0].arrival)
    verified = {letter.content for group in known for letter in group if letter.verdict is VERIFIED}
    contents = [group[0].content for group in known]
    return min(
        (group[0] for group in groups),
        key=lambda one: (one.content not in verified, contents.index(one.content), one.arrival),
    )


def rows_of(memory: Memory) -> Listed:
    return {
        (row.account, row.audience, row.mail_id): (
            row.content,
            row.date,
            frozenset(ref.person_id for ref in row.persons),
        )
        for row in memory.all(MailRow)
    }


def without_times(row: MailRow) -> MailRow:
    """Return the row without when it was news: that depends on the order."""
    return replace(row, arrived=0, arrived_before=0)


def profiles_of(memory: Memory) -> Dated:
    return {
        (row.account, row.audience, row.person_id, row.mail_id): row.date
        for row in memory.all(ProfileRow)
    }


@given(cases(), SEEDS)
def test_each_audience_sees_what_is_its_own_to_see(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    rows, profiles = seen(letter for letter in case.letters if not letter.waits)
    assert rows_of(memory) == rows
    assert profiles_of(memory) == profiles


@given(cases(), SEEDS)
def test_no_record_of_an_audience_holds_a_word_that_it_may_not_see(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    shown = [letter for letter in case.letters if not letter.waits]
    open_ = {(x.account, x.mail_id, x.owner, x.content) for x in shown if x.is_open}
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    everything: set[str] = set()
    for letter in case.letters:
        text = json.dumps(to_document(letter.first.projection.content), default=str)
        own = {f"word{letter.number}x{variant}y" for variant in range(3)}
        own = {one for one in own if one in text}
        everything |= own
        if letter.waits:
            continue
        words[letter.account, letter.owner] |= own
        words[letter.account, f"!{letter.owner}"] |= own
        if (letter.account, letter.mail_id, letter.owner, letter.content) in open_:
            words[letter.account, "*"] |= own
    rows: list[MailRow | ProfileRow | SummaryRow] = [*memory.all(MailRow)]
    rows += [*memory.all(ProfileRow), *memory.all(SummaryRow)]
    for row in rows:
        text = json.dumps(to_document(row), default=str)
        assert "hidden" not in text
        assert {one for one in everything if one in text} <= words[row.account, row.audience]


def without_hidden(letters: Sequence[Letter], owner: str) -> list[Request]:
    """Return what comes when nobody had a Bcc to this owner's captures."""
    open_ = {(x.account, x.mail_id, x.owner, x.content): x for x in letters if x.is_open}
    requests: list[Request] = []
    for letter in letters:
        key = letter.account, letter.mail_id, letter.owner, letter.content
        if letter.owner != owner:
            requests += letter.requests
        elif key in open_:
            matches = [
                found
                for one in (letter, open_[key])
                for request in one.requests
                for found in request.event.matches
                if found.role is not Role.BCC
            ]
            event = letter.first.event
            requests.append(
                attach(
                    letter.first.raw,
                    *matches,
                    capture_id=event.capture_id,
                    owner=event.owner,
                    account=event.account,
                    place=event.place,
                    backfill=event.backfill,
                    sent_by_owner=event.sent_by_owner,
                    verdict=letter.verdict,
                    minutes=int((event.received_at - attach().event.received_at).total_seconds())
                    // 60,
                )
            )
    return requests


@given(cases(), st.sampled_from(OWNERS), SEEDS)
def test_what_a_user_knows_from_bcc_alone_changes_no_row_of_others(
    case: Case, owner: str, seed: int
) -> None:
    letters = [letter for letter in case.letters if not letter.waits]
    with_bcc, _ = in_batches([r for letter in letters for r in letter.requests], seed)
    without = one_by_one(without_hidden(letters, owner))
    own = {owner, f"!{owner}"}

    def of_others(memory: Memory) -> tuple[list[object], Dated]:
        rows = [
            {k: v for k, v in to_document(without_times(row)).items() if k != "thread"}
            for row in memory.all(MailRow)
            if row.audience not in own
        ]
        dates = {key: date for key, date in profiles_of(memory).items() if key[1] not in own}
        return [*rows], dates

    assert of_others(with_bcc) == of_others(without)


@given(cases(max_captures=14), SEEDS)
def test_what_is_listed_is_what_the_mails_say_now(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    rows, profiles = {}, {}
    for one in memory.all(Mail):
        conversation = memory.conversation_of(one.token, one.account)
        assert conversation is not None
        for audience, view in views(one.captures).items():
            content = memory.one(Content, content_id(one.id, view.content), one.account)
            stored = memory.row(audience, one.id, one.account)
            assert content is not None
            assert stored is not None
            assert word(0, 0)[:4] in " ".join(stored.terms) or content.auto
            row = mail_row(one, audience, conversation, view, content, stored.terms)
            rows[row.account, row.id] = row
        for (audience, person_id), date in profile_dates(one.captures).items():
            profiles[one.account, audience, person_id, one.id] = date
    assert {(row.account, row.id): without_times(row) for row in memory.all(MailRow)} == rows
    assert profiles_of(memory) == profiles


@given(cases(max_captures=14), SEEDS)
def test_a_summary_is_the_one_that_its_rows_make(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    members: dict[tuple[str, str, str], list[MailRow]] = defaultdict(list)
    for row in memory.all(MailRow):
        members[row.account, row.audience, row.conversation].append(row)
    found = {
        (row.account, row.audience, row.conversation): summary_in(row)
        for row in memory.all(SummaryRow)
    }
    assert found == {
        key: reduce(joined, map(summary_of, reversed(rows))) for key, rows in members.items()
    }
    for one in memory.all(SummaryRow):
        assert one.id == f"{one.account}/{one.audience}/{one.conversation}"


# What is counted -----------------------------------------------------------------------------


@given(cases(max_mails=3), SEEDS)
def test_each_capture_has_one_outcome_and_is_counted_once(case: Case, seed: int) -> None:
    memory, answers = in_batches(case.requests, seed)
    owners = {str(x.capture_id): x.owner for x in case.letters}
    expected = Counter[tuple[str, str, str, str]]()
    for outcome in memory.all(Outcome):
        counted_as = {
            "dismissed": f"dismissed.{outcome.reason}",
            "confirmation": "confirmations",
        }.get(outcome.decision, outcome.decision)
        owner = "" if outcome.decision == "dismissed" else owners.get(outcome.id, "u1")
        expected[outcome.account, outcome.day, owner, counted_as] += 1
    assert memory.tallies() == expected
    decisions = {(o.account, o.id): o for o in memory.all(Outcome)}
    for letter in case.letters:
        found = decisions[letter.account, str(letter.capture_id)]
        assert found.decision == ("quarantined" if letter.waits else "attached")
        assert found.reason is found.message_id_hash is None
    assert len(answers) - sum(answer.again for answer in answers) >= len(decisions)


@given(cases(max_mails=3), SEEDS)
def test_each_live_capture_counts_once_for_the_half_that_it_proves(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed)
    captures = {x.capture_id: x.first.event for x in case.letters if not x.first.event.backfill}
    proofs = [e for e in captures.values() if e.half is not None]
    days = Counter((e.account, e.owner, e.half, f"{e.received_at:%Y-%m-%d}") for e in proofs)
    assert days == {
        (d["account"], d["owner"], d["half"], d["day"]): d["count"]
        for d in memory.documents["half_days"].values()
    }
    assert {(e.account, e.owner, e.capture_address) for e in captures.values() if e.leak} == {
        (s.account, s.owner, leak.capture_address) for s in memory.all(Setup) for leak in s.leaks
    }


@given(cases(max_mails=3, extras=False), SEEDS)
def test_repeating_everything_writes_nothing(case: Case, seed: int) -> None:
    memory, _ = in_batches(case.requests, seed, again=False)
    before = kept(memory)
    hints = len(memory.hints)
    memory.writes.clear()
    answers = [memory.write(request)[0] for request in case.requests]
    assert kept(memory) == before
    assert memory.tallies() == in_batches(case.requests, seed)[0].tallies()
    assert len(memory.hints) == hints
    assert memory.writes.total() == 0
    assert all(answer.again and answer.complete for answer in answers)
