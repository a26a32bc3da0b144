"""What the matcher says of a mail at an address of the account, which several users share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.matcher.announce import (
    MAX_SHARES,
    SPLIT_BYTES,
    Outcome,
    announce_dismissal,
    announce_verdict,
    with_forwarder,
)
from services.matcher.confirmations import Confirmation
from services.matcher.decision.decide import Attach, Decision, Dismiss, Person
from services.matcher.decision.judge import Judgement, Verdict
from services.matcher.directory.capture_addresses import AddressRecord
from services.matcher.reading.participants import participants
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import (
    Authentication,
    AuthenticationVerdict,
    Direction,
    DismissalReason,
    Half,
    Kind,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissedWithShares,
    MailReceived,
    Match,
    Role,
    Share,
)
from shared.mail.headers import read_header_block
from shared.storage.blob_keys import claim_key, enclosed_key

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CAPTURE_ID = UUID(int=7)
DOMAIN = "in.satchel.test"
RING = KeyRing.parse("k:" + "s" * 20)
ADDRESS = AddressRecord(
    "team@in.satchel.test", "acme", "", "k", "active", NOW, None, minted_by="admin"
)
RECEIVED = MailReceived(
    capture_id=CAPTURE_ID,
    blob_key=claim_key(CAPTURE_ID),
    size=1234,
    capture_address=ADDRESS.address,
    account_tag="x" * 8,
    received_at=NOW,
    door="smtp",
)
ANNA = Person("anna", Kind.USER, "", (), frozenset(["anna@team.example"]))
BEN = Person("ben", Kind.USER, "", (), frozenset(["ben@team.example"]))
CARA = Person("cara", Kind.USER, "", (), frozenset(["cara@team.example"]))
USERS = (ANNA, BEN, CARA)
OPEN = Match(person_id="c1", kind=Kind.CANDIDATE, address="c@x.example", role=Role.CC)
HIDDEN = Match(person_id="c2", kind=Kind.CANDIDATE, address="d@x.example", role=Role.BCC)
NO_MATCH = Dismiss(DismissalReason.NO_MATCH)
FAILED = Authentication(verdict=AuthenticationVerdict.FAILED, reason="policy")
AUTHOR = Share(owner="ben", sent_by_owner=True, sees_bcc=True, half=Half.SENT)
READER = Share(owner="anna", half=Half.RECEIVED)


def judged(
    decision: Decision,
    *,
    header: str = "From: ben@team.example\r\nTo: anna@team.example\r\nMessage-ID: <1@x>\r\n",
    place: str = "",
    size: int = 0,
    people: Sequence[Person] = USERS,
) -> Judgement:
    read = read_header_block(header.encode())
    return Judgement(place, read, decision, participants(read, DOMAIN), people, raw=b"x" * size)


def attach(*matches: Match) -> Attach:
    return Attach(matches, Direction.OUTBOUND)


def announced(
    *mails: Judgement,
    received: MailReceived = RECEIVED,
    authentications: Mapping[str, Authentication] | None = None,
) -> Sequence[Outcome]:
    return announce_verdict(received, ADDRESS, Verdict(mails), RING, authentications or {})


def attached(*mails: Judgement) -> list[MailAttachedToShares]:
    events = announced(*mails)
    assert all(isinstance(event, MailAttachedToShares) for event in events)
    return [event for event in events if isinstance(event, MailAttachedToShares)]


def dismissed(*mails: Judgement) -> MailDismissedWithShares:
    [event] = announced(*mails)
    assert isinstance(event, MailDismissedWithShares)
    return event


def test_an_attached_mail_is_told_with_the_share_of_each_user() -> None:
    [event] = announced(judged(attach(OPEN)), authentications={"": FAILED})
    assert isinstance(event, MailAttachedToShares)
    assert event == MailAttachedToShares(
        capture_id=CAPTURE_ID,
        blob_key=claim_key(CAPTURE_ID),
        size=1234,
        account="acme",
        shares=(AUTHOR, READER),
        capture_address=ADDRESS.address,
        received_at=NOW,
        decided_at=event.decided_at,
        door="smtp",
        direction=Direction.OUTBOUND,
        matches=(OPEN,),
        authentication=FAILED,
    )


def test_of_a_wrapper_and_its_mail_the_one_that_is_attached_is_told() -> None:
    [event] = attached(judged(NO_MATCH), judged(attach(OPEN), place="1", size=77))
    assert (event.place, event.size, event.matches) == ("1", 77, (OPEN,))
    assert event.blob_key == enclosed_key(claim_key(CAPTURE_ID), "1")


def test_who_sees_all_matches_comes_first() -> None:
    """The first is the whole mail: the others have no match from Bcc."""
    header = "From: cara@team.example\r\nTo: anna@team.example\r\nCc: ben@team.example\r\n"
    [event] = attached(judged(attach(HIDDEN, OPEN), header=header))
    assert [(s.owner, s.sees_bcc, s.matched) for s in event.shares] == [
        ("cara", True, True),
        ("anna", False, True),
        ("ben", False, True),
    ]
    [hidden] = attached(judged(attach(HIDDEN), header=header))
    assert [(s.owner, s.matched) for s in hidden.shares] == [
        ("cara", True),
        ("anna", False),
        ("ben", False),
    ]


def test_who_has_the_captured_mail_comes_before_the_author_of_the_enclosed_one() -> None:
    """Ben wrote what Cara encloses; Cara's copy alone names who is in Bcc."""
    outer = judged(NO_MATCH, header="From: cara@team.example\r\nTo: ben@team.example\r\n")
    inner = judged(attach(OPEN, HIDDEN), place="1")
    [event] = attached(outer, inner)
    assert [(s.owner, s.sent_by_owner, s.sees_bcc) for s in event.shares] == [
        ("cara", False, True),
        ("ben", True, False),
    ]


