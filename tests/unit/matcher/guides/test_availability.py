"""No guide that is told needs something that Satchel does not have."""

from collections.abc import Iterator

import pytest

from services.matcher.confirmations import may_be_confirmation
from services.matcher.guides import Catalogue
from services.matcher.guides.availability import FROM_THE_USERS_OWN, UNREAD_CONFIRMATIONS, WATCH
from services.matcher.guides.catalogue import written_guides
from services.matcher.guides.shape import (
    Automatic,
    ConfirmationKind,
    Guide,
    GuideConfirmation,
    GuideKind,
    GuideNeed,
    placeholders_of,
)
from shared.mail.header_block import read_header_block

DOMAIN = "in.satchel.test"
WRITTEN = {guide.id: guide for guide in written_guides()}
TOLD = Catalogue.load().guides
ASKING = {ConfirmationKind.LINK, ConfirmationKind.CODE, ConfirmationKind.LINK_OR_CODE}
ASKING |= {ConfirmationKind.ASKED}
ASKS_WHERE_A_SITE_WANTS_IT = {"zimbra"}
LINK_NOT_PUBLISHED = {"yahoo"}
QQ_SUBJECT = "=?utf-8?b?UVHpgq7nrrHoh6rliqjovazlj5Hpqozor4Hpgq7ku7Y=?="


def texts(guide: Guide) -> Iterator[str]:
    for half in filter(None, (guide.sends, guide.receives, guide.both)):
        yield from (*half.steps, *half.snippets, *half.can, *half.cannot)
        yield from (*half.traps, *half.unknown)


def confirmation_of(guide: Guide) -> GuideConfirmation:
    assert guide.receives
    assert guide.receives.confirmation
    return guide.receives.confirmation


def is_read(sender: str) -> bool:
    """Return whether the matcher takes a mail of this sender for a question."""
    mailbox = sender.replace("{address}", "12345@qq.com")
    raw = f"From: {mailbox}\r\nTo: me@{DOMAIN}\r\nSubject: {QQ_SUBJECT}\r\n\r\n".encode()
    return may_be_confirmation(read_header_block(raw), DOMAIN)


def test_every_guide_is_told_those_for_a_whole_company_among_them() -> None:
    assert TOLD.keys() == WRITTEN.keys()
    named = {
        guide.id
        for guide in TOLD.values()
        if "account_capture_address" in {n for text in texts(guide) for n in placeholders_of(text)}
    }
    assert named == {
        "exchange-journaling",
        "exchange-mail-flow",
        "postfix",
        "synology",
        "workspace-routing",
    }


def test_what_can_be_followed_stays_as_it_is_written() -> None:
    changed = {id_ for id_, guide in TOLD.items() if guide != WRITTEN[id_]}
    assert changed == UNREAD_CONFIRMATIONS
    assert GuideNeed.PAID_PLAN in TOLD["proton"].needs
    assert TOLD["gmail"].receives == WRITTEN["gmail"].receives


def test_a_question_that_is_not_read_is_seen_in_the_window() -> None:
    seen = UNREAD_CONFIRMATIONS - FROM_THE_USERS_OWN
    assert {"gmx", "yandex", "migadu"} <= seen
    for id_ in seen:
        told, written = TOLD[id_].receives, WRITTEN[id_].receives
        assert told
        assert written
        assert told.steps == (WATCH["en"], *written.steps)
        assert TOLD[id_].needs == WRITTEN[id_].needs


def test_a_provider_whose_question_cannot_be_shown_is_received_by_hand() -> None:
    for id_ in UNREAD_CONFIRMATIONS & FROM_THE_USERS_OWN:
        guide = TOLD[id_]
        assert guide.receives
        assert guide.receives.automatic is Automatic.NO
        assert any("{capture_address}" in step for step in guide.receives.steps)
        assert guide.receives.cannot
        assert guide.needs == (), "nobody pays for what they cannot use"
        assert guide.sends == WRITTEN[id_].sends
        assert guide.receives.confirmation == confirmation_of(WRITTEN[id_])


def test_those_are_the_ones_that_ask_and_are_not_read() -> None:
    asking = {
        guide.id: confirmation_of(guide)
        for guide in WRITTEN.values()
        if guide.kind is GuideKind.PROVIDER and confirmation_of(guide).kind in ASKING
    }
    unread = {
        id_
        for id_, asked in asking.items()
        if not (asked.senders and all(is_read(sender) for sender in asked.senders))
    }
    assert unread - ASKS_WHERE_A_SITE_WANTS_IT == UNREAD_CONFIRMATIONS - LINK_NOT_PUBLISHED
    assert is_read("forwarding-noreply@google.com")
    assert not is_read("noreply@zoho.example")


@pytest.mark.parametrize("guide", TOLD.values(), ids=lambda guide: guide.id)
def test_a_question_appears_on_the_page_only_where_it_is_read(guide: Guide) -> None:
    promised = [text for text in texts(guide) if "appears on this page" in text]
    senders = confirmation_of(guide).senders if promised else ()
    is_watched = guide.receives is not None and WATCH["en"] in guide.receives.steps
    assert not promised or is_watched or (senders and all(is_read(sender) for sender in senders))
