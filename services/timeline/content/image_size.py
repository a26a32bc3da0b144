"""How many pixels an image has, read from its header. Pure.

A file of some kilobytes can hold an image of a billion pixels, and a browser needs four bytes of
memory for each. The header is read as browsers read it. For a truncated or broken header, for which
they show nothing, 0 is returned.
"""

import struct

MAX_PIXELS = 64_000_000
"""Of one image, and of all images of one mail together: 256 MB in a browser."""
_NO_SIZE = (0xC4, 0xC8, 0xCC)
"""Markers between those that begin a frame of JPEG and do not."""


def pixels_of_image(data: bytes) -> int:
    """Return how many pixels an image has."""
    try:
        width, height = _size(data)
    except (struct.error, IndexError):
        return 0
    return abs(width) * abs(height)


def _size(data: bytes) -> tuple[int, int]:
    if data.startswith(b"\x89PNG"):
        return _pair(">II", data, 16)
    if data.startswith(b"GIF8"):
        return _size_of_gif(data)
    if data.startswith(b"\xff\xd8"):
        return _size_of_jpeg(data)
    if data.startswith(b"RIFF"):
        return _size_of_webp(data)
    if data.startswith(b"BM"):
        is_old = struct.unpack_from("<I", data, 14)[0] == 12
        return _pair("<HH" if is_old else "<ii", data, 18)
    return 0, 0


def _pair(form: str, data: bytes, at: int) -> tuple[int, int]:
    width, height = struct.unpack_from(form, data, at)
    return width, height


def _size_of_gif(data: bytes) -> tuple[int, int]:
    """Return the screen's size, or the first image's where it reaches beyond the screen."""
    width, height = _pair("<HH", data, 6)
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while data[at : at + 1] == b"!":  # an extension, in blocks
        at += 2
        while length := data[at]:
            at += length + 1
        at += 1
    if data[at : at + 1] == b",":
        left, top, wide, high = struct.unpack_from("<HHHH", data, at + 1)
        width, height = max(width, left + wide), max(height, top + high)
    return width, height


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Return the size of the frame, behind whatever stands before it."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0:
        code = data[at + 1]
        if code == 0xFF:
            at += 1
        elif code == 0 or code == 1 or 0xD0 <= code <= 0xD8:
            at += 2
        elif 0xC0 <= code <= 0xCF and code not in _NO_SIZE:
            height, width = _pair(">HH", data, at + 5)
            return width, height
        elif code in (0xD9, 0xDA):
            return 0, 0
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    return 0, 0


def _size_of_webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        high, wide = int.from_bytes(data[27:30], "little"), int.from_bytes(data[24:27], "little")
        return wide + 1, high + 1
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = _pair("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF
