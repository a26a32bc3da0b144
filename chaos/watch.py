"""What is felt: mails accepted and visible a second, before, during and after a fault."""

import bisect
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from chaos.scene import Scene

SPAN_SECONDS = 2.0
"""How long "before" and "after" are, at most."""
_SAMPLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Sample:
    """How much there was at a moment."""

    at: float
    accepted: int
    visible: int
    retries: int


@dataclass(frozen=True, slots=True)
class Struck:
    """When a fault was; by the monotonic clock, in seconds."""

    kind: str
    began: float
    mended: float


@dataclass(slots=True)
class Felt:
    """What one kind of fault did, all of its faults together."""

    count: int
    seconds: float
    accepted: dict[str, float]
    """Mails a second `before`, `during` and `after`."""
    visible: dict[str, float]
    retries: int
    """Of senders, during the faults and right after."""

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "count": self.count,
            "seconds": round(self.seconds, 1),
            "accepted_per_second": {k: round(v, 1) for k, v in self.accepted.items()},
            "visible_per_second": {k: round(v, 1) for k, v in self.visible.items()},
            "retries": self.retries,
        }


class Watch(threading.Thread):
    """Counts, a few times a second; what cannot be read counts as no progress."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(name="watch", daemon=True)
        self._scene, self._done = scene, threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Watch until `stop`."""
        visible = 0
        with self._scene.database() as client:
            outcomes = client[self._scene.timeline_database].outcomes
            while not self._done.wait(_SAMPLE_SECONDS):
                with contextlib.suppress(PyMongoError):
                    # Counted: after a crash the collection's own count is a guess.
                    visible = outcomes.count_documents({}, hint="_id_", maxTimeMS=1000)
                ledger = self._scene.ledger
                self.samples.append(
                    Sample(time.monotonic(), len(ledger.receipts), visible, ledger.retries)
                )

    def stop(self) -> None:
        """Watch no more."""
        self._done.set()
        self.join()


def felt(samples: Sequence[Sample], struck: Sequence[Struck]) -> dict[str, Felt]:
    """Return what each kind did to the flow of mail."""
    times = [sample.at for sample in samples]

    def at(moment: float) -> Sample:
        return samples[min(bisect.bisect_left(times, moment), len(samples) - 1)]

    amounts: dict[str, dict[str, list[float]]] = defaultdict(
        lambda: {name: [0.0, 0.0, 0.0, 0.0] for name in ("before", "during", "after")}
    )
    spans_of = [
        (
            max(moment.began - SPAN_SECONDS, before.mended if before else 0.0),
            min(moment.mended + SPAN_SECONDS, after.began if after else moment.mended + 2.0),
        )
        for before, moment, after in zip(
            (None, *struck[:-1]), struck, (*struck[1:], None), strict=True
        )
    ]
    for moment, (first, last) in zip(struck, spans_of, strict=True):
        spans = {
            "before": (first, moment.began),
            "during": (moment.began, moment.mended),
            "after": (moment.mended, last),
        }
        for name, (start, end) in spans.items():
            a, b = at(start), at(end)
            sums = amounts[moment.kind][name]
            sums[0] += b.at - a.at
            sums[1] += b.accepted - a.accepted
            sums[2] += b.visible - a.visible
            sums[3] += b.retries - a.retries
    return {
        kind: Felt(
            count=sum(moment.kind == kind for moment in struck),
            seconds=sum(m.mended - m.began for m in struck if m.kind == kind),
            accepted={name: sums[1] / (sums[0] or 1.0) for name, sums in spans.items()},
            visible={name: sums[2] / (sums[0] or 1.0) for name, sums in spans.items()},
            retries=int(spans["during"][3] + spans["after"][3]),
        )
        for kind, spans in sorted(amounts.items())
    }
