"""What captures prove of their owner's set-up: each counted once, by half and day."""

from datetime import timedelta

from msgspec.structs import replace

from services.timeline.write.proving import MAX_LEAKS
from services.timeline.write.records import NamedAddress
from services.timeline.write.requests import Confirm, Dismiss
from services.timeline.write.rhythm import MAX_DAYS
from services.timeline.write.side_records import Asked, Hint, Leaked, SeenHalf, Setup, Watched
from shared.contracts.events import Half, Leak, Share
from tests.memory_timeline import Memory
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    NOW,
    a_capture_id,
    attach,
    confirm,
    dismiss,
    return_,
    watch,
)

SENT, RECEIVED = Half.SENT, Half.RECEIVED
DAY = 24 * 60
SETUP_OF_U1 = "setup/u1"


def setup(memory: Memory, owner: str = "u1") -> Setup:
    [found] = memory.all(Setup, owner=owner)
    return found


def counts(memory: Memory) -> dict[tuple[str, str, str], int]:
    return {
        (d["owner"], d["half"], d["day"]): d["count"]
        for d in memory.documents["half_days"].values()
    }


def told(memory: Memory) -> list[str]:
    """Return the owners whose pages were told of their set-up."""
    return [hint.audience for hint in memory.hints if not hint.conversation_id]


def leak(address: str = "a@in.satchel.test", days: int = 0) -> Leak:
    return Leak(capture_address=address, mail_date=NOW - timedelta(days))


def test_both_kinds_of_outcome_count_for_a_half_with_its_first_and_last() -> None:
    memory = Memory()
    memory.write(
        dismiss(owner="u1", half=RECEIVED, minutes=2),
        attach(owner="u1", half=RECEIVED, minutes=5),
        attach(owner="u1", half=SENT, minutes=DAY),
    )
    memory.write(dismiss(owner="u1", half=RECEIVED, minutes=1))
    assert setup(memory) == Setup(
        id="acme/u1",
        account=ACCOUNT,
        owner="u1",
        sent=SeenHalf(first=NOW + timedelta(days=1), days=("2026-01-16",)),
        received=SeenHalf(first=NOW + timedelta(minutes=1), days=("2026-01-15",)),
    )
    assert counts(memory) == {
        ("u1", "received", "2026-01-15"): 3,
        ("u1", "sent", "2026-01-16"): 1,
    }
    lasts = {d["half"]: d["last"] for d in memory.documents["half_days"].values()}
    assert lasts == {
        "received": NOW + timedelta(minutes=5),
        "sent": NOW + timedelta(days=1),
    }


def test_what_proves_nothing_leaves_nothing() -> None:
    memory = Memory()
    memory.write(
        attach(),
        dismiss(owner="u1"),
        dismiss(half=RECEIVED),
        dismiss(owner="u1", half=RECEIVED, leak=leak(), backfill=True),
        attach(half=SENT, leak=leak(), backfill=True),
        confirm(backfill=True),
    )
    assert memory.all(Setup) == []
    assert counts(memory) == {}
    assert told(memory) == []


def test_a_capture_counts_once_whatever_becomes_of_it() -> None:
    memory = Memory()
    id_ = a_capture_id()
    gone = dismiss(id_, owner="u1", half=RECEIVED)
    waits = attach(capture_id=id_, half=RECEIVED, verdict=FAILED, may_wait=True)
    memory.write(gone, gone, waits)
    memory.write(attach(capture_id=id_, half=RECEIVED, is_released=True), gone)
    several = a_capture_id()
    memory.write(*(attach(capture_id=several, half=RECEIVED, place=str(n)) for n in (1, 2, 3)))
    assert counts(memory) == {("u1", "received", "2026-01-15"): 2}


def test_what_is_rematched_has_been_counted_when_it_was_dismissed() -> None:
    memory, id_ = Memory(), a_capture_id()
    shares = (Share(owner="u1", half=RECEIVED), Share(owner="u2", half=RECEIVED))
    memory.write(replace(dismiss(id_), proves=shares))
    for owner in ("u1", "u2"):
        event = attach(capture_id=id_, owner=owner, half=RECEIVED, shared=True, rematched=True)
        memory.write(event)
    assert sorted((owner, count) for (owner, _, _), count in counts(memory).items()) == [
        ("u1", 1),
        ("u2", 1),
    ]


def test_each_share_of_a_capture_proves_the_half_of_its_owner_once() -> None:
    memory, id_ = Memory(), a_capture_id()
    proved = (Share(owner="u3", half=SENT), Share(owner="u4"))
    first = replace(attach(capture_id=id_, owner="u1", shared=True), proves=proved)
    second = attach(capture_id=id_, owner="u2", shared=True, half=RECEIVED)
    for _ in range(2):
        memory.write(first)
        memory.write(second)
    day = "2026-01-15"
    assert counts(memory) == {("u3", "sent", day): 1, ("u2", "received", day): 1}


def test_backfill_proves_no_half_of_a_share() -> None:
    memory = Memory()
    proved = (Share(owner="u3", half=SENT),)
    memory.write(replace(attach(owner="u1", shared=True, backfill=True), proves=proved))
    memory.write(replace(dismiss(backfill=True), proves=proved))
    assert counts(memory) == {}


def test_a_round_trip_proves_the_received_half_of_its_owner_once() -> None:
    memory, returned = Memory(), return_()
    assert [a.outcome for a in memory.write(returned, returned)] == ["round_trip"] * 2
    assert counts(memory) == {("u1", "received", "2026-01-15"): 1}


