"""What an inbox shows of a conversation: a summary of its mails, as one audience has them. Pure.

A summary is kept up to date mail by mail without a look at the others, and does not depend on their
order: counts are sums, the newest and the oldest mail are the greatest and the least by date and
id, and the lists keep the greatest of a total order. What is taken away cannot be taken out of it
(rarely: an earlier copy of a mail arrives later and differs). Then it is made anew from the rows.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from services.timeline.write.listed_records import (
    DatedAddress,
    FirstMail,
    LastMail,
    MailRow,
    ProfileRef,
    Summary,
)

MAX_PARTICIPANTS = 20
MAX_PERSONS = 200


def summary_of(row: MailRow) -> Summary:
    """Return the summary of a conversation that has the mail of this row alone."""
    return Summary(
        last_mail_at=row.date,
        first=FirstMail(date=row.date, mail_id=row.mail_id, subject=row.subject),
        last=LastMail(date=row.date, mail_id=row.mail_id, snippet=row.snippet),
        mail_count=1,
        with_attachments=int(row.has_attachments),
        participants=_participants(
            DatedAddress(name=entry.name, address=entry.address, date=row.date)
            for entry in row.participants
        ),
        persons=_persons(row.persons),
    )


def joined(one: Summary, other: Summary) -> Summary:
    """Return the summary of both, which have no mail in common."""
    last = max(one.last, other.last, key=_position)
    return Summary(
        last_mail_at=last.date,
        first=min(one.first, other.first, key=_position),
        last=last,
        mail_count=one.mail_count + other.mail_count,
        with_attachments=one.with_attachments + other.with_attachments,
        participants=_participants([*one.participants, *other.participants]),
        persons=_persons([*one.persons, *other.persons]),
    )


def changed(summary: Summary, before: MailRow, after: MailRow) -> Summary | None:
    """Return the summary when the row of one of its mails has changed; None: recompute it."""
    additive = (
        before.date == after.date
        and before.has_attachments <= after.has_attachments
        and all(entry in after.participants for entry in before.participants)
        and all(person in after.persons for person in before.persons)
    )
    if not additive:
        return None
    new = summary_of(after)
    both = joined(summary, new)
    gained = int(after.has_attachments) - int(before.has_attachments)
    return replace(
        both,
        mail_count=summary.mail_count,
        with_attachments=summary.with_attachments + gained,
        # Of the same mail the newer words count.
        first=new.first if _position(both.first) == _position(new.first) else both.first,
        last=new.last if _position(both.last) == _position(new.last) else both.last,
    )


def _participants(entries: Iterable[DatedAddress]) -> tuple[DatedAddress, ...]:
    """Return the latest participants, each once, with the last of their names."""
    latest: dict[str, DatedAddress] = {}
    for entry in entries:
        key = entry.address.lower()
        if key not in latest or _recency(entry) > _recency(latest[key]):
            latest[key] = entry
    return tuple(sorted(latest.values(), key=_recency, reverse=True)[:MAX_PARTICIPANTS])


def _recency(entry: DatedAddress) -> tuple[object, ...]:
    return entry.date, entry.address, entry.name


def _persons(entries: Iterable[ProfileRef]) -> tuple[ProfileRef, ...]:
    by_id = {(entry.person_id, entry.kind): entry for entry in entries}
    return tuple(by_id[key] for key in sorted(by_id)[:MAX_PERSONS])


def _position(mail: FirstMail | LastMail) -> tuple[object, str]:
    return mail.date, mail.mail_id
