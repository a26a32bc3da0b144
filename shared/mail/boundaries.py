"""Cutting a multipart's body at its boundary, in linear time. RFC 2046 section 5.1.1."""

import re
from collections.abc import Iterator
from heapq import merge
from itertools import islice

MAX_BOUNDARIES = 100_000
"""Lines that begin as a boundary does, of which so many are looked at: each may be none."""

_BOUNDARY_END = re.compile(rb"[ \t]*+(?:\r\n|[\r\n]|\Z)")


def children_of(body: bytes, boundary: str, most: int) -> list[bytes]:
    """Return a multipart's parts, cut at its boundary: one more than `most`, if it has more."""
    children: list[bytes] = []
    if not 0 < len(boundary) <= 200:  # RFC 2046 allows 70
        return children
    marker, start = b"--" + boundary.encode(), -1
    for at in islice(_line_starts(body, marker), MAX_BOUNDARIES):
        after = at + len(marker)
        is_last = body[after : after + 2] == b"--"
        line_end = _BOUNDARY_END.match(body, after + 2 * is_last)
        if line_end is None:
            continue
        if start >= 0:
            end = at - 2 if body.endswith(b"\r\n", start, at) else at - 1
            children.append(body[start : max(start, end)])
        start = line_end.end()
        if is_last or len(children) > most:
            break
    else:
        is_last = False
    if start >= 0 and not is_last:
        children.append(body[start:])
    return children


def _line_starts(body: bytes, marker: bytes) -> Iterator[int]:
    """Yield where lines begin with the marker, in order; each byte is looked at twice at most."""
    if body.startswith(marker):
        yield 0
    yield from merge(_after(body, b"\n", marker), _after(body, b"\r", marker))


def _after(body: bytes, line_end: bytes, marker: bytes) -> Iterator[int]:
    at = body.find(line_end + marker)
    while at >= 0:
        yield at + 1
        at = body.find(line_end + marker, at + 1)
