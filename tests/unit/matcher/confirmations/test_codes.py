"""The code among the numbers of a text."""

import pytest

from services.matcher.confirmations.codes import (
    Found,
    code_in_subject,
    find_code,
    names_ip_address,
    plain,
)

DIGITS = (6, 9)


def code(*texts: str, digits: tuple[int, int] = DIGITS, hint: str = "") -> Found | None:
    return find_code(texts, digits, hint)


def is_code(number: str) -> bool:
    """Return whether the number is a code within a line."""
    return code(f"enter {number} now", digits=(6, 12)) == Found(number, stands_out=False)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("123", "123"),
        ("\uff03\uff08\uff11\uff19\uff09\uff1a\u3000\xa0", "#(19):  "),
        ("\u0660\u0669\u06f0\u06f9\u0966\u096f\u09e6\u09ef\u0e50\u0e59", "0909090909"),
        ("1\xad2\ufeff3\u200b4\u200f5\u202a6\u202e7\u20608\u20699", "123456789"),
        ("é\u2010", "é\u2010"),
    ],
)
def test_digits_and_signs_of_other_scripts_are_those_of_ascii(text: str, read: str) -> None:
    assert plain(text) == read


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("Code #1234567 of 999999", "1234567"),
        ("Code # 123456", "123456"),
        ("Your code 123456", "123456"),
        ("123456 and again 123456", "123456"),
        ("123456 or 654321", None),
        ("12345", None),
        ("", None),
    ],
)
def test_a_subject_has_one_number_or_one_behind_a_number_sign(
    subject: str, found: str | None
) -> None:
    assert code_in_subject(subject, DIGITS) == found


@pytest.mark.parametrize(
    ("number", "counts"), [("12345", False), ("123456", True), ("123456789", True)]
)
def test_a_code_has_as_many_digits_as_its_provider_writes(number: str, counts: bool) -> None:
    assert (code(f"enter {number} now") is not None) is counts
    assert code(f"enter {number} now", digits=(7, 8)) is None


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "Code: 123456 for you",
        "Code #123456 for you",
        "your code is 123456",
        "your code is 123456.",
        "first\n( 123456 is your code",
        "your code is [123456]\nbye",
    ],
)
def test_a_number_after_a_colon_or_at_the_edge_of_its_line_stands_out(text: str) -> None:
    assert code(text) == Found("123456", stands_out=True)
    assert code(text, "and 654321 too") == Found("123456", stands_out=True)


def test_of_several_numbers_that_are_alike_none_is_the_code() -> None:
    assert code("enter 123456 now") == Found("123456", stands_out=False)
    assert code("enter 123456 or 123456 now") == Found("123456", stands_out=False)
    assert code("enter 123456 or 654321 now") is None
    assert code("Code: 123456 or", "Code: 654321 or") is None
    assert code() is None


def test_a_hint_chooses_among_the_numbers_and_adds_none() -> None:
    assert code("enter 123456 or 654321 now", hint="654321") == Found("654321", stands_out=True)
    assert code("enter 123456 now", hint="654321") == Found("123456", stands_out=False)
    assert code("enter nothing", hint="654321") is None


@pytest.mark.parametrize(
    "text",
    [
        "123456 bytes",
        "123456 Octet",
        "123456MB",
        "123456 %",
        "123456 €",
        "123456 EUR",
        "€ 123456 for",
        "USD   123456 for",
        "a123456 b",
        "1.123456 b",
        "+123456 b",
        "123456,5 b",
        "123456/7 b",
        "123456-7 b",
    ],
)
def test_a_size_a_sum_or_a_part_of_a_word_is_no_code(text: str) -> None:
    assert code(f"it is {text} now") is None


def test_a_sum_may_begin_a_text() -> None:
    assert code("€ 123456 for you") is None
    assert code("€123456 for you") is None


def test_a_unit_belongs_to_the_number_next_to_it() -> None:
    assert code("enter 123456, that is 20 bytes") == Found("123456", stands_out=False)
    assert code("for 5 € enter 123456 now") == Found("123456", stands_out=False)


def test_what_is_far_from_a_number_says_nothing_of_it() -> None:
    """Ten blanks or signs may stand between."""
    padding = " " * 10
    assert code(f"Code:{padding}123456 now") == Found("123456", stands_out=True)
    assert code(f"Code:{padding} 123456 now") == Found("123456", stands_out=False)
    assert code(f"enter 123456{padding}\nnow") == Found("123456", stands_out=True)
    assert code(f"enter 123456{padding} \nnow") == Found("123456", stands_out=False)


@pytest.mark.parametrize(
    "number",
    [
        "20260115",
        "19900101",
        "20991231",
        "2026011500",
        "2026011523",
        "15012026",
        "01152026",
        "31121990",
        "12312099",
    ],
)
def test_a_date_is_no_code(number: str) -> None:
    assert not is_code(number)


@pytest.mark.parametrize(
    "number",
    [
        "19891231",
        "21000101",
        "20260015",
        "20261315",
        "20260100",
        "20260132",
        "2026011524",
        "1501202600",
        "202601150",
        "2026011",
        "202601151200",
        "31131990",
        "13311990",
        "31121989",
        "00012026",
    ],
)
def test_a_number_that_is_no_date_of_our_time_is_a_code(number: str) -> None:
    assert is_code(number)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from 192.0.2.1.", True),
        ("from 2001:db8:0:0:1::1", True),
        ("version 1.2.3", False),
        ("at 10:20:30", False),
        ("1.2.3.4.5", False),
    ],
)
def test_an_ip_address_is_known(text: str, names: bool) -> None:
    assert names_ip_address(text) is names
