"""A content is read again beside live mail: what users do meanwhile wins."""

from msgspec.structs import replace

from services.timeline.write.records import Content, Mail
from services.timeline.write.requests import Replace
from tests.memory_timeline import Memory, kept
from tests.unit.timeline.write.test_replacing import read_again, written
from tests.write_parts import attach, forget, mail


def other_text(raw: bytes) -> bytes:
    """Stand for a reader that reads another text."""
    return raw.replace(b"The text.", b"Read again.")


def other_id(raw: bytes) -> bytes:
    """Stand for a reader that reads another identity."""
    return raw.replace(b"<1@x>", b"<2@x>")


def the_content(memory: Memory) -> Content:
    [content] = memory.all(Content)
    return content


def assert_left_as_it_is(memory: Memory, request: Replace) -> None:
    before = kept(memory)
    [answer] = memory.write(request)
    assert answer.outcome == "unchanged"
    assert kept(memory) == before


def test_what_was_deleted_meanwhile_stays_deleted() -> None:
    memory = written([attach()])
    request = read_again(memory, the_content(memory), other_text)
    memory.write(forget(request.mail_id))
    assert_left_as_it_is(memory, request)
    assert memory.all(Content) == []


def test_a_mail_that_is_gone_meanwhile_is_left() -> None:
    memory = written([attach()])
    request = read_again(memory, the_content(memory), other_text)
    assert_left_as_it_is(memory, replace(request, mail_id="a" * 32))


def test_what_a_person_was_erased_from_meanwhile_is_left_to_the_next_run() -> None:
    memory = written([attach()])
    content = the_content(memory)
    request = read_again(memory, content, other_text)
    assert_left_as_it_is(memory, replace(request, content=replace(content, redacted=True)))
    assert memory.write(request)[0].outcome == "changed"


def test_what_somebody_else_captured_meanwhile_is_left_to_the_next_run() -> None:
    memory = written([attach()])
    request = read_again(memory, the_content(memory), other_text)
    memory.write(attach(owner="u2"))
    assert_left_as_it_is(memory, request)
    again = read_again(memory, the_content(memory), other_text)
    assert memory.write(again)[0].outcome == "changed"


def test_a_capture_that_one_of_two_users_deleted_meanwhile_does_not_come_back() -> None:
    memory = written([attach(), attach(owner="u2")])
    request = read_again(memory, the_content(memory), other_text)
    memory.write(forget(request.mail_id, "u2"))
    assert memory.write(request)[0].outcome == "changed"
    [one] = memory.all(Mail)
    assert [capture.owner for capture in one.captures] == ["u1"]
    assert the_content(memory).snippet == "Read again."


def test_nothing_moves_to_a_mail_that_its_owner_has_deleted() -> None:
    memory = written([attach(mail("2@x")), attach(owner="u2")])
    [gone] = [one for one in memory.all(Mail) if one.message_id == "2@x"]
    memory.write(forget(gone.id))
    memory.write(attach())
    request = read_again(memory, the_content(memory), other_id)
    assert_left_as_it_is(memory, request)


def test_the_bytes_that_are_kept_stay_those_of_the_content() -> None:
    """Others may have taken their place meanwhile."""
    memory = written([attach()])
    content = the_content(memory)
    request = read_again(memory, content, other_text)
    stale = {"raw_key": "another key", "raw_of": "u9", "size": 1}
    projections = (
        replace(one, content=replace(one.content, **stale)) for one in request.projections
    )
    memory.write(replace(request, projections=tuple(projections)))
    found = the_content(memory)
    assert (found.raw_key, found.raw_of, found.size) == (
        content.raw_key,
        content.raw_of,
        content.size,
    )
    assert found.key != content.key
