"""From a mail to its decision, in two looks: at the header, and where it may count, at the body.

Used by the consumer for real mail and by `/v1/explain`: what it needs to know it asks for.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from services.matcher.decide import Decision, Person, decide
from services.matcher.forward import forwarded_participants, may_be_forward, read_forward
from services.matcher.participants import Participant, participants
from shared.events import Forwarded
from shared.headers import HeaderBlock

Ask = Callable[[frozenset[str]], Awaitable[Collection[Person]]]
"""Who has to be considered in a decision about these addresses?"""
Body = Callable[[], Awaitable[bytes]]
"""The raw mail, or enough of its beginning; asked for only when it may count."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, and what it rests on."""

    decision: Decision
    participants: tuple[Participant, ...]
    people: Collection[Person]
    forwarded: Forwarded | None = None


async def judge(header: HeaderBlock, ask: Ask, body: Body, capture_domain: str) -> Judgement:
    """Decide about a mail of a user whose capture address counts."""
    taking_part = participants(header, capture_domain)
    people = await ask(_keys(taking_part))
    decision = decide(taking_part, people)
    if may_be_forward(header, decision, people, capture_domain):
        forwarded = read_forward(await body())
        if forwarded is not None:
            taking_part += forwarded_participants(forwarded, capture_domain)
            people = await ask(_keys(taking_part))
            return Judgement(decide(taking_part, people), taking_part, people, forwarded)
    return Judgement(decision, taking_part, people)


def _keys(taking_part: Collection[Participant]) -> frozenset[str]:
    return frozenset(participant.address for participant in taking_part)
