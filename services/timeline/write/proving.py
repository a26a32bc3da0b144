"""Records what a capture proves about its owner's set-up. Pure.

Only live captures count, each once, with the outcome recorded first. Dismissed ones count too,
since most forwarded mail matches no profile.
"""

from datetime import UTC, date, datetime

from msgspec.structs import replace

from services.timeline.write.rhythm import remembered
from services.timeline.write.side_records import Asked, Hint, Leaked, SeenHalf, Setup, setup_of
from services.timeline.write.state import ById, Draft, HalfDayKey
from shared.contracts.events import Half, Leak, MailAttached, MailConfirmation, MailDismissed
from shared.storage.moments import as_stored

MAX_LEAKS = 20
"""Of one user: each is another capture address."""


def setup_id(account: str, owner: str) -> str:
    """Return the id of a user's `Setup`."""
    return f"{account}/{owner}"


def setup_query(event: MailAttached | MailDismissed | MailConfirmation) -> ById | None:
    """Return the query to load a set-up; None if the event says nothing about it."""
    is_told = isinstance(event, MailConfirmation) or event.half is not None or event.leak
    if event.backfill or event.owner is None or not is_told:
        return None
    return ById(Setup, event.account, setup_id(event.account, event.owner))


def prove(draft: Draft, event: MailAttached | MailDismissed, now: datetime) -> None:
    """Record what a capture without an outcome proves."""
    if event.owner is None or setup_query(event) is None:
        return
    if event.half is not None:
        prove_half(draft, event.account, event.owner, event.half, event.received_at, now)
    if event.leak is not None:
        setup = _setup(draft, event.account, event.owner)
        _put(draft, setup, _with_leak(setup, event.leak, event.received_at), now)


def prove_half(
    draft: Draft, account: str, owner: str, half: Half, at: datetime, now: datetime
) -> None:
    """Record that a half received mail at this time."""
    at = as_stored(at)
    setup, day = _setup(draft, account, owner), at.astimezone(UTC).date()
    draft.see(HalfDayKey(account, owner, half.value, day.isoformat()), at)
    known = setup.sent if half is Half.SENT else setup.received
    seen = _seen(known, at, day)
    if known is not None and seen.days[0] != known.days[0]:
        draft.forgotten_days[account, owner, half.value] = seen.days[0]
    after = replace(setup, sent=seen) if half is Half.SENT else replace(setup, received=seen)
    _put(draft, setup, after, now)


def note_asked(draft: Draft, event: MailConfirmation, now: datetime) -> None:
    """Record that a provider asks whether it may forward."""
    if setup_query(event) is None:
        return
    setup = _setup(draft, event.account, event.owner)
    asked = Asked(at=as_stored(event.received_at), provider=event.provider)
    if setup.asked is None or (setup.asked.at, setup.asked.provider) < (asked.at, asked.provider):
        _put(draft, setup, replace(setup, asked=asked), now)


def tell_owner(draft: Draft, account: str, owner: str, now: datetime) -> None:
    """Send a hint to the user's open pages about their set-up, once per batch."""
    hint = Hint(account=account, audience=setup_of(owner), conversation_id="", at=now)
    if hint not in draft.hints:
        draft.hints.append(hint)


def _setup(draft: Draft, account: str, owner: str) -> Setup:
    id_ = setup_id(account, owner)
    return draft.one(Setup, account, id_) or Setup(id=id_, account=account, owner=owner)


def _put(draft: Draft, before: Setup, after: Setup, now: datetime) -> None:
    if after != before:
        draft.put(after)
        tell_owner(draft, after.account, after.owner, now)


def _seen(known: SeenHalf | None, at: datetime, day: date) -> SeenHalf:
    if known is None:
        return SeenHalf(first=at, days=(day.isoformat(),))
    days = known.days
    if day.isoformat() not in days:
        all_days = [*map(date.fromisoformat, days), day]
        days = tuple(one.isoformat() for one in remembered(all_days))
    return SeenHalf(first=min(known.first, at), days=days)


def _with_leak(setup: Setup, leak: Leak, received_at: datetime) -> Setup:
    """Return it with the first leak of each address, the newest addresses first to stay."""
    new = Leaked(
        capture_address=leak.capture_address,
        at=as_stored(received_at),
        mail_date=as_stored(leak.mail_date),
    )
    by_address = {known.capture_address: known for known in setup.leaks}
    known = by_address.get(new.capture_address, new)
    by_address[new.capture_address] = min(known, new, key=lambda one: (one.at, one.mail_date))
    found = sorted(by_address.values(), key=lambda one: (one.at, one.capture_address))
    return replace(setup, leaks=tuple(found[-MAX_LEAKS:]))
