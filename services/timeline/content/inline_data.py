"""Files that stand in a text as base64: shown as `[image]` or `[file]` in their place. Pure.

Markdown editors, note apps and scripts write a picture into the text itself, as a `data:` URL
(RFC 2397). A reader sees pages of letters, and the search would index them.

Rules:

* A `data:` URL in base64 is replaced as a whole, on one line or wrapped over many, quoted or not:
  `![alt](data:...)`, `<img src="data:...">`, `<data:...>`, or bare.
* So is a block of at least 1,500 characters of base64 in lines of one width, or in one word. A key,
  a token, a hash or a signature is shorter. A URL has other characters in it.
* What stands between `-----BEGIN ...-----` and `-----END ...-----` stays: somebody may want to copy
  it. It is not indexed (`searchable`).
* Words around the data stay. Padding ends it. A line that is a word does not go on with it.
* Linear in the text, whatever it is. The raw mail is as it came.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from shared.mail.part import MAX_TEXT, Part

IMAGE, FILE = "[image]", "[file]"

_LEAST = 1500  # characters of base64 that are a file although nothing says so
_LEAST_FILE = 64  # characters in a URL of another type; shorter ones explain something
_FULL = 40  # characters; what wraps base64 makes lines of 60 to 76
_URL = re.compile(
    r"""(?P<markdown>!\[[^\[\]\n]{0,500}\]\(\s*+<?)?
        (?P<tag><img\b[^<>]{0,500}?\ssrc\s*+=\s*+)?
        (?P<open>["'<])?
        data:(?P<type>[a-z]{1,20}/[a-z0-9.+-]{1,80})(?:;[a-z0-9_-]{1,30}=[^\s;,"'<>()]{0,100}){0,3}
        ;base64,""",
    re.VERBOSE | re.IGNORECASE,
)
_DATA = r"(?=\s*+[A-Za-z0-9+/])(?>(?:[A-Za-z0-9+/=%]++|[ \t\r]++|\n[> \t]*+)*)"
_TO_END = {
    "markdown": re.compile(rf"""{_DATA}>?(?:\s*+["'][^"'\n]{{0,500}}["'])?\s*+\)"""),
    "tag": re.compile(rf"""{_DATA}["']?[^<>]{{0,500}}>"""),
    "<": re.compile(rf"{_DATA}>"),
    '"': re.compile(rf'{_DATA}(?=")'),
    "'": re.compile(rf"{_DATA}(?=')"),
}
_PIECE = re.compile(r"[A-Za-z0-9+/]*+={0,2}(?:%3[Dd]){0,2}")
_NEXT = re.compile(r"[ \t\r]*+\n[> \t]*+([A-Za-z0-9+/]++={0,2})(?=[ \t\r]*+(?:\n|\Z)|[\"')>])")
_LINE_OF_DATA = re.compile(r"[> \t]*+([A-Za-z0-9+/]{40,}+={0,2})\s*+")
_LAST_LINE = re.compile(r"[> \t]*+([A-Za-z0-9+/]{1,80}={0,2})\s*+")
_RUN = re.compile(rf"(?<!\S)[A-Za-z0-9+/]{{{_LEAST},}}+={{0,2}}(?!\S)")
_WORD = re.compile(r"[A-Za-z]?[a-z]*|[A-Z]*|\d{1,6}")
_KINDS_OF_LETTERS = tuple(map(re.compile, ("[g-z]", "[G-Z]", "[0-9+/]")))
_ARMOR = re.compile(r"[> \t]*+-----(BEGIN|END) [A-Z0-9 ]{1,60}-----\s*+")
_IN_ARMOR = re.compile(r"[> \t]*+=?[A-Za-z0-9+/]++={0,2}\s*+")
_IMAGE_STARTS = ("iVBORw0KGg", "/9j/", "R0lGOD", "UklGR", "Qk")


def smaller_text(part: Part) -> Part:
    """Return a text/plain part that is larger than what is read of one, without the files in it."""
    if part.content_type != "text/plain" or len(part.data) <= MAX_TEXT:
        return part
    text = without_inline_data(part.data.decode("latin-1"))
    return replace(part, data=text.encode("latin-1"))


def without_inline_data(text: str) -> str:
    """Return the text with a mark in the place of each file that is in it as base64. RFC 2397."""
    if ";base64," in text.lower():
        text = "".join(_without_urls(text))
    lines = text.split("\n")
    if any(len(line) >= _FULL and " " not in line.lstrip("> ") for line in lines):
        text = "\n".join(_without_blocks(lines))
    if len(text) >= _LEAST and any(len(line) >= _LEAST for line in lines):
        text = _RUN.sub(lambda run: _mark_of(run[0]) if _is_base64(run[0]) else run[0], text)
    return text


def searchable(text: str) -> str:
    """Return the text without what no user searches: the lines of keys and messages in armor."""
    if "-----BEGIN " not in text:
        return text
    kept: list[str] = []
    in_armor = False
    for line in text.split("\n"):
        if armor := _ARMOR.fullmatch(line):
            in_armor = armor[1] == "BEGIN" and "SIGNED MESSAGE" not in line
        if not (in_armor and _IN_ARMOR.fullmatch(line)):
            kept.append(line)
    return "\n".join(kept)


def _without_urls(text: str) -> Iterator[str]:
    """Yield the text around the URLs, and their marks."""
    at = 0
    while url := _URL.search(text, at):
        is_image = url["type"].lower().startswith("image/")
        start, end = _enclosed(text, url) or _bare(text, url, is_image)
        if end:
            yield text[at:start]
            yield IMAGE if is_image else FILE
        else:
            end = url.end()
            yield text[at:end]
        at = end
    yield text[at:]


def _enclosed(text: str, url: re.Match[str]) -> tuple[int, int] | None:
    """Return where a URL between brackets or quotes begins and ends, with what encloses it."""
    for name in ("markdown", "tag", "open"):
        if url[name] and (
            whole := _TO_END[url["open"] if name == "open" else name].match(text, url.end())
        ):
            is_quote = name == "open" and url["open"] in "\"'"
            return url.start(name) + is_quote, whole.end()
    return None


def _bare(text: str, url: re.Match[str], is_image: bool) -> tuple[int, int]:
    """Return where a URL begins and ends that goes on as long as its data; 0, 0 for none."""
    piece = _PIECE.match(text, url.end())
    end = piece.end() if piece else url.end()
    size = end - url.end()
    is_full = end - text.rfind("\n", 0, end) > _FULL
    while is_full and text[end - 1] != "=" and (following := _NEXT.match(text, end)):
        line = following[1]
        if (
            len(line) < _FULL
            and _WORD.fullmatch(line)
            and (size % 4 == 0 or (size + len(line)) % 4)
        ):
            break
        end, size, is_full = following.end(1), size + len(line), len(line) >= _FULL
    is_data = size > 3 and not text[url.end() : end].islower() if is_image else size >= _LEAST_FILE
    return (url.start("type") - len("data:"), end) if is_data else (0, 0)


def _without_blocks(lines: list[str]) -> Iterator[str]:
    """Yield the lines; of a block of base64 its mark."""
    at, in_armor = 0, False
    while at < len(lines):
        if armor := _ARMOR.fullmatch(lines[at]):
            in_armor = armor[1] == "BEGIN"
        end = at if in_armor else _block_end(lines, at)
        if end > at:
            prefix, data = _prefix(lines[at]), "".join(map(_data_in, lines[at:end]))
            if len(data) >= _LEAST and _is_base64(data):
                yield prefix + _mark_of(data)
            else:
                yield from lines[at:end]
            at = end
        else:
            yield lines[at]
            at += 1


def _block_end(lines: list[str], start: int) -> int:
    """Return the end of the base64 that begins there: lines of one width, the last one shorter."""
    first = _LINE_OF_DATA.fullmatch(lines[start])
    if not first:
        return start
    end, width = start + 1, len(first[1])
    while end < len(lines) and (line := _LINE_OF_DATA.fullmatch(lines[end])):
        end += 1
        if len(line[1]) != width:
            return end
    if end < len(lines) and (last := _LAST_LINE.fullmatch(lines[end])):
        end += not _WORD.fullmatch(last[1])
    return end


def _data_in(line: str) -> str:
    return line.strip("> \t\r")


def _prefix(line: str) -> str:
    """Return the marks of a quote that a line begins with."""
    return line[: len(line) - len(line.lstrip("> \t"))]


def _is_base64(data: str) -> bool:
    """Return whether these characters are mixed as in base64; words and hexadecimal are not."""
    return all(letters.search(data) for letters in _KINDS_OF_LETTERS)


def _mark_of(data: str) -> str:
    return IMAGE if data.startswith(_IMAGE_STARTS) else FILE
