"""Round trips on a real database: what a challenge proves, and what it does not."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.matcher.directory.people import person_of
from services.matcher.round_trip.challenge import FIELD
from services.matcher.round_trip.records import EXPIRES
from shared.broker import Delivery
from shared.contracts.events import (
    Kind,
    MailDismissed,
    MailReceived,
    MailRoundTrip,
    RoundTripResult,
    RoundTripState,
)
from shared.contracts.outcomes import Reject
from tests.matcher_parts import ACCOUNT, DOMAIN, RING
from tests.round_trip_parts import OWN, RoundTripParts


class TestReturning:
    async def test_a_challenge_that_comes_back_proves_the_receiving_half(
        self, parts: RoundTripParts
    ) -> None:
        challenge = await parts.prove()
        assert (await parts.told()).state is RoundTripState.SENT
        trace = b"Received: from mx.team.example\r\nDelivered-To: user@team.example\r\n"
        outcome = await parts.arrives(trace + challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.RETURNED, "u1")
        told = await parts.told()
        assert (told.state, told.address) == (RoundTripState.RETURNED, OWN)
        assert told.version == 2

    @pytest.mark.parametrize("lost", [FIELD, "Message-ID"])
    async def test_either_of_its_two_tokens_is_enough(
        self, parts: RoundTripParts, lost: str
    ) -> None:
        challenge = await parts.prove()
        kept = [line for line in challenge.split(b"\r\n") if not line.startswith(lost.encode())]
        assert len(kept) < len(challenge.split(b"\r\n"))
        outcome = await parts.arrives(b"\r\n".join(kept))
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.owner == "u1"

    async def test_an_address_in_grace_counts_and_a_revoked_one_is_rule_2(
        self, parts: RoundTripParts
    ) -> None:
        challenge = await parts.prove()
        record = await parts.matcher.addresses.find(parts.address)
        assert record
        await parts.matcher.addresses.rotate(record, "User", timedelta(hours=1))
        assert isinstance(await parts.arrives(challenge), MailRoundTrip)
        await parts.matcher.addresses.revoke_one(ACCOUNT, parts.address)
        outcome = await parts.arrives(challenge)
        assert isinstance(outcome, MailDismissed)
        assert outcome.reason.value == "revoked_address"

    async def test_a_redelivery_repeats_it_and_changes_nothing(self, parts: RoundTripParts) -> None:
        challenge = await parts.prove()
        await parts.arrives(challenge)
        version = (await parts.told()).version
        outcome = await parts.arrives(challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.RETURNED
        assert not await parts.outbox.announce_some()
        assert version == 2

    async def test_a_profile_in_it_matches_nothing(self, parts: RoundTripParts) -> None:
        await parts.matcher.directory.put(
            ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["c@mail.example"])
        )
        challenge = await parts.prove()
        outcome = await parts.arrives(b"Cc: c@mail.example\r\n" + challenge)
        assert isinstance(outcome, MailRoundTrip)


class TestWhatProvesNothing:
    async def test_a_stale_one(self, parts: RoundTripParts) -> None:
        challenge = await parts.prove()
        outcome = await parts.arrives(challenge, at=datetime.now(UTC) + EXPIRES)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.STALE, None)
        assert (await parts.told()).state is RoundTripState.SENT

    async def test_one_out_of_a_backfilled_mailbox(self, parts: RoundTripParts) -> None:
        outcome = await parts.arrives(await parts.prove(), backfill=True)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE

    async def test_a_forged_one_is_a_mail_like_any_other(self, parts: RoundTripParts) -> None:
        challenge = await parts.prove()
        token = RING.round_trip_token("a" * 20)
        forged = challenge
        for line in challenge.split(b"\r\n"):
            if line.startswith((FIELD.encode(), b"Message-ID")):
                good = line.rpartition(b".")[2][:26] if FIELD.encode() in line else None
                if good:
                    forged = forged.replace(good, b"b" * 26)
        assert forged != challenge
        assert isinstance(await parts.arrives(forged), MailDismissed)
        unknown = f"{FIELD}: {token}\r\nFrom: x@x.example\r\n\r\n".encode()
        outcome = await parts.arrives(unknown)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE, "signed by us, but never sent"

    async def test_one_at_another_users_address_or_another_accounts(
        self, parts: RoundTripParts
    ) -> None:
        challenge = await parts.prove()
        for account, person_id in ((ACCOUNT, "u2"), ("other", "u1")):
            person = person_of(person_id, Kind.USER, "Other", [f"{person_id}@{account}.example"])
            await parts.matcher.directory.put(account, person)
            record, _ = await parts.matcher.addresses.mint(account, person_id, "Other")
            outcome = await parts.arrives(challenge, record.address)
            assert isinstance(outcome, MailRoundTrip)
            assert (outcome.result, outcome.owner) == (RoundTripResult.MISDIRECTED, None)
            assert outcome.account == account
        assert (await parts.told()).state is RoundTripState.SENT

    async def test_a_forward_by_hand_and_an_answer(self, parts: RoundTripParts) -> None:
        challenge = await parts.prove()
        text = challenge.decode()
        assert text.partition("\r\n\r\n")[2].count("round-trip.") == 0
        id_ = next(line for line in text.split("\r\n") if line.startswith("Message-ID"))
        answer = f"From: {OWN}\r\nTo: {parts.address}\r\nSubject: Fwd: Satchel\r\n"
        answer += f"In-Reply-To:{id_.partition(':')[2]}\r\n\r\n> {text}"
        assert isinstance(await parts.arrives(answer.encode()), MailDismissed)


class TestBounces:
    async def test_a_blocked_forward_is_told_with_what_to_do(self, parts: RoundTripParts) -> None:
        await parts.prove()
        outcome = await parts.arrives(parts.bounce(), parts.return_path)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.BOUNCED, None)
        told = await parts.told()
        assert (told.state, told.status) == (RoundTripState.BOUNCED, "5.7.520")
        assert told.reason
        assert "forwarding" in told.reason
        assert told.advice
        assert "administrator" in told.advice

    async def test_a_return_wins_whichever_comes_first(self, parts: RoundTripParts) -> None:
        challenge = await parts.prove()
        await parts.arrives(parts.bounce(), parts.return_path)
        await parts.arrives(challenge)
        told = await parts.told()
        assert (told.state, told.reason, told.status) == (RoundTripState.RETURNED, None, None)
        await parts.arrives(parts.bounce(), parts.return_path)
        assert not await parts.outbox.announce_some()

    @pytest.mark.parametrize("action", ["delayed", "delivered"])
    async def test_a_delay_says_nothing_yet(self, parts: RoundTripParts, action: str) -> None:
        await parts.prove()
        await parts.told()
        outcome = await parts.arrives(parts.bounce("4.4.1", action), parts.return_path)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.IGNORED
        assert not await parts.outbox.announce_some()

    async def test_a_late_bounce_of_an_earlier_challenge_changes_nothing(
        self, parts: RoundTripParts
    ) -> None:
        await parts.prove()
        bounce, earlier = parts.bounce(), parts.return_path
        await parts.prove()
        await parts.told()
        assert isinstance(await parts.arrives(bounce, earlier), MailRoundTrip)
        assert not await parts.outbox.announce_some()

    async def test_a_return_path_without_a_record_is_a_dead_letter(
        self, parts: RoundTripParts
    ) -> None:
        path = RING.mint_return_path(ACCOUNT, "aaa" + "b" * 17, DOMAIN)
        event = MailReceived(
            capture_id=uuid4(),
            capture_address=path,
            account_tag="x" * 8,
            received_at=datetime.now(UTC),
            door="smtp",
            size=0,
        )
        delivery = Delivery(event, b"From: a@x.example\r\n\r\n", redelivered=False)
        assert await parts.matcher.match(delivery) == Reject("unknown_capture_address")
