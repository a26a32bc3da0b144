"""What the timeline writes, in a few words: mails, and the requests to write them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from services.timeline.content.reader import ReadMail, read
from services.timeline.write.projection import kept_match, project
from services.timeline.write.requests import (
    Attach,
    Confirm,
    Detach,
    Dismiss,
    Forget,
    HandOver,
    HandOverHeld,
    Hide,
    Prepared,
    Redecide,
    Return,
    Watch,
)
from services.timeline.write.side_records import RUNNING, HandOverJob
from shared.contracts.events import (
    Authentication,
    AuthenticationVerdict,
    Direction,
    DismissalReason,
    Forwarded,
    Half,
    Kind,
    Leak,
    MailAttached,
    MailConfirmation,
    MailDismissed,
    MailRoundTrip,
    MailWatched,
    Match,
    Named,
    Role,
    RoundTripResult,
)

ACCOUNT = "acme"
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FAILED, VERIFIED = AuthenticationVerdict.FAILED, AuthenticationVerdict.VERIFIED
_captures, _lines = itertools.count(1), itertools.count(1)


def match(
    person_id: str = "c1", role: Role = Role.TO, *, address: str = "", kind: Kind = Kind.CANDIDATE
) -> Match:
    """Return a match by an address of this profile."""
    address = address or f"{person_id}@mail.example"
    return Match(person_id=person_id, kind=kind, address=address, role=role)


def mail(
    message_id: str | None = "1@x",
    *,
    references: Iterable[str] = (),
    subject: str = "Hello",
    text: str = "The text.",
    to: str = "c1@mail.example",
    bcc: str = "",
    day: int = 15,
    sender: str = "user@team.example",
    headers: str = "",
) -> bytes:
    """Return a mail."""
    fields = [
        f"From: {sender}",
        f"To: {to}",
        f"Bcc: {bcc}" if bcc else "",
        f"Message-ID: <{message_id}>" if message_id else "",
        "References: " + " ".join(f"<{id_}>" for id_ in references) if references else "",
        f"Date: Thu, {day} Jan 2026 09:00:00 +0000",
        f"Subject: {subject}",
        headers,
    ]
    return ("\r\n".join(filter(None, fields)) + f"\r\n\r\n{text}\r\n").encode()


def bounce(of: str, message_id: str = "bounce@x", recipients: Sequence[str] = ("c1@x.y",)) -> bytes:
    """Return a mail that says that another could not be delivered."""
    failed = "\r\n".join(
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        for recipient in recipients
    )
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        f"{failed}\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{of}>\r\n"
        "From: user@team.example\r\n\r\n--b--"
    )
    return mail(
        message_id,
        sender="MAILER-DAEMON@mx.example",
        to="user@team.example",
        headers="MIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=delivery-status; boundary=b",
        text=body,
    )


@lru_cache(maxsize=2000)
def _read(raw: bytes) -> ReadMail:
    return read(raw)


def a_capture_id() -> UUID:
    """Return the id of a new capture. They grow, as real ones do."""
    return UUID(int=next(_captures))


def attach(
    raw: bytes | None = None,
    *matches: Match,
    capture_id: UUID | None = None,
    owner: str = "u1",
    account: str = ACCOUNT,
    minutes: int = 0,
    part: int = 1,
    parts: int = 1,
    place: str = "",
    sent_by_owner: bool | None = None,
    backfill: bool = False,
    verdict: AuthenticationVerdict | None = None,
    may_wait: bool = False,
    is_released: bool = False,
    forwarded: Forwarded | None = None,
    half: Half | None = None,
    leak: Leak | None = None,
    shared: bool = False,
    rematched: bool = False,
) -> Attach:
    """Return the request to show a mail that arrived so many minutes after NOW."""
    raw = mail() if raw is None else raw
    event = MailAttached(
        capture_id=capture_id or a_capture_id(),
        backfill=backfill,
        account=account,
        owner=owner,
        capture_address="a@in.satchel.test",
        received_at=NOW + timedelta(minutes=minutes),
        decided_at=NOW + timedelta(minutes=minutes),
        door="smtp",
        direction=Direction.OUTBOUND if sent_by_owner else Direction.INBOUND,
        sent_by_owner=sent_by_owner,
        matches=matches or (match(),),
        size=len(raw),
        authentication=Authentication(verdict=verdict) if verdict else None,
        forwarded=forwarded,
        half=half,
        leak=leak,
        place=place,
        part=part,
        parts=parts,
        shared=shared,
        rematched=rematched,
    )
    return Attach(
        event=event,
        projection=project(event, _read(raw), raw),
        raw=raw,
        may_wait=may_wait,
        is_released=is_released,
    )


def dismiss(
    capture_id: UUID | None = None,
    *,
    account: str = ACCOUNT,
    minutes: int = 0,
    reason: DismissalReason = DismissalReason.NO_MATCH,
    backfill: bool = False,
    owner: str | None = None,
    half: Half | None = None,
    leak: Leak | None = None,
) -> Dismiss:
    """Return the request to record a dismissed capture."""
    return Dismiss(
        event=MailDismissed(
            capture_id=capture_id or a_capture_id(),
            account=account,
            reason=reason,
            received_at=NOW + timedelta(minutes=minutes),
            decided_at=NOW + timedelta(minutes=minutes),
            message_id_hash="0" * 32,
            backfill=backfill,
            owner=owner,
            half=half,
            leak=leak,
        )
    )


def confirm(
    capture_id: UUID | None = None,
    *,
    account: str = ACCOUNT,
    owner: str = "u1",
    minutes: int = 0,
    backfill: bool = False,
) -> Confirm:
    """Return the request to keep a forwarding confirmation."""
    return Confirm(
        event=MailConfirmation(
            capture_id=capture_id or a_capture_id(),
            account=account,
            owner=owner,
            capture_address="a@in.satchel.test",
            received_at=NOW + timedelta(minutes=minutes),
            decided_at=NOW + timedelta(minutes=minutes),
            provider="gmail",
            requested_by="user@team.example",
            code="123",
            link="https://provider.example/yes",
            backfill=backfill,
        )
    )


def return_(
    capture_id: UUID | None = None,
    *,
    owner: str | None = "u1",
    result: RoundTripResult = RoundTripResult.RETURNED,
) -> Return:
    """Return the request to record that a capture belongs to a round trip."""
    return Return(
        event=MailRoundTrip(
            capture_id=capture_id or a_capture_id(),
            account=ACCOUNT,
            result=result,
            owner=owner,
            received_at=NOW,
            decided_at=NOW,
        )
    )


def watch(
    capture_id: UUID | None = None, *, account: str = ACCOUNT, owner: str = "u1", minutes: int = 0
) -> Watch:
    """Return the request to keep a mail that its owner asked to see."""
    return Watch(
        event=MailWatched(
            capture_id=capture_id or a_capture_id(),
            account=account,
            owner=owner,
            capture_address="a@in.satchel.test",
            received_at=NOW + timedelta(minutes=minutes),
            decided_at=NOW + timedelta(minutes=minutes),
            sender=Named(name="Provider", address="no-reply@provider.example"),
            subject="Confirm",
            text="Open https://provider.example/yes",
            links=("https://provider.example/yes",),
        )
    )


def detach(
    mail_id: str,
    person_id: str = "c1",
    *,
    who: str = "u1",
    undo: bool = False,
    account: str = ACCOUNT,
) -> Detach:
    """Return the request to remove a mail from a profile, or to put it back."""
    return Detach(
        account=account,
        mail_id=mail_id,
        who=who,
        line_id=_line_id(),
        person_id=person_id,
        undo=undo,
    )


def hide(mail_id: str, *, who: str = "u1", undo: bool = False, account: str = ACCOUNT) -> Hide:
    """Return the request to make what a user captured private, or the team's again."""
    return Hide(account=account, mail_id=mail_id, who=who, line_id=_line_id(), undo=undo)


