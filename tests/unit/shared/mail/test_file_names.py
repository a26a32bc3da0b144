"""File names as mail programs of many countries write them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.timeline.content.reader import read
from shared.mail.charset import charset_of_text
from shared.mail.file_names import file_name
from shared.mail.header_block import HeaderBlock, read_header_block

CV = "Резюме_Иванова_2026.rtf"


def name_of(
    disposition: str, content_type: str = "", charset: str = "utf-8", hint: str = ""
) -> str:
    """Return the name that a part's header gives; its text is in that character set."""
    raw = f"Content-Disposition: {disposition}\r\n"
    if content_type:
        raw += f"Content-Type: {content_type}\r\n"
    return file_name(read_header_block(raw.encode(charset)), lambda: hint)


@pytest.mark.parametrize(
    ("name", "charset", "hint"),
    [
        # as the mail's text says
        (CV, "cp1251", "Windows-1251"),
        (CV, "koi8-r", "KOI8-R"),
        ("履歴書_発表.pdf", "shift_jis", "Shift_JIS"),
        ("简历_王小明.pdf", "gbk", "gb2312"),
        ("Životopis_Jiří.pdf", "cp1250", "x-cp1250"),
        ("Żółć.pdf", "iso-8859-2", "iso-8859-2"),
        # UTF-8, whatever the text says
        (CV, "utf-8", "Windows-1251"),
        ("Größe.pdf", "utf-8", "iso-8859-1"),
        # nothing says it
        (CV, "cp1251", ""),
        (CV, "koi8-r", ""),
        (CV, "cp1251", "iso-8859-1"),
        ("履歴書_山田太郎.pdf", "cp932", ""),
        ("이력서_김철수.pdf", "cp949", ""),
        ("Βιογραφικό.pdf", "cp1253", ""),
        ("Lebenslauf_Müller_Größe.pdf", "cp1252", ""),
        ("Résumé_Éloïse.pdf", "cp1252", "utf-8"),
        ("ÄÖ.pdf", "cp1252", ""),
    ],
)
def test_raw_names_are_read(name: str, charset: str, hint: str) -> None:
    assert name_of(f'attachment; filename="{name}"', charset=charset, hint=hint) == name
    assert name_of("inline", f'a/b; name="{name}"', charset=charset, hint=hint) == name
    assert name_of(f"attachment;\r\n filename={name}", charset=charset, hint=hint) == name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        # labels
        ("a; filename*=Cp1252''Auftragsbest%E4tigung_7.pdf", "Auftragsbestätigung_7.pdf"),
        ("a; filename*=cp-1251'ru'%D0%E5%E7%FE%EC%E5.pdf", "Резюме.pdf"),
        ("a; filename*=windows1252''%80.pdf", "€.pdf"),
        ("a; filename*=x-cp1251''%D0%E5%E7%FE%EC%E5.pdf", "Резюме.pdf"),
        ("a; filename*=utf8''%C3%BCber.pdf", "über.pdf"),
        ("a; filename*=unicode-1-1-utf-8''%C3%BCber.pdf", "über.pdf"),
        ("a; filename*=ANSI''%FCber.pdf", "über.pdf"),
        ("a; filename*=x-nonsense''%C3%BCber.pdf", "über.pdf"),
        ("a; filename*=utf-7''+APw-ber.pdf", "über.pdf"),
        ("a; filename*=\"utf-8''%C3%BCber.pdf\"", "über.pdf"),
        # no label, or where none belongs
        ("a; filename*=%C3%BCber.pdf", "über.pdf"),
        ("a; filename*=''%FCber.pdf", "über.pdf"),
        ("a; filename*0*=%C3%BC; filename*1*=ber; filename*2=.pdf", "über.pdf"),
        ("a; filename=\"utf-8''%C3%BCber%201.pdf\"", "über 1.pdf"),
        ('a; filename="%C3%BCber%20uns.pdf"', "über uns.pdf"),
        # encoded words
        ('a; filename="=?utf-8?B?UsO8Y2tt?=\r\n =?utf-8?Q?eldung=2Ecsv?="', "Rückmeldung.csv"),
        ("a; filename==?iso-8859-1?Q?R=FCckmeldung.csv?=", "Rückmeldung.csv"),
        ("a; filename==?utf-8?B?UsO8Y2s=?= =?koi8-r?Q?_=F2?=.csv", "Rück \u0420.csv"),
        ('a; filename*0="=?utf-8?B?UsO8Y2tt"; filename*1="ZWxkdW5n?=.csv"', "Rückmeldung.csv"),
        ('a; filename*0="=?utf-8?Q?R=C3"; filename*1="=BCck.csv?="', "Rück.csv"),
        ('a; filename="=?unicode-1-1-utf-7?Q?+APw-ber.pdf?="', "über.pdf"),
        ("a; filename*=utf-8''%3D%3Futf-8%3FQ%3F%3DC3%3DBC%3F%3D.pdf", "ü.pdf"),
        # raw bytes in pieces, here UTF-8
        ('a; filename*0="Übers"; filename*1="ichtäö.pdf"', "Übersichtäö.pdf"),
        ("a; filename*=utf-8''ü%20b.pdf", "ü b.pdf"),
        # what stays
        ('a; filename="100%25 sicher.pdf"', "100%25 sicher.pdf"),
        ('a; filename="50% %E4.pdf"', "50% %E4.pdf"),
        ("a; filename=\"Anna's 'CV'.pdf\"", "Anna's 'CV'.pdf"),
        ("a; filename=\"it''s.pdf\"", "it''s.pdf"),
        ("a; filename=Fr+APY-sche.pdf", "Fr+APY-sche.pdf"),
        ("a; filename=My CV.pdf", "My CV.pdf"),
        ("a", ""),
    ],
)
def test_encoded_names_are_read(disposition: str, name: str) -> None:
    assert (
        name_of(disposition).startswith(name) if name == "Rückm" else name_of(disposition) == name
    )


