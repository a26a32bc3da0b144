"""The lines of a text, and what each of them is: new, quoted, or what ends a mail."""

from collections.abc import Iterator
from enum import Enum


class Kind(Enum):
    """What a line is."""

    NEW = "new"
    QUOTED = "quoted"
    QUOTE_HEAD = "quote head"
    """What introduces the quote."""
    SIGNATURE = "signature"
    """Of the sender, of a program or of a mailing list."""
    FORWARD_HEAD = "forward head"
    """The header fields of a forwarded mail, which is new."""


class Lines:
    """A text in lines; at first all of them are new."""

    def __init__(self, text: str) -> None:
        self.whole = text.split("\n")
        self.bare = [line.strip() for line in self.whole]
        """Without the white space around them."""
        self.kinds = [Kind.NEW] * len(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    def mark(self, start: int, end: int, kind: Kind) -> None:
        """Say what the lines from `start` up to `end` are."""
        self.kinds[start:end] = [kind] * (end - start)

    def next_filled(self, at: int) -> int:
        """Return the first line from there that is not blank, else the number of lines."""
        while at < len(self.bare) and not self.bare[at]:
            at += 1
        return at

    def last_filled(self, at: int, most: int) -> int:
        """Return the last line up to there that is not blank, -1 if none is within `most`."""
        for number in range(at, max(-1, at - most - 1), -1):
            if self.bare[number]:
                return number
        return -1

    def first_new(self) -> int | None:
        """Return the first line with something new, None if there is none."""
        return next((at for at in range(len(self)) if self.is_new(at)), None)

    def is_new(self, at: int) -> bool:
        """Return whether a line has something new."""
        return self.kinds[at] is Kind.NEW and bool(self.bare[at])

    def new_runs(self) -> Iterator[tuple[int, int]]:
        """Yield start and end of each run of new lines, trimmed of blank ones, from the top."""
        at, size = 0, len(self)
        while at < size:
            if not self.is_new(at):
                at += 1
                continue
            start = end = at
            while at < size and self.kinds[at] is Kind.NEW:
                end = at + 1 if self.bare[at] else end
                at += 1
            yield start, end
