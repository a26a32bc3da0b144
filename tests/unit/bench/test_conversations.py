"""Which mail answers which in the bench, and what it looks like."""

from collections import Counter
from email import message_from_bytes

import pytest

from bench.way.conversations import PlannedMail, answering, long_conversations, mail_bytes, shuffled

MAILS = 2000


def test_so_large_a_share_of_the_mails_answers_an_earlier_one() -> None:
    planned = answering(MAILS, replies=0.6)
    answers = [mail for mail in planned if mail.references]
    assert len(answers) / MAILS == pytest.approx(0.6, abs=0.05)
    assert all(mail.references[-1] < mail.number for mail in answers)


def test_most_conversations_are_short_and_some_are_not() -> None:
    sizes = Counter(mail.first for mail in answering(MAILS, replies=0.6)).values()
    short = sum(size <= 2 for size in sizes)
    assert short > len(sizes) * 0.6
    assert 5 < max(sizes) < MAILS / 10


def test_without_answers_each_mail_is_a_conversation() -> None:
    planned = answering(100, replies=0.0)
    assert [mail.first for mail in planned] == list(range(100))
    assert not any(mail.references for mail in planned)


def test_accounts_have_the_same_number_of_mails_and_answer_their_own() -> None:
    planned = answering(640, replies=0.6, accounts=64)
    assert set(Counter(mail.account for mail in planned).values()) == {10}
    by_number = {mail.number: mail for mail in planned}
    for mail in planned:
        assert {by_number[number].account for number in mail.references} <= {mail.account}


def test_an_answer_has_the_references_of_what_it_answers() -> None:
    planned = answering(MAILS, replies=0.6)
    by_number = {mail.number: mail for mail in planned}
    for mail in planned:
        if mail.references and mail.depth < 20:
            answered = by_number[mail.references[-1]]
            assert mail.references == (*answered.references, answered.number)
            assert (mail.first, mail.depth) == (answered.first, answered.depth + 1)


def test_a_long_conversation_is_a_chain_of_which_the_ends_are_referenced() -> None:
    planned = long_conversations(120, length=60)
    sizes = Counter(mail.first for mail in planned)
    assert dict(sizes) == {0: 60, 1: 60}
    last = planned[-1]
    assert last.depth == 59
    assert last.references == (1, *range(81, 119, 2))


def test_every_account_has_a_long_conversation() -> None:
    planned = long_conversations(100, length=50, accounts=4)
    assert Counter(mail.account for mail in planned) == {0: 25, 1: 25, 2: 25, 3: 25}
    assert len({mail.first for mail in planned}) == 4


def test_the_order_of_chance_is_the_same_for_the_same_seed() -> None:
    planned = long_conversations(50, length=50)
    mixed = shuffled(planned, 7)
    assert mixed == shuffled(planned, 7) != shuffled(planned, 8)
    assert sorted(mixed, key=lambda mail: mail.number) == planned


def test_the_same_seed_makes_the_same_conversations() -> None:
    assert answering(200, replies=0.6, seed=3) == answering(200, replies=0.6, seed=3)
    assert answering(200, replies=0.6, seed=3) != answering(200, replies=0.6, seed=4)


def test_a_mail_says_what_it_answers() -> None:
    first, second = long_conversations(2, length=2)
    raw = mail_bytes(second, 4000, name="run", profiles=1)
    assert len(raw) == 4000
    mail = message_from_bytes(raw)
    opening = message_from_bytes(mail_bytes(first, 4000, name="run", profiles=1))
    assert mail["In-Reply-To"] == mail["References"] == opening["Message-ID"]
    assert mail["Subject"] == f"Re: {opening['Subject']}"
    assert (mail["From"], mail["To"]) == (opening["To"], opening["From"])
    assert opening["In-Reply-To"] is None


def test_a_mail_has_many_words() -> None:
    raw = mail_bytes(PlannedMail(0, 0, 0), 30_000, name="run", profiles=1)
    assert len(set(raw.split())) > 1000


def test_mails_of_two_runs_are_two_mails() -> None:
    planned = PlannedMail(0, 0, 0)
    once, again = (mail_bytes(planned, 1000, name=name, profiles=1) for name in ("a", "b"))
    assert message_from_bytes(once)["Message-ID"] != message_from_bytes(again)["Message-ID"]
