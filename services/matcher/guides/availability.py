"""Which guides can be followed today: none relies on what Satchel lacks.

* A provider that asks before it forwards, in a mail that `confirmation.py` cannot read, cannot be
  answered. Its users get the steps by hand in place of those of forwarding.

The files keep their steps. Taking an entry out of the set is all that it takes to tell them.
"""

from services.matcher.guides.shape import Guide, GuideHalf

UNREAD_CONFIRMATIONS = frozenset(
    {
        "china-mobile",
        "gmx",
        "migadu",
        "naver-works",
        "qq",
        "tencent-exmail",
        "yahoo",
        "yandex",
        "zoho",
    }
)
"""Providers that always ask. Zimbra does where a site wants it: its guide says so."""


def available(guide: Guide, by_hand: GuideHalf) -> Guide:
    """Return the guide as it can be followed today."""
    if guide.receives is None or guide.id not in UNREAD_CONFIRMATIONS:
        return guide
    # The needs are those of forwarding: a paid plan, an administrator.
    receives = by_hand.model_copy(update={"confirmation": guide.receives.confirmation})
    return guide.model_copy(update={"receives": receives, "needs": ()})
