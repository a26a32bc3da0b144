"""Every guide is complete in every language, and says the same in each."""

import re
from collections.abc import Iterator

import pytest

from services.matcher.guides import GENERIC, Catalogue, language_of
from services.matcher.guides.availability import WATCH
from services.matcher.guides.catalogue import ENGLISH, LANGUAGES, written_guides
from services.matcher.guides.shape import Guide, GuideHalf, placeholders_of
from services.matcher.guides.translating import GuideTexts, HalfTexts, translated

TOLD = Catalogue.load().languages
ENGLISH_GUIDES = {guide.id: guide for guide in written_guides()}
PAIRS = [(ENGLISH_GUIDES[guide.id], guide) for guide in written_guides("de")]
PROMISE = re.compile(r"appears? on this page|erschein.*auf dieser Seite|auf dieser Seite erscheint")
every_guide = pytest.mark.parametrize(("english", "german"), PAIRS, ids=list(ENGLISH_GUIDES))


def halves(guide: Guide) -> list[GuideHalf]:
    return [half for half in (guide.sends, guide.receives, guide.both) if half]


def texts(guide: Guide) -> Iterator[str]:
    for half in halves(guide):
        yield from (*half.steps, *half.can, *half.cannot, *half.traps, *half.unknown)
        yield from half.confirmation.notes if half.confirmation else ()


@every_guide
def test_each_text_is_translated_with_its_placeholders(english: Guide, german: Guide) -> None:
    for one, other in zip(texts(english), texts(german), strict=True):
        assert one != other
        assert placeholders_of(one) == placeholders_of(other)
        assert bool(PROMISE.search(one)) == bool(PROMISE.search(other)), other
        assert other.endswith((".", "?", ")")), other
        assert not re.search("[“”]", re.sub("„[^“”]*“", "", other)), f"quotes: {other}"
        assert not re.search(r"\b(the|your|and|you|choose)\b", re.sub("„[^“]*“", "", other)), other


@every_guide
def test_what_is_no_text_is_the_same(english: Guide, german: Guide) -> None:
    facts = {"name", "sends", "receives", "both"}
    assert english.model_dump(exclude=facts) == german.model_dump(exclude=facts)
    for one, other in zip(halves(english), halves(german), strict=True):
        assert one.snippets == other.snippets
        assert (one.automatic, one.evidence) == (other.automatic, other.evidence)
        if one.confirmation:
            assert other.confirmation
            said = {"notes"}
            assert one.confirmation.model_dump(exclude=said) == other.confirmation.model_dump(
                exclude=said
            )


def test_a_name_in_words_is_in_the_language_and_a_products_own_stays() -> None:
    german = TOLD["de"]
    assert german[GENERIC].name == "Anderer Anbieter"
    assert german["gmail"].name == "Gmail"
    english = {"a", "an", "the", "another", "for", "such", "or"}
    for guide in german.values():
        assert not english & set(re.findall(r"[a-z]+", guide.name.lower())), guide.name


def test_what_is_held_back_is_held_back_in_every_language() -> None:
    assert set(TOLD) == set(WATCH) == set(LANGUAGES)
    for language, told in TOLD.items():
        assert list(told) == list(TOLD[ENGLISH])
        gmx, exmail = told["gmx"].receives, told["tencent-exmail"].receives
        assert gmx
        assert gmx.steps[0] == WATCH[language]
        assert exmail
        assert exmail.automatic == "no"
        assert ("Forward" in exmail.steps[0]) == (language == ENGLISH)


@pytest.mark.parametrize(
    ("tag", "language"), [("de", "de"), ("DE-at", "de"), ("en-GB", "en"), ("fr", "en"), ("d", "en")]
)
def test_a_tag_leads_to_its_language_or_to_english(tag: str, language: str) -> None:
    assert language_of(tag) == language


GUIDE = ENGLISH_GUIDES["thunderbird-android"]
GOOD = HalfTexts(steps=("Eins.", "Zwei {capture_address}."), traps=("Drei.",))


def test_a_translation_of_another_version_or_of_other_texts_is_refused() -> None:
    told = translated(GUIDE, GuideTexts(version=1, name="X", sends=GOOD), ())
    assert told.sends
    assert told.sends.steps == GOOD.steps
    assert told.name == "X"
    missing = GOOD.model_copy(update={"traps": ()})
    elsewhere = GOOD.model_copy(update={"steps": ("Eins {capture_address}.", "Zwei.")})
    for wrong, said in (
        (GuideTexts(version=2, sends=GOOD), "version 1 is not translated"),
        (GuideTexts(version=1, sends=missing), r"sends\.traps"),
        (GuideTexts(version=1, sends=elsewhere), r"sends\.steps"),
        (GuideTexts(version=1, sends=GOOD.model_copy(update={"notes": ("N.",)})), r"sends\.notes"),
        (GuideTexts(version=1), "sends is there in one language alone"),
        (GuideTexts(version=1, sends=GOOD, both=GOOD), "both is there in one language alone"),
    ):
        with pytest.raises(ValueError, match=said):
            translated(GUIDE, wrong, ())
