"""One outcome a capture, counted once."""

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.timeline.write.quarantine import held_id
from services.timeline.write.recording import (
    DISMISSED_KEPT,
    NO_OWNER,
    is_news_of_owner,
    part_of,
)
from services.timeline.write.records import Outcome
from services.timeline.write.requests import (
    Answer,
    Attach,
    Confirm,
    Dismiss,
    Final,
    Refuse,
    Request,
)
from services.timeline.write.side_records import Confirmation, Held
from shared.contracts.events import DismissalReason, Half, RoundTripResult
from tests.memory_timeline import Memory
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    NOW,
    a_capture_id,
    attach,
    confirm,
    dismiss,
    match,
    return_,
)

DAY = NOW.date().isoformat()


def tally(memory: Memory) -> dict[str, int]:
    """Return what is counted, by owner and name."""
    return {f"{owner}:{name}": n for (_, _, owner, name), n in memory.tallies().items()}


def waiting(memory: Memory, request: Attach) -> Held:
    """Return the capture that waits."""
    held = memory.one(Held, held_id(str(request.event.capture_id)))
    assert held is not None
    return held


def test_an_outcome_says_what_when_and_why() -> None:
    memory = Memory()
    capture = attach(minutes=1)
    forgotten = dismiss(reason=DismissalReason.BLOCKED, minutes=1)
    asked = confirm(owner="u2")
    memory.write(capture, forgotten, asked)
    assert sorted(memory.all(Outcome), key=lambda one: one.decision) == [
        Outcome(
            id=str(capture.event.capture_id),
            account=ACCOUNT,
            day=DAY,
            at=NOW + timedelta(minutes=1),
            decision="attached",
            parts=("/1",),
            mails=(capture.projection.mail_id,),
        ),
        Outcome(
            id=str(asked.event.capture_id),
            account=ACCOUNT,
            day=DAY,
            at=NOW,
            decision="confirmation",
        ),
        Outcome(
            id=str(forgotten.event.capture_id),
            account=ACCOUNT,
            day=DAY,
            at=NOW + timedelta(minutes=1),
            decision="dismissed",
            reason="blocked",
            message_id_hash="0" * 32,
            expires_at=NOW + timedelta(minutes=1) + DISMISSED_KEPT,
        ),
    ]
    assert tally(memory) == {"u1:attached": 1, ":dismissed.blocked": 1, "u2:confirmations": 1}


def test_only_what_was_dismissed_is_forgotten_in_time_and_not_what_can_come_again() -> None:
    memory = Memory()
    refused, late = attach(verdict=FAILED, may_wait=True), attach()
    memory.write(dismiss(late.event.capture_id), refused, dismiss(backfill=True), confirm())
    memory.write(late, Refuse(held=waiting(memory, refused), reason="refused"))
    assert len(memory.all(Outcome)) == 4
    assert {one.expires_at for one in memory.all(Outcome)} == {None}


@pytest.mark.parametrize("make", [attach, dismiss, confirm])
def test_moments_are_kept_as_the_database_keeps_them(
    make: Callable[[], Attach | Dismiss | Confirm],
) -> None:
    memory, request = Memory(), make()
    late = NOW + timedelta(microseconds=999_567)
    event = request.event.model_copy(update={"decided_at": late})
    memory.write(replace(request, event=event))
    [found] = memory.all(Outcome)
    assert found.at == NOW + timedelta(milliseconds=999)


@pytest.mark.parametrize("order", ["attach first", "dismiss first", "one batch"])
def test_attached_wins_over_dismissed(order: str) -> None:
    memory, id_ = Memory(), a_capture_id()
    both: list[Request] = [attach(capture_id=id_), dismiss(id_)]
    if order == "dismiss first":
        both.reverse()
    answers = memory.write(*both) if order == "one batch" else ()
    answers = answers or tuple(memory.write(request)[0] for request in both)
    assert memory.decision(id_) == ("attached", None)
    [outcome] = memory.all(Outcome)
    assert outcome.message_id_hash is None
    assert tally(memory) == {"u1:attached": 1}
    assert {a.outcome: a.again for a in answers} == {
        "attached": False,
        "dismissed": order != "dismiss first",
    }


