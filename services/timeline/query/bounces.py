"""To whom a mail could not be delivered, by the bounces that the write side stored.

A bounce is looked up when the mail that it is about is shown, so either may arrive first.

Anybody can write a bounce, so one counts only for a mail

* that its owner captured as well, and that went out,
* that its owner sent: a colleague's mail is never marked by it. The matcher says so of every
  capture (`sent_by_owner`), by the directory at that moment. For captures from before that
  field, From must be an address that the owner has today, with one look-up per page,
* that was sent to one of the recipients it names, if it names any. Who was in Bcc counts for the
  owner of the capture alone.

Addresses compare in one form (`shared.mail.address_form`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from services.timeline.query.parts import records_of
from services.timeline.query.people import Directory
from services.timeline.query.viewer import Viewer
from services.timeline.write.records import Capture, ListedContent, Mail
from services.timeline.write.side_records import Bounce
from shared.mail.address_form import normalise
from shared.storage.database import Database, Document, Index

INDEXES = (
    # Bounces.of
    Index("bounces", IndexModel([("account", ASCENDING), ("token", ASCENDING)], name="of_token")),
)
_MAX_OF_ONE = 20
_MAX_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class KnownBounce:
    """A bounce, and by which addresses its owner is known."""

    bounce: Bounce
    owner_addresses: tuple[str, ...] = ()
    """Where captures do not say whether the owner sent."""


@dataclass(frozen=True, slots=True)
class NotReached:
    """A recipient whom a mail did not reach."""

    address: str | None
    """If the bounce names one."""
    at: datetime


class Bounces:
    """The bounces of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._bounces = database[Bounce.collection]
        self._directory = Directory(database)

    async def of(self, viewer: Viewer, mails: Collection[Mail]) -> dict[str, list[KnownBounce]]:
        """Return the bounces about these mails that a viewer may know of, by the mail's token."""
        query: Document = {
            "account": viewer.account,
            "token": {"$in": [mail.token for mail in mails]},
        }
        if viewer.own_only:
            query["owner"] = viewer.person_id
        bounces = self._bounces.find(query).hint("of_token").limit(_MAX_AT_ONCE)
        known = await records_of(Bounce, bounces)
        found: dict[str, list[KnownBounce]] = {bounce.token: [] for bounce in known}
        undecided = {
            capture.owner
            for mail in mails
            if mail.token in found
            for capture in mail.captures
            if capture.sent_by_owner is None
        }
        people = await self._directory.named(viewer.account, undecided)
        for bounce in known:
            owner = people.get(bounce.owner)
            found[bounce.token].append(KnownBounce(bounce, owner.addresses if owner else ()))
        return found


def bounced(
    bounces: Iterable[KnownBounce],
    captures: Sequence[Capture],
    content: ListedContent,
    viewer: str | None,
) -> list[NotReached]:
    """Return to whom a mail could not be delivered.

    `captures` are those that the viewer may know of, `content` is the form that is shown. None is
    the viewer who sees all.
    """
    bcc = [
        entry for capture in captures if viewer in (None, capture.owner) for entry in capture.bcc
    ]
    sent_to = {normalise(entry.address) for entry in (*content.to, *content.cc, *bcc)}
    found: dict[str | None, NotReached] = {}
    for known in sorted(bounces, key=lambda known: (known.bounce.at, known.bounce.id)):
        bounce = known.bounce
        if not any(_is_sent(capture, known, content) for capture in captures):
            continue
        named = [address for address in bounce.recipients if normalise(address) in sent_to]
        for address in named if bounce.recipients else [None]:
            found.setdefault(address, NotReached(address, bounce.at))
    return list(found.values())[:_MAX_OF_ONE]


def _is_sent(capture: Capture, known: KnownBounce, content: ListedContent) -> bool:
    """Return whether the capture is of a mail that the owner of the bounce sent."""
    if capture.owner != known.bounce.owner or capture.direction != "outbound":
        return False
    if capture.sent_by_owner is not None:
        return capture.sent_by_owner
    own = set(map(normalise, known.owner_addresses))
    return content.from_ is not None and normalise(content.from_.address) in own
