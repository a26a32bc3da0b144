"""What the matcher says of a decision: every field of every event, in parts that can travel."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.matcher.announce import (
    SPLIT_BYTES,
    Outcome,
    _size,
    announce_dismissal,
    announce_verdict,
)
from services.matcher.confirmations import Confirmation
from services.matcher.decision.decide import Attach, Decision, Dismiss, Person, decide
from services.matcher.decision.judge import Judgement, Verdict
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.reading.participants import participants
from shared.contracts.capture_address import KeyRing
from shared.contracts.event_examples import examples
from shared.contracts.events import (
    MAX_EVENT_BYTES,
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
    MailReceived,
    Match,
    Named,
    Role,
    Source,
)
from shared.mail.headers import read_header_block
from shared.storage.blob_keys import claim_key, enclosed_key

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CAPTURE_ID = uuid4()
RING = KeyRing.parse("k:" + "s" * 20)
ADDRESS = AddressRecord("a@in.satchel.test", "acme", "u1", "k", "active", NOW, None)
RECEIVED = MailReceived(
    capture_id=CAPTURE_ID,
    backfill=True,
    blob_key=claim_key(CAPTURE_ID),
    size=1234,
    capture_address="a@in.satchel.test",
    account_tag="x" * 8,
    received_at=NOW,
    door="http",
)
MATCH = Match(person_id="c1", kind=Kind.CANDIDATE, address="c@x.example", role=Role.TO)
OTHER = Match(person_id="c2", kind=Kind.CONTACT, address="d@x.example", role=Role.CC)
NO_MATCH = Dismiss(DismissalReason.NO_MATCH)
FAILED = Authentication(verdict=AuthenticationVerdict.FAILED, reason="policy")


def judgement(
    decision: Decision,
    place: str = "",
    *,
    header: str = "Message-ID: <1@x>\r\n",
    forwarded: Forwarded | None = None,
    size: int = 0,
) -> Judgement:
    read = read_header_block(header.encode())
    return Judgement(place, read, decision, (), (), forwarded, b"x" * size)


def attach(*matches: Match) -> Attach:
    return Attach(matches, Direction.OUTBOUND)


def announced(
    *mails: Judgement,
    confirmation: Confirmation | None = None,
    authentications: Mapping[str, Authentication] | None = None,
) -> Sequence[Outcome]:
    verdict = Verdict(mails, confirmation)
    return announce_verdict(RECEIVED, ADDRESS, verdict, RING, authentications or {})


def test_an_attached_mail_is_told_with_all_that_is_known_of_it() -> None:
    forwarded = Forwarded(sender=Named(name="C", address="c@x.example"), subject="S")
    mail = judgement(attach(MATCH), forwarded=forwarded)
    [event] = announced(mail, authentications={"": FAILED})
    assert isinstance(event, MailAttached)
    assert event == MailAttached(
        capture_id=CAPTURE_ID,
        backfill=True,
        blob_key=claim_key(CAPTURE_ID),
        size=1234,
        account="acme",
        owner="u1",
        capture_address="a@in.satchel.test",
        received_at=NOW,
        decided_at=event.decided_at,
        door="http",
        direction=Direction.OUTBOUND,
        sent_by_owner=event.sent_by_owner,
        matches=(MATCH,),
        forwarded=forwarded,
        place="",
        authentication=FAILED,
        part=1,
        parts=1,
    )


def test_of_a_wrapper_and_its_mails_those_are_told_that_are_attached() -> None:
    events = announced(
        judgement(NO_MATCH),
        judgement(attach(OTHER), "1", size=77),
        judgement(NO_MATCH, "2", size=78),
        judgement(attach(MATCH), "3", size=79),
        authentications={"3": FAILED},
    )
    told = [event for event in events if isinstance(event, MailAttached)]
    assert [(e.place, e.size, e.matches, e.authentication) for e in told] == [
        ("1", 77, (OTHER,), None),
        ("3", 79, (MATCH,), FAILED),
    ]
    assert [e.blob_key for e in told] == [
        enclosed_key(claim_key(CAPTURE_ID), "1"),
        enclosed_key(claim_key(CAPTURE_ID), "3"),
    ]


def test_a_small_mail_travels_with_its_event_enclosed_or_not() -> None:
    small = RECEIVED.model_copy(update={"blob_key": None})
    mails = judgement(attach(MATCH)), judgement(attach(MATCH), "1", size=77)
    events = announce_verdict(small, ADDRESS, Verdict(mails), RING, {})
    assert [event.blob_key for event in events if isinstance(event, MailAttached)] == [None, None]


def test_of_a_dismissed_mail_nothing_is_told_but_a_keyed_hash() -> None:
    blocked = judgement(
        Dismiss(DismissalReason.BLOCKED), "1", header="Message-ID: <enclosed@x>\r\n"
    )
    [event] = announced(judgement(NO_MATCH), blocked)
    assert isinstance(event, MailDismissed)
    assert event == MailDismissed(
        capture_id=CAPTURE_ID,
        backfill=True,
        account="acme",
        reason=DismissalReason.BLOCKED,
        received_at=NOW,
        decided_at=event.decided_at,
        message_id_hash=RING.forgetful_hash("acme", "1@x"),
        owner="u1",
    )


def test_a_mail_without_an_id_has_no_hash() -> None:
    revoked = Dismiss(DismissalReason.REVOKED_ADDRESS)
    event = announce_dismissal(
        RECEIVED, ADDRESS, revoked, judgement(revoked, header="To: a\r\n"), RING
    )
    assert event.message_id_hash is None
    assert event.reason is DismissalReason.REVOKED_ADDRESS


def test_a_confirmation_is_told_whatever_matched() -> None:
    asked = Confirmation("gmail", "anna@firm.example", "304298959", "https://x.example/vf-1")
    mails = judgement(attach(MATCH)), judgement(attach(MATCH), "1")
    [event] = announced(*mails, confirmation=asked, authentications={"": FAILED})
    assert isinstance(event, MailConfirmation)
    assert event == MailConfirmation(
        capture_id=CAPTURE_ID,
        backfill=True,
        account="acme",
        owner="u1",
        capture_address="a@in.satchel.test",
        received_at=NOW,
        decided_at=event.decided_at,
        provider="gmail",
        requested_by="anna@firm.example",
        code="304298959",
        link="https://x.example/vf-1",
        authentication=FAILED,
    )


def test_of_a_forwarded_mail_ten_recipients_of_a_kind_are_shown() -> None:
    many = tuple(Named(name="", address=f"r{n}@x.example") for n in range(11))
    forwarded = Forwarded(sender=many[0], to=many, cc=many, subject="S")
    [event] = announced(judgement(attach(MATCH), forwarded=forwarded))
    assert isinstance(event, MailAttached)
    assert event.forwarded == Forwarded(sender=many[0], to=many[:10], cc=many[:10], subject="S")


def sized(size: int, number: int = 0) -> Match:
    """Return a match of so many bytes."""
    match = MATCH.model_copy(update={"address": f"{number:03}"})
    missing = size - len(match.model_dump_json())
    return match.model_copy(update={"address": f"{number:03}" + "x" * missing})


@pytest.mark.parametrize(("more", "parts"), [(0, 1), (1, 2)])
def test_an_event_is_split_where_it_would_be_too_large(more: int, parts: int) -> None:
    half = SPLIT_BYTES // 2
    matches = sized(half), sized(half + more, 1)
    events = announced(judgement(attach(*matches)))
    assert [event.part for event in events if isinstance(event, MailAttached)] == [
        *range(1, parts + 1)
    ]
    assert [event.parts for event in events if isinstance(event, MailAttached)] == [parts] * parts


def test_each_part_is_filled_anew() -> None:
    third = SPLIT_BYTES // 3
    events = announced(judgement(attach(*(sized(third, n) for n in range(8)))))
    assert [len(e.matches) for e in events if isinstance(e, MailAttached)] == [3, 3, 2]
    half = SPLIT_BYTES // 2
    matches = sized(SPLIT_BYTES), sized(half, 1), sized(half + 1, 2)
    events = announced(judgement(attach(*matches)))
    assert [len(e.matches) for e in events if isinstance(e, MailAttached)] == [1, 1, 1]


def test_a_match_that_is_too_large_alone_is_told_alone() -> None:
    events = announced(judgement(attach(sized(SPLIT_BYTES + 1), MATCH)))
    assert [len(e.matches) for e in events if isinstance(e, MailAttached)] == [1, 1]


def test_what_is_shown_of_a_forward_takes_room_in_every_part_but_half_at_most() -> None:
    def parts(subject: int, *sizes: int) -> list[int]:
        forwarded = Forwarded(sender=Named(name="", address="a@x.example"), subject="s" * subject)
        matches = [sized(size, n) for n, size in enumerate(sizes)]
        events = announced(judgement(attach(*matches), forwarded=forwarded))
        return [len(event.matches) for event in events if isinstance(event, MailAttached)]

    taken = len(
        Forwarded(sender=Named(name="", address="a@x.example"), subject="").model_dump_json()
    )
    room = SPLIT_BYTES - taken - 1000
    assert parts(1000, room // 2, room - room // 2) == [2]
    assert parts(1000, room // 2, room - room // 2 + 1) == [1, 1]
    quarter = SPLIT_BYTES // 4
    assert parts(40_000, quarter, quarter) == [2]
    assert parts(40_000, quarter, quarter + 1) == [1, 1]


def test_many_matches_are_told_in_parts_that_can_travel() -> None:
    received = examples()["mail.received.v1"]
    assert isinstance(received, MailReceived)
    address = AddressRecord("a@b", "acme", "u1", "k", "active", datetime.now(UTC), None)
    matches = tuple(
        Match(
            person_id=f"c{number}",
            kind=Kind.CANDIDATE,
            address="é" * 200 + f"{number}@x.example",
            role=Role.TO,
        )
        for number in range(500)
    )
    header = read_header_block(b"Message-ID: <1@x>\r\n")
    mail = Judgement("", header, Attach(matches, Direction.INBOUND), (), ())
    ring = KeyRing.parse("k:" + "s" * 20)
    events = announce_verdict(received, address, Verdict((mail,)), ring, {})
    assert all(isinstance(event, MailAttached) for event in events)
    attached = [event for event in events if isinstance(event, MailAttached)]
    assert len(attached) > 1
    assert [event.part for event in attached] == list(range(1, len(attached) + 1))
    assert {event.parts for event in attached} == {len(attached)}
    assert tuple(match for event in attached for match in event.matches) == matches
    assert all(len(event.encode().encode()) <= MAX_EVENT_BYTES for event in attached)


@pytest.mark.parametrize(
    ("sender", "owner", "said"),
    [
        ("User <user@team.example>", "u1", True),
        ("user@home.example", "u1", True),
        ("other@team.example", "u1", False),
        ("other@team.example", "u2", True),
        ("cand@mail.example", "u1", False),
    ],
)
def test_a_capture_tells_whether_its_owner_sent_the_mail(
    sender: str, owner: str, said: bool
) -> None:
    received = examples()["mail.received.v1"]
    assert isinstance(received, MailReceived)
    people = [
        Person("u1", Kind.USER, "", (), frozenset(["user@team.example", "user@home.example"])),
        Person("u2", Kind.USER, "", (), frozenset(["other@team.example"])),
        Person("c1", Kind.CANDIDATE, "", (), frozenset(["cand@mail.example"])),
    ]
    header = read_header_block(f"From: {sender}\r\nTo: cand@mail.example\r\n".encode())
    taking_part = participants(header, "in.satchel.test")
    mail = Judgement("", header, decide(taking_part, people), taking_part, people)
    address = AddressRecord("a@b", "acme", owner, "k", "active", datetime.now(UTC), None)
    ring = KeyRing.parse("k:" + "s" * 20)
    [event] = announce_verdict(received, address, Verdict((mail,)), ring, {})
    assert isinstance(event, MailAttached)
    assert event.sent_by_owner is said


OWNER = Person("u1", Kind.USER, "", (), frozenset(["user@team.example"]))
LIVE = RECEIVED.model_copy(update={"backfill": False, "blob_key": None})


def seen(decision: Decision, place: str = "") -> Judgement:
    """Return a judgement of a mail to a candidate that shows the capture address."""
    header = "From: user@team.example\r\nTo: c@x.example\r\nCc: a@in.satchel.test\r\n"
    read = read_header_block(header.encode())
    return Judgement(place, read, decision, participants(read, "in.satchel.test"), (OWNER,))


def test_a_capture_tells_its_half_and_its_leak_whatever_is_decided() -> None:
    leak = Leak(capture_address="a@in.satchel.test", mail_date=NOW)
    for mails in (
        (seen(attach(MATCH)),),
        (seen(NO_MATCH),),
        (seen(NO_MATCH), judgement(attach(MATCH), "1")),
    ):
        [event] = announce_verdict(LIVE, ADDRESS, Verdict(mails), RING, {})
        assert isinstance(event, MailAttached | MailDismissed)
        assert (event.owner, event.half, event.leak) == ("u1", Half.SENT, leak)


def test_what_goes_to_capture_addresses_alone_proves_nothing() -> None:
    header = "From: user@team.example\r\nTo: another@in.satchel.test\r\n"
    read = read_header_block(header.encode())
    mail = Judgement("", read, NO_MATCH, participants(read, "in.satchel.test"), (OWNER,))
    [event] = announce_verdict(LIVE, ADDRESS, Verdict((mail,)), RING, {})
    assert isinstance(event, MailDismissed)
    assert event.half is None


def test_backfill_and_a_revoked_address_prove_nothing() -> None:
    old = LIVE.model_copy(update={"backfill": True})
    [event] = announce_verdict(old, ADDRESS, Verdict((seen(attach(MATCH)),)), RING, {})
    assert isinstance(event, MailAttached)
    revoked = Dismiss(DismissalReason.REVOKED_ADDRESS)
    dismissed = announce_dismissal(LIVE, ADDRESS, revoked, seen(NO_MATCH), RING)
    assert isinstance(dismissed, MailDismissed)
    assert [(e.half, e.leak) for e in (event, dismissed)] == [(None, None)] * 2


@pytest.mark.parametrize("shared_address", [False, True])
@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize(
    "address", ["", "c@x.example", '"c d"@x.example', "c\\d@x.example", "é@x.example", "c\x01\t@x"]
)
def test_how_large_a_match_is_is_known_exactly(
    address: str, source: Source, shared_address: bool
) -> None:
    """An event that is too large does not travel."""
    for role, kind in ((Role.TO, Kind.CANDIDATE), (Role.BCC, Kind.CONTACT)):
        match = Match(
            person_id="c1",
            kind=kind,
            address=address,
            role=role,
            source=source,
            shared_address=shared_address,
        )
        assert _size(match) == len(match.model_dump_json().encode())
