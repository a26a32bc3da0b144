"""What users decide about a mail that is attached: remove it from a profile, or hide it. Pure.

Facts stay: who captured the mail, and whom it names. A ruling is noted beside them
(`Mail.detached`, `Mail.private`) and counts for every capture, later ones included, so its undoing
restores exactly what was. `audiences.as_ruled` says what comes of both. Deleting is in
`forgetting.py`.

Each change is a line in the audit log, written with it.
"""

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from services.timeline.write.attaching import tell
from services.timeline.write.audiences import TEAM, as_ruled, views
from services.timeline.write.conversations import join
from services.timeline.write.listed_records import MailRow
from services.timeline.write.listing import Change, News, list_mail
from services.timeline.write.mail_rows import row_id
from services.timeline.write.records import Mail
from services.timeline.write.requests import Answer, Detach, Hide, Ruling, What
from services.timeline.write.side_records import AuditLine
from services.timeline.write.state import Draft

NO_NEWS = News(now=0, is_news=False)
UNCHANGED, UNKNOWN = Answer(outcome="unchanged"), Answer(outcome="unknown")


def detach(draft: Draft, request: Detach, now: datetime) -> Answer:
    """Remove a mail from a profile, or put it back."""
    mail = draft.one(Mail, request.account, request.mail_id)
    profile = {request.person_id, *request.merged}
    if mail is None or not _names(mail, profile):
        return UNKNOWN
    others = {*mail.detached} - profile
    detached = others if request.undo else others | profile
    new = replace(mail, detached=tuple(sorted(detached)))
    what: What = "attached" if request.undo else "detached"
    return _rule(draft, request, mail, new, what, now)


def hide(draft: Draft, request: Hide, now: datetime) -> Answer:
    """Make what a user captured of a mail private, or the team's again."""
    mail = draft.one(Mail, request.account, request.mail_id)
    if mail is None or request.who not in {capture.owner for capture in mail.captures}:
        return UNKNOWN
    others = {*mail.private} - {request.who}
    private = others if request.undo else others | {request.who}
    new = replace(mail, private=tuple(sorted(private)))
    return _rule(draft, request, mail, new, "team" if request.undo else "private", now)


def _names(mail: Mail, profile: Collection[str]) -> bool:
    return any(match.person_id in profile for c in mail.captures for match in c.matches)


def _rule(
    draft: Draft, request: Ruling, mail: Mail, new: Mail, what: What, now: datetime
) -> Answer:
    if new == mail:
        return UNCHANGED
    new = with_arrival_kept(draft, mail, new)
    draft.put(new)
    conversation = join(draft, mail.account, (mail.token,), is_changed=True)
    changed_for = list_mail(draft, Change.of(new, as_ruled(mail), conversation), NO_NEWS)
    tell(draft, mail.account, changed_for, conversation, now)
    profile = request.person_id if isinstance(request, Detach) else None
    note(draft, request, what, now, profile=profile)
    return Answer(outcome="changed", mail_id=mail.id, conversation_id=conversation)


def with_arrival_kept(draft: Draft, mail: Mail, new: Mail) -> Mail:
    """Return the mail with what the team's row knew of its arrival, where the team loses it: so it
    comes back read or unread, as before."""
    if TEAM not in views(as_ruled(mail)) or TEAM in views(as_ruled(new)):
        return new
    row = draft.one(MailRow, mail.account, row_id(mail, TEAM))
    return replace(new, team_arrived=(row.arrived_before, row.arrived)) if row else new


def note(
    draft: Draft, request: Ruling, what: What, now: datetime, *, profile: str | None = None
) -> None:
    """Write a line to the audit log: who, what and when, and nothing of the mail."""
    draft.put(
        AuditLine(
            id=request.line_id,
            account=request.account,
            at=now,
            who=request.who,
            what=what,
            kind="mail",
            mail_id=request.mail_id,
            profile=profile,
        )
    )