def test_a_round_trip_without_an_owner_and_backfill_prove_nothing() -> None:
    memory = Memory()
    brought = return_()
    event = brought.event.model_copy(update={"backfill": True})
    memory.write(return_(owner=None), replace(brought, event=event))
    assert counts(memory) == {}


def test_a_question_that_comes_again_is_no_news() -> None:
    memory, asked = Memory(), confirm()
    memory.write(asked)
    memory.write(asked)
    assert told(memory) == [SETUP_OF_U1]


def test_a_watched_mail_may_have_no_sender() -> None:
    memory, request, other = Memory(), watch(), watch()
    memory.write(request, replace(other, event=other.event.model_copy(update={"sender": None})))
    assert [one.sender for one in memory.all(Watched)] == [
        NamedAddress(name="Provider", address="no-reply@provider.example"),
        None,
    ]


def test_pages_are_told_what_is_new_and_not_of_every_mail() -> None:
    memory = Memory()
    memory.write(dismiss(owner="u1", half=SENT), dismiss(owner="u1", half=SENT))
    assert told(memory) == [SETUP_OF_U1]
    memory.write(dismiss(owner="u1", half=SENT, minutes=30))
    assert told(memory) == [SETUP_OF_U1]
    memory.write(dismiss(owner="u1", half=SENT, minutes=DAY))
    memory.write(dismiss(owner="u2", half=RECEIVED))
    memory.write(confirm(owner="u1"))
    assert told(memory) == [SETUP_OF_U1, SETUP_OF_U1, "setup/u2", SETUP_OF_U1]


def test_a_batch_tells_a_page_once() -> None:
    memory = Memory()
    memory.write(
        attach(owner="u1", half=SENT, leak=leak()),
        dismiss(owner="u1", half=RECEIVED),
        confirm(owner="u1"),
        watch(owner="u1"),
    )
    assert told(memory) == [SETUP_OF_U1]


def test_moments_are_those_that_the_database_can_keep() -> None:
    memory = Memory()
    moment, kept = NOW.replace(microsecond=123_456), NOW.replace(microsecond=123_000)
    event = dismiss(
        owner="u1",
        half=SENT,
        leak=Leak(capture_address="a@in.satchel.test", mail_date=moment),
    ).event.model_copy(update={"received_at": moment})
    asked = confirm().event.model_copy(update={"received_at": moment})
    memory.write(Dismiss(event=event), Confirm(event=asked))
    found = setup(memory)
    assert found.sent == SeenHalf(first=kept, days=("2026-01-15",))
    assert found.asked == Asked(at=kept, provider="gmail")
    assert found.leaks == (Leaked(capture_address="a@in.satchel.test", at=kept, mail_date=kept),)
    assert [day["last"] for day in memory.documents["half_days"].values()] == [kept]


def test_the_record_is_written_once_a_day_and_half() -> None:
    memory = Memory()
    for minutes in range(20):
        memory.write(dismiss(owner="u1", half=SENT, minutes=minutes))
    assert memory.writes["setups"] == 1
    assert memory.writes["half_days"] == 20


def test_days_that_no_rhythm_needs_are_forgotten() -> None:
    memory = Memory()
    for day in range(MAX_DAYS + 10):
        memory.write(dismiss(owner="u1", half=SENT, minutes=day * DAY))
    memory.write(dismiss(owner="u2", half=SENT), dismiss(owner="u1", half=RECEIVED))
    seen = setup(memory).sent
    assert seen is not None
    assert len(seen.days) == MAX_DAYS
    assert seen.first == NOW
    kept = {day for owner, half, day in counts(memory) if (owner, half) == ("u1", "sent")}
    assert kept == set(seen.days)
    assert {(owner, half) for owner, half, _ in counts(memory)} == {
        ("u1", "sent"),
        ("u1", "received"),
        ("u2", "sent"),
    }


def test_of_each_address_the_first_leak_is_known() -> None:
    memory = Memory()
    memory.write(
        dismiss(owner="u1", leak=leak(days=2), minutes=9),
        attach(owner="u1", half=SENT, leak=leak(days=1), minutes=5),
        dismiss(owner="u1", leak=leak(), minutes=7),
        dismiss(owner="u1", leak=leak("b@in.satchel.test"), minutes=1),
    )
    assert setup(memory).leaks == (
        Leaked(capture_address="b@in.satchel.test", at=NOW + timedelta(minutes=1), mail_date=NOW),
        Leaked(
            capture_address="a@in.satchel.test",
            at=NOW + timedelta(minutes=5),
            mail_date=NOW - timedelta(days=1),
        ),
    )
    memory.write(*(dismiss(owner="u1", leak=leak(f"{n}@x"), minutes=20 + n) for n in range(30)))
    assert len(setup(memory).leaks) == MAX_LEAKS
    assert setup(memory).leaks[-1].capture_address == "29@x"


def test_the_latest_question_of_a_provider_is_known() -> None:
    memory = Memory()
    memory.write(confirm(minutes=4), confirm(minutes=5), confirm(minutes=3))
    assert setup(memory).asked == Asked(at=NOW + timedelta(minutes=5), provider="gmail")


def test_a_watched_mail_is_kept_as_it_came_once() -> None:
    memory = Memory()
    request = watch(minutes=3)
    assert [a.again for a in memory.write(request, request)] == [False, True]
    assert [a.outcome for a in memory.write(request)] == ["watched"]
    [kept] = memory.all(Watched)
    assert (kept.owner, kept.subject, kept.links) == (
        "u1",
        "Confirm",
        ("https://provider.example/yes",),
    )
    assert memory.hints == [
        Hint(
            account=ACCOUNT,
            audience=SETUP_OF_U1,
            conversation_id="",
            at=NOW + timedelta(seconds=1),
        )
    ]
    assert memory.tallies() == {}
