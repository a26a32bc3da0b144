from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content import terms
from services.timeline.content.terms import (
    MAX_TERMS,
    MAX_WORD,
    PARTIAL,
    addresses,
    fold,
    is_unspaced,
    runs,
    terms_of,
    words,
)
from tests.cost import LINEAR, growth

ANNA = ("Anna Smith", "Anna.Smith@X.example")


def _of_text(text: str) -> list[str]:
    return terms_of(subject="", text=text, sender=[], recipients=[], attachments=[])


# -- folding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ANNA", "anna"),
        ("Müller", "muller"),
        ("Mu\u0308ller", "muller"),
        ("Straße STRASSE", "strasse strasse"),
        ("Łukasz Jørgensen Đặng", "lukasz jorgensen dang"),
        ("Nguyễn Thị Hương", "nguyen thi huong"),
        ("İstanbul IŞIK \u0131ş\u0131k", "istanbul isik isik"),
        ("Ælfric Œuvre ǿ", "aelfric oeuvre o"),
        ("\uff26\uff35\uff4c\uff4c\uff0d\u3000\uff11\uff12", "full- 12"),
        ("ﬁne x² №", "fine x2 no"),
        ("ΈΛΛΆΣ ελλάς", "ελλασ ελλασ"),
        ("Ёлка", "елка"),
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد محمـــد أحمد", "محمد محمد احمد"),
        ("soft\u00adhyphen zero\u200dwidth \ufeffmark", "softhyphen zerowidth mark"),
        ("Acme™", "acme"),
        ("O\u00b4Neil", "o'neil"),
        ("a\ud800b", "ab"),
        ("葛\U000e0100城", "葛城"),
    ],
)
def test_case_marks_and_forms_do_not_count(written: str, same: str) -> None:
    assert fold(written) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [("が", "か"), ("パ", "ハ"), ("ば", "ぱ"), ("각", "가"), ("कि", "क"), ("की", "कि"), ("ก่", "ก")],
)
def test_what_tells_words_apart_stays(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    ("written", "same"),
    [("か\u3099", "が"), ("ｶﾞ", "ガ"), ("ﾊﾟ", "パ"), ("\u1100\u1161\u11a8", "각"), ("क़", "क\u093c")],
)
def test_composed_and_decomposed_are_the_same(written: str, same: str) -> None:
    assert fold(written) == same


def test_folding_each_character_twice_changes_nothing() -> None:
    every = [chr(code) for code in range(0x20000)]
    assert [char for char in every if fold(fold(char)) != fold(char)] == []


# -- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \t\r\n\x00 -- !? 👍", []),
        ("Hello, World! 42", ["hello", "world", "42"]),
        ("CV_Anna-Smith.PDF", ["cv", "anna", "smith", "pdf"]),
        ("O'Neil o\u2019neil 'quoted' dogs'", ["oneil", "oneil", "quoted", "dogs"]),
        ("from:anna has:attachment $where", ["from", "anna", "has", "attachment", "where"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("Привет, мир", ["привет", "мир"]),
        ("東京", ["東京", "京"]),
        ("東", ["東"]),
        ("我的简历。谢谢", ["我的", "的简", "简历", "历", "谢谢", "谢"]),
        ("タワー・東京", ["タワ", "ワー", "ー", "東京", "京"]),
        ("김철수는 왔다", ["김철", "철수", "수는", "는", "왔다", "다"]),
        ("CV简历2026年", ["cv", "简历", "历", "2026", "年"]),
        ("ไทย", ["ไท", "ทย", "ย"]),
        ("か'\u3099", ["が"]),
        ("5\ufe0f\u20e3", ["5"]),
        ("x" * 100, ["x" * MAX_WORD]),
        ("a\u200bb", ["a", "b"]),
    ],
)
def test_words_are_found_in_order(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_runs_keep_what_has_no_spaces_whole() -> None:
    assert runs("CV我的简历 김철수는") == ["cv", "我的简历", "김철수는"]
    assert [is_unspaced(run) for run in ("cv", "привет", "我", "는", "ไ", "が")] == [
        *(False, False),
        *(True, True, True, True),
    ]


# -- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to anna@x.example.", ["anna@x.example"]),
        ("<Anna+cv@X.Example>,'bob@y.example'", ["anna+cv@x.example", "bob@y.example"]),
        ("mailto:anna@x.example?subject=x", ["anna@x.example"]),
        ("邮箱anna@x.example\uff0c谢谢", ["anna@x.example"]),
        ("müller@bücher.example", ["muller@bucher.example"]),
        ("o'neil_x@x.example _anna@x.example", ["o'neil_x@x.example", "anna@x.example"]),
        ("@x.example ask @anna", ["@x.example", "@anna"]),
        ("a@b@c", ["a@b"]),
        ("a @ b, a@, @", []),
        ("почта@пример.рф", []),
        ("x" * 65 + "@x.example", []),
    ],
)
def test_addresses_are_found_in_text(text: str, found: list[str]) -> None:
    assert addresses(fold(text)) == found


