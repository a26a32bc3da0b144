"""What is kept of an attached capture, what is answered, and who is told."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.timeline.write.attaching import TooManyContents, with_capture
from services.timeline.write.audiences import MAX_CONTENTS
from services.timeline.write.listed_records import ProfileRow
from services.timeline.write.records import (
    RAW_IN_DATABASE_BYTES,
    Content,
    Mail,
    RawMail,
    Redecided,
)
from services.timeline.write.side_records import Bounce, DroppedBlob, Hint
from shared.contracts.events import AuthenticationVerdict, Role
from tests.erasing_parts import erased_person, listed
from tests.memory_timeline import Memory, kept
from tests.write_parts import (
    ACCOUNT,
    FAILED,
    NOW,
    VERIFIED,
    attach,
    bounce,
    forget,
    mail,
    match,
    redecide,
)


def test_an_answer_names_the_mail_its_conversation_and_its_bytes() -> None:
    memory, request = Memory(), attach(verdict=VERIFIED)
    [answer] = memory.write(request)
    projection = request.projection
    assert (answer.outcome, answer.complete, answer.again) == ("attached", True, False)
    assert answer.mail_id == projection.mail_id
    assert answer.conversation_id == projection.token
    assert memory.raws() == {projection.content.raw_key: request.raw}
    [one] = memory.all(Mail)
    assert (one.id, one.message_id, one.token) == (projection.mail_id, "1@x", projection.token)
    assert one.captures == (projection.capture,)
    assert memory.all(Content) == [projection.content]


@pytest.mark.parametrize(
    ("size", "is_small"), [(RAW_IN_DATABASE_BYTES, True), (RAW_IN_DATABASE_BYTES + 1, False)]
)
def test_few_bytes_are_kept_with_the_documents_and_many_in_the_blob_store(
    size: int, is_small: bool
) -> None:
    memory, request = Memory(), attach(mail().ljust(size, b"x"))
    memory.write(request)
    key = request.projection.content.raw_key
    assert memory.raws() == {key: request.raw}
    assert [one.id for one in memory.all(RawMail)] == [key] * is_small


def test_the_bytes_of_a_content_that_is_kept_already_are_not_stored_again() -> None:
    memory = Memory()
    first, second = attach(), attach(mail(headers="Received: by mx"), owner="u2")
    memory.write(first)
    memory.writes.clear()
    memory.write(second, attach(first.raw, owner="u3"))
    assert memory.writes["raw_mails"] == 0
    assert first.projection.content.id == second.projection.content.id
    assert first.projection.content.raw_key != second.projection.content.raw_key
    assert memory.raws() == {first.projection.content.raw_key: first.raw}
    assert memory.all(Content) == [first.projection.content]


def test_who_sees_that_something_has_changed_is_told() -> None:
    memory = Memory()
    request = attach(owner="u1")
    memory.write(request, now=NOW)
    conversation = request.projection.token
    told = [
        Hint(account=ACCOUNT, audience=audience, conversation_id=conversation, at=NOW)
        for audience in ("*", "u1")
    ]
    assert sorted(memory.hints, key=lambda hint: hint.audience) == told
    memory.write(request)
    assert len(memory.hints) == 2
    memory.write(attach(owner="u2"))
    assert [hint.audience for hint in memory.hints[2:]] == ["u2"]
    memory.write(attach(mail("2@x"), match(role=Role.BCC), owner="u2"))
    assert {hint.audience for hint in memory.hints[3:]} == {"u2", "!u2"}
    memory.write(attach(mail("3@x"), backfill=True))
    assert len(memory.hints) == 5


@pytest.mark.parametrize("verdict", [None, VERIFIED, FAILED])
def test_a_verdict_is_kept_with_the_capture(verdict: AuthenticationVerdict | None) -> None:
    memory = Memory()
    memory.write(attach(verdict=verdict))
    [one] = memory.all(Mail)
    found = one.captures[0].authentication
    assert found is not None
    assert found.verdict == (verdict or "unverified")


def test_a_bounce_is_kept_as_the_first_capture_of_its_owner_has_it() -> None:
    captures = [
        attach(bounce("1@x", recipients=["b@x.y", "A@x.y"]), minutes=1),
        attach(bounce("1@x", recipients=["c@x.y"]), minutes=2),
        attach(bounce("1@x", recipients=["c@x.y"]), minutes=1, owner="u2"),
    ]
    for order in (captures, captures[::-1]):
        memory = Memory()
        memory.write(*order)
        found = {one.owner: one for one in memory.all(Bounce)}
        assert found["u1"].recipients == ("b@x.y", "a@x.y")
        assert found["u1"].at == NOW + timedelta(minutes=1)
        assert found["u1"].token == attach(mail("1@x")).projection.token
        assert found["u2"].recipients == ("c@x.y",)


def test_a_bounce_that_waits_says_nothing_yet() -> None:
    memory = Memory()
    request = attach(bounce("1@x"), verdict=FAILED, may_wait=True)
    memory.write(request)
    assert memory.all(Bounce) == []
    memory.write(replace(request, is_released=True))
    assert len(memory.all(Bounce)) == 1


def test_a_mail_without_an_id_is_known_by_what_it_says() -> None:
    memory = Memory()
    memory.write(attach(mail(None)), attach(mail(None), owner="u2"), attach(mail(None, text="x")))
    assert len(memory.all(Mail)) == 2


def copy_of(number: int) -> bytes:
    """Return a copy of a mail that names somebody else in To."""
    return mail(to=f"c{number}@mail.example", text=f"Copy {number}.")


def test_of_one_mail_and_owner_there_are_so_many_contents_and_no_more() -> None:
    memory = Memory()
    for number in range(MAX_CONTENTS):
        memory.write(attach(copy_of(number), match(f"c{number}")))
    before = kept(memory)
    with pytest.raises(TooManyContents):
        memory.write(attach(copy_of(99), match("c99")))
    assert kept(memory) == before
    assert memory.all(ProfileRow, person_id="c99") == []


def test_room_is_left_for_what_is_known_verified_a_colleagues_or_let_through_by_a_user() -> None:
    memory = Memory()
    for number in range(MAX_CONTENTS):
        memory.write(attach(copy_of(number), match(f"c{number}")))
    genuine = attach(copy_of(99), match("c99"), verdict=VERIFIED)
    memory.write(genuine)
    row = memory.row("*", genuine.projection.mail_id)
    assert row is not None
    assert row.content == genuine.projection.content.key
    memory.write(attach(copy_of(0), match("c0")))
    memory.write(attach(copy_of(98), match("c98"), owner="u2"))
    memory.write(attach(copy_of(97), match("c97"), verdict=FAILED, is_released=True))
    [one] = memory.all(Mail)
    assert len({capture.content for capture in one.captures}) == MAX_CONTENTS + 3


def test_a_mail_that_names_only_erased_people_is_dismissed() -> None:
    memory = Memory()
    listed(memory, erased_person("c1"))
    about_c1, about_both = attach(mail("1@x")), attach(mail("2@x"), match("c1"), match("c2"))
    assert [answer.outcome for answer in memory.write(about_c1, about_both)] == [
        "dismissed",
        "attached",
    ]
    assert memory.decision(about_c1.event.capture_id) == ("dismissed", "forgotten")
    assert {row.person_id for row in memory.all(ProfileRow)} == {"c2"}


@pytest.mark.parametrize(
    ("size", "is_dropped"), [(RAW_IN_DATABASE_BYTES, False), (RAW_IN_DATABASE_BYTES + 1, True)]
)
def test_of_a_mail_that_somebody_has_deleted_bytes_are_kept_under_a_key_of_their_own(
    size: int, is_dropped: bool
) -> None:
    """Those under the usual key go: an earlier attempt may have stored them in the blob store."""
    memory, gone = Memory(), attach(owner="u2")
    memory.write(gone)
    memory.write(forget(gone.projection.mail_id, "u2"))
    request = attach(mail(text="Another.").ljust(size, b"x"))
    memory.write(request)
    usual = request.projection.content.raw_key
    assert memory.raws() == {f"{usual}.{request.event.capture_id}": request.raw}
    assert (memory.one(DroppedBlob, usual) is not None) is is_dropped


def test_bytes_of_a_mail_that_was_reviewed_are_kept_under_a_key_of_their_own() -> None:
    memory, first = Memory(), attach()
    memory.write(first)
    memory.write(redecide(first, match("c2"), minutes=1))
    second = attach(mail(text="Another."), match("c2"), minutes=5)
    memory.write(second)
    usual = second.projection.content.raw_key
    assert memory.raws() == {
        first.projection.content.raw_key: first.raw,
        f"{usual}.{second.event.capture_id}": second.raw,
    }


def test_bytes_of_another_content_are_kept_under_the_usual_key() -> None:
    memory = Memory()
    large = mail(text="Another.").ljust(RAW_IN_DATABASE_BYTES + 1, b"x")
    first, second = attach(), attach(large)
    memory.write(first, second)
    assert memory.raws() == {one.projection.content.raw_key: one.raw for one in (first, second)}
    assert memory.all(DroppedBlob) == []


def test_what_was_ruled_of_the_mail_that_it_was_stays_beside_what_is_ruled() -> None:
    projection = attach().projection
    marks = [Redecided(owner=owner, content="k", at=NOW) for owner in ("u1", "u2")]
    known = replace(
        with_capture(None, projection),
        detached=("u2/c5",),
        private=("u3",),
        forgotten=("u4",),
        redecided=(marks[1],),
    )
    was = replace(
        known,
        detached=("u1/c1", "u2/c5"),
        private=("u2", "u1"),
        forgotten=("u9", "u0"),
        redecided=(marks[0],),
    )
    united = with_capture(known, projection, was)
    assert united.detached == ("u1/c1", "u2/c5")
    assert united.private == ("u1", "u2", "u3")
    assert united.forgotten == ("u0", "u4", "u9")
    assert united.redecided == (marks[0], marks[1])
    assert with_capture(None, projection, was).redecided == (marks[0],)
    assert with_capture(known, projection) == known
