from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.timeline.content.terms import terms_of, words
from services.timeline.query.phrases import has_phrase
from services.timeline.query.search_query import (
    MAX_QUERY,
    MAX_QUERY_TERMS,
    InvalidQuery,
    Query,
    parse_query,
)
from tests.cost import LINEAR, growth


def _query(*exact: str, prefixes: tuple[str, ...] = (), phrases: tuple[str, ...] = ()) -> Query:
    return Query(exact, prefixes, phrases, after=None, before=None)


def _finds(query: Query, found: list[str]) -> bool:
    return {*query.exact} <= {*found} and all(
        any(term.startswith(prefix) for term in found) for prefix in query.prefixes
    )


# -- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("inter", _query(prefixes=("inter",))),
        ("  Inter \n", _query(prefixes=("inter",))),
        ("Interview Anna", _query("interview", prefixes=("anna",))),
        ("inter* ann\uff0a bob", _query(prefixes=("inter", "ann", "bob"))),
        ("anna anna", _query("anna", prefixes=("anna",))),
        ("anna.smith", _query("anna", prefixes=("smith",))),
        ("anna.sm* cv", _query("anna", prefixes=("sm", "cv"))),
        ("o\u2019neil cv", _query("oneil", prefixes=("cv",))),
        ("Müller STRASSE", _query("muller", prefixes=("strasse",))),
        ("-anna -bob", _query("anna", prefixes=("bob",))),
        ("foo:bar", _query("foo", prefixes=("bar",))),
        ("foo:bar:baz x", _query("foo", "bar", "baz", prefixes=("x",))),
        ("anna *", _query("anna")),
        ("x" * 60, _query(prefixes=("x" * 40,))),
        ('$where {"$gt": 1} $ne', _query("where", "gt", "1", prefixes=("ne",))),
        # Addresses.
        ("anna@x.example", _query(prefixes=("anna@x.example",))),
        ("Anna@X.example bob", _query("anna@x.example", prefixes=("bob",))),
        ("<anna@x.example>, bob", _query("anna@x.example", prefixes=("bob",))),
        ("anna@x.ex* bob", _query(prefixes=("anna@x.ex", "bob"))),
        ("mailto:anna@x.example x", _query("anna@x.example", prefixes=("x",))),
        ("anna@", _query(prefixes=("anna",))),
        ("anna@x.", _query(prefixes=("anna@x",))),
        ("@x.example bob", _query("@x.example", prefixes=("bob",))),
        ("почта@пример.рф x", _query("почта", "пример", "рф", prefixes=("x",))),
        ("$where@x.example x", _query("where@x.example", prefixes=("x",))),
        # Scripts without spaces.
        ("王", _query(prefixes=("王",))),
        ("东京", _query("东京")),
        ("东京塔", _query("东京", "京塔", phrases=("东京塔",))),
        ("김철수 anna", _query("김철", "철수", prefixes=("anna",), phrases=("김철수",))),
        ("cv简历 x", _query("cv", "简历", prefixes=("x",))),
        ("我 cv x", _query("cv", prefixes=("我", "x"))),
    ],
)
def test_words_are_exact_but_the_last_and_those_with_a_star(q: str, expected: Query) -> None:
    assert parse_query(q) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ('"Anna  Smith"', _query("anna", "smith", phrases=("anna smith",))),
        ("“Anna, Smith” x", _query("anna", "smith", prefixes=("x",), phrases=("anna smith",))),
        ("„Anna Smith“", _query("anna", "smith", phrases=("anna smith",))),
        ("«Anna Smith»", _query("anna", "smith", phrases=("anna smith",))),
        ("\uff02Anna Smith\uff02", _query("anna", "smith", phrases=("anna smith",))),
        ('cv "anna smi', _query("cv", "anna", "smi", phrases=("anna smi",))),
        ('"anna"', _query("anna")),
        ('"" anna "', _query("anna")),
        ('"a b""c d"', _query("a", "b", "c", "d", phrases=("a b", "c d"))),
        ('x"a b"y', _query("x", "a", "b", prefixes=("y",), phrases=("a b",))),
        ('"from:anna"', _query("from", "anna", phrases=("from anna",))),
        ('"东京 tower"', _query("东京", "tower", phrases=("东京 tower",))),
        ('"东京"', _query("东京")),
        ('"我 x"', _query("x", prefixes=("我",), phrases=("我 x",))),
        ('"to anna@x.example"', _query("anna@x.example", phrases=("to anna x example",))),
    ],
)
def test_phrases_are_their_words_in_a_row(q: str, expected: Query) -> None:
    assert parse_query(q) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("from:anna", _query(prefixes=(":from:anna",))),
        ("FROM:Anna cv", _query(":from:anna", prefixes=("cv",))),
        ("from:ann* cv", _query(prefixes=(":from:ann", "cv"))),
        ('from:"Anna Smith"', _query(":from:anna", ":from:smith")),
        ("from\uff1aanna cv", _query(":from:anna", prefixes=("cv",))),
        ("from: anna cv", _query(":from:anna", prefixes=("cv",))),
        ("to:anna@x.example cv", _query(":to:anna@x.example", prefixes=("cv",))),
        ("to:@x.example cv", _query(":to:@x.example", prefixes=("cv",))),
        ("to:anna.smith cv", _query(":to:anna", ":to:smith", prefixes=("cv",))),
        ("from:王小明", _query(":from:王小", ":from:小明")),
        ("from:王", _query(prefixes=(":from:王",))),
        ("from:from:anna", _query(":from:from", prefixes=(":from:anna",))),
        ("xfrom:anna", _query("xfrom", prefixes=("anna",))),
        (":from:anna", _query("from", prefixes=("anna",))),
        ("anna from:", _query("anna")),
        ("cv has:attachment", _query(":has:attachment", "cv")),
        ('Has:"Attachments"', _query(":has:attachment")),
        ("has:pictures", _query("has", prefixes=("pictures",))),
    ],
)
def test_operators_ask_for_terms_of_their_own(q: str, expected: Query) -> None:
    assert parse_query(q) == expected


