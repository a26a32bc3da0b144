"""Ids as they are written, and as libraries encode them."""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content.reader import read
from shared.mail.message_ids import MAX_MESSAGE_ID_BYTES, first_message_id, message_ids

LONG = "CAJ8dMz3VnWq5oX0tXk2yqg7mBfE1rLw9h_VQpKZ0aTnYcSdUeHiJkLmNoPqRsTuVwXyZ01@mail.agency.example"


def q(text: str) -> str:
    """Return the text as one word in Q."""
    return f"=?utf-8?q?{re.sub('[^A-Za-z0-9]', lambda m: f'={ord(m[0]):02X}', text)}?="


def b(text: str) -> str:
    """Return the text as one word in B."""
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def in_pieces(encode: object, text: str, size: int) -> str:
    """Return the text as words of so many characters each, folded."""
    assert callable(encode)
    return "\r\n ".join(encode(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (q(f"<{LONG}>"), [LONG]),
        (b(f"<{LONG}>"), [LONG]),
        (in_pieces(q, f"<{LONG}>", 30), [LONG]),
        (in_pieces(b, f"<{LONG}>", 31), [LONG]),
        # base64 that is cut anywhere
        ("=?utf-8?b?PGFAeC5l?=\r\n =?utf-8?b?eGFtcGxl?= =?utf-8?b?Pg?=", ["a@x.example"]),
        # several ids in one word, each in one, and mixed with plain ones
        (q("<a@x.example> <b@x.example>"), ["a@x.example", "b@x.example"]),
        (f"{q('<a@x.example> ')} {q('<b@x.example>')}", ["a@x.example", "b@x.example"]),
        (f"<a@x.example> {q('<b@x.example>')}", ["a@x.example", "b@x.example"]),
        (f"{q('<a@x.example>')}\r\n <b@x.example>", ["a@x.example", "b@x.example"]),
        (f"<a@x.example>{q('<b@x.example>')}<c@x.example>", [f"{c}@x.example" for c in "abc"]),
        # a part of an id
        (f"<abc.def {q('ghi@x.example>')}", ["abc.defghi@x.example"]),
        (f"{q('<abc.def')} ghi@x.example>", ["abc.defghi@x.example"]),
        (f"<{q('abc@x.example')}>", ["abc@x.example"]),
        # without brackets
        (q("a@x.example"), ["a@x.example"]),
        (f"<a@x.example> {b('b@x.example')}", ["a@x.example", "b@x.example"]),
        # blanks inside, and an underscore that should have been encoded
        (q("<a@x.\r\n example>"), ["a@x.example"]),
        ("=?utf-8?q?=3Ca_b=40x.example=3E_=3Cc=40x.example=3E?=", ["a_b@x.example", "c@x.example"]),
    ],
)
def test_encoded_ids_are_what_their_authors_meant(value: str, ids: list[str]) -> None:
    assert message_ids(value) == ids
    assert first_message_id(value) == ids[0]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<=?x@y.example>", ["=?x@y.example"]),
        ("<a=?utf-8?=b@x.example>", ["a=?utf-8?=b@x.example"]),
        ("<=?utf-8?q?no_end@x.example>", ["=?utf-8?q?no_end@x.example"]),
        ("<=?utf-8?q?a?=@x.example>", ["=?utf-8?q?a?=@x.example"]),
        ("<a.=?utf-8?q?b?=.c@x.example>", ["a.=?utf-8?q?b?=.c@x.example"]),
        ("<a@=?utf-8?q?x?=>", ["a@=?utf-8?q?x?="]),
        ("<=?utf-8?q?a?=>", ["=?utf-8?q?a?="]),
        ("<a?=@x.example> <=?b@x.example>", ["a?=@x.example", "=?b@x.example"]),
    ],
)
def test_an_id_that_looks_encoded_stays(value: str, ids: list[str]) -> None:
    assert message_ids(value) == ids
    assert first_message_id(value) == ids[0]


@pytest.mark.parametrize(
    "phrase",
    [
        "Message from Cara",
        "Cara <cara@mail.example> wrote",
        "Your mail to rita@x.example of Friday",
    ],
)
@pytest.mark.parametrize("encode", [q, b])
def test_a_phrase_beside_an_id_adds_none(phrase: str, encode: object) -> None:
    assert callable(encode)
    assert message_ids(f"{encode(phrase)} <a@x.example>") == ["a@x.example"]


def test_an_answer_names_what_it_answers() -> None:
    raw = (
        f"Message-ID: {q('<b@x.example>')}\r\nIn-Reply-To: {in_pieces(q, f'<{LONG}>', 40)}\r\n"
        f"References: <a@x.example>\r\n {in_pieces(b, f'<{LONG}>', 40)}\r\n\r\nText"
    )
    mail = read(raw.encode())
    assert mail.message_id == "b@x.example"
    assert mail.references == (LONG, "a@x.example")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_without_encoded_words_the_ids_are_those_between_brackets(text: str) -> None:
    value = text.replace("=?", "=")
    between = re.findall("<([^<>]*)>", value)
    assert len(message_ids(value)) <= max(len(between), len(value.split()))


PIECES = [
    "<",
    ">",
    "=?utf-8?q?",
    "=?utf-8?b?",
    "?=",
    "=3C",
    "=3E",
    "=40",
    "a@x",
    "_",
    " ",
    "PGFA",
    "\udce9",
]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_ids_can_be_stored_and_compared(value: str) -> None:
    for found in (*message_ids(value), first_message_id(value) or "x"):
        assert 0 < len(found.encode()) <= MAX_MESSAGE_ID_BYTES
        assert not set(found) & set(" \t\r\n")
