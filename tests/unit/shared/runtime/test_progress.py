"""What long work says of itself."""

import io

import pytest

from shared.runtime.progress import Progress


def test_it_says_how_far_it_is_and_notes_stand_on_lines_of_their_own() -> None:
    said = io.StringIO()
    progress = Progress("counted", 4000, done=1000, to=said)
    progress.step(1000)
    progress.note("a note")
    progress.end()
    lines = said.getvalue().splitlines()
    assert any(
        "counted [###############               ] 2,000 of 4,000, " in line for line in lines
    )
    assert "a note\x1b[K" in lines
    assert said.getvalue().endswith("\x1b[K\n")


@pytest.mark.parametrize(
    ("total", "words"),
    [(0, "0 B"), (999, "999 B"), (65_300, "65 kB"), (10**8, "100 MB"), (10**10, "10.00 GB")],
)
def test_bytes_are_told_as_people_say_them(total: int, words: str) -> None:
    said = io.StringIO()
    Progress("read", total, done=total, in_bytes=True, to=said).end()
    assert f"{words} of {words}, 0 B/s, 0 s left" in said.getvalue()
