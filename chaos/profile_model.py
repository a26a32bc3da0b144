"""What the profiles of an account show: a pure model, fed with what was acknowledged.

A mail is shown on a profile when it matched one of the people who are that profile, and was not
removed from that person. Nobody sees it on a profile that was deleted or is blocked; only its owner
sees it while it is private; and nobody once it was deleted, or all whom it matched were erased.

Two things may fall either way, and no others:

* A mail that is in flight is shown, or not yet.
* A mail that named somebody who was deleted or blocked was decided without them. When the broker
  delivers it again after they are back, attach wins (DESIGN, section 4). So it may be shown there.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

State = Literal["there", "deleted", "blocked", "erased"]


@dataclass
class Mail:
    """A mail, known by its only word. It was captured once, or as one capture several times."""

    word: str
    owner: str
    matches: set[str]
    missed: set[str]
    """Whom it names and was decided without."""
    is_kept: bool
    """No operation is about this one: by it is seen which people a profile has."""
    settled: bool = False
    private: bool = False
    deleted: bool = False
    detached: set[str] = field(default_factory=set)


class Shown(NamedTuple):
    """The mails of a profile's timeline, by their words."""

    must: set[str]
    may: set[str]


class Model:
    """The people and mails of one account."""

    def __init__(self, people: Iterable[str]) -> None:
        self.people: dict[str, State] = dict.fromkeys(people, "there")
        self.merged_into: dict[str, str] = {}
        self.mails: dict[str, Mail] = {}

    def survivor(self, person: str) -> str:
        """Return the person whose profile it is."""
        while person in self.merged_into:
            person = self.merged_into[person]
        return person

    def group(self, person: str) -> set[str]:
        """Return all who are one profile with the person."""
        survivor = self.survivor(person)
        return {one for one in self.people if self.survivor(one) == survivor}

    def is_open(self, person: str) -> bool:
        """Whether mail to the person is attached, and shown on their profile."""
        return all(self.people[one] == "there" for one in self.group(person))

    @property
    def open(self) -> list[str]:
        """All whose mail is attached."""
        return [person for person in self.people if self.is_open(person)]

    # What was acknowledged.

    def sent(self, word: str, owner: str, named: Collection[str], *, is_kept: bool = False) -> Mail:
        """Note a mail whose upload begins. Until it is settled nothing about those may change."""
        matches = {person for person in named if self.is_open(person)}
        mail = Mail(word, owner, matches, {*named} - matches, is_kept)
        self.mails[word] = mail
        return mail

    def merged(self, person: str, into: str) -> None:
        """Note a merge."""
        self.merged_into[person] = into

    def parted(self, person: str) -> None:
        """Note that the person's merge was undone."""
        del self.merged_into[person]

    def became(self, person: str, state: State) -> None:
        """Note that somebody was deleted, was blocked, or is back."""
        self.people[person] = state

    def detached(self, mail: Mail, person: str) -> None:
        """Note that a mail was removed from the profile of the person."""
        mail.detached |= self.group(person)

    def put_back(self, mail: Mail, person: str) -> None:
        """Note that a mail was put back on the profile of the person."""
        mail.detached -= self.group(person)

    def handed_over(self, leaver: str, to: str) -> None:
        """Note that all that one user captured is another's. What is private stays so."""
        for mail in self.mails.values():
            if mail.owner == leaver and not mail.deleted:
                mail.owner = to

    def erased(self, person: str) -> set[str]:
        """Note that the people of a profile were erased; return who."""
        group = self.group(person)
        for mail in self.mails.values():
            mail.matches -= group
            mail.missed -= group
        for one in group:
            self.people[one] = "erased"
            self.merged_into.pop(one, None)
        return group

    # What follows from it.

    def timeline(self, person: str, viewer: str) -> Shown:
        """Return what the viewer sees on the profile."""
        shown = Shown(set(), set())
        if not self.is_open(person):
            return shown
        group = self.group(person)
        for mail in self.mails.values():
            on = group - mail.detached
            if mail.deleted or (mail.private and mail.owner != viewer):
                continue
            if mail.matches & on and mail.settled:
                shown.must.add(mail.word)
            elif (mail.matches | mail.missed) & on:
                shown.may.add(mail.word)
        return shown

    def forgotten(self) -> set[str]:
        """Return the words of mails of which nothing may be left."""
        return {
            mail.word
            for mail in self.mails.values()
            if mail.settled and (mail.deleted or not mail.matches | mail.missed)
        }

    def removed(self) -> Iterator[tuple[Mail, str]]:
        """Yield mails that were removed from a profile that can be seen, with a person of it."""
        for mail in self.mails.values():
            for person in sorted(mail.matches & mail.detached):
                whole = mail.matches & self.group(person) <= mail.detached
                if whole and self.is_open(person) and not mail.deleted:
                    yield mail, person
