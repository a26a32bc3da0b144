import json
import random
import re
from collections.abc import Callable
from dataclasses import asdict
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content.reader import MAX_PEOPLE, MAX_SUBJECT, READER_VERSION, ReadMail, read
from shared.mail.headers import read_header_block
from shared.mail.mime import MAX_DEPTH, MAX_PARTS
from shared.mail.mime import leaves as parts_of
from shared.mail.part import MAX_TEXT
from tests.cost import LINEAR, growth

MAILS = Path(__file__).parents[3] / "mail"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))


def _raw(case: str) -> bytes:
    return (MAILS / f"{case}.eml").read_bytes()


def _as_json(mail: ReadMail) -> dict[str, Any]:
    fields = asdict(mail)
    fields["from"] = fields.pop("from_")
    fields["date"] = mail.date.isoformat() if mail.date else None
    for attachment in fields["attachments"]:
        del attachment["digest"]
    plain: dict[str, Any] = json.loads(json.dumps(fields))
    return plain


def _html(source: str) -> ReadMail:
    return read(b"Content-Type: text/html; charset=utf-8\n\n" + source.encode())


@pytest.mark.parametrize("case", CASES)
def test_a_mail_is_read_as_expected(case: str) -> None:
    expected = json.loads((MAILS / f"{case}.json").read_text("utf-8"))
    read_mail = _as_json(read(_raw(case)))
    assert {name: read_mail[name] for name in expected} == expected


def test_every_mail_has_expectations_and_the_reader_a_version() -> None:
    assert sorted(path.stem for path in MAILS.glob("*.json")) == CASES
    assert READER_VERSION >= 1


def test_a_mail_answers_one_other_and_names_at_most_21() -> None:
    ids = [f"<{number}@x>" for number in range(60)]
    answers = f"In-Reply-To: {' '.join(ids[:20])}\n"
    assert read(answers.encode() + b"\n").references == ("0@x",)
    twice = f"In-Reply-To: <first@x>\nIn-Reply-To: {ids[0]}\nReferences: {' '.join(ids)}\n\n"
    named = read(twice.encode()).references
    assert named == ("first@x", "0@x", *(f"{number}@x" for number in range(40, 60)))


# -- bodies -------------------------------------------------------------------------------------


REL = 'rel="noopener noreferrer nofollow"'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<b>bold</b>", "<b>bold</b>"),
        ("<script>x</script><style>x</style><svg><a>x</a></svg><math>x</math>y", "y"),
        ('<form action="/x"><input name="a">y</form>', "y"),
        ('<p onclick="x" style="color:red">y</p>', "<p>y</p>"),
        (
            '<a href="https://example.com" target="_blank">y</a>',
            f'<a href="https://example.com" target="_blank" {REL}>y</a>',
        ),
        (
            '<a href="java\nscript:x">y</a>',
            f'<a target="_blank" {REL}>y</a>',
        ),
        ('<a href="data:,x">y</a>', f'<a {REL} target="_blank">y</a>'),
        (
            '<a href="/relative">y</a>',
            f'<a target="_blank" {REL}>y</a>',
        ),
        (
            '<img src="https://example.com/x.png" alt="x">',
            '<img alt="x" data-remote-src="https://example.com/x.png">',
        ),
        ('<img src="cid:x@y">', '<img src="cid:x@y">'),
        ('<img src="data:image/png;base64,AAAA">', '<img src="data:image/png;base64,AAAA">'),
        ('<img src="data:image/svg+xml;base64,AAAA">', "<img>"),
        ('<body background="https://example.com/x"><p>y</body>', "<p>y</p>"),
        ("<!-- x --><p>y<!--[if mso]>z<![endif]--></p>", "<p>y</p>"),
        ('<?xml version="1.0" encoding="utf-16"?><p>ü</p>', "<p>ü</p>"),
        ("<!-- nothing -->", None),
    ],
)
def test_html_is_made_safe(source: str, html: str | None) -> None:
    mail = _html(source)
    assert mail.html == html
    assert not mail.incomplete


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>one</p><p>two<br>three</p>", "one\n\ntwo\nthree"),
        ("<div><div>a</div><div>b &amp; c</div></div>", "a\nb & c"),
        ("<ul><li>a</li><li>b</li></ul>", "  * a\n  * b"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ('<p style="padding-left:99999em">a</p><ol start="9999999999"><li>b</ol>', "a\n\n 1. b"),
        ("<title>x</title><style>y</style><script>z</script>a", "a"),
        ("a" + "<br>" * 9 + "b", "a\n\nb"),
        ("<td>a</td>&#1;<input<tr>b", "a b"),
    ],
)
def test_text_is_made_from_html(source: str, text: str) -> None:
    assert _html(source).text == text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=iso-8859-1", "ä€".encode("cp1252")),
        ("text/plain; charset=utf-8", "ä€".encode("cp1252")),
        ("text/plain; charset=us-ascii", "ä€".encode()),
        ("text/plain; charset=idna", "ä€".encode()),
        ("text/plain", "ä€".encode("cp1252")),
        ('text/plain; charset="utf-16"', "ä€".encode("utf-16")),
        ("nonsense; charset=utf-8", "ä€".encode()),
    ],
)
def test_text_is_decoded_whatever_the_label(content_type: str, body: bytes) -> None:
    assert read(b"Content-Type: " + content_type.encode() + b"\n\n" + body).text == "ä€"


