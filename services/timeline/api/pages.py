"""The pages: Satchel's own app under `/app/`, and `/app/satchel.js` that other pages embed.

* Browsers keep files with a hash in their name for ever. They revalidate the rest each time, and
  get 304 if it is unchanged. Every other path under `/app/` is a place in the app.
* A page of another origin loads the elements if `CORS_ORIGINS` names it, and shows the app in a
  frame if `EMBED_ORIGINS` does. Without these settings no other origin can do either.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.timeline.sign_in import SignIn
from shared.http.web import Code, Problem

_HASHED = "assets/"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASKED_AGAIN = "no-cache"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data: blob:; font-src 'self'; connect-src {reached}; frame-src 'self' blob:; base-uri 'self'; "
    "form-action 'none'; frame-ancestors {embedders}"
)
"""A mail's frame inherits it, and its inline styles with it; the mail's own policy allows less."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file, read once."""

    content: bytes
    media_type: str
    etag: str


class Pages:
    """The built files of a folder, held in memory: there are few, and they are small.

    What names hashed files is read before them, since a build brings it after them.
    """

    def __init__(self, folder: Path) -> None:
        paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
        self._pages = {
            path: _read(folder / path)
            for path in sorted(paths, key=lambda path: (path.startswith(_HASHED), path))
            if (folder / path).is_file() and not path.rpartition("/")[2].startswith(".")
        }

    def find(self, path: str) -> Page | None:
        """Return the file at a path below `/app/`; the app itself for a page of the app."""
        if found := self._pages.get(path):
            return found
        return None if "." in path.rpartition("/")[2] else self._pages.get("index.html")


def _read(path: Path) -> Page:
    content = path.read_bytes()
    return Page(
        content,
        guess_type(path.name)[0] or "application/octet-stream",
        f'"{hashlib.sha256(content).hexdigest()[:32]}"',
    )


def page_routes(pages: Pages, embedders: Sequence[str], sign_in: SignIn | None) -> APIRouter:
    """Return the routes of the pages. `embedders` are origins that may show them in a frame."""
    router = APIRouter(include_in_schema=False)
    policy = _POLICY.format(
        reached=" ".join(["'self'", *(sign_in.origins if sign_in else ())]),
        embedders=" ".join(["'self'", *(embedders or ())]),
    )

    @router.get("/")
    @router.get("/app")
    async def front_door() -> RedirectResponse:
        return RedirectResponse("/app/")

    @router.get("/app/config.json")
    async def config(response: Response) -> dict[str, Any]:
        """Return this installation's public configuration for the pages."""
        response.headers["Cache-Control"] = _ASKED_AGAIN
        return {"sign_in": sign_in.shown() if sign_in else None}

    @router.get("/app/{path:path}")
    async def page(path: str, request: Request) -> Response:
        found = pages.find(path)
        if found is None:
            raise Problem(
                Code.PAGES_NOT_BUILT, "the page does not exist, or the pages were not built"
            )
        headers = {
            "ETag": found.etag,
            "Cache-Control": _FOR_EVER if path.startswith(_HASHED) else _ASKED_AGAIN,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Content-Security-Policy": policy,
        }
        if request.headers.get("If-None-Match") == found.etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    return router
