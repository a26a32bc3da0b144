"""Words in a row: what the fast look says is what a plain look says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content import terms
from services.timeline.query.phrases import Phrases, has_phrase

PIECES = [
    *(
        "a",
        "b",
        "ab",
        "A",
        "é",
        "e\u0301",
        "o'n",
        "o\u2019n",
        "x" * 39,
        "x" * 40,
        "x" * 41,
        "x" * 45,
    ),
    *("東", "京", "東京", "は", "か\u3099", "か'\u3099", "각", "\u1100\u1161", "ไ", "क", "ि"),
    *("ﬁ", "½", "…", "-", "_", ".", "@", "\u00ad", "\u0301", "\u00b4"),
]
GAPS = ["", " ", " ", " ", " - ", "'", "\n"]
WRITTEN = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GAPS)), max_size=12).map(
    lambda pieces: "".join(piece + gap for piece, gap in pieces)
)


def _stands(phrase: str, text: str) -> bool:
    """Return whether a phrase stands in a text, by its words alone."""
    wanted = terms.runs(phrase)
    if not wanted:
        return True
    start = "" if terms.is_unspaced(wanted[0]) else " "
    end = "" if terms.is_unspaced(wanted[-1]) else " "
    return f"{start}{' '.join(wanted)}{end}" in f" {' '.join(terms.runs(text))} "


@settings(deadline=None, max_examples=1000)
@given(
    st.lists(WRITTEN, min_size=1, max_size=3),
    st.lists(WRITTEN, max_size=3),
    st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 30)),
)
def test_a_phrase_is_found_where_its_words_are(
    phrases: list[str], texts: list[str], part: tuple[bool, int, int]
) -> None:
    stands_there, begin, length = part
    if texts and stands_there:
        phrases = [texts[0][begin : begin + length]]
    expected = all(not terms.runs(p) or any(_stands(p, t) for t in texts) for p in phrases)
    assert Phrases(phrases).stand_in(texts) is expected


@pytest.mark.parametrize(
    ("phrase", "texts", "stand"),
    [
        ("at ten", ["Friday at", "ten o'clock"], False),
        ("at ten", ["Friday", "at ten"], True),
        ("a b c d e", ["a b c d f a b c d e"], True),
        ("a b c d e", ["a b c d", "e"], False),
        ("a b c d e", ["a b c d ef"], False),
        ("x" * 60 + " y", ["x" * 50 + " y"], True),
        ("x" * 60 + " y", ["x" * 50 + " z"], False),
        ("x" * 41, ["a", "b"], False),
        ("东京 塔", ["东京塔"], False),
        ("东京 塔", ["在东京。塔上"], True),
    ],
)
def test_no_phrase_goes_from_one_text_to_the_next(
    phrase: str, texts: list[str], stand: bool
) -> None:
    assert Phrases([phrase]).stand_in(texts) is stand


def test_what_is_written_between_texts_is_no_word_of_theirs() -> None:
    assert not has_phrase("a " + "x" * 41 + " b", "a b")
    assert not Phrases(["a " + "x" * 40 + " b"]).stand_in(["a", "b"])


def test_a_mail_without_the_phrase_is_not_split_into_words(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Subject"] + ["the words of a mail, and so on. " * 50] * 5
    phrases = Phrases(["of the words", "a mail that goes on and on"])

    def split(_: str) -> list[str]:
        raise AssertionError("split")

    monkeypatch.setattr(terms, "runs", split)
    assert not phrases.stand_in(texts)
