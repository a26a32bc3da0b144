"""A guide in another language: its texts alone; what it says besides is the English file's.

A translation names the version that it is of, so that a text that has changed is translated again.
Steps by hand that a file leaves out are those of the generic guide, in that language.
"""

from pydantic import BaseModel, ConfigDict

from services.matcher.guides.shape import Guide, GuideHalf, Text, placeholders_of

HALVES = ("sends", "receives", "both")
_LISTS = ("steps", "can", "cannot", "traps", "unknown")


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HalfTexts(_Data):
    """The texts of a half, in the order of the English ones."""

    steps: tuple[Text, ...] = ()
    can: tuple[Text, ...] = ()
    cannot: tuple[Text, ...] = ()
    traps: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    notes: tuple[Text, ...] = ()
    """Of the confirmation."""


class GuideTexts(_Data):
    """The texts of a guide."""

    version: int
    """Of the English guide that they say."""
    name: str | None = None
    """Where it is more than the product's own."""
    sends: HalfTexts | None = None
    receives: HalfTexts | None = None
    both: HalfTexts | None = None


def translated(guide: Guide, texts: GuideTexts, by_hand: tuple[str, ...]) -> Guide:
    """Return the guide with these texts. Raises ValueError when they are not those of the guide."""
    if texts.version != guide.version:
        raise ValueError(f"{guide.id}: version {guide.version} is not translated")
    halves = {name: _half(guide, texts, name, by_hand) for name in HALVES}
    return guide.model_copy(update={"name": texts.name or guide.name, **halves})


def _half(guide: Guide, texts: GuideTexts, name: str, by_hand: tuple[str, ...]) -> GuideHalf | None:
    half: GuideHalf | None = getattr(guide, name)
    said: HalfTexts | None = getattr(texts, name)
    if half is None or said is None:
        if half or said:
            raise ValueError(f"{guide.id}: {name} is there in one language alone")
        return None
    if name == "sends" and not said.steps:
        said = said.model_copy(update={"steps": by_hand})
    return translated_half(half, said, f"{guide.id}: {name}")


def translated_half(half: GuideHalf, texts: HalfTexts, where: str) -> GuideHalf:
    """Return the half with these texts. Raises ValueError, with the place in `where`."""
    for name in _LISTS:
        _compare(getattr(half, name), getattr(texts, name), f"{where}.{name}")
    changed: dict[str, object] = {name: getattr(texts, name) for name in _LISTS}
    notes = half.confirmation.notes if half.confirmation else ()
    _compare(notes, texts.notes, f"{where}.notes")
    if half.confirmation:
        changed["confirmation"] = half.confirmation.model_copy(update={"notes": texts.notes})
    return half.model_copy(update=changed)


def _compare(english: tuple[str, ...], other: tuple[str, ...], where: str) -> None:
    """Raise ValueError when a text, or a value that is put into one, is missing in a language."""
    if [placeholders_of(text) for text in english] != [placeholders_of(text) for text in other]:
        raise ValueError(f"{where} has other texts or placeholders in the other language")
