"""Who gets the files of the pages, and what browsers are told of keeping and embedding them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.timeline.api.pages import Pages, page_routes
from shared.http.readiness import Readiness
from shared.http.web import create_app
from shared.runtime.settings import Settings

HOST, STRANGER = "https://ats.example", "https://stranger.example"


@asynccontextmanager
async def serving(folder: Path, *, named: str = "") -> AsyncIterator[httpx.AsyncClient]:
    """Serve three files; the settings name this origin, for the elements and for frames."""
    (folder / "assets").mkdir()
    for name in ("index.html", "satchel.js", "assets/page-1a2b.js"):
        (folder / name).write_text(name)
    app = create_app("t", "t", Settings(token_secret="s" * 32, cors_origins=named), Readiness({}))
    app.include_router(page_routes(Pages(folder), [named] if named else [], None))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://satchel") as client:
        yield client


@pytest.mark.parametrize(("named", "origin"), [("", HOST), (HOST, STRANGER)])
async def test_a_page_of_an_origin_that_is_not_named_loads_no_element(
    tmp_path: Path, named: str, origin: str
) -> None:
    async with serving(tmp_path, named=named) as client:
        answer = await client.get("/app/satchel.js", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers
        policy = answer.headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors 'self' {named}".rstrip())
        asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        asked = await client.options("/app/satchel.js", headers=asks)
        assert "Access-Control-Allow-Origin" not in asked.headers


@pytest.mark.parametrize("path", ["satchel.js", "assets/page-1a2b.js"])
async def test_what_a_browser_kept_for_one_origin_is_not_taken_for_another(
    tmp_path: Path, path: str
) -> None:
    async with serving(tmp_path, named=HOST) as client:
        own = await client.get(f"/app/{path}")
        assert "Access-Control-Allow-Origin" not in own.headers
        assert own.headers["Vary"] == "Origin"
        theirs = await client.get(f"/app/{path}", headers={"Origin": HOST})
        assert theirs.headers["Access-Control-Allow-Origin"] == HOST
        again = {"Origin": HOST, "If-None-Match": own.headers["ETag"]}
        unchanged = await client.get(f"/app/{path}", headers=again)
        assert unchanged.status_code == 304
        assert unchanged.headers["Access-Control-Allow-Origin"] == HOST


async def test_hashed_files_are_kept_and_a_place_in_the_app_is_the_app(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        kept = await client.get("/app/assets/page-1a2b.js")
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        place = await client.get("/app/people/c1")
        assert (place.text, place.headers["Cache-Control"]) == ("index.html", "no-cache")
        assert (await client.get("/app/people/nothing.js")).status_code == 404
