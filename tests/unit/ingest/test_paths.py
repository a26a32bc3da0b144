"""The addresses of MAIL and RCPT: read without the library's parser where they are plain."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.smtp.commands import CaptureSession


def ours(arg: str) -> tuple[str | None, str | None]:
    session = object.__new__(CaptureSession)
    session.local_part_limit = 0
    return session._getaddr(arg)


def librarys(arg: str) -> tuple[str | None, str | None]:
    return SMTP._getaddr(cast(SMTP, SimpleNamespace(local_part_limit=0)), arg)


PIECES = [
    "a",
    "B9",
    "x-y",
    ".",
    "@",
    "<",
    ">",
    " ",
    "=",
    "=?",
    "?=",
    '"',
    "(c)",
    "SIZE=10",
    "\t",
    ";",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_what_is_read_is_what_the_library_would_read(pieces: list[str]) -> None:
    inside = "".join(pieces)
    for arg in (inside, f"<{inside}>", f"<a.b+c@{inside}>", f"<a@b.example>{inside}"):
        try:
            expected = librarys(arg)
        except Exception:
            expected = None, None
        assert ours(arg) == expected


@pytest.mark.parametrize(
    ("arg", "read"),
    [
        ("<anna.berg+x@mail.example>", ("anna.berg+x@mail.example", "")),
        ("<a@b.example> SIZE=4000 BODY=8BITMIME", ("a@b.example", "SIZE=4000 BODY=8BITMIME")),
    ],
)
def test_the_librarys_parser_is_not_asked_about_a_plain_one(
    arg: str, read: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        pytest.fail("asked")

    assert librarys(arg) == read
    monkeypatch.setattr(SMTP, "_getaddr", fail)
    assert ours(arg) == read
