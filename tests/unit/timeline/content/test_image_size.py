"""How many pixels an image unfolds into, and what a mail may bring of them."""

import struct

import pytest

from services.timeline.content.image_size import MAX_PIXELS, pixels_of_image
from services.timeline.content.images import type_of_image, with_inline_images
from services.timeline.content.safe_html import read_html
from shared.mail.part import Part

WIDE, HIGH = 3000, 2000


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\6\0\0\0"


def jpeg(before: bytes, sof: int = 0xC0) -> bytes:
    frame = struct.pack(">BBHBHH", 0xFF, sof, 11, 8, HIGH, WIDE)
    return b"\xff\xd8" + before + frame + b"\1\1\x11\0"


def gif(screen: tuple[int, int], image: tuple[int, int, int, int], before: bytes = b"") -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\0" * 6
    return head + before + b"," + struct.pack("<HHHHB", *image, 0)


def webp(chunk: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + chunk


IMAGES = {
    "png": png(WIDE, HIGH),
    "jpeg": jpeg(b"\xff\xe0\0\4ab"),
    "progressive jpeg": jpeg(b"", 0xC2),
    "jpeg with a table before": jpeg(b"\xff\xc4\0\5abc"),
    "jpeg with a frame inside a comment": jpeg(b"\xff\xfe\0\x0c\xff\xc0\0\x0b\x08\0\1\0\1\0"),
    "jpeg with filling and rubbish": jpeg(b"\xff\xe0\0\2rubbish\xff\xff\xff\xfe\0\2"),
    "gif": gif((WIDE, HIGH), (0, 0, 1, 1)),
    "gif beyond its screen": gif((1, 1), (1000, 0, WIDE - 1000, HIGH)),
    "gif with extensions": gif((1, 1), (0, 0, WIDE, HIGH), b"!\xf9\4\0\0\0\0\0!\xfe\3abc\0"),
    "webp": webp(b"VP8 \0\0\0\0\0\0\0\x9d\1\x2a" + struct.pack("<HH", WIDE, HIGH)),
    "lossless webp": webp(b"VP8L\0\0\0\0\x2f" + struct.pack("<I", (WIDE - 1) | (HIGH - 1) << 14)),
    "extended webp": webp(
        b"VP8X\x0a\0\0\0\0\0\0\0"
        + (WIDE - 1).to_bytes(3, "little")
        + (HIGH - 1).to_bytes(3, "little")
    ),
    "bmp": b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, WIDE, -HIGH),
    "old bmp": b"BM" + b"\0" * 12 + struct.pack("<IHH", 12, WIDE, HIGH),
}


@pytest.mark.parametrize("name", IMAGES)
def test_pixels_are_told_by_the_header(name: str) -> None:
    image = IMAGES[name]
    assert type_of_image(image) is not None
    assert pixels_of_image(image) == WIDE * HIGH


@pytest.mark.parametrize("name", IMAGES)
def test_of_an_image_that_is_cut_off_nothing_is_wrong(name: str) -> None:
    image = IMAGES[name]
    for end in range(len(image)):
        assert pixels_of_image(image[:end]) >= 0


def test_a_mail_brings_images_of_so_many_pixels_and_no_more() -> None:
    side = 5000
    assert MAX_PIXELS // side**2 == 2
    parts = {
        f"{n}@x": Part("image/png", "", n, False, "", png(side, side) + bytes([n]), f"{n}@x")
        for n in range(3)
    }
    bomb = Part("image/png", "", 9, False, "", png(60_000, 60_000), "bomb@x")
    html = "".join(f'<img src="cid:{cid}">' for cid in ("bomb@x", "0@x", "0@x", "1@x", "2@x"))
    shown = with_inline_images(read_html(html)[0] or "", {**parts, "bomb@x": bomb})
    assert [" src=" in image for image in shown.split("<img")[1:]] == [
        False,
        True,
        True,
        True,
        False,
    ]