def test_a_match_that_no_share_sees_is_not_told() -> None:
    """Its author has refused the mail, and no other copy names who is in Bcc."""
    mail = replace(judged(attach(HIDDEN, OPEN)), refused_by=frozenset({"ben"}))
    [event] = attached(mail)
    assert event.shares == (READER,)
    assert event.matches == (OPEN,)


def test_a_mail_that_no_share_has_a_match_of_is_dismissed() -> None:
    mail = judged(attach(HIDDEN))
    event = dismissed(replace(mail, participants=mail.participants[1:]))
    assert event.reason is DismissalReason.NO_MATCH
    assert [share.owner for share in event.shares] == ["anna"]
    refused = dismissed(replace(mail, refused_by=frozenset({"ben"})))
    assert refused.reason is DismissalReason.NEVER_CAPTURE


def test_a_dismissed_mail_proves_the_set_up_of_its_users() -> None:
    event = dismissed(judged(NO_MATCH))
    assert event == MailDismissedWithShares(
        capture_id=CAPTURE_ID,
        account="acme",
        reason=DismissalReason.NO_MATCH,
        received_at=NOW,
        decided_at=event.decided_at,
        message_id_hash=RING.forgetful_hash("acme", "1@x"),
        shares=tuple(one.model_copy(update={"matched": False}) for one in (AUTHOR, READER)),
    )


def test_one_mail_that_a_user_refuses_tells_why_none_is_kept() -> None:
    outer = judged(NO_MATCH, header="From: ben@team.example\r\nTo: anna@team.example\r\n")
    mails = [judged(attach(OPEN), place=place) for place in ("1", "2")]
    both = frozenset({"anna", "ben"})
    unseen = replace(mails[1], decision=attach(HIDDEN), refused_by=frozenset({"ben"}))
    event = dismissed(outer, replace(mails[0], refused_by=both), unseen)
    assert event.reason is DismissalReason.NEVER_CAPTURE
    outer = replace(outer, participants=outer.participants[1:])
    event = dismissed(
        outer,
        replace(mails[0], refused_by=both),
        replace(mails[1], decision=attach(HIDDEN)),
    )
    assert event.reason is DismissalReason.NEVER_CAPTURE


def test_no_share_of_a_dismissed_mail_has_a_match() -> None:
    event = announce_dismissal(RECEIVED, ADDRESS, NO_MATCH, judged(attach(OPEN)), RING)
    assert isinstance(event, MailDismissedWithShares)
    assert [share.matched for share in event.shares] == [False, False]