# -- the terms of a mail ------------------------------------------------------------------------


def test_a_mail_is_found_by_all_of_its_fields() -> None:
    assert terms_of(
        subject="Intérview",
        text="Call bob@y.example",
        sender=[ANNA],
        recipients=[("王小", "jobs@y.example")],
        attachments=["My CV.pdf"],
    ) == sorted(
        [
            *(":has:attachment", "interview", "my", "cv", "pdf"),
            *("call", "bob", "y", "example", "bob@y.example", "@y.example"),
            *("anna", "smith", "x", "anna.smith@x.example", "@x.example"),
            *(":from:anna", ":from:smith", ":from:x", ":from:example"),
            *(":from:anna.smith@x.example", ":from:@x.example"),
            *("jobs", "jobs@y.example", "王小", "小"),
            *(":to:jobs", ":to:y", ":to:example", ":to:jobs@y.example", ":to:@y.example"),
            *(":to:王小", ":to:小"),
        ]
    )


def test_an_empty_mail_has_no_terms() -> None:
    assert _of_text("") == []


@pytest.mark.parametrize(
    "forged", [":from:anna", "from:anna@x.example", "\uff1ato\uff1aanna", "\ufe13has:x"]
)
def test_what_people_write_is_never_a_term_of_an_operator(forged: str) -> None:
    people = [(forged, forged)]
    found = terms_of(
        subject=forged, text=forged, sender=[], recipients=people, attachments=[forged]
    )
    ours = [term for term in found if ":" in term]
    assert all(term.startswith(":to:") or term == ":has:attachment" for term in ours)
    assert all(":" not in term.removeprefix(":to:") for term in ours if term[1] == "t")


MANY = " ".join(str(number) for number in range(MAX_TERMS + 5000))


@pytest.mark.parametrize("long", ["subject", "text", "sender", "recipients", "attachments"])
def test_a_long_field_pushes_no_other_out(long: str) -> None:
    more = {long: MANY}
    found = terms_of(
        subject="interview " + more.get("subject", ""),
        text="hello " + more.get("text", ""),
        sender=[ANNA, (more.get("sender", ""), "")],
        recipients=[("", "jobs@y.example"), (more.get("recipients", ""), "")],
        attachments=["cv.pdf", more.get("attachments", "")],
    )
    assert len(found) == MAX_TERMS + 1
    people = {":partial", ":from:anna.smith@x.example", ":to:jobs@y.example"}
    assert people | {":has:attachment", "interview", "hello", "cv"} <= {*found}


def _numbers(count: int) -> str:
    return " ".join(str(number) for number in range(count))


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (_numbers(2000) + " end", "end"),
        (_numbers(MAX_TERMS - 1) + " end", "end"),
        (_numbers(MAX_TERMS - 1) + " end" + " end 1 2 3" * 1000, "end"),
        ("".join(chr(0x4E00 + number) for number in range(8000)) + "\u3002王小明", "王小"),
        # 300 KB, in which a few thousand words come again and again
        ("\n".join(_numbers(300) for _ in range(280)) + " Gr\u00fc\u00dfe", "grusse"),
    ],
)
def test_every_word_of_a_long_mail_is_a_term(text: str, last: str) -> None:
    found = _of_text(text)
    assert last in found
    assert PARTIAL not in found


@pytest.mark.parametrize(
    "text", [_numbers(MAX_TERMS + 1), _numbers(MAX_TERMS) + "\n\n" + "a@b.example"]
)
def test_a_mail_with_more_words_than_are_kept_says_so(text: str) -> None:
    found = _of_text(text)
    assert PARTIAL in found
    assert len(found) == MAX_TERMS + 1


def test_so_does_one_that_could_not_be_read_whole() -> None:
    found = terms_of(
        subject="", text="hello", sender=[], recipients=[], attachments=[], is_whole=False
    )
    assert found == [PARTIAL, "hello"]


def test_nobody_forges_that_a_mail_is_partial() -> None:
    assert PARTIAL not in _of_text(":partial \uff1apartial")


