"""Putting what today's reader makes of a mail in the place of what an older one made. Pure.

Who captured a mail, its matches and its direction are facts and stay. So is what each owner knows
from Bcc: the bytes that are kept are those of one of them. A mail whose identity is read otherwise
moves: its conversation keeps its id and what was read of it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import reduce

from msgspec.structs import replace

from services.timeline.write.attaching import keep_bounce, tell, write_mail
from services.timeline.write.audiences import add_capture, as_ruled, views
from services.timeline.write.conversations import join, token_id
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.listing import Change, News, list_mail
from services.timeline.write.projection import Projection
from services.timeline.write.records import Capture, Content, Mail, Token
from services.timeline.write.requests import Answer, Replace
from services.timeline.write.side_records import Bounce
from services.timeline.write.state import Draft

_NO_NEWS = News(now=0, is_news=False)


def replace_content(draft: Draft, request: Replace, now: datetime) -> Answer:
    """Put projections in the place of their content: `unchanged`, `changed` or `moved`.

    The projections were made beside live mail. Where its users have deleted captures of the content
    since, these stay deleted; where others have captured it since, or a person was erased from it,
    it is left to the next run.
    """
    content = request.content
    mail = draft.one(Mail, content.account, request.mail_id)
    kept = draft.one(Content, content.account, content.id)
    if mail is None or kept is None or kept.redacted is not content.redacted:
        return Answer(outcome="unchanged")
    owners = {capture.owner for capture in mail.captures if capture.content == kept.key}
    projections = [
        _with_own_bcc(mail, kept, _with_bytes_of(kept, projection))
        for projection in request.projections
        if projection.capture.owner in owners
    ]
    if not owners or owners != {projection.capture.owner for projection in projections}:
        return Answer(outcome="unchanged")
    if _is_forgotten(draft, projections):
        return Answer(outcome="unchanged")
    draft.delete(Content, content.account, content.id)
    _forget_bounces(draft, mail, content.key)
    put = _in_place if projections[0].mail_id == mail.id else _move
    return Answer(outcome=put(draft, mail, content.key, projections, now))


def _with_bytes_of(kept: Content, projection: Projection) -> Projection:
    """Return the projection with the bytes that are kept: others, where somebody deleted theirs."""
    content = replace(projection.content, raw_key=kept.raw_key, raw_of=kept.raw_of, size=kept.size)
    return replace(projection, content=content)


def _is_forgotten(draft: Draft, projections: Sequence[Projection]) -> bool:
    """Return whether what the mail is by its identity now has been deleted by one of its owners."""
    made = projections[0]
    known = draft.one(Mail, made.account, made.mail_id)
    owners = {projection.capture.owner for projection in projections}
    return known is not None and any(known.is_forgotten_by(owner) for owner in owners)


def _with_own_bcc(mail: Mail, content: Content, projection: Projection) -> Projection:
    """Return the projection with its owner's Bcc only."""
    capture = projection.capture
    read = capture.bcc if capture.owner == content.raw_of else ()
    known = {
        entry.address: entry
        for former in mail.captures
        if (former.owner, former.content) == (capture.owner, content.key)
        for entry in former.bcc
    }
    bcc = known | {entry.address: entry for entry in read}
    return replace(projection, capture=replace(capture, bcc=tuple(bcc.values())))


def _in_place(
    draft: Draft, mail: Mail, key: str, projections: Sequence[Projection], now: datetime
) -> str:
    made = {projection.content.key: projection.content for projection in projections}
    for content in made.values():
        draft.one(Content, content.account, content.id)
        draft.put(content)
    others = tuple(capture for capture in mail.captures if capture.content != key)
    captures = reduce(add_capture, (p.capture for p in projections), others)
    new = replace(mail, captures=captures, token=projections[0].token)
    draft.put(new)
    tokens = (mail.token, *projections[0].tokens)
    changed_for = _list_anew(draft, mail, new, tokens, now, made)
    for projection in projections:
        if projection.bounce is not None:
            keep_bounce(draft, projection.bounce)
    return "changed" if changed_for else "unchanged"


def _move(
    draft: Draft, mail: Mail, key: str, projections: Sequence[Projection], now: datetime
) -> str:
    """Make another mail of a mail's content with this key, which it is by its identity now.

    Its conversation keeps its id, what was read of it, and its other mails: unless these are there
    only because the mail's former id was wrong.
    """
    tokens = (mail.token, *projections[0].tokens)
    ids = {token: token_id(mail.account, token) for token in tokens}
    known = draft.many(Token, mail.account, ids.values())
    of = {token: found.conversation for token, id_ in ids.items() if (found := known[id_])}
    conversation = of.get(mail.token)
    stays = conversation in {of.get(token) for token in projections[0].tokens}
    if conversation and not stays:
        stays = _is_all_of(draft, mail, conversation)
    former = (mail.token,) if stays else ()
    for projection in projections:
        write_mail(draft, projection, now, former=former, is_news=not stays, ruled_as=mail)
    others = tuple(capture for capture in mail.captures if capture.content != key)
    new = replace(mail, captures=others)
    if others:
        draft.put(new)
    elif mail.forgotten:
        draft.put(new.without_captures())
    else:
        draft.delete(Mail, mail.account, mail.id)
    _list_anew(draft, mail, new, (mail.token,), now)
    return "moved"


def _list_anew(
    draft: Draft,
    mail: Mail,
    new: Mail,
    tokens: Sequence[str],
    now: datetime,
    made: Collection[str] = (),
) -> set[str]:
    """Bring what is listed of a mail that has changed up to date; return for whom it has."""
    conversation = join(draft, mail.account, tokens, is_changed=True)
    change = Change.of(new, as_ruled(mail), conversation, made)
    changed_for = list_mail(draft, change, _NO_NEWS)
    tell(draft, mail.account, changed_for, conversation, now)
    return changed_for


def _is_all_of(draft: Draft, mail: Mail, conversation: str) -> bool:
    """Return whether a conversation has no mails but this one."""
    rows = draft.of_conversations(SummaryRow, mail.account, [conversation])
    return sum(row.mail_count for row in rows) <= len(views(as_ruled(mail)))


def _forget_bounces(draft: Draft, mail: Mail, key: str) -> None:
    """Forget what one content of a mail said, unless its owner has another that may say it."""
    for owner in {capture.owner for capture in mail.captures}:
        if _contents_of(mail.captures, owner) == {key}:
            id_ = f"{mail.account}/{owner}/{mail.id}"
            draft.one(Bounce, mail.account, id_)
            draft.delete(Bounce, mail.account, id_)


def _contents_of(captures: Sequence[Capture], owner: str) -> set[str]:
    return {capture.content for capture in captures if capture.owner == owner}
