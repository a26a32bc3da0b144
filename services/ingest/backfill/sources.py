"""Reads old mail from files: one mail at a time, each with the position after it.

* The source is an mbox, a single mail, or a folder with its subfolders. In the `new` and `cur` of
  a Maildir each file is a mail; elsewhere `.eml` files are mails and `.mbox` files hold many.
* In an mbox, neither the `From ` line nor the empty line before the next one belongs to a mail,
  and `>From ` was quoted (mboxrd). A `From ` line counts after an empty line if it looks like one
  or if a header field follows, because some programs quote nothing.
* Line ends become CRLF, as they were in transit, so the same mail has the same bytes in any
  format.
* At most one mail is in memory. A mail over the limit is not kept.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import BinaryIO

_PIECE = 64 * 1024
"""Of a line that is longer, one piece is read at a time."""
_EMPTY_LINES = (b"\n", b"\r\n")
_FROM_LINE = re.compile(rb"From (-?\s*$|.*\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\d\d:\d\d)")
_FROM_LINE_BYTES = 300
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_QUOTED = re.compile(rb">+From ")
_MBOX_START = re.compile(rb"((?:\xef\xbb\xbf)*)From ")
"""With the byte order marks that editors write before everything."""


@dataclass(frozen=True, slots=True)
class Place:
    """Position in the source: everything before it was read."""

    file: tuple[str, ...] = ()
    """Of a folder, the path of the file in it."""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class OldMail:
    """One mail."""

    name: str
    """For people: the file, and where in it."""
    raw: bytes | None
    """None when it is over the limit, or cannot be read."""
    taken: int
    """Bytes of the whole that are done with it."""
    after: Place
    error: str = ""
    """Why it cannot be read."""


def measure(path: Path) -> int:
    """Return how many bytes there are to read."""
    return sum(size for _, _, size in _files(path))


def read_old_mail(path: Path, limit: int, start: Place) -> Iterator[OldMail]:
    """Yield the mails after `start` in a stable order; `raw` is at most `limit` bytes."""
    for names, file, size in _files(path):
        if _sorted_by(names) < _sorted_by(start.file):
            continue
        offset = start.offset if names == start.file else 0
        name = "/".join(names) or path.name
        try:
            yield from _mails_of(file, name, limit, Place(names, offset))
        except OSError as error:  # in a Maildir that is in use, files get other names
            why = error.strerror or type(error).__name__
            yield OldMail(name, None, max(0, size - offset), Place(names, max(size, 1)), why)


def _files(path: Path, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Path, int]]:
    """Yield every file that holds mail: its path in the folder, its path, and its size."""
    size = 0
    if not path.is_dir():
        with contextlib.suppress(FileNotFoundError):  # it got another name: told when it is read
            size = path.stat().st_size
        yield names, path, size
        return
    in_maildir = path.resolve().name in ("new", "cur") and (path / "../cur").is_dir()
    for name in sorted(os.listdir(path), key=lambda name: _sorted_by((name,))):
        inner = path / name
        if inner.is_dir():
            if not inner.is_symlink():
                yield from _files(inner, (*names, name))
        elif (inner.is_file() or not inner.exists()) and (
            not name.startswith(".") if in_maildir else name.lower().endswith((".eml", ".mbox"))
        ):
            yield from _files(inner, (*names, name))


def _sorted_by(names: tuple[str, ...]) -> list[tuple[bool, str]]:
    """Return what files are sorted by: in a Maildir mails move from `new` to `cur`."""
    return [(name != "new", name) for name in names]


def _mails_of(path: Path, name: str, limit: int, start: Place) -> Iterator[OldMail]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if start.offset >= max(size, 1):
            return
        may_be_many = not start.file or path.suffix.lower() == ".mbox"
        if may_be_many and _MBOX_START.match(file.peek(_PIECE)[:_FROM_LINE_BYTES]):
            yield from _mails_of_mbox(file, name, limit, start)
            return
        raw = file.read(limit + 1)
    yield OldMail(name, _as_on_the_way(raw, limit), size, Place(start.file, max(size, 1)))


def _mails_of_mbox(file: BinaryIO, name: str, limit: int, start: Place) -> Iterator[OldMail]:
    file.seek(start.offset)
    first = _MBOX_START.match(file.readline(_PIECE))
    if not first:  # it is another mbox than it was
        start = Place(start.file)
        file.seek(0)
        first = _MBOX_START.match(file.readline(_PIECE))
    start = Place(start.file, start.offset + len(first[1] if first else b""))
    file.seek(start.offset)
    begun = position = start.offset
    mail = bytearray()
    begins_line, after_empty, after_from = True, True, False
    pieces = chain(iter(partial(file.readline, _PIECE), b""), [b""])
    for piece, following in pairwise(pieces):
        is_from = (
            begins_line
            and piece.startswith(b"From ")
            and (
                position == start.offset
                or after_from
                or (after_empty and _is_from_line(piece, following))
            )
        )
        if is_from:
            if position != start.offset:
                yield _mail_of_mbox(mail, name, limit, begun, Place(start.file, position))
            begun, mail = position, bytearray()
        elif len(mail) <= limit + len(b"\r\n"):  # it may end with an empty line that goes
            mail += piece[1:] if begins_line and _QUOTED.match(piece) else piece
        position += len(piece)
        after_empty, after_from = begins_line and piece in _EMPTY_LINES, is_from
        begins_line = piece.endswith(b"\n")
    yield _mail_of_mbox(mail, name, limit, begun, Place(start.file, position))


def _is_from_line(line: bytes, following: bytes) -> bool:
    return bool(_FROM_LINE.match(line[:_FROM_LINE_BYTES]) or _FIELD.match(following))


def _mail_of_mbox(mail: bytearray, name: str, limit: int, begun: int, after: Place) -> OldMail:
    for end in _EMPTY_LINES:
        if mail.endswith(end * 2):
            del mail[-len(end) :]
    raw = _as_on_the_way(bytes(mail), limit)
    return OldMail(f"{name} at byte {begun}", raw, after.offset - begun, after)


def _as_on_the_way(raw: bytes, limit: int) -> bytes | None:
    """Return the mail with CRLF, as it came once; None when it is over the limit."""
    if len(raw) > limit:
        return None
    if not raw[: raw.find(b"\n") + 1].endswith(b"\r\n"):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw if len(raw) <= limit else None
