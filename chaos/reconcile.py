"""The reckoning: every 250 against what the database and the dead letters hold.

found    the capture that the 250 named has one outcome, the right one; and the mail is there, for
         each user whose address it was sent to, in their own account
dead     dead letters, whosever
lost     neither: a broken promise
wrong    the outcome is not the one it must be
doubled  a mail that is shown twice, or a capture that was counted twice
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import aio_pika
import pymongo
import stamina
from aio_pika.exceptions import AMQPError

from dev.ledger import Ledger, Receipt
from dev.rabbitmq import PrivateRabbitMQ
from dev.stack import Stack
from shared.contracts.capture_address import KeyRing
from shared.contracts.topology import DEAD, QUEUES

Document = dict[str, Any]


class Owner(NamedTuple):
    """The user whose capture address it is."""

    account: str
    person_id: str


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How many of each."""

    accepted: int
    captures: int
    found: int
    dead: int
    lost: int
    wrong: int
    doubled: int
    refused_5xx: int
    retries: int

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        broken = self.lost + self.doubled + self.wrong + self.dead + self.refused_5xx
        return self.accepted > 0 and broken == 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Held:
    """What the timeline's database holds of one account."""

    outcomes: dict[str, str]
    dismissals: Counter[str]
    """By the hash of the Message-ID."""
    owners: dict[str, set[str]]
    """Who captured it, by Message-ID."""
    doubled: int


def reconcile(
    stack: Stack, ledger: Ledger, dead: set[str], owners: Mapping[str, Owner]
) -> Reckoning:
    """Compare the ledger with the timeline's database and the dead letters' capture ids.

    `owners` are those of the capture addresses; what their accounts hold is compared.
    """
    accounts = {owner.account for owner in owners.values()}
    with _database(stack) as client:
        held = {account: _read(client[_name(stack)], account) for account in accounts}
    ring = KeyRing.parse(stack.environment["CAPTURE_KEYS"])
    receipts = list(ledger.receipts)
    promised: Counter[tuple[str, str]] = Counter()
    for receipt in receipts:
        for address in receipt.letter.recipients:
            promised[owners[address].account, receipt.letter.message_id] += 1

    def has_all(receipt: Receipt) -> bool:
        """Whether it is there for all recipients; the 250 named the first one's capture alone."""
        message_id = receipt.letter.message_id
        for account, person_id in (owners[address] for address in receipt.letter.recipients):
            if receipt.letter.attach:
                if person_id not in held[account].owners.get(message_id, set()):
                    return False
            else:
                hashed = ring.forgetful_hash(account, message_id)
                if held[account].dismissals[hashed] < promised[account, message_id]:
                    return False
        return True

    counts: Counter[str] = Counter()
    for receipt in receipts:
        expected = "attached" if receipt.letter.attach else "dismissed"
        account = owners[receipt.letter.recipients[0]].account
        outcome = held[account].outcomes.get(receipt.capture_id)
        if outcome not in (None, expected):
            counts["wrong"] += 1
        elif outcome == expected and has_all(receipt):
            counts["found"] += 1
        elif receipt.capture_id not in dead:
            counts["lost"] += 1
    return Reckoning(
        accepted=len(receipts),
        captures=promised.total(),
        found=counts["found"],
        dead=len(dead),
        lost=counts["lost"],
        wrong=counts["wrong"],
        doubled=sum(of_account.doubled for of_account in held.values()),
        refused_5xx=len(ledger.refused),
        retries=ledger.retries,
    )


def _read(database: Any, account: str) -> _Held:
    outcomes: dict[str, str] = {}
    dismissals: Counter[str] = Counter()
    for outcome in database.outcomes.find({"account": account}):
        outcomes[outcome["_id"]] = outcome["decision"]
        if hashed := outcome.get("message_id_hash"):
            dismissals[hashed] += 1
    owners: dict[str, set[str]] = defaultdict(set)
    shown: Counter[str] = Counter()
    for mail in database.mails.find({"account": account}):
        shown[mail["message_id"]] += 1
        owners[mail["message_id"]] |= {capture["person_id"] for capture in mail["captures"]}
    rows = Counter(
        (row["viewer"], row["person_id"], row["mail_id"])
        for row in database.profile_mails.find({"account": account})
    )
    everyones = {"account": account, "viewer": "*"}
    in_conversations = sum(c["mail_count"] for c in database.conversations.find(everyones))
    tallied: Counter[str] = Counter()
    for tally in database.tallies.find({"account": account}):
        tallied["attached"] += tally.get("attached", 0)
        tallied["dismissed"] += sum(tally.get("dismissed", {}).values())
    doubled = sum(count - 1 for count in shown.values())
    doubled += sum(count - 1 for count in rows.values())
    doubled += abs(in_conversations - shown.total())  # the inbox must agree with the mails
    counted = Counter(outcomes.values())
    doubled += sum(abs(tallied[word] - counted[word]) for word in ("attached", "dismissed"))
    return _Held(outcomes, dismissals, owners, doubled)


def settled_captures(stack: Stack, ledger: Ledger, first: int | None = None) -> bool:
    """Return whether every 250, or each of the first so many, has an outcome."""
    promised = {receipt.capture_id for receipt in ledger.receipts[:first]}
    if first is not None and len(promised) < first:
        return False
    with _database(stack) as client:
        found = client[_name(stack)].outcomes.find({}, {"_id": 1})
        return promised <= {outcome["_id"] for outcome in found}


def drained(broker: PrivateRabbitMQ) -> bool:
    """Whether nothing waits in a queue that is consumed, and nothing is in anybody's hand.

    The latter can last: a transaction of a process that was killed holds its documents until
    MongoDB gives it up (transactionLifetimeLimitSeconds).
    """
    listed = broker.ctl("list_queues", "name", "messages", "consumers").split("\n")
    counts = {name: rest for name, *rest in (line.split("\t") for line in listed if "\t" in line)}
    waited_for = [q for q in QUEUES if q is not DEAD or counts.get(q.name, ["", "0"])[1] != "0"]
    return all(counts.get(queue.name, [""])[0] == "0" for queue in waited_for)


def dead_letters_of(stack: Stack) -> set[str]:
    """Return the capture ids of what the timeline's database has of dead letters."""
    with _database(stack) as client:
        found = client[_name(stack)].dead_letters.find({}, {"capture_id": 1})
        return {str(letter.get("capture_id") or letter["_id"]) for letter in found}


@stamina.retry(on=(AMQPError, OSError, TimeoutError), attempts=5)
async def dead_captures(url: str, stack: Stack | None = None) -> set[str]:
    """Return the capture ids of all dead letters, leaving them where they are.

    Those in the queue, and with a stack those that its timeline took from there.
    """
    captures: set[str] = set() if stack is None else dead_letters_of(stack)
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(DEAD.name, ensure=False)
        while (message := await queue.get(fail=False)) is not None:
            captures.add(str(json.loads(str(message.headers["event"])).get("capture_id")))
    return captures


def _database(stack: Stack) -> pymongo.MongoClient[Document]:
    return pymongo.MongoClient(stack.environment["MONGODB_URL"], tz_aware=True)


def _name(stack: Stack) -> str:
    return stack.environment.get("TIMELINE_DATABASE", "satchel_timeline")