@pytest.mark.parametrize("order", sorted({*itertools.permutations("DDAA")}), ids="".join)
def test_what_is_rematched_changes_its_outcome_once_in_any_order(order: Sequence[str]) -> None:
    memory, id_ = Memory(), a_capture_id()
    requests: dict[str, Request] = {
        "D": dismiss(id_, owner="u1", half=Half.RECEIVED),
        "A": attach(capture_id=id_, half=Half.RECEIVED, rematched=True),
    }
    for letter in order:
        memory.write(requests[letter])
    assert memory.decision(id_) == ("attached", None)
    assert tally(memory) == {"u1:attached": 1}
    [outcome] = memory.all(Outcome)
    assert (outcome.day, outcome.expires_at) == ("2026-01-15", None)
    assert [day["count"] for day in memory.documents["half_days"].values()] == [1]


def test_a_repetition_is_said_to_be_one_and_counted_no_more() -> None:
    for make in (attach, dismiss, confirm):
        memory, id_ = Memory(), a_capture_id()
        again = [memory.write(make(capture_id=id_))[0].again for _ in range(2)]
        assert again == [False, True]
        assert [*memory.tallies().values()] == [1]


def test_an_event_in_parts_is_complete_with_the_last() -> None:
    memory, id_ = Memory(), a_capture_id()
    parts = [
        attach(None, match(f"c{part}"), capture_id=id_, part=part, parts=3) for part in (3, 1, 2)
    ]
    found = [memory.write(part)[0] for part in (parts[0], parts[1], parts[1], parts[2])]
    assert [answer.complete for answer in found] == [False, False, False, True]
    assert [answer.again for answer in found] == [False, False, True, False]
    [outcome] = memory.all(Outcome)
    assert outcome.parts == ("/3", "/1", "/2")
    assert tally(memory) == {"u1:attached": 1}


def test_mails_that_are_enclosed_are_complete_each() -> None:
    memory, id_ = Memory(), a_capture_id()
    assert memory.write(attach(capture_id=id_, place="10"))[0].complete
    first = attach(capture_id=id_, place="1", parts=2)
    assert not memory.write(first)[0].complete
    assert memory.write(attach(capture_id=id_, place="1", part=2, parts=2))[0].complete
    assert tally(memory) == {"u1:attached": 1}


def test_a_capture_that_is_brought_again_on_another_day_is_counted_on_the_first() -> None:
    memory, id_ = Memory(), a_capture_id()
    memory.write(dismiss(id_, backfill=True))
    memory.write(attach(capture_id=id_, backfill=True, minutes=5000))
    [outcome] = memory.all(Outcome)
    assert (outcome.day, outcome.at, outcome.decision) == (DAY, NOW, "attached")
    assert memory.tallies() == {(ACCOUNT, DAY, "u1", "attached"): 1}


def test_a_confirmation_is_kept_for_its_owner() -> None:
    memory, asked = Memory(), confirm()
    memory.write(asked, asked)
    assert memory.all(Confirmation) == [
        Confirmation(
            id=str(asked.event.capture_id),
            account=ACCOUNT,
            owner="u1",
            capture_address="a@in.satchel.test",
            provider="gmail",
            requested_by="user@team.example",
            code="123",
            link="https://provider.example/yes",
            at=NOW,
        )
    ]


# What waits ----------------------------------------------------------------------------------


def refuse(memory: Memory, request: Attach) -> Answer:
    return memory.write(Refuse(held=waiting(memory, request), reason="refused"))[0]


def test_what_waits_is_counted_as_such_until_a_yes() -> None:
    memory = Memory()
    request = attach(verdict=FAILED, may_wait=True)
    assert memory.write(request)[0].outcome == "quarantined"
    assert tally(memory) == {"u1:quarantined": 1}
    [answer] = memory.write(replace(request, is_released=True))
    assert (answer.outcome, answer.again) == ("attached", False)
    assert tally(memory) == {"u1:attached": 1}
    assert memory.decision(request.event.capture_id) == ("attached", None)
    assert memory.all(Held) == []


def test_what_was_dismissed_may_wait_and_what_waits_is_not_dismissed() -> None:
    memory = Memory()
    request = attach(verdict=FAILED, may_wait=True)
    gone = dismiss(request.event.capture_id)
    memory.write(gone)
    assert memory.write(request)[0].outcome == "quarantined"
    assert memory.write(gone)[0].again
    assert tally(memory) == {"u1:quarantined": 1}


