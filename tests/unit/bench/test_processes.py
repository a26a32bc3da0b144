"""What the bench reads in /proc."""

import pytest

from bench.processes import mebibytes, processor_milliseconds

STAT = "4711 (a (bad) name) S 1 4711 4711 0 -1 4194560 900 0 3 0 120 30 7 3 20 0 5 0 999 0 0\n"
STATUS = "Name:\tpython\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t5\n"


def test_processor_time_is_of_user_and_system_and_ended_children() -> None:
    assert processor_milliseconds(STAT, ticks_a_second=100) == 1600
    assert processor_milliseconds(STAT, ticks_a_second=1000) == 160


def test_memory_is_in_mebibytes() -> None:
    assert mebibytes(STATUS, "VmRSS") == 10
    assert mebibytes(STATUS, "VmHWM") == 20
    with pytest.raises(KeyError):
        mebibytes(STATUS, "Vm")
