"""The lines of a text, and what each of them is: new, quoted, or what ends a mail."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby


class Kind(StrEnum):
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

    def has_new(self) -> bool:
        """Return whether any line has something new."""
        return next(self.new_runs(), None) is not None

    def new_runs(self) -> Iterator[tuple[int, int]]:
        """Yield start and end of each run of new lines, trimmed of blank ones, from the top."""
        bare, at = self.bare, 0
        for kind, run in groupby(self.kinds):
            end = at + len(list(run))
            if kind is Kind.NEW:
                start, last = at, end
                while start < last and not bare[start]:
                    start += 1
                while start < last and not bare[last - 1]:
                    last -= 1
                if start < last:
                    yield start, last
            at = end