def test_the_footer_of_a_list_is_text_and_no_attachment() -> None:
    mail = read(
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>mail</p>\n--b\n\n \n--b\n\nfooter\n--b--"
    )
    assert (mail.text, mail.html) == ("mail\n\nfooter", "<p>mail</p>\n<div>footer</div>")
    assert mail.attachments == ()


def test_alternatives_may_be_nested() -> None:
    mail = read(
        b"Content-Type: multipart/alternative; boundary=a\n\n--a\n\nplain\n"
        b"--a\nContent-Type: multipart/related; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>rich</p>\n"
        b"--b\nContent-Type: image/png\n\nx\n--b--\n--a--\n"
    )
    assert (mail.text, mail.html) == ("plain", "<p>rich</p>")
    assert [attachment.filename for attachment in mail.attachments] == ["attachment-0.png"]


def test_control_characters_do_not_come_out() -> None:
    mail = read(b"Subject: a\0b\n\n\0te\x1bxt\r\nmore\x7f\xc2\x85\n")
    assert (mail.subject, mail.text) == ("ab", "text\nmore")


def test_a_snippet_is_short_and_of_one_line() -> None:
    assert read(b"\n" + b"word \n\t" * 999).snippet == ("word " * 40).rstrip()


# -- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (b'Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        (b'Content-Disposition: attachment; filename="C:\\x\\report.pdf"', "report.pdf"),
        (b"Content-Disposition: attachment; filename*=utf-8''a%2Fb%00c.txt", "bc.txt"),
        (b'Content-Disposition: attachment; filename=".."', "attachment-0.pdf"),
        (b"Content-Disposition: attachment", "attachment-0.pdf"),
        (b"Content-Disposition: attachment; filename=" + b"x" * 999, "x" * 255),
        ("Content-Disposition: attachment; filename=ü.pdf".encode("latin-1"), "ü.pdf"),
    ],
)
def test_file_names_are_only_names(header: bytes, filename: str) -> None:
    mail = read(b"Content-Type: application/pdf\n" + header + b"\n\nx")
    assert [attachment.filename for attachment in mail.attachments] == [filename]


