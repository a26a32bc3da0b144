"""How many bytes of code the pages are, as a server sends them gzipped.

* JavaScript and style sheets are counted file by file, each compressed alone, as they travel.
* The first inbox page is what had been loaded when its first rows were there. What a conversation
  needs comes after that.
* An element's styles travel inside of its JavaScript, and count there. So that the styles can be
  judged too, what the first page has applied is compressed once more and counted as CSS.
"""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Page

from dev.pages import files_of

_EMBEDDING = "embedding"
"""The page that shows how to embed, which is not of the app."""
_APPLIED = """
() => {
  const written = sheet => [...sheet.cssRules].map(rule => rule.cssText).join('');
  const found = new Set();
  const look = root => {
    for (const sheet of root.adoptedStyleSheets) found.add(written(sheet));
    for (const element of root.querySelectorAll('*'))
      if (element.shadowRoot) look(element.shadowRoot);
  };
  look(document);
  return [...found].join('');
}
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes, gzipped."""

    first_scripts: int
    """JavaScript of the first inbox page, with its elements' styles inside."""
    first_styles: int
    """CSS of the first inbox page: its sheet, and what its elements have applied."""
    first_files: int
    all: int
    """Every script and sheet, of all pages and languages."""


def sizes(page: Page, built: Path) -> Sizes:
    """Return the sizes, of an inbox that has its first rows and was opened with NOTE_FIRST_ROWS."""
    names: list[str] = page.evaluate("window.firstFiles")
    paths = [PurePosixPath(urlsplit(name).path) for name in dict.fromkeys(names)]
    first = [built / path.relative_to("/app") for path in paths if path.suffix in (".js", ".css")]
    every = [path for path in files_of(built) if path.suffix in (".js", ".css")]
    applied: str = page.evaluate(_APPLIED)
    return Sizes(
        first_scripts=_sum(one for one in first if one.suffix == ".js"),
        first_styles=_sum(one for one in first if one.suffix == ".css") + _size(applied.encode()),
        first_files=len(first),
        all=_sum(one for one in every if one.stem != _EMBEDDING),
    )


def _sum(files: Iterable[Path]) -> int:
    return sum(_size(file.read_bytes()) for file in files)


def _size(data: bytes) -> int:
    return len(gzip.compress(data, mtime=0))