def test_a_mail_to_many_is_found_by_each_of_them() -> None:
    people = [("", f"p{number}@x.example") for number in range(200)]
    found = terms_of(
        subject="s", text="1 " * 9 + "end", sender=[ANNA], recipients=people, attachments=[]
    )
    assert {f":to:p{number}@x.example" for number in range(200)} | {"end"} <= {*found}


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_terms_can_be_stored_whatever_is_written(text: str, name: str, address: str) -> None:
    people = [(name, address)]
    found = terms_of(subject=text, text=name, sender=people, recipients=people, attachments=[text])
    assert found == sorted({*found})
    for term in found:
        assert term.encode()
        assert not term.startswith("$")
        assert not any(char.isspace() for char in term)
        plain = term.removeprefix(":from:").removeprefix(":to:").removeprefix(":has:")
        assert plain
        assert ":" not in plain
        assert "@" in plain or len(plain) <= MAX_WORD


@settings(deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


STRANGE = (
    "\u2019\u201c\u2013\u00e9\u00df\u00c4\u0130\u03c2\u0410\u6771\uff21\ufb01\u2026\u00bd\u00a0"
    "\u00ad\u2122\u00b4\uac01\u304c\u2764\ufe0f\u200d"
)
"""Characters that fold alone."""
DEPENDENT = "\u0301\u0316\u3099\uff9e\u1100\u1161\u11a8\u093c\u0e31\u05b8"
"""Marks, and parts of syllables."""


@settings(deadline=None, max_examples=500)
@given(
    st.one_of(
        st.text(st.sampled_from("aZ'. \n" + STRANGE), max_size=25),
        st.text(st.sampled_from("aZ'. \n" + STRANGE + DEPENDENT), max_size=25),
        st.text(max_size=25),
    )
)
def test_folded_by_character_a_text_is_the_same_as_folded_whole(text: str) -> None:
    assert fold(text) == (text.lower() if text.isascii() else terms._fold_whole(text))


def test_each_character_folds_alone_as_in_a_text() -> None:
    for code in range(0x80, 0x20000):
        char = chr(code)
        assert fold(f"x{char}y") == terms._fold_whole(f"x{char}y"), hex(code)


def test_a_text_in_which_no_character_is_a_mark_is_not_folded_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, folded = terms._fold_whole, list[str]()

    def counted(text: str) -> str:
        folded.append(text)
        return whole(text)

    monkeypatch.setattr(terms, "_fold_whole", counted)
    terms._fold_alone.cache_clear()
    text = "It\u2019s \u201cfine\u201d, M\u00fcller \u2013 \u6771\u4eac \u2764\ufe0f. " * 1000
    fold(text)
    assert sorted(folded) == sorted("\u2019\u201c\u201d\u00fc\u2013\u6771\u4eac\u2764"), "each once"
    fold(text)
    assert len(folded) == 8
    fold(text + "e\u0301")
    assert max(map(len, folded)) > len(text), "a mark belongs to what is before it"


MIB = 1 << 20  # bytes, the most text that a mail has
CRAFTED = {
    "one word": "a" * MIB,
    "one accented word": "é" * (MIB // 2),
    "many words": " ".join(str(number) for number in range(MIB // 7)),
    "white space": "\n" * MIB,
    "marks": "a" + "\u0301" * 1_000_000,
    "marks to be sorted": "\u0301\u0316" * 500_000,
    "half-width marks to be sorted": "\uff9e\u0301" * 500_000,
    "marks that stay": "\u0f71\u0f74" * 500_000,
    "letters that unfold": "\ufdfa" * (MIB // 3),
    "squared words": "\u3316" * (MIB // 3),
    "Han": "".join(chr(0x4E00 + number % 20_000) for number in range(MIB // 3)),
    "Hangul": "각" * (MIB // 3),
    "short runs": "e\u3042" * (MIB // 4),
    "addresses": "a@b " * (MIB // 4),
    "half addresses": "a@" * (MIB // 2),
    "one local part": "a." * (MIB // 2) + "@x",
    "one domain": "a@" + "b." * (MIB // 2),
    "hyphens": "a@b" + "-" * MIB,
    "punctuation": "._-" * (MIB // 3) + "@",
}


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_text_takes_linear_time(name: str) -> None:
    assert len(_of_text(CRAFTED[name])) <= MAX_TERMS + 1
    assert growth(lambda size: partial(_of_text, CRAFTED[name][:size]), 1 << 12) < LINEAR
