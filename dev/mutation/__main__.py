"""`make mutate`: tries mutants and prints what no test notices. Exits 1 when that is too many.

ARGS="--only services/matcher/decision/decide.py"   one module, or several
ARGS="--sample 100 --seed 3"               so many mutants of all, chosen by the seed
ARGS="--list"                              the mutants, untried
"""

import argparse
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.mutation.faults import Mutant, mutants
from dev.mutation.listed import Entry, read, stale
from dev.mutation.targets import TARGETS

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests/mutants.toml"
_LEAST_PERCENT = 90.0


@dataclass(slots=True)
class Result:
    """What became of a module's mutants."""

    path: str
    tried: int = 0
    survivors: list[Mutant] = field(default_factory=list)
    listed: int = 0
    overdue: int = 0
    """How many did not end: noticed, unless the machine was too slow."""
    error: str = ""
    unlisted: list[Entry] = field(default_factory=list)
    """Entries whose every mutant was noticed; of a sample, also those that were not tried."""

    @property
    def noticed(self) -> int:
        """Return how many mutants a test noticed."""
        return self.tried - len(self.survivors)


def choose(
    known: Mapping[str, Sequence[Mutant]], sample: int | None, seed: int
) -> dict[str, list[Mutant]]:
    """Return the mutants to try, by module: all, or a sample of all."""
    everything = [(path, mutant) for path, found in known.items() for mutant in found]
    if sample is not None and sample < len(everything):
        everything = random.Random(seed).sample(everything, sample)
    chosen: dict[str, list[Mutant]] = {}
    for path, mutant in everything:
        chosen.setdefault(path, []).append(mutant)
    return {path: sorted(found, key=lambda one: one.number) for path, found in chosen.items()}


def attempt(path: str, chosen: Sequence[Mutant], entries: Sequence[Entry]) -> Result:
    """Try mutants of one module in a process of its own."""
    result = Result(path)
    by_number = {mutant.number: mutant for mutant in chosen}
    needed: set[Entry] = set()
    for answer in _answers(path, list(by_number)):
        if "failed" in answer:
            result.error = f"tests fail without a mutant: {answer['failed']}"
        if "number" not in answer:
            continue
        mutant = by_number.pop(answer["number"])
        about = [entry for entry in entries if entry.names(path, mutant)]
        if about and not answer["noticed"]:
            result.listed += 1
            needed.update(about)
            continue
        result.tried += 1
        result.overdue += answer["overdue"]
        if not answer["noticed"]:
            result.survivors.append(mutant)
            untested = " (no test comes here)" if not answer["tests"] else ""
            print(
                f"{path}:{mutant.line}: {mutant.source}\n    {mutant.change}{untested}", flush=True
            )
    result.unlisted = [entry for entry in entries if entry.module == path and entry not in needed]
    if by_number and not result.error:
        result.error = f"{len(by_number)} mutants were not tried"
    return result


def _answers(path: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "dev.mutation.worker", path, *map(str, numbers)]
    fixed = os.environ | {"PYTHONHASHSEED": "0"}  # a set has the same order in every run
    with subprocess.Popen(
        command, cwd=ROOT, env=fixed, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout
        for line in worker.stdout:
            yield json.loads(line)


def report(results: Sequence[Result]) -> bool:
    """Print the table; return whether all is well."""
    print(f"\n{'module':<45} {'mutants':>7} {'noticed':>7} {'left':>5} {'listed':>6} {'%':>5}")
    for result in results:
        print(_row(result.path, result.tried, result.noticed, result.listed))
    tried, noticed = sum(r.tried for r in results), sum(r.noticed for r in results)
    print(_row("all", tried, noticed, sum(r.listed for r in results)))
    for result in results:
        if result.error:
            print(f"{result.path}: {result.error}")
        if result.overdue:
            print(f"{result.path}: {result.overdue} did not end in time, and count as noticed")
        for entry in result.unlisted:
            print(f"{LIST.name}: a test notices it: {entry.module}: {entry.line}: {entry.change}")
    faulty = any(result.error or result.unlisted for result in results)
    return not faulty and _percent(tried, noticed) >= _LEAST_PERCENT


def _row(name: str, tried: int, noticed: int, listed: int) -> str:
    percent = _percent(tried, noticed)
    return f"{name:<45} {tried:>7} {noticed:>7} {tried - noticed:>5} {listed:>6} {percent:>5.1f}"


def _percent(tried: int, noticed: int) -> float:
    return 100.0 * noticed / tried if tried else 100.0


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="PATH", help="modules, as in targets.py")
    parser.add_argument("--sample", type=int, help="how many mutants to try of all")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--jobs", type=int, default=2, help="modules at a time")
    parser.add_argument("--list", action="store_true", help="print the mutants")
    arguments = parser.parse_args()
    paths = [target.path for target in TARGETS]
    if unknown := set(arguments.only or ()) - set(paths):
        parser.error(f"not in dev/mutation/targets.py: {', '.join(sorted(unknown))}")
    known = {path: mutants((ROOT / path).read_text()) for path in arguments.only or paths}
    chosen = choose(known, arguments.sample, arguments.seed)
    if arguments.list:
        for path, found in chosen.items():
            for mutant in found:
                print(f"{path}:{mutant.line}: {mutant.source}\n    {mutant.change}")
        return 0
    entries = read(LIST)
    if gone := stale(entries, known):
        for entry in gone:
            print(f"{LIST.name}: names no mutant: {entry.module}: {entry.line}: {entry.change}")
        return 1
    with ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = [pool.submit(attempt, path, found, entries) for path, found in chosen.items()]
        results = [job.result() for job in jobs]
    if arguments.sample is not None:
        for result in results:
            result.unlisted = []
    return 0 if report(results) else 1


if __name__ == "__main__":
    sys.exit(main())
