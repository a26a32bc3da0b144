"""A build of the pages, moved to where a stack serves them and readers have pages open."""

import threading
from pathlib import Path

import pytest

from dev import pages
from dev.pages import build, files_of, move_in
from services.timeline.api.pages import Pages
from shared.runtime.mistake import Mistake


def built(folder: Path, version: str) -> Path:
    """Make a build: its page names a part of this version, and one that all versions have."""
    beside = folder / "beside"
    (beside / "assets").mkdir(parents=True, exist_ok=True)
    (beside / "index.html").write_text(f"assets/part-{version}.js assets/same.js")
    (beside / "assets" / f"part-{version}.js").write_text(version)
    (beside / "assets" / "same.js").write_text("same")
    return beside


def names(files: list[Path], folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in files]


def test_a_page_that_is_open_finds_its_parts_after_one_more_build(tmp_path: Path) -> None:
    served = tmp_path / "dist"
    for version in ("1", "2"):
        move_in(built(tmp_path, version), served, version)
    assert (served / "assets" / "part-1.js").read_text() == "1"
    found = Pages(served).find("assets/part-1.js")
    assert found is not None
    assert found.content == b"1"


def test_what_is_older_goes_away_and_is_not_counted(tmp_path: Path) -> None:
    served = tmp_path / "dist"
    for version in ("1", "2", "3"):
        move_in(built(tmp_path, version), served, version)
    there = {path.name for path in (served / "assets").iterdir()}
    assert there == {"part-2.js", "part-3.js", "same.js"}
    newest = names(files_of(served), served)
    assert newest == ["assets/part-3.js", "assets/same.js", "index.html"]


def test_a_file_without_a_hash_goes_with_the_build_that_dropped_it(tmp_path: Path) -> None:
    served = tmp_path / "dist"
    beside = built(tmp_path, "1")
    (beside / "old.html").write_text("old")
    move_in(beside, served, "1")
    move_in(built(tmp_path, "2"), served, "2")
    assert not (served / "old.html").exists()


def test_a_folder_that_npm_filled_counts_whole_and_is_kept_for_a_build(tmp_path: Path) -> None:
    served = tmp_path / "dist"
    built(tmp_path, "0").rename(served)
    assert len(files_of(served)) == 3
    move_in(built(tmp_path, "1"), served, "1")
    assert (served / "assets" / "part-0.js").exists()


def test_what_names_parts_is_never_there_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step of a build, a page that is asked for names parts that are there."""
    served = tmp_path / "dist"
    move_in(built(tmp_path, "1"), served, "1")
    steps: list[str] = []
    replace = Path.replace

    def step(self: Path, target: Path) -> Path:
        moved = replace(self, target)
        page = (served / "index.html").read_text()
        assert all((served / name).exists() for name in page.split())
        steps.append(self.name)
        return moved

    monkeypatch.setattr(Path, "replace", step)
    move_in(built(tmp_path, "2"), served, "2")
    assert sorted(steps) == ["index.html", "part-2.js", "same.js"]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Builds without Node; what was asked of it."""
    asked: list[str] = []

    def run(*words: str) -> None:
        asked.append(words[1])
        built(tmp_path, "1")

    monkeypatch.setattr(pages, "npm", run)
    monkeypatch.setattr(pages, "install", lambda: None)
    monkeypatch.setattr(pages, "DIST", tmp_path / "dist")
    monkeypatch.setattr(pages, "_BESIDE", tmp_path / "beside")
    monkeypatch.setattr(pages, "_LOCK", tmp_path / "lock")
    return asked


def test_of_several_who_build_at_once_one_does(npm: list[str], tmp_path: Path) -> None:
    together = [threading.Thread(target=build) for _ in range(4)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert npm == ["build"]
    assert build() == tmp_path / "dist"
    assert npm == ["build"]  # nothing has changed


def test_a_build_that_fails_changes_nothing(
    npm: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(built(tmp_path, "1"), tmp_path / "dist", "of other sources")

    def fail(*_: str) -> None:
        raise Mistake("npm run build failed")

    monkeypatch.setattr(pages, "npm", fail)
    with pytest.raises(Mistake):
        build()
    assert Pages(tmp_path / "dist").find("assets/part-1.js") is not None
