"""What is the text of a mail, and what stays an attachment: mails in `tests/mail/bodies`."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from services.timeline.content.images import with_inline_images
from services.timeline.content.reader import attached_parts, read
from shared.mail.mime import leaves
from shared.mail.part import MAX_TEXT, by_content_id

MAILS = Path(__file__).parents[3] / "mail" / "bodies"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))


@pytest.mark.parametrize("case", CASES)
def test_a_body_is_read_as_expected(case: str) -> None:
    expected = json.loads((MAILS / f"{case}.json").read_text("utf-8"))
    mail = asdict(read((MAILS / f"{case}.eml").read_bytes()))
    for attachment in mail["attachments"]:
        del attachment["digest"]
    mail["attachments"] = [*mail["attachments"]]
    assert {name: mail[name] for name in expected} == expected


def test_every_case_has_expectations() -> None:
    assert sorted(path.stem for path in MAILS.glob("*.json")) == CASES
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES)
def test_what_is_listed_is_what_can_be_downloaded(case: str) -> None:
    raw = (MAILS / f"{case}.eml").read_bytes()
    listed = [(a.content_type, a.size) for a in read(raw).attachments]
    assert [(part.content_type, len(part.data)) for part in attached_parts(raw)] == listed


@pytest.mark.parametrize(
    ("name", "is_body"),
    [
        *[(name, True) for name in ("body.html", "BODY.HTM", "message.txt", "text", "Part 1.1")],
        *[(name, False) for name in ("data.csv", "cv.rtf", "script.py", "notes.md", "mail.eml")],
    ],
)
def test_a_named_text_is_the_body_only_under_a_name_of_bodies(name: str, is_body: bool) -> None:
    mail = read(f'Content-Type: text/plain; name="{name}"\n\nI apply.\n'.encode())
    assert mail.text == ("I apply." if is_body else "")
    assert len(mail.attachments) == (not is_body)


@pytest.mark.parametrize(
    ("names", "text", "files"),
    [
        (("text.txt", "html.html"), "I apply.", []),
        (("message1.txt", "Message2.html"), "I apply.", []),
        (("message.txt", "cv.html"), "I apply.", ["cv.html"]),
        (("letter.txt", "text.html"), "I apply.", ["text.html"]),
        (("text.txt", "textbook.html"), "I apply.", ["textbook.html"]),
    ],
)
def test_two_names_of_bodies_are_one_body(
    names: tuple[str, str], text: str, files: list[str]
) -> None:
    plain, html = names
    mail = read(
        f"Content-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; name={plain}\n\nI apply.\n"
        f"--b\nContent-Type: text/html; name={html}\n\n<p>I apply.</p>\n--b--\n".encode()
    )
    assert (mail.text, [a.filename for a in mail.attachments]) == (text, files)
    assert (mail.html is None) == bool(files)


@pytest.mark.parametrize(
    ("kind", "text"), [("application/smil", "See you at 9."), ("text/html", "")]
)
def test_the_text_of_a_multimedia_message_is_read(kind: str, text: str) -> None:
    mail = read(
        f'Content-Type: multipart/related; type="{kind}"; boundary=b\n\n'
        f"--b\nContent-Type: {kind}\n\n<a></a>\n"
        "--b\nContent-Type: text/plain; name=text_0.txt\nContent-ID: <0>\n\nSee you at 9.\n"
        "--b\nContent-Type: image/jpeg; name=a.jpg\nContent-ID: <1>\n\nx\n--b--\n".encode()
    )
    assert mail.text == text
    assert "a.jpg" in [attachment.filename for attachment in mail.attachments]


def test_a_named_part_without_a_type_of_texts_is_a_file() -> None:
    mail = read(b"Content-Type: application; name=document.xml.gz\n\nbinary\n")
    assert (mail.text, mail.attachments[0].filename) == ("", "document.xml.gz")


def test_many_pieces_are_one_text_within_bounds() -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\n\n"
    half = b"--b\nContent-Type: text/html\n\n<p>" + b"word " * 120_000 + b"</p>\n"
    mail = read(head + half * 3)
    assert mail.incomplete
    assert len(mail.text.encode()) <= MAX_TEXT
    pieces = b"".join(b"--b\nContent-Type: text/html\n\n<p>%d\n" % i for i in range(150))
    mail = read(head + pieces)
    assert mail.text.split() == [str(i) for i in range(150)]
    assert mail.incomplete
    assert not read(head + pieces[: pieces.index(b"<p>90")]).incomplete


def test_what_a_piece_leaves_open_does_not_swallow_the_next() -> None:
    head = b"Content-Type: multipart/mixed; boundary=b\n\n"
    for opened in (b"<!-- x", b"<style>", b"<textarea>", b"<div><table><tr>", b"<a href='x"):
        mail = read(
            head + b"--b\nContent-Type: text/html\n\n<p>one</p>" + opened + b"\n"
            b"--b\nContent-Type: text/html\n\n<p>two</p>\n--b\n\n<script>x</script>\n--b--"
        )
        assert "two" in mail.text
        assert mail.html is not None
        assert mail.html.endswith("<p>two</p>\n<div>&lt;script&gt;x&lt;/script&gt;</div>")


def test_pictures_are_shown_where_they_stand() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\none\n"
        b'--b\nContent-Type: image/png; name="a\\">.png"\n\n\x89PNG\r\n\x1a\n\n'
        b"--b\nContent-Type: image/svg+xml\n\n<svg/>\n"
        b"--b\nContent-Type: text/html\n\ntwo\n--b--"
    )
    mail = read(raw)
    assert mail.html == 'one\n<img src="cid:part3.of.this.mail" alt="a&quot;&gt;.png">\ntwo'
    assert [attachment.content_type for attachment in mail.attachments] == [
        "image/png",
        "image/svg+xml",
    ]
    shown = with_inline_images(mail.html, by_content_id(leaves(raw)[0]))
    assert 'src="data:image/png;base64,' in shown
