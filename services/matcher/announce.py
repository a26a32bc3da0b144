"""Turns a decision into the events that announce it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from services.matcher.confirmations import Confirmation
from services.matcher.decision.decide import NEVER, Attach, Dismiss, original_senders
from services.matcher.decision.halves import half_of, leak_of
from services.matcher.decision.judge import Judgement, Verdict
from services.matcher.decision.shares import shares_of
from services.matcher.directory.capture_addresses import AddressRecord
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import (
    Authentication,
    DismissalReason,
    Forwarded,
    Half,
    Kind,
    Leak,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
    Match,
    Role,
    Share,
    Source,
)
from shared.mail.headers import message_id
from shared.storage.blob_keys import enclosed_key

SPLIT_BYTES = 48 * 1024
"""An event that would be larger is several, joined by the timeline."""
_SHOWN = 10
"""Recipients of a forwarded mail that are shown, of each kind; all of them take part."""


Outcome = (
    MailAttached | MailAttachedToShares | MailDismissed | MailDismissedWithShares | MailConfirmation
)
_NO_OWNER = "-"
"""The owner of an event that no user owns, before its shares are known."""
MAX_SHARES = 100
"""They have to fit beside the matches. If there are more users, the first by id get a share."""


def announce_verdict(
    received: MailReceived,
    address: AddressRecord,
    verdict: Verdict,
    ring: KeyRing,
    authentications: Mapping[str, Authentication],
) -> Sequence[Outcome]:
    """Return the events that announce a capture's outcome.

    For an attached capture these are the events of each of its attached mails. No event contains
    anything of the others. `authentications` are keyed by place.
    """
    if verdict.confirmation is not None:
        found = authentications.get(verdict.mails[0].place)
        return [_confirmation(received, address, verdict.confirmation, found)]
    if not verdict.attached:
        return [announce_dismissal(received, address, verdict.dismissal, verdict.mails[0], ring)]
    if address.is_of_account:
        return _shared(received, address, verdict, ring, authentications)
    half, leak = _proof(received, address, verdict.mails[0])
    return [
        event.model_copy(update={"half": half, "leak": leak})
        for mail in verdict.attached
        if isinstance(mail.decision, Attach)
        for event in _attached(
            received, address, mail, mail.decision, authentications.get(mail.place)
        )
    ]


def with_forwarder(event: Outcome, forwarder: Authentication | None) -> Outcome:
    """Return the event of an attached mail with the verdict about its forwarder."""
    if forwarder is None or not isinstance(event, MailAttached | MailAttachedToShares):
        return event
    return event.model_copy(update={"forwarder": forwarder})


def _shared(
    received: MailReceived,
    address: AddressRecord,
    verdict: Verdict,
    ring: KeyRing,
    authentications: Mapping[str, Authentication],
) -> Sequence[Outcome]:
    """Return the events of what an address of the account has caught."""
    captured, events = verdict.mails[0], list[Outcome]()
    for mail in verdict.attached:
        shares = shares_of(captured, mail, backfill=received.backfill)[:MAX_SHARES]
        if isinstance(mail.decision, Attach) and any(share.matched for share in shares):
            seen = tuple(m for m in mail.decision.matches if any(s.sees(m) for s in shares))
            decision = Attach(seen, mail.decision.direction)
            found = authentications.get(mail.place)
            events.extend(_attached_to(received, address, mail, decision, found, shares))
    if events:
        return events
    is_refused = any(mail.refused_by for mail in verdict.attached)
    dismissal = NEVER if is_refused else Dismiss(DismissalReason.NO_MATCH)
    return [announce_dismissal(received, address, dismissal, captured, ring)]


def _proof(
    received: MailReceived, address: AddressRecord, mail: Judgement
) -> tuple[Half | None, Leak | None]:
    """Return what a capture tells of its owner's set-up; of backfill nothing."""
    if received.backfill:
        return None, None
    domain = received.capture_address.rpartition("@")[2]
    half = half_of(mail, address.person_id, received.capture_address, domain)
    return half, leak_of(mail, received.capture_address, received.received_at)


def announce_dismissal(
    received: MailReceived,
    address: AddressRecord,
    decision: Dismiss,
    mail: Judgement,
    ring: KeyRing,
) -> MailDismissed | MailDismissedWithShares:
    """Return the event that announces a dismissal."""
    id_ = message_id(mail.header)
    if address.is_of_account:
        return _dismissed_with_shares(received, address, decision, mail, ring)
    half, leak = None, None
    if decision.reason is not DismissalReason.REVOKED_ADDRESS:
        half, leak = _proof(received, address, mail)
    return MailDismissed(
        capture_id=received.capture_id,
        backfill=received.backfill,
        account=address.account,
        reason=decision.reason,
        received_at=received.received_at,
        decided_at=datetime.now(UTC),
        message_id_hash=ring.forgetful_hash(address.account, id_) if id_ else None,
        owner=address.person_id,
        half=half,
        leak=leak,
    )


