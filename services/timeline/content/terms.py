"""What a mail is found by: the terms that the inbox search keeps of it.

Rules:

* Text is compared folded: no case, no diacritics, no full-width or other compatibility forms, no
  invisible characters. What tells words apart stays: voiced kana, Hangul, Indic vowel signs.
* A word is a run of letters, digits and their marks, at most 40 characters of it. Apostrophes are
  dropped: `O'Neil` is `oneil`.
* Chinese, Japanese, Korean, Thai, Lao, Burmese and Khmer are written without spaces, or with
  particles glued to the word. A run of them is kept as its overlapping pairs of characters, and its
  last character alone: so one character begins some term wherever it stands.
* An address is a term as a whole (`anna@x.example`), and so is where it is (`@x.example`); its
  words are terms too, and of one that is not ASCII when folded the words alone.
* Terms of the sender are kept again as `:from:...`, of the recipients as `:to:...`, and
  `:has:attachment` says that there is one. No other term has a colon: what people write cannot
  forge these, and no prefix of a word begins them.
* A mail has at most MAX_TERMS terms. One with more, and one that could not be read whole, has the
  term `:partial` too: a search says how many such mails it may have missed.
* Nothing raises, whatever the text; all takes linear time.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import chain

MAX_TERMS = 20_000
"""300 KB of Chinese have fewer, and so has 1 MiB of English. To write so many takes 0.1 s. MongoDB
indexes at most 100,000 of one document (`indexMaxNumGeneratedKeysPerDocument`)."""
MAX_WORD = 40
FROM, TO, HAS_ATTACHMENT, PARTIAL = ":from:", ":to:", ":has:attachment", ":partial"
_SURE_TERMS = 200  # of each field, however long the others are

_IGNORED = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"  # invisible: soft hyphens, joiners, directions, variants of a glyph
    "\u2120\u2122\ufdfa\ufdfb"  # signs that fold to letters, glued to the word before or many
    "\ud800-\udfff]"  # half characters cannot be stored
)
_MANY_MARKS = re.compile(r"([^\w\s\x00-\x7f]{30})[^\w\s\x00-\x7f]++")
"""More marks than any letter has: ordering them takes quadratic time."""
_DEPENDENT = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")  # parts of Hangul syllables
_VARIANTS = str.maketrans("\uff9e\uff9f\u00b4", "\u3099\u309a'")  # marks that are no marks
_DIACRITICS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    # points of Hebrew; vowels of Arabic, and the bar that stretches its words
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
)
_STROKES = str.maketrans("øłđħŧı", "oldhti") | {ord("æ"): "ae", ord("œ"): "oe"}
_DROPPED = dict.fromkeys(map(ord, "'`\u2018\u2019\u02bb\u02bc"), "")  # apostrophes
_UNSPACED = (
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3005-\u3007\u3021-\u3029\u3031-\u303c\u3041-\u312f\u31a0-\u31ff"  # kana, bopomofo
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"  # Han
)
SPACED = rf"[^\s{_UNSPACED}]"
"""A pattern: a character of a word, in a script with spaces between them."""
_RUN = re.compile(rf"[{_UNSPACED}]++|{SPACED}++")
_IN_UNSPACED = re.compile(f"[{_UNSPACED}]")
_APOSTROPHES = frozenset(map(chr, _DROPPED))
_IN_ASCII = {
    code: None if code in _DROPPED else code if chr(code).isalnum() else ord(" ")
    for code in range(0x80)
}
"""What is in a word, and a space for what is not: `str.translate` is fast with one such table."""
_ADDRESS = re.compile(
    r"(?<![a-z0-9_.+'-])[a-z0-9_.+'-]{0,64}+@[a-z0-9](?:[a-z0-9.-]{0,253}[a-z0-9])?"
)


_MANY_CHARACTERS = 8000
"""Different ones in a text: more than any language has."""
_FEW_CHARACTERS = 32
"""Different ones to be replaced: faster one by one than all at once."""


def fold(text: str) -> str:
    """Return the text as it is compared."""
    if text.isascii():
        return text.lower()
    strange = [char for char in set(text) if char > "\x7f"]
    if len(strange) > _MANY_CHARACTERS:
        return _fold_whole(text)
    folded: dict[str, str] = {}
    for char in strange:
        alone = _fold_alone(char)
        if alone is None:
            return _fold_whole(text)
        if alone != char:
            folded[char] = alone
    return _replace(text, folded).casefold()


@lru_cache(maxsize=2 * _MANY_CHARACTERS)
def _fold_alone(char: str) -> str | None:
    """Return the character folded; None if what it folds to depends on those beside it.

    A mark depends on the letter before it. UAX 15: only marks and the parts of Hangul syllables
    compose with what is before them.
    """
    if _IGNORED.match(char):
        return ""
    whole = unicodedata.normalize("NFKD", char.translate(_VARIANTS))
    if _DEPENDENT.match(whole) or unicodedata.category(whole[0])[0] == "M":
        return None
    folded = _fold_whole(char)
    return folded if folded.casefold() == folded else None


def _replace(text: str, by: dict[str, str]) -> str:
    """Return the text with characters replaced; none of them stands in what replaces another."""
    if len(by) > _FEW_CHARACTERS:
        return text.translate({ord(char): instead for char, instead in by.items()})
    for char, instead in by.items():
        text = text.replace(char, instead)
    return text


def _fold_whole(text: str) -> str:
    text = _MANY_MARKS.sub(r"\1", _IGNORED.sub("", text).translate(_VARIANTS))
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", text).translate(_STROKES))


def runs(text: str) -> list[str]:
    """Return the words in order, those of scripts without spaces as whole runs (`is_unspaced`)."""
    return _runs_of(fold(text))


def spaced(text: str) -> str:
    """Return the text folded, with nothing but the words and spaces between them.

    Those of scripts without spaces have none to the next, and no word is cut to MAX_WORD.
    """
    folded = fold(text)
    return folded.translate(_IN_ASCII) if folded.isascii() else _spaced(folded, set(folded))


def is_unspaced(run: str) -> bool:
    """Return whether the run is in a script without spaces."""
    return run[:1] > "\u0e00" and _IN_UNSPACED.match(run) is not None


def words(text: str) -> list[str]:
    """Return the words in order, those of scripts without spaces as pairs and a last character."""
    return list(_words_of(runs(text)))


def pairs(run: str) -> list[str]:
    """Return the overlapping pairs of characters."""
    return [run[at : at + 2] for at in range(len(run) - 1)]


def addresses(folded: str) -> list[str]:
    """Return the addresses in a folded text, and what looks like the end of one: `@x.example`."""
    return [found.lstrip("_.+'-") for found in dict.fromkeys(_ADDRESS.findall(folded))]


def terms_of(
    *,
    subject: str,
    text: str,
    sender: Sequence[tuple[str, str]],
    recipients: Sequence[tuple[str, str]],
    attachments: Sequence[str],
    is_whole: bool = True,
) -> list[str]:
    """Return the terms of a mail, sorted; people are `(name, address)`, attachments file names.

    Where there are too many, the fields have precedence in the order in which they stand here.
    `is_whole` says that these are all of the mail's words.
    """
    fields = (
        _terms_of_people(FROM, sender),
        _terms(subject),
        dict.fromkeys(chain.from_iterable(_terms(name) for name in attachments)),
        _terms_of_people(TO, recipients),
        _terms(text),
    )
    found = {HAS_ATTACHMENT} if attachments else set[str]()
    if len(found) + sum(map(len, fields)) <= MAX_TERMS:
        found.update(*fields)
    else:
        _take_some(found, fields)
        is_whole = is_whole and all(found.issuperset(field) for field in fields)
    if not is_whole:
        found.add(PARTIAL)
    return sorted(found)


def _take_some(found: set[str], fields: Iterable[Iterable[str]]) -> None:
    """Add terms until there are MAX_TERMS: some of each field, then what there is room for."""
    left = [iter(field) for field in fields]
    for share in (_SURE_TERMS, MAX_TERMS):
        for field in left:
            room = min(len(found) + share, MAX_TERMS)
            while len(found) < room and (term := next(field, None)):
                found.add(term)


def _terms(text: str) -> dict[str, None]:
    """Return the terms of a text, in the order in which they stand there."""
    folded = fold(text)
    found: dict[str, None] = {}
    if "@" in folded:
        for address in addresses(" ".join(word for word in folded.split() if "@" in word)):
            found[address] = found[address[address.index("@") :]] = None
    found.update(dict.fromkeys(_words_of(dict.fromkeys(_runs_of(folded)))))
    return found


def _terms_of_people(prefix: str, people: Sequence[tuple[str, str]]) -> dict[str, None]:
    found: dict[str, None] = {}
    for name, address in people:
        for term in chain(_terms(address), _terms(name)):
            found[term] = found[prefix + term] = None
    return found


def _runs_of(folded: str) -> list[str]:
    if folded.isascii():
        return [run[:MAX_WORD] for run in folded.translate(_IN_ASCII).split()]
    characters = set(folded)
    found = _spaced(folded, characters)
    # Those of Hangul, composed, are among those of its parts.
    if not any(char > "\u0e00" and _IN_UNSPACED.match(char) for char in characters):
        return [run[:MAX_WORD] for run in found.split()]
    unspaced: list[str] = _RUN.findall(found)
    return [run if is_unspaced(run) else run[:MAX_WORD] for run in unspaced]


def _spaced(folded: str, characters: AbstractSet[str]) -> str:
    """Return the folded text, which has these characters, with nothing but words and spaces."""
    outside = {char: " " for char in characters if unicodedata.category(char)[0] not in "LMN"}
    by = {**outside, **dict.fromkeys(_APOSTROPHES & characters, "")}
    return unicodedata.normalize("NFC", _replace(folded, by))


def _words_of(runs: Collection[str]) -> Iterable[str]:
    if not any(map(is_unspaced, runs)):
        return runs
    return chain.from_iterable(
        (*pairs(run), run[-1]) if is_unspaced(run) else (run,) for run in runs
    )
