"""Who is looking, and which captures, matches and contents of a mail they may see.

It follows from the caller's token and the account's visibility at this moment.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.timeline.query.hiding import NOTHING_HIDDEN, Hidden
from services.timeline.write.account_settings import AccountSettings
from services.timeline.write.audiences import (
    TEAM,
    as_ruled,
    as_shown,
    in_order,
    private_to,
    profile_dates,
)
from services.timeline.write.matches import merge_matches, visible_matches
from services.timeline.write.records import Capture, Mail, MatchRecord
from shared.http.auth import Caller


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is looking, and what they may see."""

    account: str
    person_id: str
    own_only: bool = False
    """See nothing but what one's own capture address caught."""
    sees_all: bool = False
    """See every mail of the account: a back-end."""
    hidden: Hidden = field(default=NOTHING_HIDDEN, hash=False)
    """What is hidden of the profiles of the mails that are looked at, and which are merged."""

    def knowing(self, hidden: Hidden) -> "Viewer":
        """Return the viewer as they see mails of whose profiles this is hidden or merged."""
        return replace(self, hidden=hidden)

    @property
    def audiences(self) -> list[str]:
        """Return the audiences that this viewer is in."""
        return [self.person_id] if self.own_only else [TEAM, private_to(self.person_id)]

    def captures(self, mail: Mail) -> list[Capture]:
        """Return the captures of a mail that this viewer may know of, the first one first.

        Their matches are on the profiles that show them. A colleague's capture that is known from
        its Bcc alone is never among them.
        """
        return [
            capture
            for capture in in_order(self.shown(mail))
            if self.sees_all
            or capture.owner == self.person_id
            or (capture.is_open and not self.own_only)
        ]

    def contents(self, mail: Mail, person_id: str | None = None) -> list[Capture]:
        """Return the captures that this viewer may know of, those of the content first that they
        are shown; of a profile only those whose content names it."""
        captures = as_shown(self.captures(mail))
        if person_id is None:
            return captures
        naming = {
            capture.content
            for capture in captures
            for match in self._visible(capture.matches)
            if match.person_id == person_id and not match.detached
        }
        return [capture for capture in captures if capture.content in naming]

    def matches(self, captures: Iterable[Capture]) -> list[MatchRecord]:
        """Return the matches of captures that this viewer may see."""
        known = [match for capture in captures for match in capture.matches]
        return merge_matches(match for match in self._visible(known) if not match.detached)

    def detached(self, captures: Iterable[Capture]) -> list[str]:
        """Return the profiles that a mail was removed from, of those that captures name and this
        viewer may see."""
        known = [match for capture in captures for match in capture.matches]
        seen = [*self._visible(known)]
        # Of merged profiles it may have been removed from one, and be on another.
        on = {match.person_id for match in seen if not match.detached}
        return sorted({match.person_id for match in seen} - on)

    def has_made_private(self, mail: Mail) -> bool:
        """Return whether this viewer's own captures are for themselves alone; of a back-end,
        whether no other user may see the mail."""
        if self.sees_all:
            return all(capture.owner in mail.private for capture in mail.captures)
        return self.person_id in mail.private

    def shown(self, mail: Mail) -> Sequence[Capture]:
        """Return all captures of a mail without what is hidden, on the profiles that show them."""
        captures = as_ruled(mail)
        return self.hidden.merged(captures if self.sees_all else self.hidden.without(captures))

    def place_of(self, mail: Mail, profile: str, members: Collection[str]) -> datetime | None:
        """Return where a profile with merged members has a mail, of the dates of all their rows.

        That of the content which is shown there; the latest where that has no row of its own.
        """
        rows = profile_dates(as_ruled(mail))
        dates = {
            rows[audience, one]
            for audience in self.audiences
            for one in members
            if (audience, one) in rows
        }
        seen = profile_dates(self.shown(mail))
        place = next((seen[a, profile] for a in self.audiences if (a, profile) in seen), None)
        return place if place in dates else max(dates, default=None)

    def _visible(self, matches: Sequence[MatchRecord]) -> Iterable[MatchRecord]:
        return matches if self.sees_all else visible_matches(matches, self.person_id)


async def viewer_of(settings: AccountSettings, caller: Caller, *, own_only: bool = False) -> Viewer:
    """Return what a person may see."""
    own_only = own_only or await settings.visibility(caller.account) == "owner"
    return Viewer(caller.account, caller.person_id, own_only)


def viewer_of_all(caller: Caller) -> Viewer:
    """Return what a back-end may see: everything in its account, whatever the visibility."""
    return Viewer(caller.account, caller.person_id, sees_all=True)
