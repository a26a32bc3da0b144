"""Files that stand in a text as base64 are neither shown nor found; what only looks so stays."""

import base64
import random
import textwrap
from collections.abc import Callable

import pytest

from services.timeline.content.inline_data import searchable, without_inline_data
from services.timeline.content.reader import read
from services.timeline.content.terms import terms_of
from shared.mail.part import MAX_TEXT
from tests.cost import LINEAR, growth

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(4000)).decode()
ZIP = base64.b64encode(b"PK\3\4" + random.Random(2).randbytes(4000)).decode()
URL = f"data:image/png;base64,{PNG}"
WRAPPED = "\n".join(textwrap.wrap(PNG, 76))
QUOTED = "\n".join(f"> {line}" for line in textwrap.wrap(URL, 74))
ARMOR = f"-----BEGIN PGP MESSAGE-----\nVersion: 1\n\n{WRAPPED}\n=aB3d\n-----END PGP MESSAGE-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"See ![a plan]({URL}) here.", "See [image] here."),
        (f'![]({URL} "the plan")\nand text', "[image]\nand text"),
        (f"![a](<{URL}>)![b]({URL})", "[image][image]"),
        ("![tiny](data:image/gif;base64,R0lGODlh)", "[image]"),
        (f"![a](data:image/png;base64,\n{WRAPPED}\n)\nBye", "[image]\nBye"),
        (f"[plan]: <{URL}>\nsee [plan]", "[plan]: [image]\nsee [plan]"),
        (f'<p>Hi <img alt="x" src="{URL}" width=3> there</p>', "<p>Hi [image] there</p>"),
        (f"<IMG SRC='{URL}'/>", "[image]"),
        (f"<img src={URL}>", "[image]"),
        (f'{{"icon": "{URL}", "size": 3}}', '{"icon": "[image]", "size": 3}'),
        (f"background: url({URL}) red;", "background: url([image]) red;"),
        (f"Look: {URL} and write.", "Look: [image] and write."),
        (
            "Hello,\n" + "\n".join(textwrap.wrap(URL, 76)) + "\nThanks\n",
            "Hello,\n[image]\nThanks\n",
        ),
        (f"On Monday:\n{QUOTED}\n> Thanks", "On Monday:\n> [image]\n> Thanks"),
        (f"data:image/png;name=a.png;base64,{PNG}", "[image]"),
        (f"DATA:IMAGE/JPG;BASE64,{PNG}", "[image]"),
        (f"data:application/pdf;base64,{ZIP}.", "[file]."),
        (f"My plan:\n\n{WRAPPED}\n\nAnna", "My plan:\n\n[image]\n\nAnna"),
        (f"My plan:\n{PNG}\nAnna", "My plan:\n[image]\nAnna"),
        ("\n".join(f"> {line}" for line in textwrap.wrap(ZIP, 60)), "> [file]"),
        ("\n".join(textwrap.wrap(ZIP, 76)).replace("\n", "\r\n") + "\r\nEnd", "[file]\nEnd"),
    ],
)
def test_a_mark_stands_in_the_place_of_data(text: str, shown: str) -> None:
    assert without_inline_data(text) == shown


KEY = base64.b64encode(random.Random(3).randbytes(540)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "https://mail.example/" + PNG[:1800] + "?a=b",
        f"https://mail.example/?next={PNG}",
        f"Token: {PNG[:900]}",
        f"v=DKIM1; k=rsa; p={KEY}",
        "DKIM-Signature: v=1; b=" + "\n\t".join(textwrap.wrap(KEY, 64)),
        f"ssh-rsa {KEY} anna@mail.example",
        "ssh-rsa\n" + "\n".join(textwrap.wrap(KEY, 76)),
        "\n".join(["0123456789abcdef" * 4] * 60),
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft",
        "x" * 5000,
        "-" * 70 + "\n" + "=" * 70,
        "[image: plan.png] and [cid:image001.png@01D]",
        'write src="data:image/png;base64," + data',
        "data:image/png;base64,... is how it begins",
        "data:image/png;base64,followed by the data",
        "data:text/plain;base64,SGVsbG8gd29ybGQ= says hello",
        "the data: image/png; base64, and so on",
        ARMOR,
        f"> {ARMOR}".replace("\n", "\n> "),
        "-----BEGIN CERTIFICATE-----\n" + WRAPPED + "\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_file_stays(text: str) -> None:
    assert without_inline_data(text) == text


def _mail(text: str, kind: str = "plain") -> bytes:
    return f"Subject: x\nContent-Type: text/{kind}; charset=utf-8\n\n{text}".encode()


def _terms(text: str) -> list[str]:
    return terms_of(subject="", text=text, sender=(), recipients=(), attachments=())


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_neither_text_nor_snippet_nor_search_has_the_data(kind: str) -> None:
    mail = read(_mail(f"![plan]({URL})\n\nMeet me on Monday.", kind))
    assert mail.text.split() == ["[image]", "Meet", "me", "on", "Monday."]
    assert mail.snippet == "[image] Meet me on Monday."
    assert _terms(mail.text) == ["image", "me", "meet", "monday", "on"]
    assert not mail.incomplete


def test_a_text_that_is_too_large_with_its_files_is_whole_without_them() -> None:
    mail = read(_mail(f"Grüße\n{URL[:22]}{PNG[:5000] * 600}\nat the end: Ä".replace("\n", "\r\n")))
    assert mail.text == "Grüße\n[image]\nat the end: Ä"
    assert not mail.incomplete
    assert read(_mail("word " * MAX_TEXT)).incomplete


def test_what_stands_in_armor_is_not_found() -> None:
    assert searchable(f"before\n{ARMOR}\nafter {KEY}") == (
        f"before\n-----BEGIN PGP MESSAGE-----\nVersion: 1\n\n-----END PGP MESSAGE-----\nafter {KEY}"
    )


def test_a_text_that_is_signed_is_found_without_its_signature() -> None:
    signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n"
    signature = f"-----BEGIN PGP SIGNATURE-----\n\n{WRAPPED}\n-----END PGP SIGNATURE-----"
    assert _terms(searchable(signed + signature)) == sorted(
        ["begin", "pgp", "signed", "message", "hash", "sha256", "hello", "signature", "end"]
    )


PIECES = [
    *("data:image/png;base64,", "![", "![](data:image/png;base64,AAAA", "<img src=", '"data:a/b'),
    *("<img src=data:image/png;base64,A ", "data:a/b;x=", "\n> ", "aB3" * 20 + "\n", "aB3" * 20),
    *(
        "aB3" * 600 + " ",
        "-----BEGIN A-----\n",
        "data:image/png;base64,\n",
        "Ab1+/=",
        "a9Z" * 30 + "\nA",
    ),
]


@pytest.mark.cost
@pytest.mark.parametrize("piece", PIECES)
def test_any_text_takes_linear_time(piece: str) -> None:
    def work(size: int) -> Callable[[], object]:
        text = piece * (size // len(piece))
        return lambda: searchable(without_inline_data(text))

    assert growth(work, 20_000, tries=3) < LINEAR
