"""How a batch is applied: all that it lacks at once, and what fails alone."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.timeline.write.apply import apply
from services.timeline.write.erased_records import ErasedHead
from services.timeline.write.listed_records import SummaryRow
from services.timeline.write.records import Content, Mail, Outcome, Token, Verdict
from services.timeline.write.requests import (
    Answer,
    Confirm,
    Erase,
    EraseHeld,
    Refuse,
    Replace,
    Request,
    Stamp,
    account_of,
    is_backfill,
)
from services.timeline.write.side_records import Confirmation, Held
from services.timeline.write.state import ById, NotLoaded, OfConversation, State
from shared.contracts.events import Authentication
from tests.erasing_parts import erased_person
from tests.memory_timeline import Memory, kept
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    NOW,
    a_capture_id,
    attach,
    confirm,
    detach,
    dismiss,
    forget,
    hand_over,
    hand_over_held,
    hide,
    mail,
    redecide,
)


def lacking(*requests: Any, state: State | None = None) -> tuple[Any, ...]:
    with pytest.raises(NotLoaded) as raised:
        apply(state or State(), requests, NOW)
    return raised.value.queries


def load_and_apply(memory: Memory, state: State, *requests: Any) -> None:
    """Load what the requests lack, until they fail for another reason."""
    for _ in range(10):
        try:
            apply(state, requests, NOW)
        except NotLoaded as missing:
            memory.load(state, missing.queries)
        except AttributeError:
            return
    raise AssertionError("the error was lost")


def broken() -> Any:
    """Return a request that makes `apply` raise once what it needs is there."""
    request = attach()
    content = replace(request.projection.content, participants=(None,))
    return replace(request, projection=replace(request.projection, content=content))


def test_what_all_requests_lack_is_asked_for_at_once_and_once() -> None:
    first, second = attach(mail("1@x")), attach(mail("2@x"))
    gone = dismiss()
    found = lacking(first, second, first, gone)
    assert len(found) == len({*found}) == 4
    assert ById(ErasedHead, "acme", "acme") in found
    contents = [query.id for query in found if query.kind is Content]
    assert contents == [one.projection.content.id for one in (first, second)]
    assert ById(Outcome, "acme", str(gone.event.capture_id)) in found


def test_all_tokens_of_a_mail_are_asked_for_at_once() -> None:
    state, request = State(), attach(mail(references=["a@x", "b@x"]))
    while (found := lacking(request, state=state))[0].kind is not Token:
        for query in found:
            state.add(query, None)
    assert len(found) == 3


def test_an_error_is_raised_where_nothing_is_lacking() -> None:
    memory = Memory()
    with pytest.raises(AttributeError):
        memory.write(broken())
    assert kept(memory) == kept(Memory())


def test_an_error_after_something_lacked_is_met_again_and_not_lost() -> None:
    memory, state = Memory(), State()
    good, fault = attach(mail("2@x")), broken()
    load_and_apply(memory, state, fault)
    # All that the broken one needs is there: alone it fails, after one that lacks something it
    # is not known yet whether it does.
    with pytest.raises(AttributeError):
        apply(state, [fault, good], NOW)
    memory.load(state, lacking(good, fault, state=state))
    load_and_apply(memory, state, good, fault)


def test_each_request_has_its_answer_in_its_place() -> None:
    memory = Memory()
    held = attach(verdict=FAILED, may_wait=True)
    memory.write(held)
    [waits] = memory.all(Held)
    memory.write(attach(mail("0@x")))
    [content] = memory.all(Content)
    again = Replace(mail_id="none", content=content, projections=())
    answers = memory.write(
        attach(), dismiss(), confirm(), Refuse(held=waits, reason="expired"), again, held
    )
    assert [answer.outcome for answer in answers] == [
        *("attached", "dismissed", "confirmation", "dismissed", "unchanged", "dismissed")
    ]
    assert [answer.again for answer in answers] == [False] * 5 + [True]


def test_each_request_about_a_mail_or_a_capture_that_is_gone_is_answered() -> None:
    memory, gone, person = Memory(), "a" * 32, erased_person()
    shown = attach()
    requests: list[Request] = [
        detach(gone),
        hide(gone),
        forget(gone),
        hand_over(gone),
        hand_over_held(gone),
        redecide(shown),
        Erase(account=ACCOUNT, job_id="job", mail_id=gone, person=person),
        EraseHeld(account=ACCOUNT, job_id="job", held_id=gone, person=person),
        Stamp(account=ACCOUNT, mail_id=gone),
    ]
    answers = [memory.write(request)[0].outcome for request in requests]
    assert answers == [*["unknown"] * 3, *["unchanged"] * 2, "overtaken", *["unchanged"] * 3]


def test_a_mail_is_stamped_as_changed_once_it_is_there() -> None:
    memory, shown = Memory(), attach()
    memory.write(shown)
    mail_id = shown.projection.mail_id
    state, request = State(), Stamp(account=ACCOUNT, mail_id=mail_id)
    memory.load(state, [ById(Mail, ACCOUNT, mail_id)])
    applied = apply(state, [request], NOW)
    assert applied.answers == (Answer(outcome="changed", mail_id=mail_id),)
    assert applied.draft.stamped == {(ACCOUNT, mail_id)}
    assert applied.draft.written == {}


def test_a_confirmation_is_kept_with_its_verdict() -> None:
    memory, asked = Memory(), confirm()
    event = asked.event.model_copy(update={"authentication": Authentication(verdict=FAILED)})
    memory.write(Confirm(event=event))
    [kept_one] = memory.all(Confirmation)
    assert kept_one.authentication == Verdict(
        verdict="failed", method=None, domain=None, reason=None
    )


def test_a_confirmation_that_is_kept_stays_as_it_is() -> None:
    memory, first = Memory(), confirm()
    other = Confirm(event=first.event.model_copy(update={"code": "456"}))
    memory.write(first)
    [answer] = memory.write(other)
    assert answer.again
    assert [kept.code for kept in memory.all(Confirmation)] == ["123"]


def test_a_batch_sees_what_it_has_written_itself() -> None:
    memory, id_ = Memory(), a_capture_id()
    request = attach(capture_id=id_)
    first, second = memory.write(request, request)
    assert (first.again, second.again) == (False, True)
    assert first.conversation_id == second.conversation_id
    assert memory.summary("*").mail_count == 1
    assert memory.tallies() == {("acme", "2026-01-15", "u1", "attached"): 1}


@pytest.mark.parametrize("is_refused_first", [True, False])
def test_one_batch_may_refuse_and_show_what_waits(is_refused_first: bool) -> None:
    memory = Memory()
    request = attach(verdict=FAILED, may_wait=True)
    memory.write(request)
    [waits] = memory.all(Held)
    both: list[Request] = [Refuse(held=waits, reason="refused"), replace(request, is_released=True)]
    memory.write(*(both if is_refused_first else both[::-1]))
    assert memory.all(Held) == []
    assert len(memory.all(Mail)) == int(not is_refused_first)


def test_a_batch_that_is_asked_ahead_lacks_nothing_but_for_rare_cases() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x"), sent_by_owner=True), confirm(), dismiss())
    assert memory.loads == 0
    memory.write(attach(mail("2@x", references=["1@x"]), sent_by_owner=True))
    memory.write(attach(mail("3@x", references=["1@x"]), verdict=FAILED, may_wait=True))
    assert memory.loads == 0
    memory.write(attach(mail("4@x")))
    memory.write(attach(mail("5@x", references=["1@x", "4@x"]), owner="u2"))
    assert memory.loads <= 2  # for the rows of both conversations


def test_a_request_names_its_account_and_whether_it_may_wait_for_live_mail() -> None:
    memory = Memory()
    memory.write(attach(verdict=FAILED, may_wait=True, account="other"), attach(account="other"))
    [waits], [content] = memory.all(Held), memory.all(Content)
    refuse = Refuse(held=waits, reason="refused")
    again = Replace(mail_id="m", content=content, projections=())
    live: list[Request] = [attach(account="other"), dismiss(account="other"), refuse, again]
    for request in live:
        assert account_of(request) == "other"
        assert not is_backfill(request)
    old: list[Request] = [attach(backfill=True), dismiss(backfill=True), confirm(backfill=True)]
    assert all(map(is_backfill, old))


def test_a_conversation_query_of_one_audience_is_another_than_of_all() -> None:
    state = State()
    state.add_all(OfConversation(SummaryRow, "acme", "t"), ())
    assert OfConversation(SummaryRow, "acme", "t", "*") not in state
