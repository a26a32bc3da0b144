"""Who owns a capture at an address of the account: every user who takes part in it. Pure.

Each of them has a share, as if their own capture address had caught it:

* The owner of a share takes part by header, or is a recipient whom a journal report names.
* A profile that is known from Bcc alone is only in the shares of the mail's authors: no one else's
  copy names it. The recipients that a bounce reports are in every share.
* A share without a match proves a half of its owner's set-up, and nothing else of it is kept.

* A user whose own *never capture* list names a participant has no share; the others have.
"""

from collections.abc import Collection, Mapping, Sequence

from services.matcher.decision.decide import Attach, Person, original_senders
from services.matcher.decision.judge import Judgement
from services.matcher.decision.never_capture import NeverCapture
from shared.contracts.events import Half, Kind, Match, Role, Share, Source


def refused_by(mail: Judgement, lists: Mapping[str, NeverCapture]) -> frozenset[str]:
    """Return the users whose lists, of these, name a participant who is no user."""
    keys = frozenset().union(*(p.keys for p in mail.people if p.kind is Kind.USER))
    outsiders = {participant.address for participant in mail.participants} - keys
    return frozenset(
        user for user, never in lists.items() if never and any(map(never.names, outsiders))
    )


def shares_of(
    captured: Judgement,
    mail: Judgement,
    *,
    backfill: bool,
) -> tuple[Share, ...]:
    """Return the shares in a mail, those of its authors first.

    `captured` is the mail that arrived, `mail` the same, or one that it encloses.
    """
    matches = mail.decision.matches if isinstance(mail.decision, Attach) else ()
    taking_part = [p for p in captured.participants if p.source is not Source.FORWARDED_BODY]
    writers = frozenset(p.address for p in taking_part if p.role is Role.FROM)
    authors = original_senders(mail.participants)
    found = [
        _share(
            user,
            captured,
            matches,
            wrote_it=bool(user.keys & writers),
            is_author=bool(user.keys & authors),
            backfill=backfill,
        )
        for user in users_in(captured.people, {p.address for p in taking_part})
        if user.person_id not in mail.refused_by
    ]
    return tuple(sorted(found, key=lambda share: (not share.sent_by_owner, share.owner)))


def users_in(people: Collection[Person], addresses: Collection[str]) -> list[Person]:
    """Return the users who have one of these addresses."""
    return [p for p in people if p.kind is Kind.USER and not p.keys.isdisjoint(addresses)]


def _share(
    user: Person,
    captured: Judgement,
    matches: Sequence[Match],
    *,
    wrote_it: bool,
    is_author: bool,
    backfill: bool,
) -> Share:
    half = None
    if not (backfill or captured.forwarded):
        half = Half.SENT if wrote_it else Half.RECEIVED
    share = Share(owner=user.person_id, sent_by_owner=is_author, sees_bcc=wrote_it, half=half)
    return share.model_copy(update={"matched": any(map(share.sees, matches))})
