"""What the processes of a stack use: processor time and memory, by `/proc`.

A process's name is its service's, or its replica's (`timeline-1`) where there are several; `broker`
(beam.smp) and `database` (mongod) are there when the stack started them itself.
"""

import os
from pathlib import Path

from dev.stack import SERVICES, Stack

PROCESSES = (*SERVICES, "broker", "database")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_KIB = 1024


class ProcessMeter:
    """Reads what the processes have used. A process that is started again needs another meter."""

    def __init__(self, stack: Stack) -> None:
        self._pids: dict[str, int] = {}
        for service in SERVICES:
            replicas = stack.of(service)
            for replica in replicas:
                name = service if len(replicas) == 1 else replica.name
                self._pids[name] = replica.process.pid
        if stack.broker is not None:
            self._pids["broker"] = stack.broker.pid
        if stack.database is not None:
            self._pids["database"] = stack.database.pid

    def cpu(self) -> dict[str, float]:
        """Return the milliseconds of processor time of each, so far."""
        return {
            name: processor_milliseconds(_read(pid, "stat"), _TICKS_A_SECOND)
            for name, pid in self._pids.items()
        }

    def memory(self, field: str) -> dict[str, float]:
        """Return a field of `/proc/<pid>/status` in MiB: `VmRSS`, now, or `VmHWM`, the most."""
        return {name: mebibytes(_read(pid, "status"), field) for name, pid in self._pids.items()}


def processor_milliseconds(stat: str, ticks_a_second: int) -> float:
    """Return the processor time of a process and its ended children by `/proc/<pid>/stat`."""
    after_name = stat.rpartition(") ")[2].split()
    return sum(int(ticks) for ticks in after_name[11:15]) * 1000 / ticks_a_second


def mebibytes(status: str, field: str) -> float:
    """Return a field of `/proc/<pid>/status` that is in kB. Raises KeyError when it is missing."""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / _KIB
    raise KeyError(field)


def _read(pid: int, file: str) -> str:
    return Path(f"/proc/{pid}/{file}").read_text()
