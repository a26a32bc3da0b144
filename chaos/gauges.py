"""What is measured during an outage: memory of the services, and what waits in the queues."""

import asyncio
import threading
import time
from collections import defaultdict
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from dev.local_http import get
from dev.stack import Replica, Stack
from shared.broker import depths
from shared.contracts.topology import OUTCOMES, RECEIVED

_EVERY_SECONDS = 2.0
_DELIVERIES = "satchel_delivery_count"


class Watch:
    """Looks every two seconds, from `start` to `stop`."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.memory: dict[str, list[tuple[float, float]]] = defaultdict(list)
        """By replica: when, and MiB resident."""
        self.longest: dict[str, int] = defaultdict(int)
        """By queue: the most that waited, what was in somebody's hand not counted."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join()

    def growth(self, since: float) -> dict[str, float]:
        """Return by replica the MiB of its peak from then on above its peak before."""
        return {
            name: max(size for at, size in sizes if at >= since)
            - max(size for at, size in sizes if at < since)
            for name, sizes in self.memory.items()
        }

    def _look(self) -> None:
        while not self._stopping.wait(_EVERY_SECONDS):
            now = time.monotonic()
            for replica in self._stack.replicas:
                self.memory[replica.name].append((now, _resident(replica.process.pid)))
            url = self._stack.environment["AMQP_URL"]
            found = asyncio.run(depths(url, (RECEIVED, OUTCOMES))) or {}
            for name, there in found.items():
                self.longest[name] = max(self.longest[name], there.messages)


def delivery_counts(stack: Stack) -> dict[str, int]:
    """Return by how often they had been returned before ("0", "1", "5": 3 to 5) the deliveries."""
    counts: dict[str, int] = defaultdict(int)
    for service in ("matcher", "timeline"):
        for replica in stack.of(service):
            for bound, count in _histogram(replica).items():
                counts[bound] += count
    return {bound: count for bound, count in counts.items() if count}


def _histogram(replica: Replica) -> dict[str, int]:
    url = f"http://127.0.0.1:{replica.http_port}/metrics"
    text = get(url).text
    counts: dict[str, int] = defaultdict(int)
    below: dict[str, int] = defaultdict(int)  # buckets are cumulative
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == _DELIVERIES else ():
            if sample.name.endswith("_bucket"):
                queue = sample.labels["queue"]
                counts[sample.labels["le"].removesuffix(".0")] += int(sample.value) - below[queue]
                below[queue] = int(sample.value)
    return counts


def _resident(pid: int) -> float:
    """Return the MiB that a process holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.split("\n") if "VmRSS" in line) / 1024
