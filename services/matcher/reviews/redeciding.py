"""The decision of today about who takes part in a capture, or of tomorrow, after a change."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.matcher.decision.decide import Decision, Person, decide
from services.matcher.decision.pending import PendingChange, with_change
from services.matcher.directory.knowledge import Knowledge
from services.matcher.directory.people import Directory
from services.matcher.reading.participants import Participant
from services.matcher.reviews.facts import Facts


@dataclass(frozen=True, slots=True)
class Redecision:
    """What would be decided, and by whom that was found."""

    decision: Decision
    participants: tuple[Participant, ...]
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Redeciding:
    """Decides again; nothing is remembered, so each decision is by the directory of this moment."""

    knowledge: Knowledge
    directory: Directory

    async def decide(
        self, account: str, owner: str, facts: Facts, change: PendingChange | None
    ) -> Redecision:
        """Decide about a capture of this owner. Raises PyMongoError."""
        people = await self.people(account, facts.keys, change)
        taking_part = facts.participants
        if facts.bounce is not None:
            taking_part = tuple(dict.fromkeys((*taking_part, *facts.bounce.participants(people))))
        never = await self.knowledge.never(account, owner)
        return Redecision(decide(taking_part, people, never), taking_part, people)

    async def people(
        self, account: str, keys: frozenset[str], change: PendingChange | None
    ) -> tuple[Person, ...]:
        """Return everyone whom a decision about these addresses has to consider."""
        if change is None:
            return await self.knowledge.people(account, keys)
        before = await self.directory.get(account, change.person_id)
        for person in (before, change.person):
            keys |= person.keys if person else frozenset()
        group = await self.directory.group(account, change.person_id)
        keys |= group.keys if group else frozenset()
        people = await self.knowledge.people(account, keys)
        return with_change(people, change, group.survivor if group else None)

    async def known(
        self, account: str, of: frozenset[str], redecision: Redecision, change: PendingChange | None
    ) -> Mapping[str, Person]:
        """Return everybody whom it considered, and those of these who are in the directory."""
        known = {person.person_id: person for person in redecision.people}
        for who in of - known.keys():
            if change is not None and change.person_id == who:
                person = change.person
            else:
                person = await self.directory.get(account, who)
            if person is not None:
                known[who] = person
        return known