@pytest.mark.parametrize("reason", ["refused", "expired"])
def test_what_was_refused_or_expired_stays_forgotten(reason: Final) -> None:
    memory = Memory()
    request = attach(verdict=FAILED, may_wait=True)
    memory.write(request)
    held = waiting(memory, request)
    refused = Refuse(held=held, reason=reason)
    assert memory.write(refused)[0].outcome == "dismissed"
    before = memory.documents["outcomes"].copy()
    later: list[Request] = [
        request,
        replace(request, is_released=True),
        replace(request, may_wait=False),
        dismiss(request.event.capture_id),
        refused,
    ]
    for one in later:
        [answer] = memory.write(one)
        assert answer.outcome == "dismissed"
        assert answer.again or one is refused
    assert memory.decision(request.event.capture_id) == ("dismissed", reason)
    [outcome] = memory.all(Outcome)
    assert outcome.parts == ()
    assert memory.documents["outcomes"] == before
    assert tally(memory) == {f":dismissed.{reason}": 1}
    for name in ("mails", "contents", "mail_rows", "conversations", "quarantine"):
        assert not memory.documents[name], name


def test_a_refusal_comes_too_late_for_what_was_attached() -> None:
    memory = Memory()
    request = attach(verdict=FAILED, may_wait=True)
    memory.write(request)
    held = waiting(memory, request)
    memory.write(replace(request, is_released=True))
    memory.write(Refuse(held=held, reason="refused"))
    assert memory.decision(request.event.capture_id) == ("attached", None)
    assert tally(memory) == {"u1:attached": 1}


def test_a_dismissal_of_the_rules_is_not_final() -> None:
    memory = Memory()
    request = attach(verdict=FAILED)
    memory.write(dismiss(request.event.capture_id))
    assert memory.write(request)[0].outcome == "attached"


def test_a_refusal_of_what_was_never_seen_counts_nothing() -> None:
    memory, other = Memory(), Memory()
    request = attach(verdict=FAILED, may_wait=True)
    other.write(request)
    memory.write(Refuse(held=waiting(other, request), reason="expired"))
    assert memory.all(Outcome) == []
    assert memory.tallies() == {}


def test_what_belongs_to_a_round_trip_is_recorded_and_counted_once() -> None:
    memory = Memory()
    returned = return_()
    bounced = return_(owner=None, result=RoundTripResult.BOUNCED)
    answers = memory.write(returned, bounced, returned)
    assert [answer.again for answer in answers] == [False, False, True]
    recorded = {one.id: one for one in memory.all(Outcome)}
    assert recorded[str(returned.event.capture_id)] == Outcome(
        id=str(returned.event.capture_id),
        account=ACCOUNT,
        day=DAY,
        at=NOW,
        decision="round_trip",
        reason="returned",
    )
    assert recorded[str(bounced.event.capture_id)].reason == "bounced"
    assert tally(memory) == {"u1:round_trips": 1, f"{NO_OWNER}:round_trips": 1}


def test_a_share_is_news_of_its_owner_once() -> None:
    event = attach(owner="u1", shared=True, place="2", part=3, parts=4).event
    outcome = Outcome(id="o", account=ACCOUNT, day=DAY, at=NOW, decision="attached")
    assert part_of(event) == "2/3@u1"
    assert is_news_of_owner(None, event)
    assert is_news_of_owner(outcome, event)
    for others in (("2/3@u2",), ("2/3@not@u1", "1/1@u11"), ("2/3",)):
        assert is_news_of_owner(replace(outcome, parts=others), event)
    for own in (("2/3@u1",), ("1/1@u2", "1/1@u1")):
        assert not is_news_of_owner(replace(outcome, parts=own), event)


def test_a_users_own_capture_is_news_until_its_outcome_is_recorded() -> None:
    event = attach(place="2", part=3, parts=4).event
    outcome = Outcome(id="o", account=ACCOUNT, day=DAY, at=NOW, decision="attached")
    assert part_of(event) == "2/3"
    assert is_news_of_owner(None, event)
    assert not is_news_of_owner(outcome, event)
