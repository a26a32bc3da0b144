"""How many bytes of code the pages are, as a server sends them gzipped.

* JavaScript and style sheets are counted file by file, each compressed alone, as they travel.
* An element's styles travel inside of its JavaScript, and count there. So that the styles can be
  judged too, what the first page has applied is compressed once more and counted as CSS.
"""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Page

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


class Loads:
    """Notes which files a page loads; to be made before it is opened."""

    def __init__(self, page: Page) -> None:
        self.files: set[str] = set()
        page.on("response", lambda response: self._note(response.url))

    def _note(self, url: str) -> None:
        path = PurePosixPath(urlsplit(url).path)
        if path.is_relative_to("/app") and path.suffix in (".js", ".css"):
            self.files.add(str(path.relative_to("/app")))


def sizes(page: Page, loads: Loads, built: Path) -> Sizes:
    """Return the sizes, once the first inbox page has all that it needs."""
    first = [built / name for name in loads.files]
    every = [*built.glob("**/*.js"), *built.glob("**/*.css")]
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
