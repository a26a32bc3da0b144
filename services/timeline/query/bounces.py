"""To whom a mail could not be delivered, by the bounces that the write side stored.

A bounce is looked up when the mail that it is about is shown, so either may arrive first.

Anybody can write a bounce, so one counts only for a mail

* that its owner captured as well, and that went out,
* that its owner sent: a colleague's mail is never marked by it. The matcher says so of every
  capture (`sent_by_owner`), by the directory as it was at that moment. Of captures from before it
  did, the From has to be an address that the owner has today, with one look-up a page,
* that was sent to one of the recipients it names, if it names any. Who was in Bcc counts for the
  owner of the capture alone.

Addresses compare in one form (`shared.mail.address_form`).
"""

from collections.abc import Collection, Iterable, Sequence

from pymongo import ASCENDING, IndexModel

from services.timeline.query.viewer import Viewer
from services.timeline.write.people import People
from shared.database import Database, Document, Index
from shared.mail.address_form import normalise

INDEXES = (
    # Bounces.of
    Index("bounces", IndexModel([("account", ASCENDING), ("token", ASCENDING)], name="of_token")),
)
_MAX_OF_ONE = 20
_MAX_AT_ONCE = 2000


class Bounces:
    """The bounces of all accounts, for reading."""

    def __init__(self, database: Database) -> None:
        self._bounces = database["bounces"]
        self._people = People(database)

    async def of(self, viewer: Viewer, mails: Collection[Document]) -> dict[str, list[Document]]:
        """Return the bounces about these mails that a viewer may know of, by the mail's token.

        Each with the `addresses` of its owner, where captures do not say whether the owner sent.
        """
        tokens = [mail["token"] for mail in mails]
        query: Document = {"account": viewer.account, "token": {"$in": tokens}}
        if viewer.own_only:
            query["owner"] = viewer.person_id
        bounces = self._bounces.find(query).hint("of_token").limit(_MAX_AT_ONCE)
        known = await bounces.to_list()
        found: dict[str, list[Document]] = {bounce["token"]: [] for bounce in known}
        undecided = {
            capture["person_id"]
            for mail in mails
            if mail["token"] in found
            for capture in mail["captures"]
            if capture.get("sent_by_owner") is None
        }
        people = await self._people.named(viewer.account, undecided)
        for bounce in known:
            addresses = people.get(bounce["owner"], {}).get("addresses", ())
            found[bounce["token"]].append({**bounce, "addresses": addresses})
        return found


def bounced(
    bounces: Iterable[Document], captures: Sequence[Document], content: Document, viewer: str
) -> list[Document]:
    """Return to whom a mail could not be delivered: `{address, at}`, the address if it is known.

    `captures` are those that the viewer may know of, `content` is the form that is shown.
    """
    bcc = [entry for c in captures if c["person_id"] == viewer for entry in c["bcc"]]
    sent_to = {normalise(entry["address"]) for entry in (*content["to"], *content["cc"], *bcc)}
    found: dict[str | None, Document] = {}
    for bounce in sorted(bounces, key=lambda bounce: (bounce["at"], bounce["_id"])):
        if not any(_is_sent(capture, bounce, content) for capture in captures):
            continue
        named = [address for address in bounce["recipients"] if normalise(address) in sent_to]
        for address in named if bounce["recipients"] else [None]:
            found.setdefault(address, {"address": address, "at": bounce["at"]})
    return list(found.values())[:_MAX_OF_ONE]


def _is_sent(capture: Document, bounce: Document, content: Document) -> bool:
    """Return whether the capture is of a mail that the owner of the bounce sent."""
    if capture["person_id"] != bounce["owner"] or capture["direction"] != "outbound":
        return False
    said = capture.get("sent_by_owner")
    if said is not None:
        return bool(said)
    sender = content["from"]
    own = set(map(normalise, bounce["addresses"]))
    return sender is not None and normalise(sender["address"]) in own
