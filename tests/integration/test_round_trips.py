"""Round trips on a real database: what a challenge proves, and what it does not."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.matcher.directory import person_of
from services.matcher.outbox import Outbox
from services.matcher.round_trip.challenge import FIELD
from services.matcher.round_trip.proving import Proving, TooManyToday
from services.matcher.round_trip.records import EXPIRES, MAX_FAILURES, PER_DAY, WEEK
from services.matcher.round_trip.relay import RelayAway, RelayRefused
from services.matcher.round_trip.repeating import Lease, Repeating
from shared.broker import Delivery
from shared.database import Database
from shared.events import (
    Event,
    Kind,
    MailDismissed,
    MailReceived,
    MailRoundTrip,
    RoundTripChanged,
    RoundTripResult,
    RoundTripState,
)
from shared.outcomes import Done, Reject
from tests.fakes import Recorder, RecordingPublisher
from tests.matcher_parts import ACCOUNT, DOMAIN, RING, Replica

OWN = "user@team.example"
REPORT = """\
From: MAILER-DAEMON@mx.team.example
To: {to}
Subject: Undeliverable
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Your message to {own} could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.team.example

Final-Recipient: rfc822; {own}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} Access denied, Your organization does not allow it

--b--
"""


@dataclass
class Relay:
    """Takes whatever it is given, and fails as it is told."""

    sender: str = "satchel@team.example"
    sent: list[tuple[bytes, str, str]] = field(default_factory=list)
    failure: Exception | None = None

    async def send(self, mail: bytes, *, envelope_sender: str, recipient: str) -> None:
        self.sent.append((mail, envelope_sender, recipient))
        if self.failure is not None:
            raise self.failure


@dataclass
class Office:
    """A matcher with a relay, and one user with a capture address."""

    matcher: Replica
    recorder: Recorder
    relay: Relay
    proving: Proving
    outbox: Outbox
    address: str = ""

    async def prove(self, person_id: str = "u1", own: str = OWN) -> bytes:
        """Send a challenge; return it."""
        await self.proving.send(ACCOUNT, person_id, own)
        return self.relay.sent[-1][0]

    async def arrives(
        self,
        raw: bytes,
        to: str | None = None,
        *,
        at: datetime | None = None,
        backfill: bool = False,
    ) -> Event:
        """Return the outcome of a capture."""
        event = MailReceived(
            capture_id=uuid4(),
            backfill=backfill,
            capture_address=to or self.address,
            account_tag="x" * 8,
            received_at=at or datetime.now(UTC),
            door="smtp",
            size=len(raw),
        )
        assert await self.matcher.match(Delivery(event, raw, redelivered=False)) == Done()
        outcome, body = self.recorder.published[-1]
        assert body == b""
        return outcome

    async def told(self) -> RoundTripChanged:
        """Return what is announced now."""
        before = len(self.recorder.published)
        while await self.outbox.announce_some():
            pass
        news = [e for e, _ in self.recorder.published[before:] if isinstance(e, RoundTripChanged)]
        return news[-1]

    def bounce(self, status: str = "5.7.520", action: str = "failed") -> bytes:
        text = REPORT.format(to=self.return_path, own=OWN, status=status, action=action)
        return text.replace("\n", "\r\n").encode()

    @property
    def return_path(self) -> str:
        """Where bounces of the latest challenge go."""
        return self.relay.sent[-1][1]


@pytest.fixture
def database(matcher: Replica) -> Database:
    return matcher.database


@pytest.fixture
async def office(matcher: Replica, recorder: Recorder, database: Database) -> Office:
    relay = Relay()
    proving = Proving(matcher.round_trips, relay, RING, DOMAIN)
    await matcher.directory.put(ACCOUNT, person_of("u1", Kind.USER, "User", [OWN]))
    record, _ = await matcher.addresses.mint(ACCOUNT, "u1", "User")
    outbox = Outbox(database, RecordingPublisher(recorder))
    return Office(matcher, recorder, relay, proving, outbox, record.address)


class TestReturning:
    async def test_a_challenge_that_comes_back_proves_the_receiving_half(
        self, office: Office
    ) -> None:
        challenge = await office.prove()
        assert (await office.told()).state is RoundTripState.SENT
        trace = b"Received: from mx.team.example\r\nDelivered-To: user@team.example\r\n"
        outcome = await office.arrives(trace + challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.RETURNED, "u1")
        told = await office.told()
        assert (told.state, told.address) == (RoundTripState.RETURNED, OWN)
        assert told.version == 2

    @pytest.mark.parametrize("lost", [FIELD, "Message-ID"])
    async def test_either_of_its_two_tokens_is_enough(self, office: Office, lost: str) -> None:
        challenge = await office.prove()
        kept = [line for line in challenge.split(b"\r\n") if not line.startswith(lost.encode())]
        assert len(kept) < len(challenge.split(b"\r\n"))
        outcome = await office.arrives(b"\r\n".join(kept))
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.owner == "u1"

    async def test_an_address_in_grace_counts_and_a_revoked_one_is_rule_2(
        self, office: Office
    ) -> None:
        challenge = await office.prove()
        record = await office.matcher.addresses.find(office.address)
        assert record
        await office.matcher.addresses.rotate(record, "User", timedelta(hours=1))
        assert isinstance(await office.arrives(challenge), MailRoundTrip)
        await office.matcher.addresses.revoke_one(ACCOUNT, office.address)
        outcome = await office.arrives(challenge)
        assert isinstance(outcome, MailDismissed)
        assert outcome.reason.value == "revoked_address"

    async def test_a_redelivery_repeats_it_and_changes_nothing(self, office: Office) -> None:
        challenge = await office.prove()
        await office.arrives(challenge)
        version = (await office.told()).version
        outcome = await office.arrives(challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.RETURNED
        assert not await office.outbox.announce_some()
        assert version == 2

    async def test_a_profile_in_it_matches_nothing(self, office: Office) -> None:
        await office.matcher.directory.put(
            ACCOUNT, person_of("c1", Kind.CANDIDATE, "C", ["c@mail.example"])
        )
        challenge = await office.prove()
        outcome = await office.arrives(b"Cc: c@mail.example\r\n" + challenge)
        assert isinstance(outcome, MailRoundTrip)


class TestWhatProvesNothing:
    async def test_a_stale_one(self, office: Office) -> None:
        challenge = await office.prove()
        outcome = await office.arrives(challenge, at=datetime.now(UTC) + EXPIRES)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.STALE, None)
        assert (await office.told()).state is RoundTripState.SENT

    async def test_one_out_of_a_backfilled_mailbox(self, office: Office) -> None:
        outcome = await office.arrives(await office.prove(), backfill=True)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE

    async def test_a_forged_one_is_a_mail_like_any_other(self, office: Office) -> None:
        challenge = await office.prove()
        token = RING.round_trip_token("a" * 20)
        forged = challenge
        for line in challenge.split(b"\r\n"):
            if line.startswith((FIELD.encode(), b"Message-ID")):
                good = line.rpartition(b".")[2][:26] if FIELD.encode() in line else None
                if good:
                    forged = forged.replace(good, b"b" * 26)
        assert forged != challenge
        assert isinstance(await office.arrives(forged), MailDismissed)
        unknown = f"{FIELD}: {token}\r\nFrom: x@x.example\r\n\r\n".encode()
        outcome = await office.arrives(unknown)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE, "signed by us, but never sent"

    async def test_one_at_another_users_address_or_another_accounts(self, office: Office) -> None:
        challenge = await office.prove()
        for account, person_id in ((ACCOUNT, "u2"), ("other", "u1")):
            person = person_of(person_id, Kind.USER, "Other", [f"{person_id}@{account}.example"])
            await office.matcher.directory.put(account, person)
            record, _ = await office.matcher.addresses.mint(account, person_id, "Other")
            outcome = await office.arrives(challenge, record.address)
            assert isinstance(outcome, MailRoundTrip)
            assert (outcome.result, outcome.owner) == (RoundTripResult.MISDIRECTED, None)
            assert outcome.account == account
        assert (await office.told()).state is RoundTripState.SENT

    async def test_a_forward_by_hand_and_an_answer(self, office: Office) -> None:
        challenge = await office.prove()
        text = challenge.decode()
        assert text.partition("\r\n\r\n")[2].count("round-trip.") == 0
        id_ = next(line for line in text.split("\r\n") if line.startswith("Message-ID"))
        answer = f"From: {OWN}\r\nTo: {office.address}\r\nSubject: Fwd: Satchel\r\n"
        answer += f"In-Reply-To:{id_.partition(':')[2]}\r\n\r\n> {text}"
        assert isinstance(await office.arrives(answer.encode()), MailDismissed)


class TestBounces:
    async def test_a_blocked_forward_is_told_with_what_to_do(self, office: Office) -> None:
        await office.prove()
        outcome = await office.arrives(office.bounce(), office.return_path)
        assert isinstance(outcome, MailRoundTrip)
        assert (outcome.result, outcome.owner) == (RoundTripResult.BOUNCED, None)
        told = await office.told()
        assert (told.state, told.status) == (RoundTripState.BOUNCED, "5.7.520")
        assert told.reason
        assert "forwarding" in told.reason
        assert told.advice
        assert "administrator" in told.advice

    async def test_a_return_wins_whichever_comes_first(self, office: Office) -> None:
        challenge = await office.prove()
        await office.arrives(office.bounce(), office.return_path)
        await office.arrives(challenge)
        told = await office.told()
        assert (told.state, told.reason, told.status) == (RoundTripState.RETURNED, None, None)
        await office.arrives(office.bounce(), office.return_path)
        assert not await office.outbox.announce_some()

    @pytest.mark.parametrize("action", ["delayed", "delivered"])
    async def test_a_delay_says_nothing_yet(self, office: Office, action: str) -> None:
        await office.prove()
        await office.told()
        outcome = await office.arrives(office.bounce("4.4.1", action), office.return_path)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.IGNORED
        assert not await office.outbox.announce_some()

    async def test_a_late_bounce_of_an_earlier_challenge_changes_nothing(
        self, office: Office
    ) -> None:
        await office.prove()
        bounce, earlier = office.bounce(), office.return_path
        await office.prove()
        await office.told()
        assert isinstance(await office.arrives(bounce, earlier), MailRoundTrip)
        assert not await office.outbox.announce_some()

    async def test_a_return_path_without_a_record_is_a_dead_letter(self, office: Office) -> None:
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
        assert await office.matcher.match(delivery) == Reject("unknown_capture_address")


class TestSending:
    async def test_eight_a_day_however_many_ask_at_once(self, office: Office) -> None:
        async def ask() -> bool:
            try:
                await office.prove()
            except TooManyToday:
                return False
            return True

        assert sum(await asyncio.gather(*(ask() for _ in range(3 * PER_DAY)))) == PER_DAY
        assert len(office.relay.sent) == PER_DAY
        await office.prove("u2", "other@team.example")

    async def test_what_the_relay_could_not_take_is_not_counted(self, office: Office) -> None:
        office.relay.failure = RelayAway("away")
        for _ in range(PER_DAY + 1):
            with pytest.raises(RelayAway):
                await office.prove()
        assert (await office.told()).state is RoundTripState.FAILED
        office.relay.failure = None
        await office.prove()

    async def test_an_address_that_the_relay_refuses_is_told_at_once(self, office: Office) -> None:
        office.relay.failure = RelayRefused("5.1.1 <user@team.example>: User unknown")
        assert (await office.proving.send(ACCOUNT, "u1", OWN)).is_refused
        told = await office.told()
        assert (told.state, told.status) == (RoundTripState.BOUNCED, "5.1.1")

    async def test_who_is_deleted_is_forgotten_and_so_for_the_timeline(
        self, office: Office, database: Database
    ) -> None:
        challenge = await office.prove()
        before = (await office.told()).version
        await office.matcher.round_trips.forget(ACCOUNT, ["u1"])
        told = await office.told()
        assert told.state is RoundTripState.FORGOTTEN
        assert told.version > before
        assert told.address is None
        assert await database["challenges"].count_documents({}) == 0
        assert OWN not in str(await database["round_trips"].find().to_list())
        outcome = await office.arrives(challenge)
        assert isinstance(outcome, MailRoundTrip)
        assert outcome.result is RoundTripResult.STALE


class TestRepeating:
    @pytest.fixture
    def repeating(self, office: Office, database: Database) -> Repeating:
        return repeater(office, database)

    async def test_a_proven_forward_is_tested_every_week_by_one_replica(
        self, office: Office, database: Database, repeating: Repeating
    ) -> None:
        await office.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await office.arrives(await office.prove())
        await repeating.send_due()
        assert len(office.relay.sent) == 1, "it is not due"
        await let_a_week_pass(database)
        other = repeater(office, database)
        await asyncio.gather(repeating.send_due(), other.send_due())
        assert len(office.relay.sent) == 2
        told = await office.told()
        assert (told.state, told.repeated) == (RoundTripState.SENT, True)

    async def test_an_account_that_did_not_ask_and_a_user_without_a_forward_get_none(
        self, office: Office, database: Database, repeating: Repeating
    ) -> None:
        await office.arrives(await office.prove())
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(office.relay.sent) == 1
        await office.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await database["round_trips"].delete_many({})
        await office.prove()  # and it never came back
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(office.relay.sent) == 2

    async def test_a_dead_forward_is_tested_three_times_more(
        self, office: Office, database: Database, repeating: Repeating
    ) -> None:
        await office.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await office.arrives(await office.prove())
        for _ in range(MAX_FAILURES + 2):
            await let_a_week_pass(database)
            await repeating.send_due()
        assert len(office.relay.sent) == 1 + MAX_FAILURES
        await office.arrives(office.relay.sent[-1][0])  # it is alive again
        await let_a_week_pass(database)
        await repeating.send_due()
        assert len(office.relay.sent) == 2 + MAX_FAILURES

    async def test_while_the_relay_is_away_nothing_counts_as_a_dead_forward(
        self, office: Office, database: Database, repeating: Repeating
    ) -> None:
        await office.matcher.round_trips.set_repeat(ACCOUNT, "weekly")
        await office.arrives(await office.prove())
        office.relay.failure = RelayAway("away")
        for _ in range(MAX_FAILURES + 2):
            await let_a_week_pass(database)
            await repeating.send_due()
        office.relay.failure = None
        await let_a_week_pass(database)
        await repeating.send_due()
        assert (await office.told()).state is RoundTripState.SENT

    async def test_a_lease_that_is_not_renewed_goes_to_another(self, database: Database) -> None:
        now = datetime.now(UTC)
        one, two = Lease(database, "x"), Lease(database, "x")
        assert await one.held(now)
        assert await one.held(now)
        assert not await two.held(now)
        assert await two.held(now + timedelta(hours=1))
        assert not await one.held(now + timedelta(hours=1))


def repeater(office: Office, database: Database) -> Repeating:
    return Repeating(
        office.proving,
        office.matcher.round_trips,
        office.matcher.directory,
        office.matcher.addresses,
        Lease(database, "round trips"),
        pause_seconds=0,
    )


async def let_a_week_pass(database: Database) -> None:
    async for latest in database["round_trips"].find({"due_at": {"$exists": True}}):
        change = {"$set": {"due_at": latest["due_at"] - WEEK}}
        await database["round_trips"].update_one({"_id": latest["_id"]}, change)
    await database["round_trip_days"].delete_many({})
