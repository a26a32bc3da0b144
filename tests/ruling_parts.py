"""What the tests of rulings look at: a viewer's hits, and everything that is stored."""

import asyncio
from pathlib import Path

from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write.records import RAW_IN_DATABASE_BYTES
from tests.timeline_parts import ACCOUNT, Timeline

ONE, TWO, ALL = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u2"), Viewer(ACCOUNT, "", sees_all=True)
LARGE = RAW_IN_DATABASE_BYTES // 8


async def the_mail(timeline: Timeline) -> str:
    [found] = await timeline.database.mails.find({"captures.0": {"$exists": True}}).to_list()
    return str(found["_id"])


async def found(timeline: Timeline, words: str, viewer: Viewer = ONE) -> int:
    return len((await timeline.search.hits(viewer, parse_query(words), 200, None)).conversations)


async def everything(timeline: Timeline) -> str:
    """Return all that is in the database and the blob store, names of files included."""
    texts = []
    for name in await timeline.database.list_collection_names():
        texts += [str(document) async for document in timeline.database[name].find()]
    return "\n".join([*texts, *await asyncio.to_thread(files, timeline.folder)])


def files(folder: Path) -> list[str]:
    return [
        f"{path} {path.read_text(errors='replace')}" for path in folder.rglob("*") if path.is_file()
    ]
