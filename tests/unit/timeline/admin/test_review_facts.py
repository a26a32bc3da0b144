"""What the matcher is told of a capture."""

from msgspec.structs import replace

from services.timeline.admin.review_facts import fact_of, is_concerned, length_of, needed_of
from services.timeline.write.projection import kept_match
from services.timeline.write.records import Capture, Content, Mail, NamedAddress
from shared.contracts.events import CaptureReviewed, Role
from tests.memory_timeline import Memory
from tests.write_parts import attach, mail, match

BCC = "hidden@mail.example"


def parts(raw: bytes | None = None) -> tuple[Mail, Capture, Content]:
    """Return a mail that was captured once, with its content."""
    memory = Memory()
    raw = raw or mail(bcc=BCC)
    memory.write(attach(raw, match(), match("c2", Role.BCC, address=BCC)))
    [one], [content] = memory.all(Mail), memory.all(Content)
    return one, one.captures[0], content


def test_the_event_has_what_the_capture_is_attached_to_and_its_own_bcc() -> None:
    one, capture, content = parts()
    event = fact_of("0" * 32, one, capture, content)
    assert [(m.person_id, m.address, m.role) for m in event.matches] == [
        ("c1", "c1@mail.example", Role.TO),
        ("c2", BCC, Role.BCC),
    ]
    assert (event.bcc, event.has_own_bcc, event.too_large) == ((BCC,), True, False)
    again = fact_of("1" * 32, one, capture, content)
    assert again.capture == event.capture
    others = fact_of("0" * 32, one, replace(capture, owner="u2"), content)
    assert (others.capture.item != event.capture.item, others.has_own_bcc) == (True, False)


def test_a_capture_that_names_more_than_fits_is_said_to_be_too_large() -> None:
    one, capture, content = parts()
    many = tuple(kept_match(match(f"c{n}"), "u1") for n in range(1000))
    event = fact_of("0" * 32, one, replace(capture, matches=many), content)
    assert (event.too_large, event.matches) == (True, ())
    assert CaptureReviewed.decode(event.encode()) == event


def test_the_text_goes_along_only_where_it_was_decided_by() -> None:
    _, capture, content = parts()
    raw = b"From: a@x.example\r\nTo: b@x.example\r\n\r\nSecret.\r\n\r\nMore."
    assert needed_of(raw, capture, content) == raw[: raw.index(b"Secret")]
    assert needed_of(b"no header", capture, content) == b""
    bounce = replace(content, auto="bounce")
    assert needed_of(raw, capture, bounce) == raw
    assert length_of(capture, bounce) > length_of(capture, content)


def test_a_capture_is_concerned_by_its_profiles_and_by_all_that_it_names() -> None:
    _, capture, content = parts()
    assert is_concerned(capture, content, None, ())
    assert is_concerned(capture, content, {"c1"}, ())
    assert is_concerned(capture, content, set(), {BCC})
    assert is_concerned(capture, content, set(), {"user@team.example"})
    assert not is_concerned(capture, content, {"c3"}, {"other@mail.example"})
    spelled = replace(capture, bcc=(NamedAddress(name="", address="Other@MAIL.example"),))
    assert is_concerned(spelled, content, set(), {"other@mail.example"})
