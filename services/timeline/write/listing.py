"""What is listed of a mail: its rows, those of its profiles, and its conversation's. Pure.

Every page that is read is one range of one index over these. They are derived from the mail, its
contents and its conversation, so they can be made anew; and they are written in the transaction of
what they are derived from.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from services.timeline.write.audiences import (
    TEAM,
    View,
    as_ruled,
    private_to,
    profile_dates,
    views,
)
from services.timeline.write.conversations import summary_id, summary_in, summary_row
from services.timeline.write.listed_records import MailRow, ProfileRow, Summary, SummaryRow
from services.timeline.write.mail_rows import (
    content_id,
    mail_row,
    row_id,
    terms_of_content,
)
from services.timeline.write.read_marks import mark_id, read_what_was_sent, reader_id
from services.timeline.write.records import Capture, Content, Mail
from services.timeline.write.side_records import ReadBefore, ReadMark
from services.timeline.write.state import ById, Draft
from services.timeline.write.summary import changed as changed_summary
from services.timeline.write.summary import joined, summary_of


class News(Struct, frozen=True):
    """What makes a mail news, or not."""

    now: int
    """Milliseconds since the epoch."""
    is_news: bool = True
    """False for backfill."""


class Change(Struct, frozen=True, kw_only=True):
    """A mail whose captures have changed, as each audience had it and has it now."""

    mail: Mail
    conversation: str
    had: Mapping[str, View]
    has: Mapping[str, View]
    dated: Mapping[tuple[str, str], datetime]
    """When each profile had the mail, by audience and profile."""
    dates: Mapping[tuple[str, str], datetime]
    differing: tuple[str, ...]
    """Audiences for which it is new or has changed."""
    gone: tuple[str, ...]
    """Audiences that no longer have it."""
    senders: frozenset[str]
    """The users who sent it: no news to them."""
    new_senders: frozenset[str]
    """Those of whom that was not known before."""

    @classmethod
    def of(
        cls,
        mail: Mail,
        before: Sequence[Capture],
        conversation: str,
        anew: Collection[str] = (),
    ) -> Self:
        """Compare a mail with what was listed of it, made from the captures `before`, as ruled.

        `anew` are the keys of contents that were read anew since.
        """
        captures = as_ruled(mail)
        had, has = views(before), views(captures)
        return cls(
            mail=mail,
            conversation=conversation,
            had=had,
            has=has,
            dated=profile_dates(before),
            dates=profile_dates(captures),
            differing=tuple(
                audience
                for audience, view in has.items()
                if had.get(audience) != view or view.content in anew
            ),
            gone=tuple(audience for audience in had if audience not in has),
            senders=_senders(captures),
            new_senders=_senders(captures) - _senders(before),
        )

    @property
    def needed(self) -> Iterator[ById]:
        """Yield what has to be loaded to list the mail."""
        account = self.mail.account
        for audience in self.differing:
            yield ById(Content, account, content_id(self.mail.id, self.has[audience].content))
        for audience in (*self.differing, *self.gone):
            yield ById(SummaryRow, account, summary_id(account, audience, self.conversation))
            if audience in self.had:
                yield ById(MailRow, account, row_id(self.mail, audience))
        for (audience, person_id), date in self.dated.items():
            if self.dates.get((audience, person_id)) != date:
                yield ById(ProfileRow, account, _profile_row_id(self.mail, audience, person_id))
        for user in self.new_senders if TEAM in self.had else self.senders:
            private = summary_id(account, private_to(user), self.conversation)
            yield ById(SummaryRow, account, private)
            yield ById(ReadMark, account, mark_id(account, user, self.conversation))
            yield ById(ReadBefore, account, reader_id(account, user))

    def is_own(self, audience: str) -> bool:
        """Return whether the audience is one that only a sender of the mail reads."""
        return audience.removeprefix("!") in self.senders


def list_mail(draft: Draft, change: Change, news: News) -> set[str]:
    """Bring all that is listed of a mail up to date; return the audiences it has changed for."""
    draft.need(change.needed)
    was = {
        audience: row
        for audience in (*change.differing, *change.gone)
        if audience in change.had and (row := _listed(draft, change, audience)) is not None
    }
    rows = {
        audience: row
        for audience in change.differing
        if (row := _row_of(draft, change, audience, was.get(audience)))
        not in (None, was.get(audience))
    }
    for row in rows.values():
        draft.put(row)
    for audience in change.gone:
        draft.delete(MailRow, change.mail.account, row_id(change.mail, audience))
    _list_on_profiles(draft, change)
    changed_for = {*rows, *change.gone}
    for audience in sorted(changed_for):
        _summarise(draft, change, audience, was.get(audience), rows.get(audience), news)
    if TEAM in change.had:
        _read_by_new_senders(draft, change)
    return changed_for


def _listed(draft: Draft, change: Change, audience: str) -> MailRow | None:
    return draft.one(MailRow, change.mail.account, row_id(change.mail, audience))


def _row_of(draft: Draft, change: Change, audience: str, was: MailRow | None) -> MailRow | None:
    """Return the row of the mail in an audience; None where its content is gone."""
    mail, view = change.mail, change.has[audience]
    content = draft.one(Content, mail.account, content_id(mail.id, view.content))
    if content is None:
        return None
    terms = draft.state.terms
    if content.id not in terms:
        terms[content.id] = terms_of_content(content)
    row = mail_row(mail, audience, change.conversation, view, content, terms[content.id])
    if was is None:
        before, arrived = mail.team_arrived if audience == TEAM else (0, 0)
        return replace(row, arrived=arrived, arrived_before=before)
    stays = (was.date, was.terms) == (row.date, row.terms)
    block = was.block if stays else None
    return replace(row, arrived=was.arrived, arrived_before=was.arrived_before, block=block)


def _list_on_profiles(draft: Draft, change: Change) -> None:
    mail = change.mail
    for (audience, person_id), date in change.dates.items():
        if change.dated.get((audience, person_id)) != date:
            draft.put(
                ProfileRow(
                    id=_profile_row_id(mail, audience, person_id),
                    account=mail.account,
                    audience=audience,
                    person_id=person_id,
                    mail_id=mail.id,
                    date=date,
                )
            )
    for audience, person_id in change.dated.keys() - change.dates.keys():
        draft.delete(ProfileRow, mail.account, _profile_row_id(mail, audience, person_id))


def _summarise(
    draft: Draft,
    change: Change,
    audience: str,
    was: MailRow | None,
    row: MailRow | None,
    news: News,
) -> None:
    """Bring the conversation's row in an audience up to date, where the mail's row has changed."""
    account, conversation = change.mail.account, change.conversation
    id_ = summary_id(account, audience, conversation)
    had = draft.one(SummaryRow, account, id_)
    new = _new_summary(had, was, row) or _summary_anew(draft, account, audience, conversation)
    if new is None:
        draft.delete(SummaryRow, account, id_)
        return
    arrived = max(had.arrived if had else 0, row.arrived if row else 0)
    if row is not None and was is None and news.is_news and not change.is_own(audience):
        before, arrived = arrived, max(arrived + 1, news.now)
        if audience == TEAM:
            draft.put(replace(row, arrived=arrived, arrived_before=before))
            for user in change.senders:
                _read(draft, change, user, before, arrived)
    draft.put(summary_row(account, audience, conversation, arrived, new))


def _new_summary(
    had: SummaryRow | None, was: MailRow | None, row: MailRow | None
) -> Summary | None:
    """Return the summary of a conversation whose mail has another row; None: recompute it."""
    if row is None:
        return None
    if was is None:
        return joined(summary_in(had), summary_of(row)) if had else summary_of(row)
    return changed_summary(summary_in(had), was, row) if had else None


def _read_by_new_senders(draft: Draft, change: Change) -> None:
    """Let those have read the mail of whom it is only now known that they sent it.

    A colleague's capture came first, and the mail was news to the team. What has come since stays
    unread.
    """
    row = _listed(draft, change, TEAM) if change.new_senders else None
    if row is not None and row.arrived:
        for user in change.new_senders:
            _read(draft, change, user, row.arrived_before, row.arrived)


def _read(draft: Draft, change: Change, user: str, before: int, arrived: int) -> None:
    """Let a user have read what they sent, if they had read all that the team's audience and their
    private one had before."""
    account, conversation = change.mail.account, change.conversation
    private = draft.one(SummaryRow, account, summary_id(account, private_to(user), conversation))
    if private is not None:
        before = max(before, private.arrived)
    read_what_was_sent(draft, account, user, conversation, before, arrived)


def _summary_anew(draft: Draft, account: str, audience: str, conversation: str) -> Summary | None:
    rows = draft.of_conversations(MailRow, account, [conversation], audience)
    return reduce(joined, map(summary_of, rows)) if rows else None


def _profile_row_id(mail: Mail, audience: str, person_id: str) -> str:
    return f"{mail.account}/{audience}/{person_id}/{mail.id}"


def _senders(captures: Sequence[Capture]) -> frozenset[str]:
    return frozenset(capture.owner for capture in captures if capture.sent_by_owner)
