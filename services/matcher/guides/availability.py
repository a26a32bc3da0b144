"""Which guides can be followed today: none relies on what Satchel lacks.

* Some providers ask before they forward, in a mail that `confirmations/` cannot read. Their users
  first open their set-up window, which shows the mail as it came; where the window may not show
  it, they get the steps by hand. So do users of a provider whose link is not published: Satchel
  reads it if it looks as expected, and does not promise to.

The files keep their steps: to show them, remove the provider from the set.
"""

from services.matcher.guides.shape import Guide, GuideHalf

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


FROM_THE_USERS_OWN = frozenset({"qq", "tencent-exmail"})
"""Providers that ask from the user's own address or domain: the window does not show a mail whose
only participants are users."""
WATCH = {
    "en": "Before you begin, choose “Show the next mails” on this page. For an hour it shows up to "
    "five mails that arrive at your capture address and match no candidate or contact, your "
    "provider's question among them, and keeps each for a day.",
    "de": "Wählen Sie zuvor auf dieser Seite „Nächste E-Mails zeigen“. Eine Stunde lang zeigt sie "
    "bis zu fünf E-Mails, die an Ihrer Erfassungsadresse ankommen und keinen Kandidaten oder "
    "Ansprechpartner betreffen, darunter die Anfrage Ihres Anbieters, und behält jede einen Tag.",
}


def available(guide: Guide, by_hand: GuideHalf, language: str) -> Guide:
    """Return the guide, which is in this language, as it can be followed today."""
    if guide.receives is None or guide.id not in UNREAD_CONFIRMATIONS:
        return guide
    if guide.id not in FROM_THE_USERS_OWN:
        receives = guide.receives.model_copy(
            update={"steps": (WATCH[language], *guide.receives.steps)}
        )
        return guide.model_copy(update={"receives": receives})
    # The needs are those of forwarding: a paid plan, an administrator.
    receives = by_hand.model_copy(update={"confirmation": guide.receives.confirmation})
    return guide.model_copy(update={"receives": receives, "needs": ()})