def test_the_size_of_an_attachment_is_what_it_is_decoded() -> None:
    part = b"Content-Disposition: attachment\nContent-Transfer-Encoding: %s\n\n%s"
    sizes = [
        read(part % encoded).attachments[0].size
        for encoded in [(b"base64", b"QUJD\nRA=="), (b"Quoted-Printable", b"=41=42"), (b"", b"ABC")]
    ]
    assert sizes == [4, 2, 3]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_parts_are_cut_at_any_line_end(line_end: bytes) -> None:
    lines = [b"Content-Type: multipart/mixed; boundary=b", b"", b"x", b"--b \t", b"", b"one", b""]
    lines += [b"--bb", b"--b", b"Content-Type: a/b", b"", b"two", b"--b--", b"--b", b"", b"three"]
    mail = read(line_end.join(lines))
    assert mail.text == "one\n\n--bb"
    assert [attachment.size for attachment in mail.attachments] == [3]


def test_parts_are_cut_as_the_standard_library_cuts_them() -> None:
    compared = 0
    for case in CASES:
        message = message_from_bytes(_raw(case))
        if len(message) != len(read_header_block(_raw(case)).fields):
            continue  # the standard library gave up in the header
        leaves = [part for part in message.walk() if not part.is_multipart()]
        contents = [part.get_payload(decode=True) for part in leaves]
        parts, _ = parts_of(_raw(case))
        expected = [content.strip() for content in contents if isinstance(content, bytes)]
        expected = [content for content in expected if content]
        assert len(parts) == len(expected)
        for part, content in zip(parts, expected, strict=True):
            assert part.data.strip().endswith(content)
        compared += 1
    assert compared >= 12


