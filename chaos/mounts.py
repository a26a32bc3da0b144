"""A small file system of the run's own, to be filled.

The run starts itself again in a mount namespace (`unshare`), as root or, where the kernel lets
anyone, in a user namespace. No other process sees what is mounted there, and it ends with the run.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

BLOB_FOLDER_BYTES = 1024**3
_PAGE = 4096
_MARK = "SATCHEL_CHAOS_OWN_MOUNTS"
_PROBE = "mount -t tmpfs -o size=64k tmpfs /mnt"


def enter_own_mounts(module: str, arguments: Sequence[str]) -> None:
    """Become `python -m module arguments` in a namespace of its own; return where none is to be."""
    if _MARK in os.environ or shutil.which("unshare") is None:
        return
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        probe = [*words, "sh", "-c", _PROBE]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            os.environ[_MARK] = "yes"
            os.execvp("unshare", [*words, sys.executable, "-m", module, *arguments])


@contextlib.contextmanager
def own_folder(folder: Path) -> Iterator[Path | None]:
    """Make the folder a file system of its own meanwhile; yield None where that cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={BLOB_FOLDER_BYTES}"
    if _MARK not in os.environ or not _mount(folder, size, "-t", "tmpfs", "tmpfs"):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)


def resize(folder: Path, size: int) -> bool:
    """Make it larger or smaller, in bytes; return whether what is in it fits."""
    return _mount(folder, f"remount,size={max(size, _PAGE)}")


def _mount(folder: Path, options: str, *what: str) -> bool:
    command = ["mount", "-o", options, *what, str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
