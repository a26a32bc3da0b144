"""The guides that can be followed, from the files, and the table of mail hosts.

Where a product cannot add a Bcc by itself, its file leaves out the steps of `sends`: they are those
of the generic guide, by hand, the same everywhere.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from services.matcher.guides.availability import available
from services.matcher.guides.shape import Guide, GuideHalf, GuideKind

GENERIC = "generic"
_FOLDER = Path(__file__).parent
_FOLDERS = {
    GuideKind.PROVIDER: _FOLDER / "providers",
    GuideKind.CLIENT: _FOLDER / "clients",
    GuideKind.COMPANY: _FOLDER / "company",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The guides that can be followed today, by id, and those of mail hosts."""

    guides: Mapping[str, Guide]
    mail_hosts: Mapping[str, str]
    """The guide's id, by the end of a host's name: `google.com` is that of `aspmx.l.google.com`."""

    @classmethod
    def load(cls) -> Self:
        """Read the files. Raises ValueError when one of them is not as it should be."""
        by_hand = GuideHalf.model_validate(_read(_FOLDER / "by_hand.toml"))
        found = (available(guide, by_hand) for guide in written_guides())
        guides = {guide.id: guide for guide in found}
        mail_hosts = _read(_FOLDER / "mail_hosts.toml")
        if unknown := set(mail_hosts.values()) - guides.keys():
            raise ValueError(f"mail_hosts.toml has unknown guides: {sorted(unknown)}")
        return cls(guides, mail_hosts)

    def of_host(self, host: str) -> Guide | None:
        """Return the guide of a host that takes mail: of the longest end that the table has."""
        labels = host.split(".")
        ends = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self.guides[self.mail_hosts[e]] for e in ends if e in self.mail_hosts), None)


def written_guides() -> Iterator[Guide]:
    """Yield all guides as they stand in the files. Raises ValueError."""
    by_hand = _read(_FOLDERS[GuideKind.PROVIDER] / f"{GENERIC}.toml")["sends"]["steps"]
    for kind, folder in _FOLDERS.items():
        for path in sorted(folder.glob("*.toml")):
            data = _read(path)
            if "sends" in data:
                data["sends"].setdefault("steps", by_hand)
            yield Guide.model_validate({"id": path.stem, "kind": kind, **data})


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
