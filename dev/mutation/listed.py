"""Mutants that no test can notice, with the reason: `tests/mutants.toml`.

An entry names its mutant by the text of the line and by the change, so that it stays right when
lines move. One that fits no mutant any more is an error.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.mutation.faults import Mutant


@dataclass(frozen=True, slots=True)
class Entry:
    """A mutant that is listed."""

    module: str
    line: str
    change: str
    """As it is printed for a survivor; empty: every change of this line."""
    reason: str

    def names(self, path: str, mutant: Mutant) -> bool:
        """Return whether the entry is about this mutant."""
        return (
            self.module == path
            and self.line == mutant.source
            and self.change in ("", mutant.change)
        )


def read(file: Path) -> list[Entry]:
    """Return the entries of a file. Raises ValueError when one is not complete."""
    found = []
    for entry in tomllib.loads(file.read_text()).get("mutant", []):
        try:
            found.append(
                Entry(entry["module"], entry["line"], entry.get("change", ""), entry["reason"])
            )
        except KeyError as error:
            raise ValueError(f"{file}: an entry has no {error}: {entry}") from error
    return found


def stale(entries: Iterable[Entry], known: Mapping[str, Sequence[Mutant]]) -> list[Entry]:
    """Return the entries about modules in `known` that name no mutant."""
    return [
        entry
        for entry in entries
        if entry.module in known
        and not any(entry.names(entry.module, mutant) for mutant in known[entry.module])
    ]
