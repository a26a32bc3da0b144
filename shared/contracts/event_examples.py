"""One example of each event, as committed in `schemas/`: to read, and to test with."""

from datetime import datetime
from uuid import UUID

from shared.contracts.events import (
    Authentication,
    AuthenticationVerdict,
    CaptureAddressChanged,
    Direction,
    DismissalReason,
    Erased,
    ErasureDone,
    Event,
    Half,
    Kind,
    Leak,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailReceived,
    MailRoundTrip,
    MailWatched,
    Match,
    Named,
    PersonChanged,
    PersonDeleted,
    PersonErased,
    Role,
    RoundTripChanged,
    RoundTripResult,
    RoundTripState,
    Share,
)


def examples() -> dict[str, Event]:
    """Return one example of each event, by tag, as committed in `shared/contracts/schemas`."""
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
                half=Half.SENT,
                leak=Leak(capture_address=address, mail_date=time),
                size=2048,
            ),
            MailAttachedToShares(
                capture_id=capture,
                account="agency",
                shares=(
                    Share(owner="u1", sent_by_owner=True, sees_bcc=True, half=Half.SENT),
                    Share(owner="u2", half=Half.RECEIVED),
                ),
                capture_address="company.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
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
                place="1",
                size=2048,
            ),
            MailDismissedWithShares(
                capture_id=capture,
                account="agency",
                reason=DismissalReason.NO_USER,
                received_at=time,
                decided_at=time,
            ),
            MailDismissed(
                capture_id=capture,
                account="agency",
                reason=DismissalReason.NO_MATCH,
                received_at=time,
                decided_at=time,
                message_id_hash="5f0c6a1e9b7d4c3280aa51e2d9f4b6c7",
                owner="u1",
                half=Half.RECEIVED,
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
            MailRoundTrip(
                capture_id=capture,
                account="agency",
                result=RoundTripResult.RETURNED,
                owner="u1",
                capture_address=address,
                received_at=time,
                decided_at=time,
            ),
            MailWatched(
                capture_id=capture,
                account="agency",
                owner="u1",
                capture_address=address,
                received_at=time,
                decided_at=time,
                sender=Named(name="Mail provider", address="no-reply@provider.example"),
                subject="Confirm the forwarding of your mail",
                text="Open this page to confirm: https://provider.example/confirm?t=example",
                links=("https://provider.example/confirm?t=example",),
            ),
            PersonChanged(
                account="agency",
                person_id="c1",
                version=3,
                kind=Kind.CANDIDATE,
                name="Candidate",
                addresses=("candidate@mail.example",),
                merge_id="019bc0de000070008000000000000002",
                merged_into="c2",
            ),
            PersonDeleted(
                account="agency",
                person_id="c1",
                version=4,
                merge_id="019bc0de000070008000000000000002",
                merged_into="c2",
            ),
            CaptureAddressChanged(
                account="agency", person_id="u1", address=address, version=1, state="active"
            ),
            RoundTripChanged(
                account="agency",
                person_id="u1",
                version=2,
                state=RoundTripState.BOUNCED,
                address="anna@agency.example",
                sent_at=time,
                expires_at=time.replace(day=16),
                at=time,
                status="5.7.520",
                reason="The organisation does not allow mail to be forwarded to other domains.",
                advice="An administrator allows automatic forwarding for this mailbox.",
            ),
            PersonErased(
                account="agency",
                erasure_id="019bc0de000070008000000000000003",
                person_id="c1",
                asked_by="u1",
                asked_at=time,
                erased_at=time,
                addresses=("mBTcJYyF5cWJ0kFvO2Ppqw",),
                names=("1mWUbUBDi4hAM0yHU2Hc5w",),
            ),
            ErasureDone(
                account="agency",
                erasure_id="019bc0de000070008000000000000003",
                person_id="c1",
                done_at=time,
                erased=Erased(mails_deleted=12, mails_redacted=3),
            ),
        )
    }
