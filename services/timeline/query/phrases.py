"""Whether a text contains the words of a phrase in a row, whatever is between them.

* Words are those of `terms`, and whole. At its ends a phrase in a script without spaces may be part
  of a longer run.
* A search reads hundreds of mails for one page. So the texts of a mail are folded and searched as
  one text for the beginning of each phrase, with a separator word that no phrase has. Only for a
  long phrase is each text split into its words.
* Time is linear in the texts, whatever they and the phrases are.
"""

import re
from collections.abc import Sequence

from services.timeline.content import terms

_FIRST_WORDS = 4
"""Of a phrase, for the first look: at any place of a text no more are compared."""
_BETWEEN = f" {'x' * (terms.MAX_WORD + 1)} "


class Phrases:
    """Some phrases, made ready for many mails."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = [_Phrase(runs) for runs in map(terms.runs, phrases) if runs]

    def stand_in(self, texts: Sequence[str]) -> bool:
        """Return whether each phrase stands in one of the texts."""
        all_ = terms.spaced(_BETWEEN.join(texts))
        if not all(phrase.begins_in(all_) for phrase in self._phrases):
            return False
        long = [phrase for phrase in self._phrases if phrase.goes_on]
        split = [f" {' '.join(terms.runs(text))} " for text in texts] if long else []
        return all(any(phrase.whole in text for text in split) for phrase in long)


def has_phrase(phrase: str, text: str) -> bool:
    """Return whether the phrase stands in the text."""
    return Phrases([phrase]).stand_in([text])


class _Phrase:
    """A phrase of at least one run."""

    def __init__(self, runs: Sequence[str]) -> None:
        start, end = ("" if terms.is_unspaced(run) else " " for run in (runs[0], runs[-1]))
        self.whole = f"{start}{' '.join(runs)}{end}"
        """As it stands among the words of a text, with a space before, between and after them."""
        cut = next((n for n, run in enumerate(runs, 1) if len(run) == terms.MAX_WORD), None)
        first = min(cut or _FIRST_WORDS, _FIRST_WORDS)
        self.goes_on = cut is not None or len(runs) > first
        """Whether the phrase is more than what `begins_in` looks for."""
        self._beginning = re.compile(_pattern(runs[:first], is_whole=not self.goes_on))

    def begins_in(self, spaced: str) -> bool:
        """Return whether it begins somewhere in a text that is `terms.spaced`."""
        return self._beginning.search(spaced) is not None


def _pattern(runs: Sequence[str], *, is_whole: bool) -> str:
    """Return what matches the runs in a row; the last may go on, if they are not all.

    It begins with plain characters: such a pattern is found fast.
    """
    first, *others = runs
    pattern = re.escape(first)
    if not terms.is_unspaced(first):
        pattern += f"(?<!{terms.SPACED}{pattern})"
    for before, run in zip(runs, others, strict=False):
        same_script = terms.is_unspaced(before) == terms.is_unspaced(run)
        pattern += (" ++" if same_script else " *+") + re.escape(run)
    if is_whole and not terms.is_unspaced(runs[-1]):
        pattern += f"(?!{terms.SPACED})"
    return pattern
