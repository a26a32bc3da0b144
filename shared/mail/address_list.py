"""Reading the address lists of header fields (RFC 5322 section 3.4), which anyone may have written.

Rules:

* One pass, no recursion: the time is linear in the length, whatever is nested or left open.
* Only structure is read here. Encoded words are decoded afterwards (`headers.addresses`), so that
  a comma or an `@` inside one can never make an address.
* An address in angle brackets is the address; all before it is the name, whatever it looks like:
  `"victim@x" <sender@y>` is sender@y alone. Without brackets an address stands for itself.
* Semicolons separate like commas, as Outlook writes them. What precedes a colon is the name of a
  group (or `mailto`), never an address.
* What is opened and never closed was not opened: a lone quote or parenthesis is read as white
  space, and a lone `<` ends with its entry. One typing error costs one entry, not the list.
* What is not an address is left out. Nothing is raised.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_ADDRESS = 320
"""64 octets, an `@` and 255 octets: RFC 5321 section 4.5.3.1."""

_TEXT = re.compile(
    r"""(?>(?: [^"()<>,;:=@]++
          | =\?[^?=\s"<>]{1,60}+\?[bq]\?[^?\s"<>]*+\?=   # an encoded word, commas and all
          | =\?[^?=\s"<>]{1,60}+\?[bq]\?[^?@"<>]*+\?=   # one with spaces, which hides no address
          | @\[[\w.:]*+\]                                # an address literal, colons and all
          | [=@] )+)""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED = re.compile(r'"((?>(?:[^"\\]++|\\.)*))"', re.DOTALL)
_OPEN_ANGLE = re.compile(r'<(?>(?:[\s,]*+@[^<>:;"()]*+:)?)')
"""With the obsolete route, if there is one: RFC 5322 section 4.4."""
_IN_COMMENT = re.compile(r"\\.|[()]", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

_AROUND = re.compile(r" ?([.@]) ?")
_QUOTED_WORD = re.compile(r'(^|\.)"([^\s"(),:;<>@\[\]\\]++)"(?=[.@])')
_ADDRESS = re.compile(
    r'[^\s"(),:;<>@\[\]\\]++@(?:[\w\u0080-\U0010ffff][\w.\-\u0080-\U0010ffff]*+|\[[\w.:]++\])'
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name, empty if there is none, and an address as it was written."""

    name: str
    address: str


@dataclass(slots=True)
class _Entry:
    """What stands between two separators, while it is read."""

    name: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    """The same text as `name`, as an address without brackets would be written."""
    angle: list[str] | None = None
    is_open: bool = False
    tail: list[str] = field(default_factory=list)
    """What follows the brackets."""
    comment: str = ""

    def add(self, text: str, spec: str) -> None:
        """Add text, which in an address is written as `spec`."""
        if self.angle is None:
            self.name.append(text)
            self.bare.append(spec)
        elif self.is_open:
            self.angle.append(spec)
        else:
            self.tail.append(text)

    def mailboxes(self) -> Iterator[Mailbox]:
        """Yield what the entry holds: one mailbox, or several that only white space separates."""
        if self.angle is not None:
            if address := _address("".join(self.angle)):
                name = "".join(self.name).strip() or "".join(self.tail).strip()
                yield Mailbox(name or self.comment, address)
            return
        text = "".join(self.bare)
        if address := _address(text):
            yield Mailbox(self.comment, address)
        elif "@" in text:
            for word in text.split():
                if address := _address(word):
                    yield Mailbox("", address)


_COMMAS = re.compile(",{100,}+")
"""Nobody's name; a mail of nothing else is read ten times as fast."""


def read_address_list(text: str) -> Iterator[Mailbox]:
    """Yield the mailboxes of an address list, groups dissolved, names as they were written.

    RFC 5322 section 3.4 with the obsolete forms of section 4.4, addresses and names in UTF-8
    (RFC 6532 section 3.2) and the common mistakes.
    """
    entry = _Entry()
    for kind, content in _tokens(_COMMAS.sub(",", text)):
        match kind:
            case "text":
                entry.add(content, content)
            case "quoted":
                plain = _QUOTED_PAIR.sub(r"\1", content)
                entry.add(plain, f'"{plain}"')
            case "comment":
                entry.add(" ", " ")
                entry.comment = _QUOTED_PAIR.sub(r"\1", content)
            case "<" if entry.angle is None:
                entry.angle, entry.is_open = [], True
            case "<":  # a comma is missing
                yield from entry.mailboxes()
                entry = _Entry(name=entry.tail, angle=[], is_open=True)
            case ">":
                entry.add(" ", " ")
                entry.is_open = False
            case ":" if entry.is_open:
                entry.angle = []
            case ":" if entry.angle is None:
                entry = _Entry()
            case _:
                yield from entry.mailboxes()
                entry = _Entry()
    yield from entry.mailboxes()


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield `(kind, content)`; the kind of a special character is the character."""
    at = 0
    brackets = {'"': ("quoted", _quote_end), "(": ("comment", _comment_end)}
    while at < len(text):
        char = text[at]
        if char in brackets:
            kind, find_end = brackets[char]
            if end := find_end(text, at):
                yield kind, text[at + 1 : end - 1]
                at = end
            else:
                del brackets[char]  # no later one is closed either: do not look again
        elif char in '"()':
            yield "text", " "
            at += 1
        elif char == "<":
            yield "<", ""
            at = _end(_OPEN_ANGLE, text, at)
        elif char in ">,;:":
            yield char, ""
            at += 1
        else:
            end = _end(_TEXT, text, at)
            yield "text", text[at:end]
            at = end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else 0


def _quote_end(text: str, at: int) -> int:
    return _end(_QUOTED, text, at)


def _comment_end(text: str, at: int) -> int:
    depth = 0
    for match in _IN_COMMENT.finditer(text, at):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if not depth:
                return match.end()
    return 0


def unquoted(local: str) -> str:
    """Return a local part without quotes that it does not need. RFC 5321 section 4.1.2.

    `"taro..yamada."` and `taro..yamada.` are the same, also where the grammar wants the quotes.
    """
    plain = _QUOTED.sub(lambda quoted: _QUOTED_PAIR.sub(r"\1", quoted[0]), local)
    return _QUOTED_WORD.sub(r"\1\2", f"{plain}@")[:-1]


def _address(spec: str) -> str | None:
    """Return the address that is written there, without white space around its parts, if one is."""
    spec = " ".join(spec.split())
    if " " in spec:
        spec = _AROUND.sub(r"\1", spec)
    if '"' in spec:
        spec = _QUOTED_WORD.sub(r"\1\2", spec)
    if spec[:1] == spec[-1:] == "'":  # as Outlook writes an address that is its own name
        spec = spec[1:-1]
    usable = len(spec) <= MAX_ADDRESS and spec.isprintable() and _ADDRESS.fullmatch(spec)
    return spec if usable else None
