"""What is recorded of captures whose mail was deleted, refused, erased or given to another user."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.timeline.write.recording import (
    DISMISSED_KEPT,
    FORGOTTEN,
    NO_OWNER,
    Recorded,
    is_recorded,
    record_attached,
    record_deleted,
    record_forgotten,
    record_held_erased,
    record_held_given,
    record_refused,
)
from services.timeline.write.records import Outcome
from services.timeline.write.state import ById, Draft, State
from shared.contracts.events import MailAttached
from tests.write_parts import ACCOUNT, NOW, attach

DAY = "2026-01-15"
EVENT = attach(minutes=5).event
ID = str(EVENT.capture_id)
LATER = NOW + timedelta(minutes=5)
"""When EVENT was decided."""
OUTCOME = Outcome(id=ID, account=ACCOUNT, day=DAY, at=NOW, decision="dismissed", reason="no_match")
ATTACHED = replace(OUTCOME, decision="attached", reason=None, parts=("/1",), mails=("m1", "m2"))
WAITING = replace(OUTCOME, decision="quarantined", reason=None, parts=("/1",), mails=("m1",))


def knowing(outcome: Outcome | None) -> Draft:
    """Return a draft in which this is what became of the capture so far."""
    state = State()
    state.add(ById(Outcome, ACCOUNT, ID), outcome)
    return Draft(state)


def outcome(draft: Draft) -> Outcome:
    found = draft.one(Outcome, ACCOUNT, ID)
    assert found is not None
    return found


def counted(draft: Draft) -> dict[tuple[str, str], int]:
    """Return by how much the counts of DAY change, by owner and name."""
    assert {(key.account, key.day) for key in draft.counted} <= {(ACCOUNT, DAY)}
    return {(key.owner, key.counted_as): n for key, n in draft.counted.items()}


def assert_unchanged(draft: Draft) -> None:
    assert (draft.written, counted(draft)) == ({}, {})


def part(number: int, parts: int = 1, *, place: str = "", owner: str = "") -> MailAttached:
    """Return a part of the event; with an owner, of their share."""
    update = {"part": number, "parts": parts, "place": place}
    update |= {"owner": owner, "shared": True} if owner else {}
    return EVENT.model_copy(update=update)


def test_an_event_is_recorded_when_it_was_recorded_as_the_same() -> None:
    assert is_recorded(ATTACHED, EVENT, "attached")
    assert not is_recorded(ATTACHED, EVENT, "quarantined")
    assert not is_recorded(ATTACHED, part(2), "attached")
    assert not is_recorded(None, EVENT, "attached")


def test_an_outcome_names_each_mail_once_in_their_order() -> None:
    draft = knowing(None)
    for mail_id in ("m2", "m1", "m2"):
        record_attached(draft, EVENT, "attached", mail_id)
    assert outcome(draft).mails == ("m1", "m2")


def test_a_share_is_complete_with_its_own_parts() -> None:
    draft = knowing(None)
    for owner in ("u2", "u3"):
        recorded = record_attached(draft, part(1, 2, owner=owner), "attached")
        assert not recorded.complete
    assert record_attached(draft, part(2, 2, owner="u3"), "attached").complete


# A mail that its owner has deleted -----------------------------------------------------------


def test_a_capture_of_a_deleted_mail_is_dismissed_as_forgotten() -> None:
    draft = knowing(None)
    assert record_forgotten(draft, EVENT) == Recorded(complete=True, again=False)
    assert outcome(draft) == Outcome(
        id=ID,
        account=ACCOUNT,
        day=DAY,
        at=LATER,
        decision="dismissed",
        reason=FORGOTTEN,
        parts=("/1",),
        expires_at=LATER + DISMISSED_KEPT,
    )
    assert counted(draft) == {(NO_OWNER, "dismissed.forgotten"): 1}
    assert record_forgotten(draft, EVENT) == Recorded(complete=True, again=True)
    assert counted(draft) == {(NO_OWNER, "dismissed.forgotten"): 1}


def test_backfill_that_is_forgotten_is_remembered_for_ever() -> None:
    draft = knowing(None)
    record_forgotten(draft, EVENT.model_copy(update={"backfill": True}))
    assert outcome(draft).expires_at is None


@pytest.mark.parametrize("reason", ["refused", "expired"])
def test_a_users_no_stays_when_the_mail_is_deleted(reason: str) -> None:
    draft = knowing(replace(OUTCOME, reason=reason))
    assert record_forgotten(draft, part(1, 2)) == Recorded(complete=True, again=True)
    assert_unchanged(draft)


def test_a_capture_that_was_dismissed_is_forgotten_instead() -> None:
    draft = knowing(replace(OUTCOME, message_id_hash="0" * 32))
    assert record_forgotten(draft, EVENT) == Recorded(complete=True, again=False)
    assert outcome(draft) == replace(
        OUTCOME, reason=FORGOTTEN, parts=("/1",), expires_at=LATER + DISMISSED_KEPT
    )
    assert counted(draft) == {
        (NO_OWNER, "dismissed.forgotten"): 1,
        (NO_OWNER, "dismissed.no_match"): -1,
    }


def test_a_capture_that_waits_is_forgotten_with_the_mail() -> None:
    draft = knowing(WAITING)
    assert record_forgotten(draft, EVENT) == Recorded(complete=True, again=False)
    assert outcome(draft) == replace(
        OUTCOME, reason=FORGOTTEN, parts=("/1",), expires_at=LATER + DISMISSED_KEPT
    )
    assert counted(draft) == {(NO_OWNER, "dismissed.forgotten"): 1, ("u1", "quarantined"): -1}


def test_another_mail_of_the_capture_stays_attached() -> None:
    draft = knowing(ATTACHED)
    assert record_forgotten(draft, EVENT) == Recorded(complete=True, again=True)
    assert_unchanged(draft)
    enclosed = part(1, 2, place="3")
    assert record_forgotten(draft, enclosed) == Recorded(complete=False, again=False)
    assert outcome(draft) == replace(ATTACHED, parts=("/1", "3/1"))
    assert counted(draft) == {}
    assert record_forgotten(draft, enclosed) == Recorded(complete=False, again=True)
    assert outcome(draft).parts == ("/1", "3/1")


def test_an_outcome_no_longer_names_a_mail_that_was_deleted() -> None:
    draft = knowing(ATTACHED)
    record_deleted(draft, ACCOUNT, ID, "m1")
    assert outcome(draft) == replace(ATTACHED, mails=("m2",))
    assert counted(draft) == {}


def test_a_deleted_mail_that_no_outcome_names_changes_none() -> None:
    for before in (ATTACHED, None):
        draft = knowing(before)
        record_deleted(draft, ACCOUNT, ID, "m3")
        assert_unchanged(draft)


# A capture that waits ------------------------------------------------------------------------


def test_what_is_refused_is_dismissed_and_names_no_mail() -> None:
    draft = knowing(WAITING)
    record_refused(draft, ACCOUNT, ID, "u1", "refused")
    assert outcome(draft) == replace(OUTCOME, reason="refused")
    assert counted(draft) == {(NO_OWNER, "dismissed.refused"): 1, ("u1", "quarantined"): -1}


def test_what_waits_is_forgotten_with_a_person_who_is_erased() -> None:
    draft = knowing(replace(WAITING, message_id_hash="0" * 32))
    record_held_erased(draft, ACCOUNT, ID, "u1")
    assert outcome(draft) == replace(OUTCOME, reason=FORGOTTEN, parts=("/1",))
    assert counted(draft) == {(NO_OWNER, "dismissed.forgotten"): 1, ("u1", "quarantined"): -1}


def test_a_person_who_is_erased_changes_nothing_of_what_does_not_wait() -> None:
    for before in (ATTACHED, OUTCOME, None):
        draft = knowing(before)
        record_held_erased(draft, ACCOUNT, ID, "u1")
        assert_unchanged(draft)


def given(before: Outcome | None, *, is_counted: bool = True) -> Draft:
    """Return what changes when u2 is given what u1 has of a capture."""
    draft = knowing(before)
    record_held_given(draft, ACCOUNT, ID, "u1", "u2", is_counted=is_counted)
    return draft


def test_what_waits_is_counted_for_who_is_given_it() -> None:
    draft = given(WAITING)
    assert draft.written == {}
    assert counted(draft) == {("u1", "quarantined"): -1, ("u2", "quarantined"): 1}


def test_a_share_that_is_given_is_recorded_as_theirs_too() -> None:
    shares = replace(WAITING, parts=("1/1@u1", "1/2@u1", "1/2@u2", "1/1@u3"))
    draft = given(shares, is_counted=False)
    assert outcome(draft) == replace(shares, parts=(*shares.parts, "1/1@u2"))
    assert counted(draft) == {}


def test_what_no_longer_waits_is_not_counted_for_who_is_given_it() -> None:
    for before in (ATTACHED, OUTCOME, None):
        assert_unchanged(given(before))
