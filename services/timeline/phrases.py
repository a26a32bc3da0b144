"""Whether the words of a phrase stand in a text in a row, whatever is between them.

* Words are those of `terms`, and whole. At its ends a phrase in a script without spaces may be part
  of a longer run.
* A search reads hundreds of mails for one page, and few of them have the phrase. So all texts of a
  mail are looked through as one first, folded once, for the beginning of each phrase; those that
  may have it are split into words.
* Time is linear in the texts, whatever they and the phrase are.
"""

import re
from collections.abc import Sequence

from services.timeline import terms

_FIRST_WORDS = 4
"""Of a phrase, for the first look: each place of the text begins so many comparisons at most."""


class Phrases:
    """Some phrases, made ready for many mails."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = [_Phrase(phrase) for phrase in phrases]

    def stand_in(self, texts: Sequence[str]) -> bool:
        """Return whether each phrase stands in one of the texts."""
        all_ = terms.spaced("\n".join(texts))
        if not all(phrase.may_stand_in(all_) for phrase in self._phrases):
            return False
        split = [_split(terms.runs(text)) for text in texts]
        return all(any(phrase.stands_in(text) for text in split) for phrase in self._phrases)


def has_phrase(phrase: str, text: str) -> bool:
    """Return whether the phrase stands in the text."""
    return Phrases([phrase]).stand_in([text])


class _Phrase:
    def __init__(self, phrase: str) -> None:
        runs = terms.runs(phrase)
        self._beginning = re.compile(_beginning(runs))
        start = "" if not runs or terms.is_unspaced(runs[0]) else " "
        end = "" if not runs or terms.is_unspaced(runs[-1]) else " "
        self._whole = f"{start}{' '.join(runs)}{end}"

    def may_stand_in(self, spaced: str) -> bool:
        """Return whether it can stand in texts that are `terms.spaced`."""
        return self._beginning.search(spaced) is not None

    def stands_in(self, split: str) -> bool:
        """Return whether it stands in a text that is `_split`."""
        return self._whole in split


def _split(runs: Sequence[str]) -> str:
    return f" {' '.join(runs)} "


def _beginning(runs: Sequence[str]) -> str:
    """Return a pattern of the first words, with no boundaries but between them.

    It begins with a word as it is written: such a pattern is found fast.
    """
    pattern, before = "", ""
    for run in runs[:_FIRST_WORDS]:
        if before:
            same_script = terms.is_unspaced(before) == terms.is_unspaced(run)
            pattern += " ++" if same_script else " *+"
        pattern += re.escape(run)
        if len(run) == terms.MAX_WORD:
            break  # in the text it may be longer
        before = run
    return pattern