# -- days ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "after", "before"),
    [
        ("after:2026-01-31", date(2026, 1, 31), None),
        ("before:2026/1/5", None, date(2026, 1, 5)),
        ("before:2026-02", None, date(2026, 2, 1)),
        ("After:2025 BEFORE:2026", date(2025, 1, 1), date(2026, 1, 1)),
        ("after:2026-01-01 after:2026-03-01", date(2026, 3, 1), None),
        ("before:2026-01-01 before:2026-03-01", None, date(2026, 1, 1)),
        ("after\uff1a\uff12\uff10\uff12\uff16", date(2026, 1, 1), None),
        ('after:"2026-01-31"', date(2026, 1, 31), None),
        ("after:9999-12-31", date(9999, 12, 31), None),
    ],
)
def test_days_alone_are_a_query(q: str, after: date | None, before: date | None) -> None:
    assert parse_query(q) == Query((), (), (), after, before)


def test_days_and_words_are_asked_for_together() -> None:
    query = parse_query("cv after:2026 anna")
    assert query == Query(("cv",), ("anna",), (), date(2026, 1, 1), None)


# -- what cannot be searched for ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "reason"),
    [
        *((q, "at least one word") for q in ("", " \n", '""', "*", "-", "from:", "👍 $ ...")),
        *(
            (f"anna {operator}:{value}", f"{operator}: needs a day")
            for operator in ("before", "after")
            for value in ("", "tomorrow", "2026-02-30", "2026-13", "0000", "20260131", "1-1-2026")
        ),
        ("x" * (MAX_QUERY + 1), "at most 500 characters"),
    ],
)
def test_an_invalid_query_says_why(q: str, reason: str) -> None:
    with pytest.raises(InvalidQuery, match=reason) as caught:
        parse_query(q)
    assert "\n" not in str(caught.value)


def test_of_too_many_terms_those_of_operators_come_first() -> None:
    query = parse_query(" ".join(str(number) for number in range(40)) + " has:attachment from:anna")
    assert query.exact[0] == ":has:attachment"
    assert query.prefixes == (":from:anna",)
    assert len(query.exact) + len(query.prefixes) == MAX_QUERY_TERMS
    assert len(parse_query('"a b"' + ' "a c"' * 3 + "东京塔 " * 40).phrases) <= MAX_QUERY_TERMS


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=MAX_QUERY + 1),
        st.lists(
            st.sampled_from(
                [
                    *("from:", "to:", "has:", "before:", "after:"),
                    *('"', "*", ":", "@", "$", ".", " "),
                    *("anna", "attachment", "2026", "-01", "王", "東京", "는", "が", "ü", "\u0301"),
                ]
            )
        ).map(lambda pieces: "".join(pieces)[:MAX_QUERY]),
    )
)
def test_whatever_is_typed_is_a_query_or_invalid(q: str) -> None:
    try:
        query = parse_query(q)
    except InvalidQuery:
        return
    assert len(query.exact) + len(query.prefixes) <= MAX_QUERY_TERMS
    for term in query.exact + query.prefixes:
        assert term.encode()
        assert not term.startswith("$")
        if not any(operator in q.lower() for operator in ("from", "to", "has")) and q.isascii():
            assert ":" not in term
    for phrase in query.phrases:
        assert has_phrase(phrase, phrase)


