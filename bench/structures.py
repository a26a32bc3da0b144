"""Mails crafted to be expensive: each is one construct, repeated.

`make bench ARGS="crafted"` measures them at the size that they have here, a unit test bounds them,
and the fuzz run mutates small ones.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Structure:
    """A construct, and how often it is repeated when it is measured."""

    make: Callable[[int], bytes]
    times: int


STRUCTURES: dict[str, Structure] = {}


def _structure(name: str, times: int, make: Callable[[int], bytes]) -> None:
    STRUCTURES[name] = Structure(make, times)


def _header(fields: str, body: bytes = b"Hello.\r\n") -> bytes:
    return f"From: Anna <anna@mail.example>\r\nSubject: x\r\n{fields}\r\n".encode() + body


def _text(body: str) -> bytes:
    fields = "To: one@in.satchel.test\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return _header(fields, body.encode())


def _html(body: str) -> bytes:
    return _header("Content-Type: text/html; charset=utf-8\r\n", body.encode())


def _multipart(parts: bytes, kind: str = "mixed") -> bytes:
    return _header(f"Content-Type: multipart/{kind}; boundary=b\r\n", parts + b"--b--\r\n")


def _part(fields: str, body: bytes) -> bytes:
    return f"--b\r\n{fields}\r\n".encode() + body + b"\r\n"


def _nested_multiparts(n: int) -> bytes:
    levels = (
        f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n".encode() for i in range(n)
    )
    return _header("", b"")[:-2] + b"".join(levels) + b"\r\ntext\r\n"


def _nested_messages(n: int) -> bytes:
    raw = _header("")
    for level in range(n):
        edge = f"b{level}"
        fields = f"Content-Type: multipart/mixed; boundary={edge}\r\n"
        inner = f"--{edge}\r\nContent-Type: message/rfc822\r\n\r\n".encode()
        raw = _header(fields, inner + raw + f"\r\n--{edge}--".encode())
    return raw


def _forwards(n: int) -> bytes:
    block = (
        "---------- Forwarded message ---------\nFrom: Anna <anna{i}@mail.example>\n"
        "Date: Thu, 15 Jan 2026 at 10:{m:02}\nSubject: Fwd: x\nTo: <one{i}@agency.example>\n\n"
    )
    levels = (
        "\n".join("> " * i + line for line in block.format(i=i, m=i % 60).split("\n"))
        for i in range(n)
    )
    return b"Subject: Fwd: x\r\nFrom: anna@mail.example\r\n\r\n" + "\n".join(levels).encode()


def _calendar(n: int) -> bytes:
    lines = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nDTSTART:20260115T100000Z\r\n"
    people = "".join(f"ATTENDEE;CN=A {i}:mailto:a{i}@mail.example\r\n" for i in range(n))
    return _header("Content-Type: text/calendar\r\n", f"{lines}{people}END:VEVENT\r\n".encode())


def _continuations(n: int) -> bytes:
    pieces = "".join(f";\r\n filename*{i}*=%C3%A9" for i in range(n))
    fields = f"Content-Disposition: attachment{pieces}\r\nContent-Type: application/pdf\r\n"
    return _multipart(_part(fields, b"x"))


def _attachments(n: int) -> bytes:
    parts = (
        _part(f"Content-Type: a/b; name=n{i}.pdf\r\nContent-Disposition: attachment\r\n", b"x")
        for i in range(n)
    )
    return _multipart(b"".join(parts))


def _base64(body: bytes) -> bytes:
    return _header("Content-Transfer-Encoding: base64\r\n", base64.encodebytes(body))


# -- what stands in header fields
_structure("addresses", 20_000, lambda n: _header("To: " + ",\r\n ".join(["a@b.cc"] * n) + "\r\n"))
_structure("short addresses", 25_000, lambda n: _header("To: " + "a@b," * n + "\r\n"))
_structure(
    "different addresses",
    20_000,
    lambda n: _header("Cc: " + ", ".join(f"a{i}@b" for i in range(n)) + "\r\n"),
)
_structure("nested comments", 50_000, lambda n: _header("To: " + "(" * n + ")" * n + " a@b\r\n"))
_structure("open comments", 100_000, lambda n: _header("To: " + "(" * n + " a@b\r\n"))
_structure("comments", 10_000, lambda n: _header("To: a" + "(x)" * n + "@b.cc\r\n"))
_structure("comments in a date", 30_000, lambda n: _header("Date: " + "(" * n + " 1 Jan 2026\r\n"))
_structure("quotes", 100_000, lambda n: _header('To: "' + '"' * n + " <a@b>\r\n"))
_structure("escapes", 50_000, lambda n: _header('To: "' + "\\" * n + '" <a@b>\r\n'))
_structure("angle brackets", 100_000, lambda n: _header("To: " + "<" * n + "a@b>\r\n"))
_structure("groups", 50_000, lambda n: _header("To: " + "g:" * n + "a@b;\r\n"))
_structure("routes", 30_000, lambda n: _header("To: <" + "@a," * n + ":a@b>\r\n"))
_structure(
    "encoded words", 20_000, lambda n: _header("Subject: " + "=?utf-8?q?=C3=A9?= " * n + "\r\n")
)
_structure("open encoded words", 33_000, lambda n: _header("Subject: " + "=?a" * n + "\r\n"))
_structure(
    "encoded names",
    5_000,
    lambda n: _header("To: " + "=?utf-8?b?w6k=?= <a@b>," * n + "\r\n"),
)
_structure(
    "names in no charset",
    2_500,
    lambda n: _header("To: " + "=?x?q?=E4=F6=FC=E1=E0?= <a@b>," * n + "\r\n"),
)
_structure(
    "file names in no charset",
    10_000,
    lambda n: _multipart(
        b"--b\r\nContent-Type: a/b; name=\xe4\xf6\xfc\xe1\xe0\xe8\r\n\r\nx\r\n" * n
    ),
)
_structure(
    "text in no charset",
    100_000,
    lambda n: _header("Content-Type: text/plain\r\n", b"\xe4\xf6\xfc\xe1\xe0\xe8 x\n" * n),
)
_structure(
    "marks on a letter", 30_000, lambda n: _header("Subject: a" + "\u0316\u0301" * n + "\r\n")
)
_structure("long subject", 100_000, lambda n: _header("Subject: " + "x" * n + "\r\n"))
_structure("long name", 100_000, lambda n: _header('Cc: "' + "x" * n + '" <a@b>\r\n'))
_structure("references", 50_000, lambda n: _header("References: " + "<a@b>\r\n " * n + "\r\n"))
_structure(
    "answered", 50_000, lambda n: _header("In-Reply-To: " + "<a@b>" * n + "\r\nReferences: <\r\n")
)
_structure("open references", 100_000, lambda n: _header("References: " + "<" * n + "\r\n"))
_structure("Received", 10_000, lambda n: b"Received: from a by b; now\r\n" * n + _header(""))
_structure("fields", 50_000, lambda n: b"a:\n" * n + _header(""))
_structure("folded lines", 100_000, lambda n: _header("To: a@b" + "\r\n " * n + "\r\n"))
_structure("parameters", 20_000, lambda n: _header("Content-Type: a/b" + ";a=b" * n + "\r\n"))
_structure("open parameters", 50_000, lambda n: _header('Content-Type: a/b;x="' + ';"' * n))
_structure("RFC 2231 continuations", 5_000, _continuations)
_structure(
    "automatic fields",
    30_000,
    lambda n: _header("Auto-Submitted: auto-replied" + " (" * n + "\r\nPrecedence: bulk\r\n"),
)
# -- parts
_structure("nested multiparts", 300, _nested_multiparts)
_structure("deeply nested multiparts", 5_000, _nested_multiparts)
_structure("nested messages", 300, _nested_messages)
_structure("parts", 50_000, lambda n: _multipart(b"--b\r\n\r\nx\r\n" * n))
_structure("empty parts", 200_000, lambda n: _multipart(b"--b\n" * n))
_structure("alternatives", 50_000, lambda n: _multipart(b"--b\n\nx\n" * n, "alternative"))
_structure("messages", 20_000, lambda n: _multipart(b"--b\n\nFrom: a@b\n\nx\n" * n, "digest"))
_structure("attachments", 10_000, _attachments)
_structure("near boundaries", 100_000, lambda n: _multipart(b"--b\n\n" + b"\n--b x" * n))
_structure("base64 lines", 10_000, lambda n: _base64(b"x" * 57 * n))
_structure(
    "padding",
    500_000,
    lambda n: _header("Content-Transfer-Encoding: base64\r\n", b"=\n" * n),
)
_structure(
    "soft line ends",
    300_000,
    lambda n: _header("Content-Transfer-Encoding: quoted-printable\r\n", b"=\r\n" * n),
)
_structure("calendar lines", 10_000, _calendar)
_structure(
    "nested calendar",
    20_000,
    lambda n: _header("Content-Type: text/calendar\r\n", b"BEGIN:VEVENT\r\n" * n),
)
_structure(
    "calendar parameters",
    50_000,
    lambda n: _header(
        "Content-Type: text/calendar\r\n",
        b"BEGIN:VEVENT\r\nATTENDEE" + b';A="' * n + b":mailto:a@b\r\nEND:VEVENT\r\n",
    ),
)
_structure(
    "delivery report",
    20_000,
    lambda n: _header(
        "Content-Type: multipart/report; boundary=b\r\n",
        b"--b\n\nx\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n"
        + b"Final-Recipient: rfc822;a@b\nAction: failed\n\n" * n,
    ),
)
# -- text
_structure("one word", 1_000_000, lambda n: _text("x" * n))
_structure("one line", 500_000, lambda n: _text("x " * n))
_structure("short lines", 500_000, lambda n: _text("x\n" * n))
_structure("newlines", 1_000_000, lambda n: _text("\n" * n))
_structure("lone carriage returns", 1_000_000, lambda n: _text("\r" * n))
_structure("spaces", 1_000_000, lambda n: _text(" " * n))
_structure("no-break spaces", 500_000, lambda n: _text("\u00a0" * n))
_structure("dashes", 1_000_000, lambda n: _text("-" * n))
_structure("lines of dashes", 100_000, lambda n: _text("-- \n-----\n" * n))
_structure("On", 300_000, lambda n: _text("On " * n))
_structure("lines with On", 200_000, lambda n: _text("On \n" * n))
_structure("On, wrote", 30_000, lambda n: _text("On 1.1.2026 10:00 a@b wrote:\n" * n))
_structure("colons", 300_000, lambda n: _text("a:\n" * n))
_structure("From", 150_000, lambda n: _text("From: " * n))
_structure("lines with From", 100_000, lambda n: _text("From: a@b\n" * n))
_structure("quote marks", 1_000_000, lambda n: _text(">" * n))
_structure("quoted lines", 300_000, lambda n: _text("> \n" * n))
_structure(
    "header blocks",
    10_000,
    lambda n: _text("From: A <a@b.cc>\nSent: 1 May 2026 10:00\nTo: c@d.ee\nSubject: x\n\n" * n),
)
_structure("separators", 30_000, lambda n: _text("-----Original Message-----\n" * n))
_structure("forwards in forwards", 100, _forwards)
_structure(
    "forwarded addresses",
    30_000,
    lambda n: _text("--- Forwarded message ---\nFrom: a@b.cc\nTo: " + "a@b.cc, " * n + "\nDate: 1"),
)
_structure("addresses in text", 60_000, lambda n: _text("anna@mail.example\n" * n))
_structure("at signs", 1_000_000, lambda n: _text("@" * n))
_structure("links", 40_000, lambda n: _text("https://mail.example/x?y=z\n" * n))
_structure("digits", 1_000_000, lambda n: _text("1" * n))
_structure("Chinese", 300_000, lambda n: _text("中" * n))
_structure("marks in text", 250_000, lambda n: _text("a" + "\u0316\u0301" * n))
_structure("ligatures", 50_000, lambda n: _text("\ufdfb\u1d160 " * n))
_structure(
    "damaged GB 18030",
    500_000,
    lambda n: _header("Content-Type: text/plain; charset=gb18030\r\n", b"\x81\xff" * n),
)
_structure(
    "UTF-16",
    400_000,
    lambda n: _header("Content-Type: text/plain; charset=utf-16\r\n", b"\xd8\x00" * n),
)
# -- HTML
_structure("nested div", 50_000, lambda n: _html("<div>" * n))
_structure("nested blockquote", 20_000, lambda n: _html("<blockquote type=cite>x" * n))
_structure("quotes in 200 levels", 5_000, lambda n: _html("<blockquote>" * 199 + "<p>x" * n))
_structure("open comment", 100_000, lambda n: _html("<!--" * n))
_structure("open tags", 200_000, lambda n: _html("<a " * n))
_structure("less than", 1_000_000, lambda n: _html("<" * n))
_structure("images", 100_000, lambda n: _html("<img>" * n))
_structure("remote images", 50_000, lambda n: _html("<img src=//a>" * n))
_structure("inline images", 50_000, lambda n: _html("<img src=cid:a>" * n))
_structure("anchors", 30_000, lambda n: _html("<a>" * n))
_structure("closed anchors", 30_000, lambda n: _html("<a>x</a>" * n))
_structure("links in HTML", 30_000, lambda n: _html("<a href=tel:1>x</a>" * n))
_structure("line breaks", 200_000, lambda n: _html("<br>" * n))
_structure("paragraphs", 100_000, lambda n: _html("<p>x" * n))
_structure("cells", 50_000, lambda n: _html("<table><tr>" + "<td>x" * n))
_structure("nested tables", 20_000, lambda n: _html("<table><tr><td>" * n))
_structure("lists", 20_000, lambda n: _html("<ul><li>x" * n))
_structure("open formatting", 20_000, lambda n: _html("<b><i>" * n + "<p>x" * n))
_structure("entities", 150_000, lambda n: _html("&amp;" * n))
_structure("ampersands", 1_000_000, lambda n: _html("&" * n))
_structure("long entity", 1_000_000, lambda n: _html("&#" + "1" * n + ";"))
_structure("attributes", 50_000, lambda n: _html("<p " + "a=1 " * n + ">x"))
_structure("long attribute", 1_000_000, lambda n: _html("<p title='" + "x" * n + "'>x"))
_structure("style", 100_000, lambda n: _html("<style>" + "a{b:c}" * n + "</style>x"))
_structure("open script", 50_000, lambda n: _html("<script>" * n))
_structure("mailto", 20_000, lambda n: _html("<a href='mailto:a@b.cc'>x" * n))
_structure("hidden ends", 20_000, lambda n: _html("<p " + "".join(f'a{i}=">"' for i in range(n))))
_structure(
    "different attributes", 20_000, lambda n: _html("<p " + " ".join(map("a{}".format, range(n))))
)
_structure("pasted images", 5_000, lambda n: _html("<img src='data:image/png;base64,AAAA'>x" * n))
_structure(
    "large pasted image", 900_000, lambda n: _html(f"<img src='data:image/png;base64,{'A' * n}'>")
)
# -- files in a text
_structure("Markdown pictures", 20_000, lambda n: _text("![a](data:image/png;base64,AAAA) " * n))
_structure("open Markdown pictures", 20_000, lambda n: _text("![a](data:image/png;base64,A " * n))
_structure("base64 in a text", 10_000, lambda n: _text(("aB3/" * 19 + "\n") * n))
_structure("armor", 20_000, lambda n: _text("-----BEGIN A-----\naB3/\n" * n))
