"""Conversations as real mail has them, or long ones: which mail answers which, and its bytes. Pure.

* As real mail has them: so large a share of the mails answers an earlier one of the account, any of
  the latest thousand. Each mail is then answered by 0.6 others on average, when three in five
  answer: half of the conversations have one mail, and few have ten.
* Long ones: each mail answers the one before it. They go on side by side.
* An answer has the In-Reply-To and References that mail programs write: the answered mail's
  References and its id, of which the first and the last nineteen stay.
* The user and the profile take turns in writing.

The same arguments make the same mails.
"""

import random
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from bench.prose import paragraphs, some_words

_ANSWERABLE = 1000
_LAST_REFERENCES = 19
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
USER = "Anna Berg <anna.berg@agency.example>"


@dataclass(frozen=True, slots=True)
class PlannedMail:
    """A mail that is to be made."""

    number: int
    account: int
    first: int
    """The number of the conversation's first mail: its own, when it is that."""
    depth: int = 0
    """How many mails it answers, one through the other."""
    references: tuple[int, ...] = ()
    """Some of these, the oldest first; the last is the one that it answers."""


def answering(mails: int, *, replies: float, accounts: int = 1, seed: int = 0) -> list[PlannedMail]:
    """Return mails of which a share of `replies` (0 to 1) answers another, as real mail does."""
    chance = random.Random(seed)
    size = max(1, _ANSWERABLE // accounts)
    latest = [deque[PlannedMail](maxlen=size) for _ in range(accounts)]
    planned = []
    for number in range(mails):
        earlier = latest[number % accounts]
        if earlier and chance.random() < replies:
            mail = _answer(number, chance.choice(earlier))
        else:
            mail = PlannedMail(number, number % accounts, number)
        earlier.append(mail)
        planned.append(mail)
    return planned


def long_conversations(mails: int, *, length: int, accounts: int = 1) -> list[PlannedMail]:
    """Return mails in conversations of some `length` each, or in one for each account."""
    side_by_side = max(accounts, mails // length)
    planned: list[PlannedMail] = []
    for number in range(mails):
        before = number - side_by_side
        if before < 0:
            planned.append(PlannedMail(number, number % accounts, number))
        else:
            planned.append(_answer(number, planned[before]))
    return planned


def shuffled(planned: list[PlannedMail], seed: int) -> list[PlannedMail]:
    """Return the same mails in an order of chance."""
    return random.Random(seed).sample(planned, len(planned))


def _answer(number: int, to: PlannedMail) -> PlannedMail:
    chain = (*to.references, to.number)
    references = chain[:1] + chain[1:][-_LAST_REFERENCES:]
    return PlannedMail(number, to.account, to.first, to.depth + 1, references)


def profile_address(number: int) -> str:
    """Return the address of an account's profile."""
    return f"c{number}@mail.example"


def mail_bytes(planned: PlannedMail, size: int, *, name: str, profiles: int) -> bytes:
    """Return the mail, of `size` bytes; `name` is in its id and keeps it apart from other runs'."""
    profile = f"Candidate <{profile_address(planned.first % profiles)}>"
    writer, reader = (USER, profile) if planned.depth % 2 == 0 else (profile, USER)
    subject = " ".join(some_words(random.Random(f"{name}/{planned.first}"), 5)).capitalize()
    head = [
        f"From: {writer}",
        f"To: {reader}",
        f"Subject: {'Re: ' if planned.references else ''}{subject}",
        f"Message-ID: {_id(name, planned.number)}",
        f"Date: {format_datetime(_BEGIN + timedelta(minutes=planned.number))}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ]
    if planned.references:
        ids = [_id(name, number) for number in planned.references]
        head += [f"In-Reply-To: {ids[-1]}", "References: " + "\r\n ".join(ids)]
    top = "\r\n".join(head) + "\r\n\r\n"
    chance = random.Random(f"{name}.{planned.number}")
    return (top + paragraphs(chance, size - len(top))).encode()


def _id(name: str, number: int) -> str:
    return f"<{name}.{number}@mail.bench.example>"
