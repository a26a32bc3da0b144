"""Captures of letters that quote, answer and repeat each other, made by hypothesis."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import permutations, product
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from services.timeline.write.requests import Answer, Attach, Request
from shared.contracts.events import AuthenticationVerdict, Half, Leak, Role
from tests.memory_timeline import Memory, written
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    NOW,
    VERIFIED,
    attach,
    bounce,
    confirm,
    dismiss,
    mail,
    match,
)

OWNERS = ("u1", "u2", "u3")
MINUTES = (0, 1, 2, 3, 5000)
ROLES = (Role.TO, Role.CC, Role.BCC)
# What is drawn together costs a draw. The simplest comes first, for Hypothesis to shrink to.
TREATMENTS = [
    *product((None, None, VERIFIED, FAILED), (False, True), (False, False, True)),
]
"""The verdict, whether the account lets mail wait, and whether it is backfilled."""
FORMS = [*product((0, 0, 1, 2), (False, True))]
"""The variant of the text, and whether the owner's copy has a Bcc."""
PEOPLE = [
    [*product(permutations(range(6), count), product(ROLES, repeat=count))] for count in range(4)
]
"""Addresses and their roles, by how many there are."""
EXTRAS = [*product((False, False, True), (None, None, None, None, None, None, dismiss, confirm))]
"""Whether the capture was dismissed as well, and what else comes."""
PROOFS = [
    *product(
        (None, Half.SENT, Half.RECEIVED),
        (None, None, Leak(capture_address="a@in.satchel.test", mail_date=NOW)),
    )
]
"""The half of its owner's set-up that a capture proves, and whether the address leaked."""


@cache
def references_to(ids: int, count: int) -> list[tuple[int, ...]]:
    return [*product(range(ids), repeat=count)]


@dataclass(frozen=True, repr=False)
class Letter:
    """One mail of a capture, in as many events as it has parts, and what a model needs of it."""

    number: int
    references: tuple[int, ...]
    waits: bool
    requests: tuple[Attach, ...]

    def __repr__(self) -> str:
        matches = " ".join(
            f"{person}:{address[:2]}{':bcc' if hidden else ''}"
            for person, address, hidden in self.matches()
        )
        event = self.first.event
        return (
            f"<{self.account} {self.owner} {event.capture_id.int}/{event.place} at"
            f" {event.received_at:%d %H:%M} mail {self.number} {self.content[:4]} names"
            f" {self.references} [{matches}]{' waits' * self.waits}{' old' * event.backfill}>"
        )

    @property
    def first(self) -> Attach:
        return self.requests[0]

    @property
    def account(self) -> str:
        return self.first.event.account

    @property
    def owner(self) -> str:
        return self.first.event.owner

    @property
    def capture_id(self) -> UUID:
        return self.first.event.capture_id

    @property
    def mail_id(self) -> str:
        return self.first.projection.mail_id

    @property
    def content(self) -> str:
        return self.first.projection.content.key

    @property
    def date(self) -> datetime:
        return self.first.projection.capture.sort_date

    @property
    def arrival(self) -> tuple[datetime, str, str]:
        event = self.first.event
        return event.received_at, str(event.capture_id), event.place

    def matches(self) -> Iterator[tuple[str, str, bool]]:
        """Yield profile, address and whether it is known from Bcc."""
        for request in self.requests:
            for found in request.event.matches:
                yield found.person_id, found.address, found.role is Role.BCC

    @property
    def verdict(self) -> AuthenticationVerdict | None:
        found = self.first.event.authentication
        return found.verdict if found else None

    @property
    def is_open(self) -> bool:
        return any(not hidden for _, _, hidden in self.matches())


@dataclass(repr=False)
class Case:
    """What comes, in order of arrival."""

    letters: list[Letter]
    requests: list[Request] = field(default_factory=list)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # as Hypothesis prints it
        printer.text("\n".join(map(repr, self.letters)) + f"\n{len(self.requests)} requests")


def word(number: int, variant: int) -> str:
    """Return a word that stands in this content alone."""
    return f"word{number}x{variant}y"


