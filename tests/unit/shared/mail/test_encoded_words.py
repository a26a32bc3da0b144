"""Encoded words as mail programs write them, not as they should."""

import base64
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content.reader import read
from shared.mail.headers import Mailbox, addresses, decode_text

TEXT = "Bewerbung für Zürich \u2013 求人"


def raw(data: bytes) -> str:
    """Return bytes as they stand in a header's value."""
    return data.decode("ascii", "surrogateescape")


def cut(
    encoded: str, sizes: list[int], label: str = "utf-8", how: str = "B", gap: str = " "
) -> str:
    """Return encoded text cut into words of these sizes."""
    words = []
    for size in sizes:
        words.append(f"=?{label}?{how}?{encoded[:size]}?=")
        encoded = encoded[size:]
    if encoded:
        words.append(f"=?{label}?{how}?{encoded}?=")
    return gap.join(words)


ENCODED = base64.b64encode(TEXT.encode()).decode()


@pytest.mark.parametrize("gap", [" ", "\r\n ", "\t", ""])
@pytest.mark.parametrize("sizes", [[21], [1, 2, 3], [7, 7, 7], [5], [22, 3], [1] * 30, [43]])
def test_base64_may_be_cut_anywhere(sizes: list[int], gap: str) -> None:
    assert decode_text(cut(ENCODED, sizes, gap=gap)) == TEXT
    assert decode_text(cut(ENCODED.rstrip("="), sizes, gap=gap)) == TEXT