def forget(
    mail_id: str,
    owner: str | None = "u1",
    *,
    account: str = ACCOUNT,
    prepared: Mapping[str, Prepared] | None = None,
) -> Forget:
    """Return the request to delete what an owner captured of a mail, or all of it."""
    return Forget(
        account=account,
        mail_id=mail_id,
        who=owner or "admin",
        line_id=_line_id(),
        owner=owner,
        prepared=prepared or {},
    )


def hand_over(
    mail_id: str, from_: str = "u1", to: str = "u2", *, account: str = ACCOUNT, job_id: str = "job"
) -> HandOver:
    """Return the request to give what a user captured of a mail to another."""
    return HandOver(account=account, job_id=job_id, mail_id=mail_id, from_=from_, to=to)


def redecide(
    of: Attach,
    *matches: Match,
    minutes: int = 0,
    was: frozenset[tuple[str, str]] | None = None,
    owner: str | None = None,
    prepared: Mapping[str, Prepared] | None = None,
) -> Redecide:
    """Return the request to attach a capture to these instead, or to dismiss it.

    It was reviewed as it was captured, unless `was` says otherwise.
    """
    capture, account = of.projection.capture, of.event.account
    owner = owner or capture.owner
    return Redecide(
        account=account,
        mail_id=of.projection.mail_id,
        owner=owner,
        content=capture.content,
        was=frozenset((m.person_id, m.address) for m in capture.matches) if was is None else was,
        matches=tuple(kept_match(one, owner) for one in matches),
        direction=None,
        decided_at=NOW + timedelta(minutes=minutes),
        who="admin",
        line_id=f"redecided {of.projection.mail_id} {owner} {capture.content} {minutes}",
        prepared=prepared or {},
    )


def hand_over_held(
    held_id: str, from_: str = "u1", to: str = "u2", *, job_id: str = "job"
) -> HandOverHeld:
    """Return the request to give a capture that waits to another user."""
    return HandOverHeld(account=ACCOUNT, job_id=job_id, held_id=held_id, from_=from_, to=to)


def hand_over_job(from_: str = "u1", to: str = "u2") -> HandOverJob:
    """Return a hand-over that is under way."""
    return HandOverJob(
        id="job", account=ACCOUNT, from_=from_, to=to, who="admin", at=NOW, state=RUNNING
    )


def _line_id() -> str:
    return f"line{next(_lines):08}"
