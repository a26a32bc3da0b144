"""Decisions about large mails, remembered before they are published.

A large mail's bytes are a claim in the blob store, which the last consumer of the capture removes.
A redelivery may then find the claim gone. So the events that tell its outcome are recorded first,
and a redelivery repeats them instead of deciding again: nothing is lost when the process dies
between any two steps, and a mail that was attached can never lose its claim to a later dismissal.

`decisions`: `{_id: <the claim's key, without its prefix>, account, events: [[tag, json]], people,
at}`, for as long as a dead letter may be replayed. `people` are the profiles that the events name.
By the claim, not by the capture: old mail that is imported again has a claim of its own, and is
decided by the directory of that moment. Nothing of a dismissed mail is in it but what
`mail.dismissed.v1` carries.
"""

import re
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime

import pymongo
from pymongo import ASCENDING, IndexModel, ReturnDocument

from shared.contracts.events import (
    DismissalReason,
    Event,
    Forwarded,
    MailAttached,
    MailAttachedToShares,
    MailConfirmation,
    MailDismissed,
    MailDismissedWithShares,
    MailRoundTrip,
    Named,
    decode_event,
)
from shared.contracts.known_addresses import ERASED_ADDRESS, ERASED_NAME, address_hash
from shared.mail.address_form import normalise
from shared.storage.blob_keys import CLAIM_PREFIX, CLAIM_RETENTION
from shared.storage.database import Database, Document, Index

_Outcomes = (
    MailAttached
    | MailAttachedToShares
    | MailDismissed
    | MailDismissedWithShares
    | MailConfirmation
    | MailRoundTrip
)
INDEXES = (
    Index(
        "decisions",
        IndexModel(
            [("at", ASCENDING)],
            name="expire",
            expireAfterSeconds=int(CLAIM_RETENTION.total_seconds()),
        ),
    ),
    # Decisions.erase
    Index("decisions", IndexModel([("people", ASCENDING)], name="of_person")),
    # Decisions.of_account
    Index("decisions", IndexModel([("account", ASCENDING)], name="of_account")),
)


class Decisions:
    """What was decided about large mails."""

    def __init__(self, database: Database) -> None:
        self._decisions = database["decisions"]

    async def recall(self, claim: str) -> list[Event]:
        """Return the events of an earlier decision; none if there was none."""
        found = await self._decisions.find_one({"_id": _id(claim)})
        return _events(found) if found else []

    async def record(self, claim: str, events: Sequence[Event]) -> list[Event]:
        """Store the events that are about to be published; return those that are stored.

        They may be those of a concurrent consumer of the same capture. Then these have to be
        published.
        """
        recorded = await self._decisions.find_one_and_update(
            {"_id": _id(claim)},
            {
                "$setOnInsert": {
                    **_fields(events),
                    "at": datetime.now(UTC),
                }
            },
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return _events(recorded) if recorded else list(events)

    def of_account(self, account: str) -> Document:
        """Return the query for all decisions about an account's mails."""
        # Those without the field are an earlier version's, of the last 28 days.
        says = {"$regex": re.escape(f'"account":"{account}"')}
        older = {"account": None, "events": {"$elemMatch": {"$elemMatch": says}}}
        return {"$or": [{"account": account}, older]}

    async def claims_of(self, account: str) -> AsyncIterator[str]:
        """Yield the claims of an account's mails, and of the mails that they enclose."""
        with pymongo.timeout(0):  # no deadline, however many there are; None is the client's
            async for found in self._decisions.find(self.of_account(account)):
                yield f"{CLAIM_PREFIX}{found['_id']}"
                for event in _events(found):
                    if isinstance(event, MailAttached | MailAttachedToShares) and event.blob_key:
                        yield event.blob_key

    async def erase(self, account: str, person_id: str, addresses: Collection[str]) -> None:
        """Leave decisions about an account's mails without an erased person, of whose addresses
        these are the hashes.

        One that named no one else is told as a dismissal from now on.
        """
        hashes = frozenset(addresses)
        # Those without the field are an earlier version's, of the last 28 days.
        which: Document = {"people": {"$in": [_person(account, person_id), None]}}
        with pymongo.timeout(0):  # no deadline, however many there are; None is the client's
            async for found in self._decisions.find(which):
                events = [_without(e, account, person_id, hashes) for e in _events(found)]
                change = {"$set": _fields(events)}
                await self._decisions.update_one({"_id": found["_id"]}, change)


def _without(event: Event, account: str, person_id: str, hashes: Collection[str]) -> Event:
    """Return an event as if it had not named a person."""
    if not isinstance(event, MailAttached | MailAttachedToShares) or event.account != account:
        return event
    matches = tuple(match for match in event.matches if match.person_id != person_id)
    if matches:
        forwarded = event.forwarded and _forward_without(
            event.forwarded,
            lambda one: address_hash(account, person_id, normalise(one.address)) in hashes,
        )
        return event.model_copy(update={"matches": matches, "forwarded": forwarded})
    return MailDismissed(
        capture_id=event.capture_id,
        account=account,
        reason=DismissalReason.NO_MATCH,
        received_at=event.received_at,
        decided_at=event.decided_at,
        backfill=event.backfill,
    )


def _forward_without(forwarded: Forwarded, is_erased: Callable[[Named], bool]) -> Forwarded:
    def one(named: Named) -> Named:
        return Named(name=ERASED_NAME, address=ERASED_ADDRESS) if is_erased(named) else named

    people = {
        "sender": one(forwarded.sender),
        "to": tuple(map(one, forwarded.to)),
        "cc": tuple(map(one, forwarded.cc)),
    }
    return forwarded.model_copy(update=people)


def _fields(events: Sequence[Event]) -> Document:
    people = {
        _person(event.account, match.person_id)
        for event in events
        if isinstance(event, MailAttached | MailAttachedToShares)
        for match in event.matches
    }
    told = [[event.tag, event.encode()] for event in events]
    return {"account": account_of(events), "events": told, "people": sorted(people)}


def account_of(events: Sequence[Event]) -> str | None:
    """Return the account that the events are of."""
    return next((event.account for event in events if isinstance(event, _Outcomes)), None)


def _person(account: str, person_id: str) -> str:
    return f"{account}/{person_id}"


def _id(claim: str) -> str:
    return claim.removeprefix(CLAIM_PREFIX)


def _events(decision: Document) -> list[Event]:
    return [decode_event(tag, text) for tag, text in decision["events"]]
