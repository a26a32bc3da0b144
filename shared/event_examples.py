"""One example of each event, as committed in `shared/schemas`: to read, and to test with."""

from datetime import datetime
from uuid import UUID

from shared.events import (
    Authentication,
    AuthenticationVerdict,
    CaptureAddressChanged,
    Direction,
    DismissalReason,
    Event,
    Kind,
    MailAttached,
    MailConfirmation,
    MailDismissed,
    MailReceived,
    Match,
    PersonChanged,
    PersonDeleted,
    Role,
)


def examples() -> dict[str, Event]:
    """Return one example of each event, by tag, as committed in `shared/schemas`."""
    time = datetime.fromisoformat("2026-01-15T09:30:00+00:00")
    capture = UUID("019bc0de-0000-7000-8000-000000000001")
    address = "anna.ud6ixgz2abcde234567abcdefghij@in.satchel.example"
    return {
        event.tag: event
        for event in (
            MailReceived(
                capture_id=capture,
                capture_address=address,
                account_tag="ud6ixgz2",
                received_at=time,
                door="smtp",
                mail_from="anna@agency.example",
                size=2048,
            ),
            MailAttached(
                capture_id=capture,
                account="agency",
                owner="u1",
                capture_address=address,
                received_at=time,
                decided_at=time,
                door="smtp",
                direction=Direction.OUTBOUND,
                matches=(
                    Match(
                        person_id="c1",
                        kind=Kind.CANDIDATE,
                        address="candidate@mail.example",
                        role=Role.TO,
                    ),
                ),
                authentication=Authentication(
                    verdict=AuthenticationVerdict.VERIFIED,
                    method="dkim",
                    domain="agency.example",
                ),
                size=2048,
            ),
            MailDismissed(
                capture_id=capture,
                account="agency",
                reason=DismissalReason.NO_MATCH,
                received_at=time,
                decided_at=time,
                message_id_hash="5f0c6a1e9b7d4c3280aa51e2d9f4b6c7",
            ),
            MailConfirmation(
                capture_id=capture,
                account="agency",
                owner="u1",
                capture_address=address,
                received_at=time,
                decided_at=time,
                provider="gmail",
                requested_by="anna@agency.example",
                code="123456789",
                link="https://mail-settings.google.com/mail/vf-example",
                authentication=Authentication(
                    verdict=AuthenticationVerdict.VERIFIED, method="dkim", domain="google.com"
                ),
            ),
            PersonChanged(
                account="agency",
                person_id="c1",
                version=3,
                kind=Kind.CANDIDATE,
                name="Candidate",
                addresses=("candidate@mail.example",),
            ),
            PersonDeleted(account="agency", person_id="c1", version=4),
            CaptureAddressChanged(
                account="agency", person_id="u1", address=address, version=1, state="active"
            ),
        )
    }