def test_a_dismissed_mail_without_an_id_has_no_hash() -> None:
    event = dismissed(judged(NO_MATCH, header="From: ben@team.example\r\n"))
    assert event.message_id_hash is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (DismissalReason.NO_MATCH, DismissalReason.NO_USER),
        (DismissalReason.BLOCKED, DismissalReason.BLOCKED),
    ],
)
def test_a_mail_in_which_no_user_takes_part_says_so(
    reason: DismissalReason, told: DismissalReason
) -> None:
    event = dismissed(judged(Dismiss(reason), header="From: c@x.example\r\n"))
    assert event.reason is told
    assert event.shares == ()


def test_a_revoked_address_and_backfill_prove_nothing() -> None:
    revoked = Dismiss(DismissalReason.REVOKED_ADDRESS)
    event = announce_dismissal(RECEIVED, ADDRESS, revoked, judged(NO_MATCH), RING)
    assert isinstance(event, MailDismissedWithShares)
    assert event.shares == ()
    old = RECEIVED.model_copy(update={"backfill": True})
    [brought] = announced(judged(NO_MATCH), received=old)
    assert isinstance(brought, MailDismissedWithShares)
    assert brought.backfill
    assert [share.half for share in brought.shares] == [None, None]
    [shown] = announced(judged(attach(OPEN)), received=old)
    assert isinstance(shown, MailAttachedToShares)
    assert shown.backfill
    assert [share.half for share in shown.shares] == [None, None]


def test_at_most_so_many_users_have_a_share() -> None:
    users = [
        Person(f"u{n:03}", Kind.USER, "", (), frozenset([f"u{n:03}@team.example"]))
        for n in range(MAX_SHARES + 1)
    ]
    header = "To: " + ",\r\n ".join(f"u{n:03}@team.example" for n in range(MAX_SHARES + 1))
    for decision in (attach(OPEN), NO_MATCH):
        [event] = announced(judged(decision, header=f"{header}\r\n", people=users))
        assert isinstance(event, MailAttachedToShares | MailDismissedWithShares)
        assert [share.owner for share in event.shares] == [
            user.person_id for user in users[:MAX_SHARES]
        ]


def test_shares_take_room_in_every_part() -> None:
    """An event is split where its matches and its shares together would be too large."""

    def sized(size: int, number: int) -> Match:
        match = OPEN.model_copy(update={"address": f"{number:03}"})
        missing = size - len(match.model_dump_json())
        return match.model_copy(update={"address": f"{number:03}" + "x" * missing})

    room = SPLIT_BYTES - sum(len(share.model_dump_json()) for share in (AUTHOR, READER))
    half = room // 2
    for more, parts in ((0, 1), (1, 2)):
        events = attached(judged(attach(sized(half, 0), sized(room - half + more, 1))))
        assert [(event.part, event.parts) for event in events] == [
            (number, parts) for number in range(1, parts + 1)
        ]
        assert all(event.shares == (AUTHOR, READER) for event in events)


def test_a_confirmation_is_for_who_made_the_address() -> None:
    asked = Confirmation("gmail", "anna@firm.example", "304298959", "https://x.example/vf-1")
    mail = judged(NO_MATCH)
    [event] = announce_verdict(RECEIVED, ADDRESS, Verdict((mail,), asked), RING, {})
    assert isinstance(event, MailConfirmation)
    assert event.owner == "admin"
    without_owner = replace(ADDRESS, minted_by=None)
    [event] = announce_verdict(RECEIVED, without_owner, Verdict((mail,), asked), RING, {})
    assert isinstance(event, MailConfirmation)
    assert event.owner == "-"


def test_what_was_found_out_about_the_forwarder_is_told_of_attached_mail_alone() -> None:
    own = replace(ADDRESS, person_id="anna")
    verdict = Verdict((judged(attach(OPEN)),))
    [shared] = announce_verdict(RECEIVED, ADDRESS, verdict, RING, {})
    [single] = announce_verdict(RECEIVED, own, verdict, RING, {})
    assert isinstance(single, MailAttached)
    for event in (shared, single):
        with_it = with_forwarder(event, FAILED)
        assert isinstance(with_it, MailAttached | MailAttachedToShares)
        assert with_it == event.model_copy(update={"forwarder": FAILED})
        assert with_it.forwarder == FAILED
        assert with_forwarder(event, None) is event
    event = dismissed(judged(NO_MATCH))
    assert with_forwarder(event, FAILED) is event