@pytest.mark.parametrize(
    ("disposition", "content_type", "name"),
    [
        ("a; filename=uber.pdf; filename*=utf-8''%C3%BCber.pdf", 'a/b; name="x.pdf"', "über.pdf"),
        ("a; filename=plain.pdf", "a/b; name==?utf-8?Q?=C3=BC.pdf?=", "plain.pdf"),
        ("inline", "a/b; name=a.pdf; name*=utf-8''b.pdf", "b.pdf"),
        ('a; filename=""', "a/b; name=a.pdf", "a.pdf"),
        # the one that can be decoded
        ('a; filename="??????.pdf"', 'a/b; name="=?utf-8?B?0KDQtdC3?=.pdf"', "Рез.pdf"),
        ("a; filename*=utf-8''%D0%FF%D0%FF.pdf; filename=cv.pdf", "", "cv.pdf"),
        ('a; filename="=?utf-8?B?UsO8"', "a/b; name=cv.pdf", "cv.pdf"),
        ('a; filename="\ufffd\ufffd.pdf"', "a/b; name*=koi8-r''%F2.pdf", "\u0420.pdf"),
        # damaged is better than none
        ('a; filename="??????.pdf"', "a/b", "??????.pdf"),
    ],
)
def test_of_several_names_one_that_can_be_decoded(
    disposition: str, content_type: str, name: str
) -> None:
    assert name_of(disposition, content_type) == name


def test_a_guess_gives_way_to_a_name_that_says_what_it_is() -> None:
    raw = (
        "Content-Disposition: a; filename=\"Резюме.pdf\"\nContent-Type: a/b; name*=utf-8''CV.pdf\n"
    )
    assert file_name(read_header_block(raw.encode("cp1251"))) == "CV.pdf"


def mail(text: str, label: str, name: str, charset: str, *, text_first: bool = True) -> bytes:
    """Return a mail of a text and a file, whose name is in raw bytes."""
    parts = [
        f"Content-Type: text/plain; charset={label}\r\n\r\n{text}",
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\nx',
    ]
    body = "".join(f"--b\r\n{part}\r\n" for part in (parts if text_first else parts[::-1]))
    start = f"From: {name} <a@x.example>\r\nSubject: {name}\r\n"
    start += "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    return (start + body + "--b--\r\n").encode(charset)


@pytest.mark.parametrize("text_first", [True, False])
@pytest.mark.parametrize(
    ("label", "charset", "name"),
    [
        ("Windows-1251", "cp1251", CV),
        ('"koi8-r"', "koi8-r", "Отчёт.rtf"),
        ("Cp1250", "cp1250", "Životopis Jiří.pdf"),
        ("Shift_JIS", "cp932", "発表.pdf"),
    ],
)
def test_names_and_subject_are_in_the_character_set_of_the_text(
    label: str, charset: str, name: str, text_first: bool
) -> None:
    read_mail = read(mail("x", label, name, charset, text_first=text_first))
    assert read_mail.attachments[0].filename == name
    assert read_mail.subject == name
    assert [mailbox.name for mailbox in read_mail.from_] == [name]
    assert [mailbox.address for mailbox in read_mail.from_] == ["a@x.example"]


def test_the_text_says_nothing_of_encoded_names() -> None:
    raw = mail("x", "Windows-1251", "=?iso-8859-1?Q?Gr=FC=DFe?=", "ascii")
    assert read(raw).subject == "Grüße"
    assert charset_of_text(b"Content-Type: text/plain; charset=utf-8\n\n") == ""


def test_a_name_can_be_shown() -> None:
    evil = "a; filename*=utf-7''a+AAA-b+IC4-c%0D%0Ad.pdf"
    assert name_of(evil) == "abc d.pdf"


PIECES = "* *0 *1* = \" ' '' ; % %C3 %FC é \udce9 \ud800 =?utf-8?q? =?utf-7?b? ?= utf-8 x \\ ??"
ANY = st.lists(st.sampled_from([*PIECES.split(" "), " ", "filename"]), max_size=40).map("".join)


@settings(deadline=None)
@given(ANY, st.sampled_from(["", "koi8-r", "shift_jis", "nonsense"]))
def test_any_name_is_read(value: str, hint: str) -> None:
    fields = (("Content-Disposition", f"a; filename{value}"), ("Content-Type", f"a; {value}"))
    file_name(HeaderBlock(fields, truncated=False), lambda: hint).encode()