def raw_of(
    number: int, variant: int, references: Sequence[int], day: int, of: int | None, bcc: str
) -> bytes:
    if of is not None:
        recipients = [f"{word(number, 0)}@mail.example"]
        return bounce(f"{of}@x", f"{number}@x", recipients)
    own = word(number, variant)
    return mail(
        f"{number}@x",
        references=[f"{reference}@x" for reference in references],
        day=day,
        subject=f"{own} subject",
        text=f"Text {own}.",
        to=f"{own} <{own if variant == 2 else number}@mail.example>",
        bcc=bcc,
    )


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    accounts: Sequence[str] = (ACCOUNT, ACCOUNT, "other"),
    max_mails: int = 6,
    max_captures: int = 10,
    extras: bool = True,
) -> Case:
    """Return captures of mails that name each other at random, with variants, Bcc and repeats."""
    count = draw(st.integers(1, max_mails))
    sizes = st.sampled_from((0, 0, 1, 1, 2, 3))
    kinds = [*product((14, 15, 18), (None, None, None, None, 0))]  # day, and of what a bounce
    mails = [
        (
            draw(st.sampled_from(references_to(count + 2, draw(sizes)))),
            *draw(st.sampled_from(kinds)),
        )
        for _ in range(count)
    ]
    arrivals = [*product(OWNERS, accounts, MINUTES, (("",), ("",), ("",), ("1", "2")))]
    letters: list[Letter] = []
    requests: list[Request] = []
    for at in range(draw(st.integers(1, max_captures))):
        capture_id = UUID(int=at + 1)
        owner, account, minutes, places = draw(st.sampled_from(arrivals))
        verdict, may_wait, backfill = draw(st.sampled_from(TREATMENTS))
        half, leak = draw(st.sampled_from(PROOFS))
        for place in places:
            number = draw(st.integers(0, count - 1))
            references, day, of = mails[number]
            variant, has_bcc = draw(st.sampled_from(FORMS))
            people = draw(st.sampled_from(PEOPLE[draw(st.sampled_from((1, 1, 2, 3)))]))
            matches = [
                match(f"c{one // 2}", role, address=f"a{one}@mail.example")
                for one, role in zip(*people, strict=True)
            ]
            parts = [matches[:1], matches[1:]] if len(matches) > 1 and minutes % 2 else [matches]
            bcc = f"hidden{owner}@mail.example" if has_bcc else ""
            raw = raw_of(number, variant, references, day, of, bcc)
            made = tuple(
                attach(
                    raw,
                    *some,
                    capture_id=capture_id,
                    owner=owner,
                    account=account,
                    minutes=minutes,
                    place=place,
                    part=part,
                    parts=len(parts),
                    verdict=verdict,
                    may_wait=may_wait,
                    backfill=backfill,
                    sent_by_owner=variant == 0,
                    half=half,
                    leak=leak,
                )
                for part, some in enumerate(parts, 1)
            )
            named = references if of is None else (of,)
            letters.append(Letter(number, named, verdict is FAILED and may_wait, made))
            requests += made
        if extras:
            is_dismissed, make = draw(st.sampled_from(EXTRAS))
            if is_dismissed:
                position = draw(st.integers(0, len(requests)))
                gone = dismiss(
                    capture_id,
                    account=account,
                    minutes=minutes,
                    backfill=backfill,
                    owner=owner,
                    half=half,
                    leak=leak,
                )
                requests.insert(position, gone)
            if make is not None:
                requests.append(make(UUID(int=1000 + at), account=account))
    return Case(letters, requests)


def one_by_one(requests: Iterable[Request]) -> Memory:
    return written(*requests)


def in_batches(
    requests: Sequence[Request], seed: int, *, again: bool = True
) -> tuple[Memory, list[Answer]]:
    """Write requests in any order, some of them again, in batches of any size."""
    chance = random.Random(seed)
    often = [*requests, *chance.sample(requests, len(requests) // 3 if again else 0)]
    chance.shuffle(often)
    memory = Memory(is_asked_ahead=chance.random() < 0.5, seed=chance.randrange(1000))
    answers: list[Answer] = []
    while often:
        size = chance.choice((1, 2, 5, 64))
        answers += memory.write(*often[:size])
        del often[:size]
    return memory, answers
