"""Reading the address lists of header fields (RFC 5322 section 3.4), which anyone may have written.

Rules:

* One pass, no recursion: the time is linear in the length, whatever is nested or left open.
* Only structure is read here. Encoded words are decoded afterwards (`headers.addresses`), so that
  a comma or an `@` inside one can never make an address.
* An address in angle brackets is the address; all before it is the name, whatever it looks like:
  `"victim@x" <sender@y>` is sender@y alone. Without brackets an address stands for itself.
* Semicolons separate like commas, as Outlook writes them. What precedes a colon is the name of a
  group (or `mailto`), never an address.
* A local part may be one quoted string, where the `@` follows at once: `"john smith"@x`, but not
  with brackets or an `@` inside. Otherwise what stands in quotes is a name.
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
_IN_COMMENT = re.compile(r"\\.|[()]", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)

_AROUND = re.compile(r" ?([.@]) ?")
_QUOTED_WORD = re.compile(r'(^|\.)"([^\s"(),:;<>@\[\]\\]++)"(?=[.@])')
_DOMAIN = r"(?:[\w\u0080-\U0010ffff][\w.\-\u0080-\U0010ffff]*+|\[[\w.:]++\])"
_ADDRESS = re.compile(rf'[^\s"(),:;<>@\[\]\\]++@{_DOMAIN}')
_QUOTED_ADDRESS = re.compile(rf'\s*+("[^\s"<>@\\]++(?>(?: [^\s"<>@\\]++)*)"@{_DOMAIN})\s*+')
"""The local part is one Quoted-string: RFC 5321 section 4.1.2. Blanks stand between two words."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name, empty if there is none, and an address as written."""

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

    @property
    def is_new(self) -> bool:
        """Return whether nothing was read of it yet."""
        return not self.name and self.angle is None

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


_SIMPLE = re.compile(
    r"""[\s,;]*+(?:((?>(?:[^"(),:;<>@=]++|=\?[^?=\s"<>]{1,60}+\?[BbQq]\?[^?\s"<>]*+\?=)*))<)?
        ([^\s"'(),:;<>@\[\]\\=\x80-\U0010ffff]++@[A-Za-z0-9_][A-Za-z0-9_.-]*+)(?(1)>)
        \s*+(?:[,;]|\Z)""",
    re.VERBOSE,
)
"""What most are between two separators: an address, alone or behind a name without marks."""
_SPECIAL = frozenset('"()')
_LONE = re.compile(
    r'(=\?[^?=\s"<>]{1,60}+\?[bq]\?(?:[^?\s"<>]*+|[^?@"<>]*+)\?=)|["()]', re.IGNORECASE
)
"""What is no special character in a text, but in an encoded word."""
_WORDS = r'[^"()<>,;:=@]*+'
_ROUTE = r'(?>(?:[\s,]*+@[^<>:;"()]*+:)?)'
"""RFC 5322 section 4.4."""


def _token(quotes: bool, comments: bool) -> re.Pattern[str]:
    """Return the pattern of a token, where quotes and comments are still closed, or not any more.

    What opens one and is not closed is text (`_LONE`). What repeats without meaning is one token.
    """
    quoted = r'(?P<empty>(?:""){2,}+) | "(?P<quoted>(?>(?:[^"\\]++|\\.)*))" |' if quotes else ""
    comment = r"(?>(?:\((?P<comment>(?>(?:[^()\\]++|\\.)*))\)\s*+)+) |" if comments else ""
    lone = ")" + '"' * (not quotes) + "(" * (not comments)
    return re.compile(
        rf"""(?P<text>(?>(?:{_TEXT.pattern} | [{lone}])+)) | {quoted} {comment}
             (?P<colon>:(?>(?:{_WORDS}:)*))
           | (?P<angle><(?P<again>(?>(?:[^"()<>,;:@]*+<)*)){_ROUTE})
           | (?P<end>>) | (?P<separator>[,;][\s,;]*+)""",
        re.VERBOSE | re.IGNORECASE | re.DOTALL,
    )


_TOKENS = {(q, c): _token(q, c) for q in (True, False) for c in (True, False)}


def read_address_list(text: str) -> Iterator[Mailbox]:
    """Yield the mailboxes of an address list, groups dissolved, names as they were written.

    RFC 5322 section 3.4 with the obsolete forms of section 4.4, addresses and names in UTF-8
    (RFC 6532 section 3.2) and the common mistakes.
    """
    quotes = comments = True
    token, entry, at = _TOKENS[quotes, comments].match, _Entry(), 0
    while at < len(text):
        if entry.is_new:
            while simple := _SIMPLE.match(text, at):
                if _is_usable(simple[2]):
                    yield Mailbox((simple[1] or "").strip(), simple[2])
                at = simple.end()
        found = token(text, at)
        if found is None:
            if at == len(text):
                break
            if text[at] == "(" and (end := _comment_end(text, at)):
                entry.add(" ", " ")
                entry.comment = _plain(text[at + 1 : end - 1])
                at = end
                continue
            # What is opened here is never closed, and no later one either: do not look again.
            quotes, comments = quotes and text[at] != '"', comments and text[at] != "("
            token = _TOKENS[quotes, comments].match
            continue
        at = found.end()
        kind = found.lastgroup
        if kind == "text":
            content = found[0]
            if not _SPECIAL.isdisjoint(content):
                content = _LONE.sub(lambda lone: lone[1] or " ", content)
            entry.add(content, content)
        elif kind == "separator":
            yield from entry.mailboxes()
            entry = _Entry()
        elif kind == "angle":
            if entry.angle is not None:  # a comma is missing
                yield from entry.mailboxes()
                entry = _Entry(name=entry.tail)
            if found["again"]:
                entry = _Entry()
            entry.angle, entry.is_open = [], True
        elif kind == "end":
            entry.add(" ", " ")
            entry.is_open = False
        elif kind == "colon":
            if entry.is_open:
                entry.angle = []
            else:
                if entry.angle is not None:
                    yield from entry.mailboxes()
                entry = _Entry()
        elif kind == "empty":
            entry.add("", '""')
        elif kind == "quoted":
            plain = _plain(found["quoted"])
            entry.add(plain, f'"{plain}"')
        elif kind == "comment":
            entry.add(" ", " ")
            entry.comment = _plain(found["comment"])
    yield from entry.mailboxes()


def _plain(content: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", content) if "\\" in content else content


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
    if "@" not in spec:
        return None
    if '"' in spec and (quoted := _QUOTED_ADDRESS.fullmatch(spec)):
        spec = _QUOTED_WORD.sub(r"\1\2", quoted[1])
        return spec if _is_usable(spec) else None
    spec = " ".join(spec.split())
    if " " in spec:
        spec = _AROUND.sub(r"\1", spec)
    if '"' in spec:
        spec = _QUOTED_WORD.sub(r"\1\2", spec)
    if spec[:1] == spec[-1:] == "'":  # as Outlook writes an address that is its own name
        spec = spec[1:-1]
    return spec if _is_usable(spec) and _ADDRESS.fullmatch(spec) else None


def _is_usable(spec: str) -> bool:
    return len(spec) <= MAX_ADDRESS and spec.isprintable()
