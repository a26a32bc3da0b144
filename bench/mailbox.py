"""A mailbox of any size, the same one for the same number of mails: what people write. Pure.

Mails come conversation by conversation, so that several processes can make their share:

* Conversations have 1 to 60 mails, most of them few; the first one is long, a tenth of all mails,
  at most 10,000. Their beginnings are spread evenly over three years.
* Two users (`u1`, `u2`) write with 5,000 profiles, few of whom have most of the mail. One mail in
  ten was captured by both users, one conversation in twenty has a profile that is known from a
  user's Bcc, one in fifty nothing else.
* A mail has about 25 words, or as many as asked for. One in five has an attachment, every other one
  HTML too. There are 20,000 words; how frequent they are follows Zipf, as in what people write.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bench.prose import some_words, zipf
from bench.prose import vocabulary as vocabulary  # of this mailbox, for who looks for its words
from services.timeline.content.reader import Attachment, Mailbox, ReadMail
from shared.contracts.events import Direction, Kind, MailAttached, Match, Role

ACCOUNT = "bench"
USERS = {
    "u1": Mailbox("Anna Berg", "anna.berg@agency.example"),
    "u2": Mailbox("Otto Wolf", "otto.wolf@agency.example"),
}
PROFILES = 5000
LONGEST = 10_000
SPAN = timedelta(days=3 * 365)
MAIL_WORDS = 25
"""Words of a mail's text, on average."""
_DOMAINS = 400


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, and its captures in the order in which they arrived."""

    mail: ReadMail
    raw: bytes
    """Stands for its bytes."""
    captures: tuple[MailAttached, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation to be written."""

    number: int
    mails: int


class Writers:
    """Write conversations: each with a chance of its own, so in any order and any process."""

    def __init__(self, until: datetime, mail_words: int = MAIL_WORDS) -> None:
        self._until, self._mail_words = until, mail_words
        self.words = vocabulary()
        self._people = _people(self.words)
        self._people_weights = zipf(PROFILES)

    def letters(self, conversation: Conversation) -> Iterator[Letter]:
        """Yield the mails of a conversation, oldest first."""
        chance = random.Random(conversation.number)
        owner = "u1" if chance.random() < 0.6 else "u2"
        profiles = [self._somebody(chance) for _ in range(1 + (chance.random() < 0.2))]
        kind = chance.random()
        hidden = self._somebody(chance) if kind < 0.05 else None
        if kind < 0.02:
            profiles = []
        subject = " ".join(some_words(chance, 4)).capitalize()
        step = SPAN / (conversation.mails + 1)
        moment = self._until - SPAN * chance.random()
        if conversation.number == 0:
            moment = self._until - SPAN + step
        ids: list[str] = []
        for number in range(conversation.mails):
            ids.append(f"{conversation.number}.{number}@mail.bench.example")
            yield self._letter(
                chance, owner, profiles, hidden, ids, ("Re: " if number else "") + subject, moment
            )
            gap = step if conversation.number == 0 else timedelta(days=chance.expovariate(1))
            moment = min(moment + gap, self._until - timedelta(seconds=chance.randrange(60)))

    def _letter(
        self,
        chance: random.Random,
        owner: str,
        profiles: Sequence[int],
        hidden: int | None,
        ids: Sequence[str],
        subject: str,
        moment: datetime,
    ) -> Letter:
        outbound = hidden is not None or chance.random() < 0.5
        user, others = USERS[owner], [self._people[number] for number in profiles]
        outsider = Mailbox("", f"{chance.choice(self.words)}@elsewhere.example")
        sender = user if outbound or not others else others[0]
        to = (others or [outsider]) if sender is user else [user, *others[1:]]
        bcc = [self._people[hidden]] if hidden is not None and hidden not in profiles else []
        least = self._mail_words * 3 // 5
        words = some_words(chance, chance.randrange(least, 2 * self._mail_words - least + 1))
        text = " ".join(words)
        mail = ReadMail(
            message_id=ids[-1],
            references=tuple(dict.fromkeys([*ids[-2:-1], *ids[:-1][:1]])),
            subject=subject,
            date=moment.replace(microsecond=0),
            from_=(sender,),
            to=tuple(to),
            cc=(outsider,) if others and chance.random() < 0.2 else (),
            bcc=tuple(bcc),
            reply_to=(),
            text=text,
            html=f"<p>{text}</p>" if chance.random() < 0.5 else None,
            snippet=text[:200],
            forward=False,
            auto=None,
            invite=None,
            attachments=_attachments(chance, words) if chance.random() < 0.2 else (),
            incomplete=False,
        )
        matches = [
            _match(number, person, Role.FROM if person is sender else Role.TO)
            for number, person in zip(profiles, others, strict=True)
        ]
        matches += [_match(hidden or 0, person, Role.BCC) for person in bcc]
        if not matches:  # the hidden one is the only one there is, and in To already
            matches = [_match(profiles[0], others[0], Role.TO)]
        users = [owner] if bcc or chance.random() < 0.9 else list(USERS)
        captures = tuple(
            MailAttached(
                capture_id=UUID(int=chance.getrandbits(128), version=4),
                account=ACCOUNT,
                owner=user_id,
                capture_address=f"{user_id}@in.satchel.test",
                received_at=moment + timedelta(seconds=5 + number),
                decided_at=moment + timedelta(seconds=6 + number),
                door="smtp",
                direction=Direction.OUTBOUND if sender is user else Direction.INBOUND,
                matches=tuple(matches),
                size=len(text),
            )
            for number, user_id in enumerate(users)
        )
        return Letter(mail, text.encode(), captures)

    def _somebody(self, chance: random.Random) -> int:
        [number] = chance.choices(range(PROFILES), cum_weights=self._people_weights)
        return number


def conversations(mails: int) -> list[Conversation]:
    """Return the conversations of a mailbox with so many mails."""
    chance = random.Random(0)
    found = [Conversation(0, max(1, min(LONGEST, mails // 10)))]
    left = mails - found[0].mails
    while left:
        size = min(left, 60, int(chance.paretovariate(1.1)))
        found.append(Conversation(len(found), size))
        left -= size
    return found


def profile_id(number: int) -> str:
    """Return the id of a profile; those with lower numbers have more mail."""
    return f"p{number}"


def _people(words: Sequence[str]) -> list[Mailbox]:
    chance = random.Random(0)
    found: list[Mailbox] = []
    for number in range(PROFILES):
        first, last = chance.sample(words[:3000], 2)
        domain = f"{words[chance.randrange(_DOMAINS)]}.example"
        name = f"{first.capitalize()} {last.capitalize()}"
        found.append(Mailbox(name, f"{first}.{last}{number}@{domain}"))
    return found


def _match(number: int, person: Mailbox, role: Role) -> Match:
    kind = Kind.CONTACT if number % 4 == 0 else Kind.CANDIDATE
    return Match(person_id=profile_id(number), kind=kind, address=person.address, role=role)


def _attachments(chance: random.Random, words: Sequence[str]) -> tuple[Attachment, ...]:
    name = f"{'-'.join(words[:2])}.pdf"
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return (Attachment(0, name, "application/pdf", chance.randrange(10**4, 10**6), digest),)