def test_a_part_in_a_digest_is_a_message() -> None:
    mail = read(b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\ny\n--b--")
    assert [attachment.content_type for attachment in mail.attachments] == ["message/rfc822"]


def _nested(depth: int) -> bytes:
    levels = (
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(depth)
    )
    return b"".join(levels) + b"\ntext"


def test_levels_and_parts_are_counted() -> None:
    assert (read(_nested(MAX_DEPTH)).text, read(_nested(MAX_DEPTH)).incomplete) == ("text", False)
    assert read(_nested(MAX_DEPTH + 1)).incomplete
    flat = b"Content-Type: multipart/mixed; boundary=b\n\n"
    assert not read(flat + b"--b\n\nx\n" * (MAX_PARTS - 1)).incomplete
    many = read(flat + b"--b\n\nx\n" * MAX_PARTS)
    assert many.incomplete
    assert many.text.count("x") == MAX_PARTS - 1


def test_a_long_text_or_header_makes_a_mail_incomplete() -> None:
    assert not read(b"\n" + b"x" * MAX_TEXT).incomplete
    long = read(b"\n" + b"x" * (MAX_TEXT + 1))
    assert (len(long.text), long.incomplete) == (MAX_TEXT, True)
    assert read(b"To: a@b\n" * 1001 + b"\ntext").incomplete


def test_people_and_subject_are_bounded() -> None:
    to = ",".join(f"a{i}@b" for i in range(MAX_PEOPLE - 1))
    assert not read(f"From: a@b\nTo: {to}\n\n".encode()).incomplete
    many = read(f"From: a@b\nTo: {to}\nCc: c@d\nBcc: e@f\n\n".encode())
    assert (len(many.from_), len(many.to), many.cc, many.bcc) == (1, MAX_PEOPLE - 1, (), ())
    assert many.incomplete
    assert not read(f"Subject: {'x' * MAX_SUBJECT}\n\n".encode()).incomplete
    long = read(f"Subject: {'x' * (MAX_SUBJECT + 1)}\nFrom: {'n' * 300} <a@b>\n\n".encode())
    assert (len(long.subject), long.incomplete) == (MAX_SUBJECT, True)
    assert len(long.from_[0].name) == 200


# -- hostile mails ------------------------------------------------------------------------------

CRAFTED: dict[str, Callable[[int], bytes]] = {
    "nested messages": lambda n: b"Content-Type: message/rfc822\n\n" * n,
    "nested parts": lambda n: _nested(n) + b"x\n" * n,
    "empty parts": lambda n: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 10 * n,
    "near boundaries": lambda n: b"Content-Type: multipart/a; boundary=b\n\n--b\n" + b"\n--b x" * n,
    "long boundary": lambda n: b"Content-Type: multipart/a; boundary=" + b"b" * n + b"\n\n--b",
    "base64": lambda n: b"Content-Transfer-Encoding: base64\n\n" + b"=\n" * 10 * n,
    "quoted-printable": lambda n: (
        b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\r" * 10 * n
    ),
}
CRAFTED_HTML: dict[str, Callable[[int], str]] = {
    "nested": lambda n: "<div>" * 10 * n,
    "open formatting": lambda n: "".join(f"<a><font color={i}>" for i in range(n)) + "<p>x" * n,
    "copied formatting": lambda n: (
        "<p>" + "".join(f"<font color={i}>" for i in range(180)) + "<div>x</div>" * n
    ),
    "links": lambda n: "<a><div>" * 10 * n,
    "lists": lambda n: "<ul><li>" * 66 + "<pre>" + "x\n" * n,
    "wide table": lambda n: f"<table><td>{'x' * n}<td>x" + "<tr><td>x<td>x" * n,
    "padding": lambda n: "<p style='padding-left:99999em'>x" * n,
    "entities": lambda n: "&#" + "1" * 100 * n,
    "open tags": lambda n: "<a " * 10 * n,
    "comments": lambda n: "<!--" * 10 * n,
    "attributes": lambda n: "<a " + " ".join(f"a{i}=1" for i in range(10 * n)) + ">x",
    "long attribute": lambda n: (
        f"<a {' '.join(f'a{i}' for i in range(10 * n))}>x<a b={'x' * 90 * n}>"
    ),
}


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_mails_take_linear_time(name: str) -> None:
    _assert_can_be_shown(read(CRAFTED[name](30_000)))
    assert growth(lambda size: partial(read, CRAFTED[name](size)), 6_000) < LINEAR


@pytest.mark.cost
@pytest.mark.parametrize("name", CRAFTED_HTML)
def test_crafted_html_takes_linear_time(name: str) -> None:
    def raw(size: int) -> bytes:
        return b"Content-Type: text/html\n\n" + CRAFTED_HTML[name](size).encode()

    _assert_can_be_shown(read(raw(4_000)))
    assert growth(lambda size: partial(read, raw(size)), 1_000) < LINEAR


def _assert_can_be_shown(mail: ReadMail) -> None:
    assert json.dumps(_as_json(mail), ensure_ascii=False).encode()
    assert len(mail.text.encode()) <= MAX_TEXT
    assert len((mail.html or "").encode()) <= MAX_TEXT
    assert len(mail.snippet) <= 200
    html = re.sub(r'"[^"]*"', '""', mail.html or "")
    assert not re.search(r"<(script|style|svg|math|form|iframe)|<[^>]*\son\w+=", html)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", html + mail.subject + mail.text)
    assert [attachment.index for attachment in mail.attachments] == [*range(len(mail.attachments))]
    for attachment in mail.attachments:
        assert attachment.filename
        assert not re.search(r"[/\\\x00-\x1f]", attachment.filename)


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    _assert_can_be_shown(read(raw))


def test_mutated_mails_are_read() -> None:
    chance = random.Random(20260105)
    mails = [_raw(case) for case in CASES]
    for _ in range(2_000):
        raw = bytearray(chance.choice(mails))
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(raw) + 1)
            other = chance.choice(mails)
            start = chance.randrange(len(other))
            match chance.randrange(4):
                case 0:
                    raw[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del raw[at : at + chance.randrange(30)]
                case 2:
                    raw[at:at] = other[start : start + chance.randrange(200)]
                case _:
                    raw[at:at] = chance.choice([b"\0", b"\xff", b"=?", b'"', b"--", b"\r", b"<b>"])
        _assert_can_be_shown(read(bytes(raw)))