@settings(deadline=None)
@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40).map(
        lambda text: decode_text(text)
    ),
    st.sampled_from(["utf-8", "gb18030"]),
    st.integers(0, 1 << 30),
)
def test_any_text_survives_any_cut(text: str, label: str, seed: int) -> None:
    chance = random.Random(seed)
    encoded = base64.b64encode(text.encode(label)).decode()
    sizes = [chance.randint(1, 9) for _ in range(len(encoded) // 4)]
    aligned = [4 * size for size in sizes]
    assert decode_text(cut(encoded, aligned, label)) == text
    escaped = text.encode(label).hex("=").upper()
    assert decode_text(cut(f"={escaped}", [3 * size for size in sizes], label, "Q")) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # padding that stands where the text was cut
        ("=?utf-8?B?SsO2cmcgSGF=?= =?utf-8?B?1cHRtYW5u?=", "Jörg Hauptmann"),
        ("=?utf-8?B?SsO2cmcgSGF1cHRt==?= =?utf-8?B?YW5u?=", "Jörg Hauptmann"),
        # padding inside of a word, and words that are each padded
        ("=?utf-8?B?SsO2cmc=IEhhdXB0?=", "Jörg Haupt"),
        ("=?utf-8?B?SsO2cmc=?= =?utf-8?B?IEhhdXB0bWFubg==?=", "Jörg Hauptmann"),
        ("=?utf-8?B?SsM=?=\r\n =?utf-8?B?tnJn?=", "Jörg"),
        # a character that is split, in two encodings of one character set
        ("=?utf-8?B?SsM=?= =?UTF8?Q?=B6rg?=", "Jörg"),
        ("=?utf-8*de?Q?J=C3?= =?utf-8*de-DE?Q?=B6rg?=", "Jörg"),
        # an escape that is cut
        ("=?utf-8?Q?J=C3=B?= =?utf-8?Q?6rg?=", "Jörg"),
        ("=?utf-8?Q?J=C3=?= =?utf-8?Q?B6rg?=", "Jörg"),
        ("=?utf-8?Q?J=?=\r\n\t=?utf-8?Q?C3=B6rg?=", "Jörg"),
        ("=?iso-8859-1?Q?J=F?==?iso-8859-1?Q?6rg?=", "Jörg"),
    ],
)
def test_words_that_are_one_text_are_joined(value: str, text: str) -> None:
    assert decode_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # each complete, though their padding is missing
        ("=?utf-8?B?SGFsbG8?= =?utf-8?B?IFdlbHQ?=", "Hallo Welt"),
        ("=?iso-8859-1?B?SGFsbG8?= =?iso-8859-1?B?IFf8c3Rl?=", "Hallo Wüste"),
        ("=?utf-8?B?SsO2cmc?= =?utf-8?B?SsO2cmc?=", "JörgJörg"),
        # of two character sets, or with text between
        ("=?utf-8?B?SsO2cmc?= =?iso-8859-1?B?SvZyZw?=", "JörgJörg"),
        ("=?utf-8?Q?J=C3=B6?= =?iso-8859-15?Q?=A4?=", "Jö€"),
        ("=?utf-8?B?SGFsbG8?= - =?utf-8?B?V2VsdA?=", "Hallo - Welt"),
        ("=?utf-8?Q?a=?= x =?utf-8?Q?b6?=", "a x b6"),
        ("=?utf-8?Q?a=?= =?utf-8?Q?be?=", "abe"),
        # an equals sign at the end that begins no escape
        ("=?utf-8?Q?1+1=3D?= =?utf-8?Q?2?=", "1+1=2"),
        # empty words
        ("=?utf-8?B??= =?utf-8?Q?a?= =?utf-8?Q??=", "a"),
        ("=?utf-8?Q?_?= =?utf-8?Q?a?=", "a"),
    ],
)
def test_words_that_are_not_one_text_are_not_joined(value: str, text: str) -> None:
    assert decode_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?ISO-8859-1?Q?Fr\xfcsche?=", "Früsche"),
        (
            b"=?iso-8859-1?Q?Die_Fr\xf6sche?= =?iso-8859-1?Q?_am_Fl\xfc=DFchen?=",
            "Die Frösche am Flüßchen",
        ),
        (b"=?utf-8?Q?Fr\xc3\xb6sche?=", "Frösche"),
        (b"=?windows-1251?Q?\xd0\xe5\xe7\xfe\xec\xe5?=", "Резюме"),
        (b"=?koi8-r?Q?\xf2=C5\xda=C0\xcd\xc5?=", "Резюме"),
        (b"=?gb2312?Q?\xbc\xf2\xc0\xfa?=", "简历"),
        (b"=?shift_jis?Q?\x96\xca\x90\xda?=", "面接"),
        # a wrong label: a relay made UTF-8 of it
        (b"=?ISO-8859-1?Q?Fr\xc3\xb6sche?=", "Frösche"),
        (b"=?windows-1251?Q?\xd0\xa0\xd0\xb5\xd0\xb7\xd1\x8e\xd0\xbc\xd0\xb5?=", "Резюме"),
        (b"=?utf-8?Q?Fr\xf6sche?=", "Frösche"),
        (b"=?us-ascii?Q?Fr\xf6sche?=", "Frösche"),
        # beside raw text, each decoded once
        (b"Gr\xfc\xdfe =?iso-8859-1?Q?aus_K\xf6ln?=", "Grüße aus Köln"),
        (b"Gr\xc3\xbc\xc3\x9fe =?iso-8859-1?Q?aus_K=F6ln?=", "Grüße aus Köln"),
        # what a label says of escapes stays: these are two characters
        (b"=?iso-8859-1?Q?=C3=B6?=", "Ã¶"),
    ],
)
def test_raw_bytes_in_a_word_are_decoded_once(value: bytes, text: str) -> None:
    assert decode_text(raw(value)) == text
    read_mail = read(b"Subject: " + value + b"\r\nFrom: " + value + b" <a@x.example>\r\n\r\n")
    assert read_mail.subject == text
    assert read_mail.from_ == (Mailbox(text, "a@x.example"),)


def test_text_that_is_decoded_already_is_not_decoded_again() -> None:
    assert decode_text("=?ISO-8859-1?Q?Frösche?=") == "Frösche"
    assert decode_text("=?us-ascii?Q?Frösche?= 求人") == "Frösche 求人"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?us-ascii*en?Q?Keith_M?=", "Keith M"),
        ("=?utf-8*de-AT?b?SsO2cmc=?=", "Jörg"),
        ("=?utf-8?Q?Two words, and? more?=", "Two words, and? more"),
        ("=?UTF-8?q?lower=c3=b6?=", "lowerö"),
        ("Re:=?utf-8?q?_J=C3=B6rg?=,x", "Re: Jörg,x"),
        ("(=?utf-8?q?a?=)", "(a)"),
        ('"=?utf-8?q?J=C3=B6rg?="', '"Jörg"'),
        ("=?x-unknown?Q?J=C3=B6rg?=", "Jörg"),
        ("=?Cp1252?Q?J=F6rg_=80?=", "Jörg €"),
        ("=?cp-1251?B?0OXn/uzl?=", "Резюме"),
        ("=?unicode-1-1-utf-8?Q?J=C3=B6rg?=", "Jörg"),
        # what is none
        ("=?utf-8?Q?open", "=?utf-8?Q?open"),
        ("=?utf-8?Z?a?=", "=?utf-8?Z?a?="),
        ("=?utf-8?Q", "=?utf-8?Q"),
        ("let's = try =?iso-8859-1? to break =? it", "let's = try =?iso-8859-1? to break =? it"),
        ("=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?=", "=?utf-8?Q?a?="),
    ],
)
def test_other_shapes(value: str, text: str) -> None:
    assert decode_text(value) == text


