"""What is listed of a mail: its rows, those of its profiles, and its conversation's. Pure.

Every page that is read is one range of one index over these. They are derived from the mail, its
contents and its conversation, so they can be made anew; and they are written in the transaction of
what they are derived from.
"""

from collections.abc import Collection, Sequence
from functools import reduce

from msgspec import Struct

from services.timeline.content.inline_data import searchable
from services.timeline.content.terms import terms_of
from services.timeline.write.audiences import TEAM, View, private_to, profile_dates, views
from services.timeline.write.conversations import summary_id, summary_in, summary_row
from services.timeline.write.read_marks import read_what_was_sent
from services.timeline.write.records import (
    Capture,
    Content,
    Mail,
    MailRow,
    NamedAddress,
    ProfileRow,
    Summary,
    SummaryRow,
)
from services.timeline.write.state import Draft
from services.timeline.write.summary import changed as changed_summary
from services.timeline.write.summary import joined, summary_of

MAX_PARTICIPANTS = 50
"""Of one mail, for the summary of its conversation."""


class News(Struct, frozen=True):
    """What makes a mail news, or not."""

    now: int
    """Milliseconds since the epoch."""
    sent_by: str | None = None
    """The user who sent it: no news to them."""
    is_news: bool = True
    """False for backfill."""


def list_mail(
    draft: Draft,
    mail: Mail,
    before: Sequence[Capture],
    conversation: str,
    news: News,
    *,
    anew: Collection[str] = (),
) -> set[str]:
    """Bring all that is listed of a mail up to date; return the audiences it has changed for.

    `before` are the captures that the rows were made from, `anew` the keys of contents that were
    read anew since.
    """
    rows, gone, was = _rows(draft, mail, before, conversation, anew)
    _list_on_profiles(draft, mail, before)
    for audience in sorted({*rows, *gone}):
        _summarise(draft, mail.account, audience, conversation, was.get(audience), rows, news)
    return {*rows, *gone}


def _rows(
    draft: Draft, mail: Mail, before: Sequence[Capture], conversation: str, anew: Collection[str]
) -> tuple[dict[str, MailRow], set[str], dict[str, MailRow]]:
    """Write the mail's rows; return those that are new or differ, who has none any more, and what
    they were."""
    had, has = views(before), views(mail.captures)
    differing = {a for a, view in has.items() if had.get(a) != view or view.content in anew}
    contents = draft.many(
        Content, mail.account, [content_id(mail.id, has[a].content) for a in sorted(differing)]
    )
    known = [row_id(mail, a) for a in sorted(had) if a in differing or a not in has]
    was = {r.audience: r for r in draft.many(MailRow, mail.account, known).values() if r}
    terms: dict[str, tuple[str, ...]] = {}
    rows: dict[str, MailRow] = {}
    for audience in sorted(differing):
        content = contents[content_id(mail.id, has[audience].content)]
        if content is None:
            continue
        if content.id not in terms:
            terms[content.id] = _terms(content)
        row = mail_row(mail, audience, conversation, has[audience], content, terms[content.id])
        if row != was.get(audience):
            rows[audience] = row
            draft.put(row)
    gone = {audience for audience in was if audience not in has}
    for audience in gone:
        draft.delete(MailRow, mail.account, row_id(mail, audience))
    return rows, gone, was


def _list_on_profiles(draft: Draft, mail: Mail, before: Sequence[Capture]) -> None:
    had, has = profile_dates(before), profile_dates(mail.captures)
    for (audience, person_id), date in has.items():
        was = had.get((audience, person_id))
        id_ = _profile_row_id(mail, audience, person_id)
        if was is not None:
            draft.one(ProfileRow, mail.account, id_)
        if was != date:
            draft.put(
                ProfileRow(
                    id=id_,
                    account=mail.account,
                    audience=audience,
                    person_id=person_id,
                    mail_id=mail.id,
                    date=date,
                )
            )
    for audience, person_id in had.keys() - has.keys():
        draft.delete(ProfileRow, mail.account, _profile_row_id(mail, audience, person_id))


def _summarise(
    draft: Draft,
    account: str,
    audience: str,
    conversation: str,
    was: MailRow | None,
    rows: dict[str, MailRow],
    news: News,
) -> None:
    """Bring the conversation's row in an audience up to date."""
    id_ = summary_id(account, audience, conversation)
    had, row = draft.one(SummaryRow, account, id_), rows.get(audience)
    new: Summary | None
    if row is not None and had is None:
        new = summary_of(row)
    elif row is not None and had is not None and was is None:
        new = joined(summary_in(had), summary_of(row))
    else:
        new = changed_summary(summary_in(had), was, row) if had and was and row else None
        new = new or _summary_anew(draft, account, audience, conversation)
    if new is None:
        draft.delete(SummaryRow, account, id_)
        return
    arrived = had.arrived if had else 0
    if was is None and news.is_news and not _is_own(audience, news.sent_by):
        before, arrived = arrived, max(arrived + 1, news.now)
        if audience == TEAM and news.sent_by is not None:
            private = summary_id(account, private_to(news.sent_by), conversation)
            other = draft.one(SummaryRow, account, private)
            before = max(before, other.arrived if other else 0)
            read_what_was_sent(draft, account, news.sent_by, conversation, before, arrived)
    draft.put(summary_row(account, audience, conversation, arrived, new))


def _is_own(audience: str, user: str | None) -> bool:
    return user is not None and audience in (user, private_to(user))


def _summary_anew(draft: Draft, account: str, audience: str, conversation: str) -> Summary | None:
    rows = draft.of_conversations(MailRow, account, [conversation], audience)
    return reduce(joined, map(summary_of, rows)) if rows else None


def mail_row(
    mail: Mail,
    audience: str,
    conversation: str,
    view: View,
    content: Content,
    terms: tuple[str, ...],
) -> MailRow:
    """Return the row of a mail in an audience."""
    people = [entry for entry in content.participants if entry.role != "reply_to"]
    named = {entry.address.lower(): entry for entry in reversed(people)}
    first = [named[key] for key in dict.fromkeys(entry.address.lower() for entry in people)]
    return MailRow(
        id=row_id(mail, audience),
        account=mail.account,
        audience=audience,
        mail_id=mail.id,
        conversation=conversation,
        date=view.date,
        content=view.content,
        subject=content.subject,
        snippet=content.snippet,
        has_attachments=bool(content.attachments),
        participants=tuple(
            NamedAddress(name=entry.name, address=entry.address)
            for entry in first[:MAX_PARTICIPANTS]
        ),
        persons=view.persons,
        terms=terms,
    )


def _terms(content: Content) -> tuple[str, ...]:
    """Return what the content is found by: the same for every audience."""

    def of(*roles: str) -> list[tuple[str, str]]:
        return [(p.name, p.address) for p in content.participants if p.role in roles]

    return tuple(
        terms_of(
            subject=content.subject,
            text=searchable(content.text),
            sender=of("from", "sender"),
            recipients=of("to", "cc"),
            attachments=[attachment.filename for attachment in content.attachments],
            is_whole=not content.incomplete,
        )
    )


def content_id(mail_id: str, key: str) -> str:
    """Return the id of one of a mail's contents."""
    return f"{mail_id}/{key}"


def row_id(mail: Mail, audience: str) -> str:
    """Return the id of a mail's row in an audience."""
    return f"{mail.account}/{audience}/{mail.id}"


def _profile_row_id(mail: Mail, audience: str, person_id: str) -> str:
    return f"{mail.account}/{audience}/{person_id}/{mail.id}"
