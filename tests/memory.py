"""How much memory a process has had (Linux)."""

from pathlib import Path


def forget_peak(pid: int) -> None:
    """Begin to count anew: proc(5), clear_refs."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak(pid: int) -> float:
    """Return the most that a process has had, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.split("\n") if "VmHWM" in line) / 1024