@pytest.mark.parametrize(
    ("value", "mailboxes"),
    [
        ("=?utf-8?Q?D=C3=B6e, Jane?= <a@x.example>", [Mailbox("Döe, Jane", "a@x.example")]),
        ('"=?utf-8?Q?D=C3=B6e,?= Jane" <a@x.example>', [Mailbox("Döe, Jane", "a@x.example")]),
        # no word hides an address
        (
            "=?utf-8?Q?x, b@x.example, y?= <a@x.example>",
            [Mailbox("", "b@x.example"), Mailbox("y?=", "a@x.example")],
        ),
    ],
)
def test_names_with_words(value: str, mailboxes: list[Mailbox]) -> None:
    assert addresses([value]) == mailboxes


UTF_7 = [
    ("=?utf-7?Q?Die_Fr+APY-sche_=28x=29?=", "Die Frösche (x)"),
    ("=?UTF-7?B?RnIrQVBZLXNjaGU=?=", "Frösche"),
    ("=?unicode-1-1-utf-7?Q?+AOQA9gD8-?=", "äöü"),
    ("=?x-unicode-2-0-utf-7?Q?+bEJOug- C+-+-?=", "求人 C++"),
    ("=?utf-7?Q?Fr+AP?= =?utf-7?Q?Y-sche?=", "Frösche"),
    ("=?utf-7?Q?+2D3eAA-?=", "😀"),
    # what must not come out
    ("=?utf-7?Q?a+AAA-b+AAo-c+IC4-d?=", "ab cd"),
    ("=?utf-7?Q?+2D0-x+3gA-?=", "\ufffdx\ufffd"),
    # a sign that begins nothing
    ("=?utf-7?Q?1+1 = 2, C++, +b, +?=", "1+1 = 2, C++, +b, +"),
    ("=?utf-7?Q?tel. +49 30 12345678?=", "tel. +49 30 12345678"),
    # not labelled
    ("Fr+APY-sche", "Fr+APY-sche"),
    ("=?utf-8?Q?Fr+APY-sche?=", "Fr+APY-sche"),
]


@pytest.mark.parametrize(("value", "text"), UTF_7)
def test_utf_7_is_read_where_it_is_labelled(value: str, text: str) -> None:
    assert decode_text(value) == text


@pytest.mark.parametrize("label", ["utf-7", "unicode-1-1-utf-7", '"UTF-7"'])
def test_a_body_in_utf_7_is_decoded_before_it_is_made_safe(label: str) -> None:
    start = f"Content-Type: text/html; charset={label}\n\n"
    mail = read((start + "+ADw-p+AD4-Gr+APwA3w-e+ADw-script+AD4-x+ADw-/script+AD4-").encode())
    assert mail.html == "<p>Grüße</p>"
    assert mail.text.strip() == "Grüße"
    plain = read(start.replace("html", "plain").encode() + b"Gr+APwA3w-e\n2 +- 2")
    assert plain.text == "Grüße\n2 + 2"
    unlabelled = read(b"Content-Type: text/html\n\n+ADw-script+AD4-x")
    assert unlabelled.html == "+ADw-script+AD4-x"


@settings(deadline=None)
@given(st.text(max_size=30), st.binary(max_size=60))
def test_utf_7_says_what_was_written(text: str, noise: bytes) -> None:
    written = text.encode("utf-7").decode()
    encoded = base64.b64encode(written.encode()).decode()
    assert (
        decode_text(f"=?utf-7?B?{encoded}?=") == decode_text(text.replace("=?", "= ?"))
        or "=?" in text
    )
    noisy = base64.b64encode(noise).decode()
    decode_text(f"=?utf-7?B?{noisy}?=").encode()
