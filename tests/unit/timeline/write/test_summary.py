"""A conversation's summary: the same in any order of its mails, and when one of them changes."""

import random
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.write.listed_records import (
    DatedAddress,
    FirstMail,
    LastMail,
    MailRow,
    ProfileRef,
    Summary,
)
from services.timeline.write.records import NamedAddress
from services.timeline.write.summary import (
    MAX_PARTICIPANTS,
    MAX_PERSONS,
    changed,
    joined,
    summary_of,
)

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ANNA = NamedAddress(name="Anna", address="anna@team.example")
CAND = NamedAddress(name="Cand", address="cand@mail.example")
C1 = ProfileRef(person_id="c1", kind="candidate")
C2 = ProfileRef(person_id="c2", kind="candidate")


def row(mail_id: str = "m1", minute: int = 0, **fields: Any) -> MailRow:
    values = {
        "subject": f"Subject of {mail_id}",
        "snippet": f"Text of {mail_id}",
        "has_attachments": False,
        "participants": (ANNA,),
        "persons": (C1,),
        **fields,
    }
    return MailRow(
        id=f"acme/*/{mail_id}",
        account="acme",
        audience="*",
        mail_id=mail_id,
        conversation="t1",
        date=NOON + timedelta(minutes=minute),
        content="k1",
        **values,
    )


def summary(*rows: MailRow) -> Summary:
    return reduce(joined, map(summary_of, rows))


def names(found: Summary) -> list[str]:
    return [entry.name for entry in found.participants]


def test_of_one_mail_it_is_that_mail() -> None:
    assert summary_of(row(has_attachments=True)) == Summary(
        last_mail_at=NOON,
        first=FirstMail(date=NOON, mail_id="m1", subject="Subject of m1"),
        last=LastMail(date=NOON, mail_id="m1", snippet="Text of m1"),
        mail_count=1,
        with_attachments=1,
        participants=(DatedAddress(name=ANNA.name, address=ANNA.address, date=NOON),),
        persons=(C1,),
    )


def test_of_several_it_has_the_first_subject_the_last_words_and_the_counts() -> None:
    mails = [row("m2", 5), row("m1", 0, has_attachments=True), row("m3", 9, has_attachments=True)]
    found = summary(*mails)
    assert found.first.subject == "Subject of m1"
    assert found.last.snippet == "Text of m3"
    assert found.last_mail_at == NOON + timedelta(minutes=9)
    assert (found.mail_count, found.with_attachments) == (3, 2)


def test_of_mails_of_one_moment_the_id_tells_which_is_first() -> None:
    for mails in ([row("a"), row("b")], [row("b"), row("a")]):
        found = summary(*mails)
        assert (found.first.mail_id, found.last.mail_id) == ("a", "b")


def test_participants_are_listed_once_the_latest_first_with_their_last_name() -> None:
    early = row("m1", 0, participants=(replace(CAND, name="C."), ANNA))
    late = row("m2", 1, participants=(replace(CAND, address="CAND@mail.example"),))
    for mails in ([early, late], [late, early]):
        found = summary(*mails)
        assert names(found) == ["Cand", "Anna"]
        assert found.participants[0].address == "CAND@mail.example"


def test_of_two_names_in_one_mail_the_greater_is_kept() -> None:
    for entries in (
        (replace(CAND, name="B"), replace(CAND, name="A")),
        (replace(CAND, name="A"), replace(CAND, name="B")),
    ):
        assert names(summary_of(row(participants=entries))) == ["B"]


def test_the_latest_participants_are_kept_of_many() -> None:
    mails = [
        row(f"m{n:03}", n, participants=(NamedAddress(name=f"P{n}", address=f"p{n}@x.example"),))
        for n in range(MAX_PARTICIPANTS + 5)
    ]
    found = names(summary(*mails))
    assert found == [f"P{n}" for n in reversed(range(5, MAX_PARTICIPANTS + 5))]


def test_profiles_are_listed_once_each_kind_in_order_and_at_most_so_many() -> None:
    contact = ProfileRef(person_id="c1", kind="contact")
    both = summary(row(persons=(C2, contact)), row(persons=(C1, C2)))
    assert both.persons == (C1, contact, C2)
    many = tuple(ProfileRef(person_id=f"p{n:04}", kind="contact") for n in range(MAX_PERSONS + 5))
    assert summary_of(row(persons=many[::-1])).persons == many[:MAX_PERSONS]


@st.composite
def a_row(draw: st.DrawFn, number: int) -> MailRow:
    people = st.sampled_from([ANNA, CAND, replace(CAND, name="C.")])
    return row(
        f"m{number}",
        draw(st.integers(0, 3)),
        has_attachments=draw(st.booleans()),
        participants=tuple(draw(st.lists(people, max_size=3))),
        persons=tuple(draw(st.lists(st.sampled_from([C1, C2]), max_size=2))),
    )


ROWS = st.integers(1, 5).flatmap(lambda n: st.tuples(*map(a_row, range(n))).map(list))


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_in_which_mails_arrive_does_not_matter(
    rows: list[MailRow], chance: random.Random
) -> None:
    assert summary(*chance.sample(rows, len(rows))) == summary(*rows)


OTHERS = [row("m0", -5), row("m9", 9, has_attachments=True)]


@pytest.mark.parametrize("others", [[], OTHERS, OTHERS[:1], OTHERS[1:]])
@pytest.mark.parametrize(
    "gained",
    [
        {},
        {"subject": "Better", "snippet": "Better"},
        {"has_attachments": True},
        {"participants": (CAND, ANNA)},
        {"persons": (C1, C2)},
    ],
)
def test_what_a_mail_gains_is_added(others: list[MailRow], gained: dict[str, Any]) -> None:
    before, after = row(), replace(row(), **gained)
    assert changed(summary(*others, before), before, after) == summary(*others, after)


def test_a_mail_that_keeps_its_attachment_counts_once() -> None:
    before = row(has_attachments=True)
    after = row(has_attachments=True, subject="Better")
    assert changed(summary(*OTHERS, before), before, after) == summary(*OTHERS, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (row(), row(minute=1)),
        (row(has_attachments=True), row()),
        (row(participants=(ANNA, CAND)), row(participants=(CAND,))),
        (row(persons=(C1, C2)), row(persons=(C2,))),
    ],
)
def test_what_is_taken_away_cannot_be_taken_out(before: MailRow, after: MailRow) -> None:
    assert changed(summary(*OTHERS, before), before, after) is None
