"""The form of a guide: what a page can render, and what a test holds every file to."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Placeholder = Literal["capture_address", "account_capture_address", "address"]
"""The user's capture address, that of the whole account, the mailbox that is set up."""
PLACEHOLDERS: frozenset[str] = frozenset(get_args(Placeholder))
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_MARKUP = re.compile(r"[<`*\x00-\x1f\x7f]|\s\s|^\s|\s$")


def placeholders_of(text: str) -> set[str]:
    """Return the names in a text that a value is put in place of: `{capture_address}`."""
    return set(_PLACEHOLDER.findall(text))


def _has_known_names(text: str) -> str:
    if unknown := placeholders_of(text) - PLACEHOLDERS:
        raise ValueError(f"has unknown placeholders: {sorted(unknown)}")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        raise ValueError("has a brace of no placeholder")
    return text


def _is_plain(text: str) -> str:
    if _MARKUP.search(text):
        raise ValueError("is not plain text")
    return _has_known_names(text)


Text = Annotated[str, Field(min_length=3, max_length=240), AfterValidator(_is_plain)]
"""A sentence or two in plain text; `{capture_address}` and its like are filled in by the page."""
Snippet = Annotated[str, Field(min_length=3, max_length=400), AfterValidator(_has_known_names)]
"""Lines of a configuration; of braces only placeholders have a meaning."""


class GuideKind(StrEnum):
    """What a guide is about."""

    PROVIDER = "provider"
    CLIENT = "client"
    COMPANY = "company"


class Evidence(StrEnum):
    """How reliable some information is."""

    SEEN = "seen"
    REPORTED = "reported"
    UNKNOWN = "unknown"


class ConfirmationKind(StrEnum):
    """What a provider asks before it forwards."""

    NONE = "none"
    LINK = "link"
    CODE = "code"
    LINK_OR_CODE = "link_or_code"
    ASKED = "asked"
    UNKNOWN = "unknown"


class Automatic(StrEnum):
    """Whether mail arrives without a step for each mail."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    UNKNOWN = "unknown"


class GuideNeed(StrEnum):
    """What a guide needs besides the user's own mailbox."""

    PAID_PLAN = "paid_plan"
    ADMINISTRATOR = "administrator"
    OWN_SERVER = "own_server"
    ACCOUNT_CAPTURE_ADDRESS = "account_capture_address"
    JOURNAL_REPORTS = "journal_reports"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GuideConfirmation(_Data):
    """What a provider asks before it forwards, and what the question looks like."""

    kind: ConfirmationKind = Field(
        description="`asked`: the provider asks, but how is not known. `unknown`: not known "
        "whether it asks"
    )
    evidence: Evidence
    senders: tuple[str, ...] = Field(
        (), description="Addresses that the question comes from; `{address}` is the mailbox itself"
    )
    valid_hours: int | None = Field(None, description="Hours to answer the question, if known")
    notes: tuple[Text, ...] = ()


class GuideHalf(_Data):
    """How to set up one half."""

    automatic: Automatic = Field(description="Whether mail arrives without a step for each mail")
    evidence: Evidence = Field(description="How reliable the steps are")
    steps: tuple[Text, ...] = Field(description="The steps in order")
    snippets: tuple[Snippet, ...] = Field(
        (), description="Configuration lines to copy, with the same placeholders"
    )
    can: tuple[Text, ...] = ()
    cannot: tuple[Text, ...] = ()
    traps: tuple[Text, ...] = Field((), description="Common mistakes, and how to correct them")
    unknown: tuple[Text, ...] = Field((), description="What is not confirmed yet")
    confirmation: GuideConfirmation | None = Field(
        None, description="The provider's question, for forwarding only"
    )


class Guide(_Data):
    """How to set up a provider, a mail client or a whole company."""

    id: str
    kind: GuideKind
    name: str = Field(description="The product's name")
    version: int = Field(ge=1, description="Raised with each change of the text")
    checked: date = Field(description="When the guide was last compared with its sources")
    sources: tuple[str, ...] = Field(description="Sources, mostly web pages")
    needs: tuple[GuideNeed, ...] = ()
    sends: GuideHalf | None = Field(None, description="How to capture mail that the user sends")
    receives: GuideHalf | None = Field(
        None, description="How to capture mail that the user receives"
    )
    both: GuideHalf | None = Field(
        None, description="One set-up for both halves, for a whole company"
    )
