"""Which tests run first, and which run in one worker.

Tests that share a running stack run in one worker, so that the suite starts it once and stops it
when they are done: two workers would start two, and an idle one takes an eighth of a processor.
Every other file is a group of its own.
"""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_OF_THE_STACK, _OF_THE_PAGES = _SHARED = "tests/e2e", "tests/e2e/pages"
OWN_SERVERS = frozenset(
    {
        "test_broker_away.py",
        "test_clock_moves.py",
        "test_erase_account.py",
        "test_fault_run.py",
        "test_forgotten.py",
        "test_key_roll_over.py",
        "test_monitoring.py",
        "test_outage.py",
        "test_pod_life.py",
        "test_proxy_networks.py",
        "test_rotation.py",
        "test_round_trip.py",
        "test_shutdown.py",
        "test_siege_in_turn.py",
        "test_start.py",
        "test_stop.py",
        "test_upgrade.py",
    }
)
"""Files of `tests/e2e` that never use the fixture `stack`."""
_LONG = ("test_fault_run.py", "test_pod_life.py", "test_outage.py", "test_forgotten.py")
"""Of these, the files that take longest, the longest first."""
_KINDS = ("integration", "contract", "unit")


class GroupScheduling(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """Gives a worker the next whole group of tests."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])


def make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling | None:
    """Return the scheduler of `--dist loadfile`; for another `--dist`, leave it to xdist."""
    return GroupScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def group(file: str) -> str:
    """Return the name of the group of a test file, given by its path in the project."""
    path = PurePosixPath(file)
    folder = str(path.parent)
    if folder == _OF_THE_PAGES or (folder == _OF_THE_STACK and path.name not in OWN_SERVERS):
        return folder
    return file


def rank(file: str) -> tuple[int, int]:
    """Return the place of a file among others, the first being the least.

    What has servers of its own begins, while no shared stack idles beside it; the shared ones
    follow, and what is short comes last, so that all workers are done at the same time.
    """
    path = PurePosixPath(file)
    kind = path.parts[1]
    if (name := group(file)) in _SHARED:
        return 1, _SHARED.index(name)
    if kind == "e2e":
        return 0, _LONG.index(path.name) if path.name in _LONG else len(_LONG)
    return 2, _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
