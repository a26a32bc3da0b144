"""`python -m dev.record_release`: records what this version writes, to compare later ones with it.

Events, their schemas and the topology go to `tests/old`, dated, where they have not been recorded
yet. Recordings are never changed: brokers and queues in use may still hold such messages.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dev.generate import ROOT
from shared.contracts.event_examples import examples
from shared.contracts.events import CaptureEvent
from shared.contracts.topology import QUEUES

OLD = ROOT / "tests" / "old"


def topology() -> dict[str, Any]:
    """Return what services declare."""
    return {
        "exchanges": sorted({queue.exchange for queue in QUEUES}),
        "queues": [
            {
                "name": queue.name,
                "arguments": queue.arguments,
                "bindings": [[queue.exchange, key] for key in queue.keys],
            }
            for queue in QUEUES
        ],
    }


def record(old: Path, name: str) -> list[Path]:
    """Write under the folder what is new since the last recording; return the files."""
    written: list[Path] = []

    def keep(folder: str, ending: str, thing: Any) -> None:
        earlier = [json.loads(path.read_text()) for path in (old / folder).glob("*.json")]
        if thing not in earlier:
            path = old / folder / f"{name}{ending}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(thing, indent=2) + "\n")
            written.append(path)

    keep("topologies", "", topology())
    for tag, example in examples().items():
        schema = ROOT / f"shared/contracts/schemas/{tag}.json"
        keep(f"schemas/{tag}", "", json.loads(schema.read_text()))
        keep(f"events/{tag}", "", json.loads(example.encode()))
        if isinstance(example, CaptureEvent):
            old_mail = example.model_copy(update={"backfill": True})
            keep(f"events/{tag}", "-backfill", json.loads(old_mail.encode()))
    return written


def main() -> None:
    """Record, and print what was new."""
    for path in record(OLD, datetime.now(UTC).strftime("%Y-%m-%dT%H%M")):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