def _dismissed_with_shares(
    received: MailReceived,
    address: AddressRecord,
    decision: Dismiss,
    mail: Judgement,
    ring: KeyRing,
) -> MailDismissedWithShares:
    shares: tuple[Share, ...] = ()
    if decision.reason is not DismissalReason.REVOKED_ADDRESS:
        shares = shares_of(mail, mail, backfill=received.backfill)[:MAX_SHARES]
    id_, is_unmatched = message_id(mail.header), decision.reason is DismissalReason.NO_MATCH
    return MailDismissedWithShares(
        capture_id=received.capture_id,
        backfill=received.backfill,
        account=address.account,
        reason=DismissalReason.NO_USER if is_unmatched and not shares else decision.reason,
        received_at=received.received_at,
        decided_at=datetime.now(UTC),
        message_id_hash=ring.forgetful_hash(address.account, id_) if id_ else None,
        shares=tuple(share.model_copy(update={"matched": False}) for share in shares),
    )


def _attached_to(
    received: MailReceived,
    address: AddressRecord,
    mail: Judgement,
    decision: Attach,
    authentication: Authentication | None,
    shares: tuple[Share, ...],
) -> Iterator[MailAttachedToShares]:
    # Those who see all matches come first: what they have seen is the whole mail.
    in_order = tuple(sorted(shares, key=lambda share: not share.sees_bcc))
    room = SPLIT_BYTES - sum(len(share.model_dump_json()) for share in shares)
    for event in _attached(received, address, mail, decision, authentication, room):
        same = {
            field: getattr(event, field)
            for field in MailAttachedToShares.model_fields
            if field != "shares"
        }
        yield MailAttachedToShares(**same, shares=in_order)


def _attached(
    received: MailReceived,
    address: AddressRecord,
    mail: Judgement,
    decision: Attach,
    authentication: Authentication | None,
    room: int = SPLIT_BYTES,
) -> Iterator[MailAttached]:
    decided_at = datetime.now(UTC)
    shown = _trimmed(mail.forwarded) if mail.forwarded else None
    taken = len(shown.model_dump_json().encode()) if shown else 0
    taken += SPLIT_BYTES - room
    parts = list(_split(decision.matches, SPLIT_BYTES - min(taken, SPLIT_BYTES // 2)))
    sent_by_owner = _is_sent_by(address.person_id, mail)
    claim = received.blob_key
    if claim is not None and mail.place:
        claim = enclosed_key(claim, mail.place)
    for number, matches in enumerate(parts, start=1):
        yield MailAttached(
            capture_id=received.capture_id,
            backfill=received.backfill,
            blob_key=claim,
            size=len(mail.raw) if mail.place else received.size,
            account=address.account,
            owner=address.person_id or _NO_OWNER,
            capture_address=received.capture_address,
            received_at=received.received_at,
            decided_at=decided_at,
            door=received.door,
            direction=decision.direction,
            sent_by_owner=sent_by_owner,
            matches=matches,
            forwarded=shown,
            place=mail.place,
            authentication=authentication,
            part=number,
            parts=len(parts),
        )


def _is_sent_by(owner: str, mail: Judgement) -> bool:
    """Return whether the sender is an address of that person."""
    senders = original_senders(mail.participants)
    return any(person.person_id == owner and person.keys & senders for person in mail.people)


def _confirmation(
    received: MailReceived,
    address: AddressRecord,
    confirmation: Confirmation,
    authentication: Authentication | None,
) -> MailConfirmation:
    return MailConfirmation(
        capture_id=received.capture_id,
        backfill=received.backfill,
        account=address.account,
        owner=address.person_id or address.minted_by or _NO_OWNER,
        capture_address=received.capture_address,
        received_at=received.received_at,
        decided_at=datetime.now(UTC),
        provider=confirmation.provider,
        requested_by=confirmation.requested_by,
        code=confirmation.code,
        link=confirmation.link,
        authentication=authentication,
    )


def _trimmed(forwarded: Forwarded) -> Forwarded:
    """Return what is shown of a forwarded header: it has to fit beside the matches."""
    few = {"to": forwarded.to[:_SHOWN], "cc": forwarded.cc[:_SHOWN]}
    return forwarded.model_copy(update=few)


def _split(matches: Sequence[Match], limit: int) -> Iterator[tuple[Match, ...]]:
    part: list[Match] = []
    size = 0
    for match in matches:
        match_size = _size(match)
        if part and size + match_size > limit:
            yield tuple(part)
            part, size = [], 0
        part.append(match)
        size += match_size
    yield tuple(part)


def _size(match: Match) -> int:
    """Return how many bytes a match takes as JSON."""
    written = f"{match.person_id}{match.address}"
    if written.isascii() and written.isprintable() and '"' not in written and "\\" not in written:
        return _size_without_text(match.kind, match.role, match.source, match.shared_address) + len(
            written
        )
    return len(match.model_dump_json().encode())


@lru_cache
def _size_without_text(kind: Kind, role: Role, source: Source, shared_address: bool) -> int:
    match = Match(
        person_id="x",
        kind=kind,
        address="x",
        role=role,
        source=source,
        shared_address=shared_address,
    )
    return len(match.model_dump_json().encode()) - 2
