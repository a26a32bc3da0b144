"""A case: mails, a directory, and what is right."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.runtime.mistake import Mistake

CASES = Path(__file__).parent / "cases"
OWNER = "u1"
_PEOPLE = {OWNER: ["user", "rita@agency.example"], "c1": ["candidate", "cara@mail.example"]}
_KEYS = {"people", "owners", "visibility", "never_capture", "tally", "views"}
VIEW = {"timeline", "inbox", "search"}
"""What one user is shown: profiles' mails, conversations, and how many a search finds."""


@dataclass(frozen=True, slots=True)
class Case:
    """Mails in the order in which they are sent, and what is right."""

    name: str
    mails: tuple[Path, ...]
    people: Mapping[str, list[str]]
    """`{person_id: [kind, address, ...]}`."""
    owners: Mapping[str, str]
    """`{file name: person_id}` of mails that are captured by another user than u1."""
    visibility: str | None
    never_capture: Mapping[str, list[str]] | None
    """Of the account."""
    tally: Mapping[str, int] | None
    """What became of the captures; None: all of them are attached."""
    views: Mapping[str, Mapping[str, Any]]
    """`{person_id: {"timeline": ..., "inbox": ..., "search": ...}}`."""

    def owner_of(self, mail: Path) -> str:
        """Return the user whose capture address a mail is sent to."""
        return self.owners.get(mail.name, OWNER)

    @property
    def users(self) -> tuple[str, ...]:
        """Return who captures or reads something, u1 first."""
        return tuple(dict.fromkeys((OWNER, *self.owners.values(), *self.views)))


def load(folder: Path) -> Case:
    """Return the case in a folder. Raises Mistake, which names what is wrong with it."""
    try:
        told = json.loads((folder / "case.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Mistake(f"{folder.name}: case.json cannot be read: {error}") from None
    mails = tuple(sorted(folder.glob("*.eml")))
    if unknown := told.keys() - _KEYS - VIEW:
        raise Mistake(f"{folder.name}: case.json has unknown keys: {', '.join(sorted(unknown))}")
    if not mails:
        raise Mistake(f"{folder.name}: there is no mail (*.eml)")
    if missing := told.get("owners", {}).keys() - {mail.name for mail in mails}:
        raise Mistake(f"{folder.name}: `owners` names no mail: {', '.join(sorted(missing))}")
    own = {key: told[key] for key in told.keys() & VIEW}
    views = {**({OWNER: own} if own else {}), **told.get("views", {})}
    if not views and "tally" not in told:
        raise Mistake(f"{folder.name}: case.json says nothing about what is right")
    return Case(
        name=folder.name,
        mails=mails,
        people={**_PEOPLE, **told.get("people", {})},
        owners=told.get("owners", {}),
        visibility=told.get("visibility"),
        never_capture=told.get("never_capture"),
        tally=told.get("tally"),
        views=views,
    )


def all_cases(cases: Path = CASES) -> list[Case]:
    """Return all cases in a folder, by name."""
    return [load(found.parent) for found in sorted(cases.glob("*/case.json"))]


def differences(said: Any, expected: Any, where: str = "") -> Iterator[str]:
    """Yield where what was said is not what is expected: of objects only the fields that are named.

    Lists have to be as long; what is in them is compared in order.
    """
    if isinstance(expected, dict) and isinstance(said, dict):
        for name, value in expected.items():
            yield from differences(said.get(name), value, f"{where}.{name}".lstrip("."))
    elif isinstance(expected, list) and isinstance(said, list) and len(said) == len(expected):
        for at, (one, other) in enumerate(zip(said, expected, strict=True)):
            yield from differences(one, other, f"{where}[{at}]")
    elif said != expected:
        yield f"{where}: expected {_short(expected)}, got {_short(said)}"


def _short(value: Any) -> str:
    if isinstance(value, list) and any(isinstance(one, dict) and "subject" in one for one in value):
        names = [one.get("subject") for one in value]
        return f"{len(value)}: {json.dumps(names, ensure_ascii=False)}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"
