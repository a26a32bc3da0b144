"""Results in JSON: a list of loads, to be compared with those of another version."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.counting_proxy import Requests
from bench.way.load import Load
from bench.way.run import Result


def save(results: Sequence[Result], path: Path) -> None:
    """Write results to a file."""
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def load_results(path: Path) -> list[Result]:
    """Return the results of a file."""
    return [
        Result(
            **{
                **told,
                "load": Load(**told["load"]),
                "requests": {name: Requests(**each) for name, each in told["requests"].items()},
            }
        )
        for told in json.loads(path.read_text())
    ]
