"""A mail that a user forwarded to their capture address, inline ("Fwd:").

The body of a mail is evidence that its writer supplies, so it counts only under all of these:

* every literal From, never a recovered one, is a user of the account,
* every To and Cc recipient is a capture address,
* no unblocked profile matched by header.

Then the header block that the forwarder's client put into the text adds participants, and says what
is shown: the original sender, date and subject. Read here are the common English forms, in plain
text: Gmail's and Outlook's separators, Apple's, and Outlook's block without any. Linear in the
text.
"""

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from services.matcher.addresses import normalise
from services.matcher.decide import Attach, Decision, Person
from services.matcher.participants import Participant
from services.matcher.senders import literal_senders
from shared.events import Forwarded, Kind, Named, Role, Source
from shared.headers import HeaderBlock, Mailbox, addresses, decode_text, parse_date
from shared.mime import body_parts, leaves, text_of

MAX_ADDRESSES = 100
_MAX_SUBJECT = 1000
_SEPARATOR = re.compile(
    r"-{2,} ?(?:Forwarded|Original) message ?-{2,}|Begin forwarded message:", re.IGNORECASE
)
_FIELD = re.compile(r"\*?(From|Sent|Date|To|Cc|Subject|Reply-To): ?\*? ?(.*)", re.IGNORECASE)
_MAILTO = re.compile(r"\[mailto:([^\[\]\s]{1,320})\]", re.IGNORECASE)
_QUOTE = re.compile(r"(?:> ?)+")


def written_by_users(header: HeaderBlock, people: Collection[Person]) -> bool:
    """Return whether every literal From, never a recovered one, is a user of the account."""
    users = frozenset().union(*(person.keys for person in people if person.kind is Kind.USER))
    senders = [normalise(mailbox.address) for mailbox in literal_senders(header)]
    return bool(senders) and all(sender in users for sender in senders)


def may_be_forward(
    header: HeaderBlock, decision: Decision, people: Collection[Person], capture_domain: str
) -> bool:
    """Return whether the conditions hold under which the body counts."""
    if isinstance(decision, Attach):
        return False
    recipients = addresses(header.all("To")) + addresses(header.all("Cc"))
    return written_by_users(header, people) and all(
        normalise(r.address).endswith(f"@{capture_domain}") for r in recipients
    )


def read_forward(raw: bytes) -> Forwarded | None:
    """Return what the forwarded mail in this one says of itself, or None when there is none."""
    parts, _ = leaves(raw)
    plain, _ = body_parts(parts)
    return forwarded_in(text_of(plain)[0]) if plain else None


def forwarded_in(text: str) -> Forwarded | None:
    """Return the first forwarded header block of a text, or None."""
    lines = [_QUOTE.sub("", line).strip() for line in text.split("\n")]
    for start in _starts(lines):
        fields = _fields(lines, start)
        sender = _mailboxes(fields.get("from", ""))[:1]
        if sender and (fields.keys() & {"date", "sent"}) and (fields.keys() & {"to", "subject"}):
            subject = decode_text(fields.get("subject", ""))[:_MAX_SUBJECT]
            return Forwarded(
                sender=sender[0],
                to=tuple(_mailboxes(fields.get("to", ""))),
                cc=tuple(_mailboxes(fields.get("cc", ""))),
                date=_date(fields.get("date") or fields.get("sent") or ""),
                subject=subject or None,
            )
    return None


def forwarded_participants(forwarded: Forwarded, capture_domain: str) -> tuple[Participant, ...]:
    """Return who takes part in the forwarded mail."""
    roles = ((Role.FROM, (forwarded.sender,)), (Role.TO, forwarded.to), (Role.CC, forwarded.cc))
    found = [
        Participant(normalise(named.address), role, Source.FORWARDED_BODY)
        for role, people in roles
        for named in people
    ]
    others = (p for p in dict.fromkeys(found) if not p.address.endswith(f"@{capture_domain}"))
    return tuple(others)


def _starts(lines: Sequence[str]) -> Iterator[int]:
    """Yield where the block may begin: behind the first separator, else at a From.

    Where there is a separator nothing else is looked at: what follows further down was forwarded
    before, or only quoted, and crediting the wrong person is worse than crediting nobody.
    """
    for number, line in enumerate(lines):
        if _SEPARATOR.fullmatch(line):
            following = number + 1
            while following < len(lines) and following < number + 4 and not lines[following]:
                following += 1
            yield following
            return
    for number, line in enumerate(lines):
        if (field := _FIELD.fullmatch(line)) and field[1].lower() == "from":
            yield number


def _fields(lines: Sequence[str], start: int) -> dict[str, str]:
    """Return the block's fields by name, in lower case, the first of each."""
    fields: dict[str, str] = {}
    last = ""
    for line in lines[start : start + 50]:
        field = _FIELD.fullmatch(line)
        if field is not None:
            last = field[1].lower()
            if last in fields:
                break
            fields[last] = field[2].strip()
        elif line and last in ("to", "cc"):
            fields[last] += f" {line}"  # a long list goes on
        else:
            break
    return fields


_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? ", re.IGNORECASE)
_ZONE = re.compile(r" (?:GMT|UTC)([+-]\d{1,2})?(?::?(\d\d))?$")
_FORMS = [
    f"{day} {time}"
    for day in ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y")
    for time in ("%I:%M %p", "%I:%M:%S %p", "%H:%M", "%H:%M:%S")
]


def _date(value: str) -> datetime | None:
    """Return the date as English clients write it; without a zone it is taken for UTC."""
    if (found := parse_date(value)) is not None:
        return found
    text = _WEEKDAY.sub("", " ".join(value.split()), count=1).replace(" at ", " ")[:60]
    hours = 0.0
    if zone := _ZONE.search(text):
        text = text[: zone.start()]
        hours = int(zone[1] or 0)
    for form in _FORMS:
        with contextlib.suppress(ValueError):
            local = datetime.strptime(text, form).replace(tzinfo=UTC)
            return local - timedelta(hours=hours)
    return None


def _mailboxes(value: str) -> list[Named]:
    written = _MAILTO.sub(r"<\1>", value)
    return [_named(mailbox) for mailbox in addresses([written])[:MAX_ADDRESSES]]


def _named(mailbox: Mailbox) -> Named:
    return Named(name=mailbox.name[:200], address=mailbox.address)
