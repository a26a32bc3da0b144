"""Whom a line of a header block names: what clients make of an address list when they write it out.

Beside RFC 5322's own forms: `Name [mailto:a]`, `Name <a<mailto:a>>`, `Name (a)`, names with a comma
between semicolons, typographic quotes, bold marks, East Asian punctuation.

A From names one sender. A display name can hold an address as well, and its owner chose it; the
client writes the real one last, so the last counts.
"""

import re

from shared.contracts.events import Named
from shared.mail.headers import addresses, decode_text

MAX_ADDRESSES = 100
"""Of one line; more are cut off."""
_MAX_VALUE = 20_000
_MAX_NAME = 200

_PUNCTUATION = str.maketrans("＜＞，；、〈〉‹›", "<>,;,<><>")
_LINKED = re.compile(r"[<\[(]mailto:([^<>\[\]()\s?]{3,320})[^<>\[\]()\s]*+[>\])]", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[\[(]\s?<?([^\s\[\]()<>,;:]{1,64}@[^\s\[\]()<>,;:]{1,255})>?\s?[\])]")
_NAME_AND_ADDRESS = re.compile(r"\s*([^<>@\"]*,[^<>@\"]*)<([^<>\s]{3,320})>\s*")
_ON_BEHALF = re.compile(
    r"\s(?:on behalf of|im auftrag von|de la part de|en nombre de|namens|per conto di|em nome de"
    r"|w imieniu|jménem|v mene|от имени|від імені|på vegne af|på vegne av|för|puolesta"
    r"|adına|numele|代表|代理)\s",
    re.IGNORECASE,
)
_AROUND_NAME = " \t*_'\"„“”‚‘’«»,\u201f"


def read_people(value: str) -> tuple[Named, ...]:
    """Return the mailboxes of a line, each address once; names alone are left out."""
    found: dict[str, Named] = {}
    for person in _all(_plain(value[:_MAX_VALUE])):
        known = found.get(person.address.lower())
        if known is None or (person.name and not known.name):
            found[person.address.lower()] = person
    return tuple(found.values())[:MAX_ADDRESSES]


def read_sender(value: str) -> Named | None:
    """Return who the From of a block names, None when there is no address in it."""
    acting, behalf, _ = _split(_plain(value[:_MAX_VALUE]))
    people = read_people(acting) if behalf else read_people(value)
    return people[-1] if people else None


def _split(value: str) -> tuple[str, str, str]:
    found = _ON_BEHALF.search(value)
    if found is None or "@" not in value[: found.start()]:
        return value, "", ""
    return value[: found.start()], found[0], value[found.end() :]


def _plain(value: str) -> str:
    """Return the list with its addresses in angle brackets, each once."""
    value = value.translate(_PUNCTUATION)
    pieces: list[str] = []
    end = 0
    for link in _LINKED.finditer(value):
        before = value[end : link.start()]
        shown = before.rstrip(" <>*").lower().endswith(link[1].lower())
        pieces += [before, "" if shown else f"<{link[1]}>"]
        end = link.end()
    value = "".join([*pieces, value[end:]])
    return value if "<" in value else _IN_BRACKETS.sub(r"<\1>", value)


def _all(value: str) -> list[Named]:
    if ";" not in value and value.count("<") != 1:
        return _listed(value)
    people: list[Named] = []
    for piece in value.split(";", MAX_ADDRESSES):
        alone = _NAME_AND_ADDRESS.fullmatch(piece)
        mailboxes = _listed(f"<{alone[2]}>") if alone else _listed(piece)
        if alone and len(mailboxes) == 1:
            mailboxes = [_named(alone[1], mailboxes[0].address)]
        people += mailboxes
    return people


def _listed(value: str) -> list[Named]:
    return [_named(mailbox.name, mailbox.address) for mailbox in addresses([value])]


def _named(name: str, address: str) -> Named:
    name = decode_text(name).strip(_AROUND_NAME)
    is_address = name.lower() == address.lower()
    return Named(name="" if is_address else name[:_MAX_NAME], address=address)
