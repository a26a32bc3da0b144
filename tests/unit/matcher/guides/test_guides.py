"""Every guide has the same form, and says what is not known in place of a guess."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import ValidationError

from services.matcher.guides import GENERIC, Catalogue
from services.matcher.guides.catalogue import written_guides
from services.matcher.guides.shape import (
    Automatic,
    ConfirmationKind,
    Evidence,
    Guide,
    GuideHalf,
    GuideKind,
    GuideNeed,
    placeholders_of,
)

CATALOGUE = Catalogue.load()
GUIDES = list(written_guides())
CHOSEN_BY_HAND = {GENERIC, "zimbra", "cpanel", "plesk", "directadmin", "sieve"}
"""Providers that run on hosts of any name."""
every_guide = pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.id)


def halves(guide: Guide) -> Iterator[GuideHalf]:
    yield from filter(None, (guide.sends, guide.receives, guide.both))


def texts(half: GuideHalf) -> Iterator[str]:
    yield from (*half.steps, *half.snippets, *half.can, *half.cannot, *half.traps, *half.unknown)
    yield from half.confirmation.notes if half.confirmation else ()


@every_guide
def test_a_guide_has_a_date_and_sources_and_its_id_is_the_files_name(guide: Guide) -> None:
    assert date(2026, 1, 1) <= guide.checked
    assert guide.sources
    for source in guide.sources:
        assert re.fullmatch(r"https://\S+|[A-Z][^\n]{10,}[^.\s]", source), source
    assert re.fullmatch(r"[a-z0-9-]{1,40}", guide.id)
    assert len(guide.needs) == len(set(guide.needs))


@every_guide
def test_the_kind_of_a_guide_says_which_halves_it_has(guide: Guide) -> None:
    has = (guide.sends is not None, guide.receives is not None, guide.both is not None)
    allowed = {
        GuideKind.PROVIDER: [(True, True, False)],
        GuideKind.CLIENT: [(True, False, False)],
        GuideKind.COMPANY: [(False, False, True), (False, True, False)],
    }
    assert has in allowed[guide.kind]


@every_guide
def test_every_half_can_be_followed(guide: Guide) -> None:
    for half in halves(guide):
        assert 1 <= len(half.steps) <= 6
        for text in texts(half):
            assert text in half.snippets or text.endswith((".", "?", ")")), text
        assert len(set(texts(half))) == len(list(texts(half))), "nothing is said twice"


@every_guide
def test_forwarding_alone_is_confirmed(guide: Guide) -> None:
    assert guide.sends is None or guide.sends.confirmation is None
    assert guide.both is None or guide.both.confirmation is None
    assert guide.receives is None or guide.receives.confirmation is not None


@every_guide
def test_what_is_automatic_names_the_address_that_it_goes_to(guide: Guide) -> None:
    for half in halves(guide):
        named = {name for text in (*half.steps, *half.snippets) for name in placeholders_of(text)}
        if half.automatic is Automatic.YES:
            assert named & {"capture_address", "account_capture_address"}


@every_guide
def test_what_is_not_known_is_said(guide: Guide) -> None:
    for half in halves(guide):
        told = bool(half.unknown)
        assert told or Evidence.UNKNOWN is not half.evidence
        assert told or half.automatic is not Automatic.UNKNOWN
        if confirmation := half.confirmation:
            is_unknown = confirmation.kind is ConfirmationKind.UNKNOWN
            assert is_unknown == (confirmation.evidence is Evidence.UNKNOWN)
            assert told or not is_unknown
            assert not is_unknown or not (confirmation.senders or confirmation.valid_hours)


@every_guide
def test_a_product_that_can_add_no_bcc_says_so(guide: Guide) -> None:
    if guide.id != GENERIC and guide.sends and guide.sends.automatic is Automatic.NO:
        assert guide.sends.cannot


@every_guide
def test_the_accounts_address_is_named_where_it_is_needed_alone(guide: Guide) -> None:
    named = {
        name for half in halves(guide) for text in texts(half) for name in placeholders_of(text)
    }
    needs_it = GuideNeed.ACCOUNT_CAPTURE_ADDRESS in guide.needs
    assert needs_it == ("account_capture_address" in named)
    assert not needs_it or guide.kind is GuideKind.COMPANY


def test_senders_of_confirmations_are_addresses_or_the_mailbox_itself() -> None:
    confirmations = [g.receives.confirmation for g in GUIDES if g.receives]
    senders = {sender for asked in confirmations if asked for sender in asked.senders}
    assert "forwarding-noreply@google.com" in senders
    assert all(re.fullmatch(r"[a-z.-]+@[a-z.-]+|\{address\}", sender) for sender in senders)


def test_every_provider_is_found_by_its_hosts_or_runs_on_any() -> None:
    providers = {guide.id for guide in GUIDES if guide.kind is GuideKind.PROVIDER}
    assert set(CATALOGUE.mail_hosts.values()) == providers - CHOSEN_BY_HAND
    for end in CATALOGUE.mail_hosts:
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", end)


@pytest.mark.parametrize(
    ("host", "guide"),
    [
        ("gmail-smtp-in.l.google.com", "gmail"),
        ("alt4.gmail-smtp-in.l.google.com", "gmail"),
        ("aspmx.l.google.com", "workspace"),
        ("smtp.google.com", "workspace"),
        ("aspmx2.googlemail.com", "workspace"),
        ("outlook-com.olc.protection.outlook.com", "outlook"),
        ("team-example.mail.protection.outlook.com", "microsoft365"),
        ("team-example.j-v1.mx.microsoft", "microsoft365"),
        ("mx1.qq.com", "qq"),
        ("mxbiz2.qq.com", "tencent-exmail"),
        ("in1-smtp.messagingengine.com", "fastmail"),
        ("mta5.am0.yahoodns.net", "yahoo"),
        ("qiye163mx01.mxmail.netease.com", "netease"),
        ("mx.zoho.eu", "zoho"),
        ("mx0a-00000000.pphosted.com", None),
        ("mail.team.example", None),
        ("notgoogle.com", None),
        ("google.com.attacker.example", None),
        ("com", None),
        ("", None),
    ],
)
def test_a_host_is_known_by_the_longest_end_of_its_name(host: str, guide: str | None) -> None:
    found = CATALOGUE.of_host(host)
    assert (found and found.id) == guide


@pytest.mark.parametrize(
    "text",
    [
        "Type {capture_adress}.",
        "Type {capture_address.",
        "Type {}.",
        "Type <b>it</b>.",
        "Type `it`.",
        "Two  blanks.",
        "A line\nbreak.",
        "x" * 241,
        "",
    ],
)
def test_a_text_is_plain_and_has_known_placeholders(text: str) -> None:
    good = {"automatic": "yes", "evidence": "seen", "steps": ["Type {capture_address}."]}
    GuideHalf.model_validate(good)
    with pytest.raises(ValidationError):
        GuideHalf.model_validate({**good, "traps": [text]})


def test_a_file_with_a_field_of_another_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        GuideHalf.model_validate(
            {"automatic": "yes", "evidence": "seen", "steps": ["Do it."], "trap": ["No."]}
        )
