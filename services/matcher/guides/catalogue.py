"""The guides that can be followed, from the files, and the table of mail hosts.

Where a product cannot add a Bcc by itself, its file leaves out the steps of `sends`: they are those
of the generic guide, by hand, the same everywhere. Another language has a folder of its own, with
the same files (`translating.py`).
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from services.matcher.guides.availability import available
from services.matcher.guides.shape import Guide, GuideHalf, GuideKind
from services.matcher.guides.translating import GuideTexts, HalfTexts, translated, translated_half

GENERIC = "generic"
ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")
"""The first is the one that the others translate."""
_FOLDER = Path(__file__).parent
_FOLDERS = {
    GuideKind.PROVIDER: "providers",
    GuideKind.CLIENT: "clients",
    GuideKind.COMPANY: "company",
}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The guides that can be followed today, by language and id, and those of mail hosts."""

    languages: Mapping[str, Mapping[str, Guide]]
    mail_hosts: Mapping[str, str]
    """The guide's id, by the end of a host's name: `google.com` is that of `aspmx.l.google.com`."""

    @classmethod
    def load(cls) -> Self:
        """Read the files. Raises ValueError when one of them is not as it should be."""
        languages = {language: _guides_in(language) for language in LANGUAGES}
        mail_hosts = _read(_FOLDER / "mail_hosts.toml")
        if unknown := set(mail_hosts.values()) - languages[ENGLISH].keys():
            raise ValueError(f"mail_hosts.toml has unknown guides: {sorted(unknown)}")
        return cls(languages, mail_hosts)

    @property
    def guides(self) -> Mapping[str, Guide]:
        """The guides in English, by id."""
        return self.languages[ENGLISH]

    def of_host(self, host: str) -> Guide | None:
        """Return the guide of a host that takes mail: of the longest end that the table has."""
        labels = host.split(".")
        ends = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self.guides[self.mail_hosts[e]] for e in ends if e in self.mail_hosts), None)


def language_of(tag: str) -> str:
    """Return the language of a tag such as `de-AT`; English, if there are no guides in it."""
    language = tag.partition("-")[0].lower()
    return language if language in LANGUAGES else ENGLISH


def _guides_in(language: str) -> dict[str, Guide]:
    by_hand = GuideHalf.model_validate(_read(_FOLDER / "by_hand.toml"))
    if language != ENGLISH:
        texts = HalfTexts.model_validate(_read(_FOLDER / language / "by_hand.toml"))
        by_hand = translated_half(by_hand, texts, f"{language}/by_hand.toml")
    found = (available(guide, by_hand, language) for guide in written_guides(language))
    return {guide.id: guide for guide in found}


def written_guides(language: str = ENGLISH) -> Iterator[Guide]:
    """Yield all guides as they stand in the files. Raises ValueError."""
    by_hand = _read(_FOLDER / "providers" / f"{GENERIC}.toml")["sends"]["steps"]
    for kind, folder in _FOLDERS.items():
        for path in sorted((_FOLDER / folder).glob("*.toml")):
            data = _read(path)
            if "sends" in data:
                data["sends"].setdefault("steps", by_hand)
            guide = Guide.model_validate({"id": path.stem, "kind": kind, **data})
            yield guide if language == ENGLISH else _in(language, guide)


def _in(language: str, guide: Guide) -> Guide:
    folder = _FOLDER / language
    by_hand = _read(folder / "providers" / f"{GENERIC}.toml")["sends"]["steps"]
    texts = _read(folder / _FOLDERS[guide.kind] / f"{guide.id}.toml")
    return translated(guide, GuideTexts.model_validate(texts), tuple(by_hand))


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
