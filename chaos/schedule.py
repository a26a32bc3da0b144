"""What is broken, and when: a pure function of a seed.

Every kind comes as often as every other, in a shuffled order. Of two replicas each kind strikes the
first, the second, and both at once, in turn.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass

SERVICES = ("ingest", "matcher", "timeline")
SERVERS = ("broker", "mongod")
PAIRS = {
    "senders to ingest": ("ingest", "senders"),
    "ingest to broker": ("ingest", "broker"),
    "matcher to broker": ("matcher", "broker"),
    "matcher to mongod": ("matcher", "mongod"),
    "timeline to broker": ("timeline", "broker"),
    "timeline to mongod": ("timeline", "mongod"),
}
"""What is joined by wires: the service whose wire it is, and its peer."""
FULL_BLOBS = "full blob folder"
KINDS = (
    *(f"kill {name}" for name in (*SERVICES, *SERVERS)),
    *(f"freeze {name}" for name in (*SERVICES, *SERVERS)),
    *(f"restart {service}" for service in SERVICES),
    *(f"cut {pair}" for pair in PAIRS),
    *(f"slow {pair}" for pair in PAIRS),
    *(f"half-open {pair}" for pair in PAIRS),
    "memory alarm",
    "disk alarm",
    "removed binding",
    "removed queue",
    "step-down",
    "failing writes",
    "closed connections",
    "failing commits",
    FULL_BLOBS,
)
_OUTLASTING = ("freeze broker", "freeze mongod", "half-open")
"""Of these, one in five lasts longer than the deadlines of what waits for them."""
_VICTIMS = ((0,), (1,), (0, 1))
SHORT_SECONDS, SECONDS, LONG_SECONDS = (0.5, 0.7), (2.0, 3.5), (11.0, 14.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to break, and to mend after a while."""

    kind: str
    victims: tuple[int, ...]
    """Numbers of replicas, where the kind strikes replicas."""
    seconds: float
    """How long it lasts, at least."""
    variant: int
    """Which one of its kind it is, for kinds that are done in several ways."""


def schedule(seed: int, each: int, *, short: bool, without: Collection[str] = ()) -> list[Fault]:
    """Return `each` faults of each kind but those `without`, brief ones when it is `short`."""
    chance = random.Random(f"schedule {seed}")
    faults = []
    for kind in KINDS:
        first = chance.randrange(len(_VICTIMS))
        for number in range(each):
            outlasting = not short and number % 5 == 4 and kind.startswith(_OUTLASTING)
            low, high = LONG_SECONDS if outlasting else SHORT_SECONDS if short else SECONDS
            victims = _VICTIMS[(first + number) % len(_VICTIMS)]
            faults.append(Fault(kind, victims, round(chance.uniform(low, high), 2), number))
    chance.shuffle(faults)
    if short:  # what is found out by a timeout alone comes first, not last
        faults.sort(key=lambda fault: not fault.kind.startswith("half-open"))
    return [fault for fault in faults if fault.kind not in without]
