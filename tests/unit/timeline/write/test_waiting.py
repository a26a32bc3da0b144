"""Which mail waits for a user's yes, by its verdicts and its account's settings."""

from itertools import product

import msgspec
import pytest

from services.timeline.write.authentication import (
    Quarantined,
    can_wait,
    has_to_wait,
    is_unanswered,
)
from services.timeline.write.quarantine import held_id
from services.timeline.write.side_records import Held
from shared.contracts.events import Authentication, AuthenticationVerdict, MailAttached
from tests.memory_timeline import Memory
from tests.write_parts import ACCOUNT, a_capture_id, attach, mail

OFF, FAILED, UNVERIFIED = Quarantined(), Quarantined("failed"), Quarantined("unverified")
FORWARDS = Quarantined("off", forwards=True)


def found(word: str, reason: str | None = None) -> Authentication:
    return Authentication(verdict=AuthenticationVerdict(word), reason=reason)


def event(own: Authentication | None, forwarder: Authentication | None = None) -> MailAttached:
    given = attach().event
    return given.model_copy(update={"authentication": own, "forwarder": forwarder})


CASES = {
    "verified": (event(found("verified")), ()),
    "failed": (event(found("failed", "policy")), (FAILED, UNVERIFIED)),
    "the key of a demanded signature is unanswered": (
        event(found("unverified", "key_unanswered")),
        (FAILED, UNVERIFIED),
    ),
    "DNS is silent": (event(found("unverified", "dns")), (UNVERIFIED,)),
    "not signed": (event(found("unverified", "unsigned")), (UNVERIFIED,)),
    "not checked": (event(found("unverified", "not_checked")), ()),
    "backfill": (event(found("unverified", "old_mail")), ()),
    "without a verdict": (event(None), ()),
    "forwarded by a user who is verified": (
        event(found("unverified", "forwarded"), found("verified")),
        (),
    ),
    "forwarded by an unknown sender": (
        event(found("unverified", "forwarded"), found("unverified", "unsigned")),
        (UNVERIFIED, FORWARDS),
    ),
    "verified, and enclosed by an unknown sender": (
        event(found("verified"), found("unverified", "unsigned")),
        (UNVERIFIED, FORWARDS),
    ),
    "enclosed by a forged user": (
        event(found("failed", "policy"), found("failed", "policy")),
        (FAILED, UNVERIFIED, FORWARDS),
    ),
    "forwarded with a key that is unanswered": (
        event(found("unverified", "forwarded"), found("unverified", "key_unanswered")),
        (FAILED, UNVERIFIED, FORWARDS),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_waits_by_which_settings(case: str) -> None:
    given, expected = CASES[case]
    settings = (OFF, FAILED, UNVERIFIED, FORWARDS)
    assert tuple(one for one in settings if has_to_wait(given, one)) == expected
    assert can_wait(given) is bool(expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event(found("unverified", "dns")), True),
        (event(found("unverified", "forwarded"), found("unverified", "key_unanswered")), True),
        (event(found("unverified", "unsigned")), False),
        (event(found("failed", "dns")), False),
        (event(found("unverified", "dns"), found("unverified", "unsigned")), False),
    ],
)
def test_what_waits_for_an_answer_is_told_apart(given: MailAttached, expected: bool) -> None:
    assert is_unanswered(given) is expected


@pytest.mark.parametrize("order", [1, -1])
def test_all_mails_of_a_capture_wait_by_the_verdict_of_the_captured_one(order: int) -> None:
    """An enclosed one that is verified itself is no reason to show the others without a yes."""
    memory, id_, forger = Memory(), a_capture_id(), found("unverified", "dns")
    requests = []
    for place, own in (("1", found("verified")), ("2", found("unverified", "enclosed"))):
        one = attach(mail(f"{place}@x"), capture_id=id_, place=place)
        told = one.event.model_copy(update={"authentication": own, "forwarder": forger})
        may_wait = has_to_wait(told, UNVERIFIED)
        requests.append(msgspec.structs.replace(one, event=told, may_wait=may_wait))
    for request, _ in product(requests[::order], range(2)):
        assert memory.write(request)[0].outcome == "quarantined"
    [held] = memory.all(Held)
    assert (held.id, len(held.mails), held.unanswered) == (held_id(str(id_)), 2, True)
    assert held.account == ACCOUNT
