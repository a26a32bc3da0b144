"""Which guides can be followed today: none relies on what Satchel lacks.

* A guide with an unmet need is not listed.
* A provider that asks before it forwards, in a mail that `confirmations/` cannot read, cannot be
  answered. Its users get the steps by hand in place of those of forwarding. So do those of a
  provider whose link nobody has published: it is read where it is as expected, and not promised.

The files keep their steps. Taking an entry out of these sets is all that it takes to tell them.
"""

from services.matcher.guides.shape import Guide, GuideHalf, GuideNeed

UNMET_NEEDS = frozenset({GuideNeed.ACCOUNT_CAPTURE_ADDRESS, GuideNeed.JOURNAL_REPORTS})
UNREAD_CONFIRMATIONS = frozenset(
    {
        "china-mobile",
        "gmx",
        "migadu",
        "naver-works",
        "tencent-exmail",
        "yahoo",
        "yandex",
    }
)
"""Providers that always ask. Zimbra does where a site wants it: its guide says so."""


def available(guide: Guide, by_hand: GuideHalf) -> Guide | None:
    """Return the guide as it can be followed today; None when it cannot."""
    if UNMET_NEEDS.intersection(guide.needs):
        return None
    if guide.receives is None or guide.id not in UNREAD_CONFIRMATIONS:
        return guide
    # The needs are those of forwarding: a paid plan, an administrator.
    receives = by_hand.model_copy(update={"confirmation": guide.receives.confirmation})
    return guide.model_copy(update={"receives": receives, "needs": ()})
