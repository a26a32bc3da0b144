"""The reckoning: every 250 against what the database and the dead letters hold.

found    the capture has one outcome, the right one
dead     the capture is a dead letter
lost     neither: a broken promise
wrong    the outcome is not the one it must be
doubled  a mail that is shown twice, or a capture that was counted twice
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import aio_pika
import pymongo
import stamina
from aio_pika.exceptions import AMQPError

from dev.ledger import Ledger
from dev.rabbitmq import PrivateRabbitMQ
from dev.stack import Stack
from shared.topology import DEAD, QUEUES


@dataclass(frozen=True, slots=True)
class Reckoning:
    """How many of each."""

    accepted: int
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


def reconcile(stack: Stack, account: str, ledger: Ledger, dead: set[str]) -> Reckoning:
    """Compare the ledger with the timeline's database and the dead letters' capture ids."""
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        stack.environment["MONGODB_URL"], tz_aware=True
    )
    with client:
        database = client[stack.environment.get("TIMELINE_DATABASE", "satchel_timeline")]
        outcomes = {o["_id"]: o["decision"] for o in database.outcomes.find({"account": account})}
        shown = Counter(m["message_id"] for m in database.mails.find({"account": account}))
        rows = Counter(
            (r["viewer"], r["person_id"], r["mail_id"])
            for r in database.profile_mails.find({"account": account})
        )
        everyones = {"account": account, "viewer": "*"}
        counted_mails = sum(c["mail_count"] for c in database.conversations.find(everyones))
        tallied = Counter[str]()
        for tally in database.tallies.find({"account": account}):
            tallied["attached"] += tally.get("attached", 0)
            tallied["dismissed"] += sum(tally.get("dismissed", {}).values())

    found = lost = wrong = dead_count = 0
    for receipt in ledger.receipts:
        expected = "attached" if receipt.letter.attach else "dismissed"
        outcome = outcomes.get(receipt.capture_id)
        visible = not receipt.letter.attach or receipt.letter.message_id in shown
        if outcome == expected and visible:
            found += 1
        elif outcome not in (None, expected):
            wrong += 1
        elif receipt.capture_id in dead:
            dead_count += 1
        else:
            lost += 1
    doubled = sum(count - 1 for count in shown.values())
    doubled += sum(count - 1 for count in rows.values())
    doubled += abs(counted_mails - shown.total())  # the inbox must agree with the mails
    counted = Counter(outcomes.values())
    doubled += sum(abs(tallied[word] - counted[word]) for word in ("attached", "dismissed"))
    return Reckoning(
        accepted=len(ledger.receipts),
        found=found,
        dead=dead_count,
        lost=lost,
        wrong=wrong,
        doubled=doubled,
        refused_5xx=len(ledger.refused),
        retries=ledger.retries,
    )


def drained(broker: PrivateRabbitMQ) -> bool:
    """Whether nothing waits in a queue, and nothing is in anybody's hand.

    The latter can last: a transaction of a process that was killed holds its documents until
    MongoDB gives it up (transactionLifetimeLimitSeconds).
    """
    listed = broker.ctl("list_queues", "name", "messages").split("\n")
    counts = dict(line.split("\t") for line in listed if "\t" in line)
    return all(counts.get(queue.name) == "0" for queue in QUEUES if queue is not DEAD)


@stamina.retry(on=(AMQPError, OSError, TimeoutError), attempts=5)
async def dead_captures(url: str) -> set[str]:
    """Return the capture ids of all dead letters, leaving them where they are."""
    captures: set[str] = set()
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.get_queue(DEAD.name, ensure=False)
        while (message := await queue.get(fail=False)) is not None:
            captures.add(str(json.loads(str(message.headers["event"])).get("capture_id")))
    return captures
