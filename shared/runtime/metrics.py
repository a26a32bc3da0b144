"""Metrics: what their labels mean, and series that exist before anything happened.

Metrics are declared with their help text in the room that counts them: `metrics.py` of a service
and of the broker package, and the top of the few shared modules that have one or two. Every label
has a closed set of values; an account, a person or an address is never one. `docs/metrics.md` is
made from these declarations.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from typing import TypeVar

from prometheus_client import Counter, Gauge, Histogram, generate_latest

LABELS = {
    "answer": "the answer to the sender",
    "check": "name of the check in `/readyz`",
    "command": "MongoDB's name for the command",
    "decision": "`attached`, `confirmation`, `round_trip`, or the reason of a dismissal",
    "door": "transport that the mail came by: `smtp` or `http`",
    "from": "where the answer came from",
    "kind": "kind of a notice, as `kind` of `notices[]` in `GET /v1/setup`",
    "method": "the request's method",
    "operation": "operation on a blob",
    "outcome": "what became of a capture",
    "python_version": "version of the Python interpreter",
    "queue": "name of the queue, as in `shared/contracts/topology.py`",
    "reason": "reason of the refusal or dead letter; [dead-letters.md](dead-letters.md) "
    "explains those of dead letters",
    "result": "how the operation ended",
    "route": "path template of the route, as in OpenAPI; `unknown` for other paths",
    "status": "HTTP status of the answer",
    "tag": "tag of the event; `unknown` for a dead letter without a known one",
    "to": "how the delivery was settled: `done`; `reject`, as a dead letter; `returned` "
    "to its queue; or `redelivered`, because the connection was lost first",
    "verdict": "what authentication found out about From",
    "version": "version of Satchel",
}
"""Every label there is."""

VALUES: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
"""By metric and label, the values that are declared."""

OLD_NAMES = {
    "satchel_bytes_in_flight": "satchel_bytes_in_hand",
    "satchel_deliveries_in_flight": "satchel_deliveries_in_hand",
}
"""Gauges that have a better name now. They are served under the old one, too, until 0.2."""

_NEW_NAME = re.compile("|".join(OLD_NAMES))
_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


def from_zero(metric: _Metric, *values: Iterable[str]) -> _Metric:
    """Return the metric with a series for each combination of its labels' values, at zero.

    `values` are those of each label, in their order. Without, the first event would be the
    beginning of its series and no increase of it, and no alert would see it.
    """
    known = [list(some) for some in values]
    for label, some in zip(metric._labelnames, known, strict=True):
        VALUES[metric._name][label] += some
    for combination in product(*known):
        metric.labels(*combination)
    return metric


def exposition() -> bytes:
    """Return all metrics as Prometheus reads them, renamed ones under both names."""
    text = generate_latest().decode()
    renamed = (line for line in text.splitlines(keepends=True) if line.startswith(tuple(OLD_NAMES)))
    old = (_NEW_NAME.sub(lambda name: OLD_NAMES[name[0]], line) for line in renamed)
    return (text + "".join(old)).encode()
