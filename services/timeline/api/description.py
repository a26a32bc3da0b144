"""`GET /v1/openapi.json`: one description of the three services' APIs, as committed.

The timeline serves it for all, as it serves the pages: behind one origin that is one API. It shows
no account's data, so it needs no token.
"""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Response

from shared.http.web import Code, Problem

MERGED = Path(__file__).parents[3] / "docs" / "openapi" / "satchel.json"


def description_routes(file: Path) -> APIRouter:
    """Return the route of the description."""
    router = APIRouter()

    @router.get("/v1/openapi.json", include_in_schema=False)
    async def get_description() -> Response:
        """Return the document."""
        try:
            text = await asyncio.to_thread(file.read_bytes)
        except FileNotFoundError as error:
            detail = "docs/openapi/satchel.json is not installed"
            raise Problem(Code.PAGES_NOT_BUILT, detail) from error
        return Response(text, media_type="application/json")

    return router