# -- phrases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "text", "stands"),
    [
        ("anna smith", "Dear Anna\n Smith, hello", True),
        ("anna smith", "ANNA-SMITH", True),
        ("anna smith", "Smith, Anna", False),
        ("anna smith", "Joanna Smith", False),
        ("anna smith", "Anna Smithers", False),
        ("anna smith", "anna b smith", False),
        ("muller", "Herr Müller", True),
        ("o'neil", "Mr. O\u2019Neil", True),
        ("x" * 40, "x" * 60, True),
        ("东京塔", "我去东京塔了", True),
        ("东京塔", "我去东京", False),
        ("东京塔", "东京\uff0c京塔", False),
        ("东京 简历", "我的东京。简历表", True),
        ("简历 anna", "我的简历Anna好", True),
        ("简历 anna", "我的简历Annabel", False),
        ("김철수", "김철수는", True),
        ("がく", "かく", False),
        ("", "anything", True),
        ("anna", "", False),
    ],
)
def test_a_phrase_stands_in_a_text(phrase: str, text: str, stands: bool) -> None:
    assert has_phrase(phrase, text) is stands


# -- a query and the terms of a mail ------------------------------------------------------------

PIECES = (
    "Anna O'Neil Straße Łukasz naïve ﬁne İstanbul İ ŉ ǆ Ελλάς ᾳ Ёлка שָׁלוֹם مُحَمَّد أحمد नमस्ते क़ िक தமிழ் "
    "東京タワー ｶﾞﾊﾟ か゚ が 我的简历 𠮷野家 김철수는 \u1100\u1161 ㈱ ㍿ สวัสดี ກຳ ភាសា anna@x.example "
    "王anna@x.example, @x.example Anna.Smith+cv@x.example. a@b@c почта@пример.рф CV_2026.pdf C++ "
    "-x ½ x² … ™ \u00ad \u0301 \u3099 👍🏽 5\ufe0f\u20e3 葛\U000e0100城 \u00b4 ¨ ' @ . _ * $ 12,5 "
    "a\u0301\u0316 \u0958 \u2126 \ud800"
)
SCRIPTS = st.sampled_from(PIECES.split(" "))
TEXT = st.lists(st.one_of(SCRIPTS, SCRIPTS.map(lambda word: word + " "), st.text(max_size=4))).map(
    "".join
)


@settings(deadline=None, max_examples=300)
@example("か'\u3099 x")
@example("b@x,ab@x,b@x anna@x.exampleO'Neil x")
@given(TEXT)
def test_every_word_of_a_mail_typed_in_full_finds_it(text: str) -> None:
    text = text.replace(":", " ").replace("\uff1a", " ")
    found = terms_of(subject="", text=text, sender=[], recipients=[], attachments=[])
    typed = [word for word in text.split() if len(word) <= MAX_QUERY]
    for q in [*typed, *words(text), text[:MAX_QUERY] if len(text) <= MAX_QUERY else ""]:
        try:
            query = parse_query(q)
        except InvalidQuery:
            continue
        assert _finds(query, found), q
        assert all(has_phrase(phrase, text) for phrase in query.phrases), q


@settings(deadline=None)
@given(TEXT, TEXT)
def test_people_are_found_by_operators_and_without(name: str, address: str) -> None:
    people = [(name, address)]
    found = terms_of(subject="", text="", sender=people, recipients=[], attachments=[])
    for word in words(f"{name}\n{address}"):
        assert _finds(parse_query(word), found)
        assert _finds(parse_query(f"from:{word}"), found)
        assert _finds(parse_query(f'from:"{word}"'), found)
        assert not _finds(parse_query(f"to:{word}"), found)


@pytest.mark.parametrize("word", ["t", "to", "f", "from", "has", "h*"])
def test_a_word_does_not_begin_the_terms_of_operators(word: str) -> None:
    people = [("王", "")]
    found = terms_of(subject="", text="", sender=people, recipients=people, attachments=["王"])
    assert not _finds(parse_query(word), found)


@pytest.mark.cost
@pytest.mark.parametrize("piece", ["a", "a ", "東京"])
@pytest.mark.parametrize(("word", "other"), [("a ", "b"), ("東京", "塔")])
def test_a_phrase_is_looked_for_in_linear_time(piece: str, word: str, other: str) -> None:
    def looking(size: int) -> Callable[[], object]:
        phrase, text = word * (size // 32) + other, piece * size
        assert not has_phrase(phrase, text)
        return partial(has_phrase, phrase, text)

    assert growth(looking, 1 << 14) < LINEAR
