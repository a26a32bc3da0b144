"""What the pages name is there: files, sections, commands, options, panels of the dashboard."""

import json
import re
from pathlib import Path

import pytest

from dev.generate import ROOT
from tests.monitored import dashboard

_TOPS = "bench|chaos|deploy|dev|docs|frontend|ops|services|shared|tests"
_BUILT = {"frontend/dist"}
"""Named, and made by a command."""


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def current(page: Path) -> bool:
    """Decision records and the changelog tell what was so when they were written."""
    return "decisions" not in page.parts and page.name != "CHANGELOG.md"


CURRENT = [page for page in pages() if current(page)]


def ident(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """The sections of a page, as a forge names them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"(?ms)^```.*?^```", "", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def broken_links(page: Path, text: str) -> list[str]:
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (
            anchor and anchor not in anchors(text if file == page else file.read_text())
        ):
            found.append(target)
    return found


@pytest.mark.parametrize("page", pages(), ids=ident)
def test_every_link_leads_to_a_file_and_a_section(page: Path) -> None:
    assert not broken_links(page, page.read_text())


def test_a_broken_link_is_found() -> None:
    page = ROOT / "README.md"
    for target in ("docs/nowhere.md", "docs/backup.md#nowhere", "#nowhere"):
        assert broken_links(page, f"[x]({target})") == [target]
    assert not broken_links(page, "[x](docs/backup.md#restoring), [y](#here)\n\n# Here\n")


def test_the_index_lists_every_decision_record_by_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text().splitlines()
    for record in sorted(folder.glob("0*.md")):
        number, _, title = record.read_text().splitlines()[0].removeprefix("# ").partition(". ")
        assert f"{number}. [{title}]({record.name})" in index


@pytest.mark.parametrize("page", CURRENT, ids=ident)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(rf"`((?:{_TOPS})/[\w./-]+)`", page.read_text()))
    assert not {one for one in named - _BUILT if not (ROOT / one.rstrip("/")).exists()}


@pytest.mark.parametrize("page", CURRENT, ids=ident)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z0-9-]+)", text))
    named |= set(re.findall(r"^ *make ([a-z0-9-]+)", "".join(blocks(text)), re.MULTILINE))
    assert not named - targets
    for service, option in re.findall(
        r"python -m (services\.\w+|ops\.\w+)\s+(?:\S+ )*?(--[a-z-]+)", text
    ):
        folder = ROOT / service.replace(".", "/")
        sources = [*folder.rglob("*.py")] if folder.is_dir() else [folder.with_suffix(".py")]
        assert any(f'"{option}"' in source.read_text() for source in sources), (service, option)


def blocks(text: str) -> list[str]:
    """What a page tells its readers to type."""
    return re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```", text)


@pytest.mark.parametrize("page", CURRENT, ids=ident)
def test_no_page_cites_what_the_repository_does_not_have(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"\b(DESIGN|STYLE)\b", text)
    for command in blocks(text):
        assert not re.search(r">\s*\.env\b", command), "compose's secrets are in there"


def test_the_readme_names_every_route_and_no_other() -> None:
    table = (ROOT / "README.md").read_text().partition("| service | route | scope |")[2]
    table = table.partition("\n\n")[0]
    paths = json.loads((ROOT / "docs" / "openapi" / "satchel.json").read_text())["paths"]
    for path in paths:
        assert path.partition("{")[0].rstrip("/") in table, path
    for named in re.findall(r"/v1/[\w:/{}.-]+", table):
        known = (re.sub(r"\{\w+\}", "x", path) for path in [*paths, "/v1/openapi.json"])
        assert re.sub(r"\{\w+\}", "x", named) in known, named


def test_the_runbook_names_panels_as_the_dashboard_does() -> None:
    """So that a search of the dashboard finds them."""
    text = (ROOT / "docs" / "runbook.md").read_text().replace("\n", " ")
    named = set(re.findall(r"(?<![*\w])\*([A-Z][^*]+)\*(?![*\w])", text))
    assert len(named) > 8
    assert not named - {panel["title"] for panel in dashboard()["panels"]} - {dashboard()["title"]}


def promises() -> dict[str, list[str]]:
    """The tests of each promise, as `docs/reliability.md` names them."""
    text = (ROOT / "docs" / "reliability.md").read_text()
    section = re.split(r"^## ", text.split("## The promises\n", 1)[1], flags=re.MULTILINE)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return {promise.strip(): re.findall(r"`([^`]+)`", tests) for promise, tests in rows[1:]}


def test_the_promises_are_read() -> None:
    assert len(promises()) > 20


@pytest.mark.parametrize("promise", promises())
def test_each_promise_names_tests_that_are_there(promise: str) -> None:
    assert promises()[promise], "no test"
    for name in promises()[promise]:
        path, _, test = name.partition("::")
        source = (ROOT / "tests" / path).read_text()
        assert not test or re.search(rf"^ *(async )?def {test}\(", source, re.MULTILINE), name
