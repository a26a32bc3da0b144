"""Starts services from a process that has imported them already, in a fifth of the processor time.

    launcher -> a warm process for each module: it imports, then waits for orders
    order -> fork, fork: the first child ends, so the kernel hands the second to the launcher
    -> the second becomes what `python -m module` is: environment, folder, log, arguments

The process that starts is the launcher's own child, in a session of its own, and cannot outlive it,
as one of `dev.process` that was started in the usual way. It differs by what `ps` shows alone. The
tests start services some two hundred times; `make up` and a cluster never do it in this way.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_TETHER = Path(__file__).with_name("tether.py")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_NOT_STARTED = 127
_PAUSE_SECONDS = 0.001


class Adopted:
    """A process that the kernel handed to this one; what `dev.process` needs of a `Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def wait(self) -> int:
        """Wait until it ends and reap it; return its exit code, or minus the signal."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


class WarmStarts:
    """Warm processes of some modules, each there from the first start of its module."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = frozenset(modules)
        self._orders: dict[str, socket.socket] = {}
        self._warm: list[subprocess.Popen[bytes]] = []
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def start(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None,
        folder: Path | None,
    ) -> Adopted | None:
        """Start the command; return None where it has to be started in the usual way."""
        is_python = list(command[:2]) == [sys.executable, "-m"]
        if not is_python or environment is None or folder != _ROOT:
            return None
        if "LD_PRELOAD" in environment:  # too late for that
            return None
        module, *arguments = command[2:]
        if module not in self._modules:
            return None
        order = {
            "launcher": os.getpid(),
            "arguments": arguments,
            "environment": dict(environment),
            "log": str(log),
        }
        orders = self._orders.get(module) or self._warm_up(module)
        orders.sendall(json.dumps(order).encode() + b"\n")
        answer = orders.recv(32)
        if not answer:
            raise RuntimeError(f"the warm process of {module} ended: does it import?")
        return Adopted(int(answer))

    def close(self) -> None:
        """End the warm processes; what they started goes on."""
        for orders in self._orders.values():
            orders.close()
        for process in self._warm:
            process.wait()
        self._orders.clear()
        self._warm.clear()

    def _warm_up(self, module: str) -> socket.socket:
        ours, its = socket.socketpair()
        with its:
            tied = [sys.executable, "-I", "-S", str(_TETHER), str(os.getpid())]
            command = [*tied, sys.executable, "-u", "-m", "dev.warm", module]
            warm = subprocess.Popen(command, stdin=its.fileno(), cwd=_ROOT, start_new_session=True)
        self._warm.append(warm)
        self._orders[module] = ours
        return ours


def serve(module: str) -> None:
    """Import a module, then start it for each order that comes on standard input."""
    importlib.import_module(f"{module}.__main__")
    del sys.modules[f"{module}.__main__"]  # a start runs it, as `python -m` does
    gc.collect()
    gc.freeze()  # so that a child copies little of this process's memory
    orders = socket.socket(fileno=0)
    with orders.makefile("rb") as lines:
        for line in lines:
            pid = _start(json.loads(line))
            if pid is None:
                break
            orders.sendall(pid)
        else:
            return
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _start(order: dict[str, Any]) -> bytes | None:
    """Return the pid of the process that was started; None in that process itself."""
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        between = os.getpid()
        if os.fork() != 0:
            os._exit(0)
        os.close(reading)
        try:
            _become(order, between)
            os.write(writing, str(os.getpid()).encode())
            os.close(writing)
        except BaseException:
            os._exit(_NOT_STARTED)
        return None
    os.close(writing)
    os.waitpid(between, 0)
    try:
        return os.read(reading, 32) or b"0"
    finally:
        os.close(reading)


def _become(order: Mapping[str, Any], between: int) -> None:
    """Leave everything of the warm process behind that a program inherits."""
    while os.getppid() == between:
        time.sleep(_PAUSE_SECONDS)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != order["launcher"]:
        raise ProcessLookupError
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for inherited, its in ((0, nothing), (1, log), (2, log)):
        os.dup2(its, inherited)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = ["", *order["arguments"]]


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    serve(sys.argv[1])
