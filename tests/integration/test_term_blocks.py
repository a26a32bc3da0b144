"""Search by blocks of terms: the same hits as by looking at every mail, whatever is in a block."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo.errors import OperationFailure, PyMongoError

from bench.costs import cost_of
from services.timeline.admin.index_terms import index_terms
from services.timeline.query import blocks, search
from services.timeline.query.row_index import BY_TERM
from services.timeline.query.search_query import parse_query
from services.timeline.query.viewer import Viewer
from services.timeline.write import indexing, term_blocks
from services.timeline.write.indexing import TermIndexer
from services.timeline.write.listed_records import MailRow, TermBlock
from services.timeline.write.mail_rows import digest_of
from services.timeline.write.stored import from_document, to_document
from services.timeline.write.term_blocks import MAX_ROWS
from shared.storage.database import migrate
from tests.deadline import DEADLINE
from tests.marks import in_full
from tests.timeline_parts import ACCOUNT, Timeline, a_timeline, attached, mail, match

UNTIL = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
TEAM, OWN = Viewer(ACCOUNT, "u1"), Viewer(ACCOUNT, "u1", own_only=True)
WORDS = ("often", "often too", "seldom", "never")
Prepare = Callable[[Timeline], Awaitable[None]]


@pytest.fixture
async def timeline(mongodb_url: str, tmp_path: Path) -> AsyncIterator[Timeline]:
    async with a_timeline(mongodb_url, tmp_path) as timeline:
        yield timeline


def a_row(chance: random.Random, audience: str, number: int, terms: set[str]) -> MailRow:
    """Return a row; one in five has the date of others, some are from long ago."""
    seconds = chance.choice([0, chance.randrange(4 * 10**6), chance.randrange(2 * 10**9)])
    id_ = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=32))
    return MailRow(
        id=f"{ACCOUNT}/{audience}/{id_}",
        account=ACCOUNT,
        audience=audience,
        mail_id=id_,
        conversation=f"c{number % 70}",
        date=UNTIL - timedelta(seconds=seconds, milliseconds=chance.randrange(1000)),
        content="k",
        subject="",
        snippet="",
        has_attachments=False,
        participants=(),
        persons=(),
        terms=tuple(sorted(terms)),
    )


def some_rows(seed: int, count: int) -> list[MailRow]:
    chance = random.Random(seed)
    found: list[MailRow] = []
    for number in range(count):
        terms = {"all", f"x{number}"}
        terms |= {
            word for word, share in (("often", 0.4), ("seldom", 0.02)) if chance.random() < share
        }
        if chance.random() < 0.5:
            terms.add("too")
        found.append(a_row(chance, chance.choice(["*", "*", "!u1", "u1", "u2"]), number, terms))
    return found


async def insert(timeline: Timeline, rows: list[MailRow]) -> None:
    await timeline.database[MailRow.collection].insert_many(to_document(row) for row in rows)


async def pages(timeline: Timeline, viewer: Viewer, q: str, limit: int = 7) -> list[str]:
    """Return the conversations of all pages."""
    found: list[str] = []
    cursor: str | None = None
    for _ in range(1000):
        hits = await timeline.search.hits(viewer, parse_query(q), limit, cursor)
        found += hits.conversations
        cursor = hits.next_cursor
        if cursor is None:
            return found
    raise AssertionError("pages without end")


async def expected(timeline: Timeline, viewer: Viewer, *terms: str) -> list[str]:
    which = {
        "account": ACCOUNT,
        "viewer": {"$in": viewer.audiences},
        "terms": {"$all": list(terms)},
    }
    rows = await timeline.database[MailRow.collection].find(which).to_list()
    rows.sort(key=lambda row: (row["date"], row["mail_id"]), reverse=True)
    return list(dict.fromkeys(row["thread"] for row in rows))


async def in_waves(timeline: Timeline) -> None:
    """Index what comes in waves that are not in the order of their dates, and leave some fresh."""
    for seed in range(4):
        await insert(timeline, some_rows(seed, 150))
        await timeline.index_terms()
    await insert(timeline, some_rows(9, 30))


async def all_fresh(timeline: Timeline) -> None:
    for seed in range(4):
        await insert(timeline, some_rows(seed, 150))


async def by_the_former_index(timeline: Timeline) -> None:
    """As an older version left it: its index is there, and no row is in a block."""
    await migrate(timeline.database, [BY_TERM])
    await in_waves(timeline)
    await timeline.database[MailRow.collection].update_many({}, {"$unset": {"block": 1}})
    await timeline.database[TermBlock.collection].delete_many({})
    await migrate(timeline.database, [BY_TERM])


@pytest.mark.parametrize("rows", [16, *in_full(2, 64)])
@pytest.mark.parametrize("prepare", [in_waves, all_fresh, by_the_former_index])
async def test_hits_are_those_of_looking_at_every_mail(
    timeline: Timeline, prepare: Prepare, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(term_blocks, "MAX_ROWS", rows)
    monkeypatch.setattr(blocks, "MAX_ROWS", rows)
    monkeypatch.setattr(search, "MAX_SCANNED", 20)
    await prepare(timeline)
    for viewer in (TEAM, OWN):
        for q, terms in (
            ('"often"', ["often"]),
            ('"seldom"', ["seldom"]),
            ('"often" "too"', ["often", "too"]),
            ("seldom too", ["seldom", "too"]),
            ("x14", None),
            ("never", ["never"]),
        ):
            found = await pages(timeline, viewer, q)
            if terms is None:
                assert len(found) == len(set(found))
                assert found
            else:
                assert found == await expected(timeline, viewer, *terms), (q, viewer)


async def test_dates_bound_what_is_found(timeline: Timeline) -> None:
    await in_waves(timeline)
    found = await pages(timeline, TEAM, '"often" before:2025-12-20 after:2025-12-01')
    which = {
        "viewer": {"$in": TEAM.audiences},
        "terms": "often",
        "date": {
            "$gte": datetime(2025, 12, 1, tzinfo=UTC),
            "$lt": datetime(2025, 12, 20, tzinfo=UTC),
        },
    }
    rows = await timeline.database[MailRow.collection].find(which).to_list()
    assert set(found) == {row["thread"] for row in rows}
    assert found


async def test_a_prefix_stands_for_the_same_terms_fresh_or_not(timeline: Timeline) -> None:
    await in_waves(timeline)
    made = blocks.Blocks(timeline.database)
    mine = {"account": ACCOUNT, "viewer": {"$in": ["*"]}}
    rows = await timeline.database[MailRow.collection].find({"viewer": "*"}).to_list()
    terms = sorted({t for row in rows for t in row["terms"] if t.startswith("x1")})
    assert await made.terms(mine, "x1") == terms[: blocks.MAX_EXPANSIONS]


async def test_a_block_has_the_terms_of_its_rows_and_no_others(timeline: Timeline) -> None:
    await in_waves(timeline)
    await check_blocks(timeline)


async def check_blocks(timeline: Timeline) -> int:
    """Check what every block says of its rows, and every row of its block; return how many."""
    rows = await timeline.database[MailRow.collection].find().to_list()
    made = [
        from_document(TermBlock, document)
        async for document in timeline.database[TermBlock.collection].find()
    ]
    for block in made:
        of = [r for r in rows if (r["viewer"], r.get("block")) == (block.audience, block.place)]
        assert {term for row in of for term in row["terms"]} == set(block.terms)
        assert 0 < len(of) <= term_blocks.MAX_ROWS
        begins = term_blocks.begins_at(block.place)
        for row in of:
            assert begins is None or begins <= row["date"]
            assert row["date"] < term_blocks.ends_before(block.place)
    named = {(row["viewer"], row["block"]) for row in rows if "block" in row}
    assert named == {(block.audience, block.place) for block in made}
    return len(made)


async def test_one_that_changes_dissolves_its_block(timeline: Timeline) -> None:
    """Another capture of a mail with other words changes its row for the team."""
    for number in range(64):
        text = mail(f"s{number}", message_id=f"{number}@x", text=f"text word{number}")
        await timeline.handle(attached(match(), minutes=number + 5), text)
    await timeline.index_terms()
    assert await check_blocks(timeline) == 2, "the team's and the owner's"
    assert len(await pages(timeline, TEAM, '"text"')) == 64
    earlier = mail("s7", message_id="7@x", text="earlier words")
    await timeline.handle(attached(match(), owner="u2"), earlier)
    assert await check_blocks(timeline) == 1
    assert len(await pages(timeline, TEAM, '"text"')) == 63
    assert len(await pages(timeline, TEAM, '"earlier"')) == 1
    assert len(await pages(timeline, OWN, '"text"')) == 64
    await timeline.index_terms()
    assert await check_blocks(timeline) == 2
    assert len(await pages(timeline, TEAM, '"text"')) == 63


async def test_a_repeat_changes_no_block(timeline: Timeline) -> None:
    captures = [(attached(match()), mail(f"s{n}", message_id=f"{n}@x")) for n in range(64)]
    for event, raw in captures:
        await timeline.handle(event, raw)
    await timeline.index_terms()
    before = await timeline.database[TermBlock.collection].find().to_list()
    for event, raw in captures[:3]:
        await timeline.handle(event, raw)
    assert await timeline.database[TermBlock.collection].find().to_list() == before


async def test_replicas_that_index_the_same_audience_agree(timeline: Timeline) -> None:
    await all_fresh(timeline)
    others = [TermIndexer(timeline.client, timeline.database) for _ in range(3)]
    made = await asyncio.gather(
        *(indexer.index(ACCOUNT, "*") for indexer in others), return_exceptions=True
    )
    assert all(isinstance(one, int | OperationFailure) for one in made)
    await timeline.index_terms()
    await check_blocks(timeline)
    assert await pages(timeline, TEAM, '"often"') == await expected(timeline, TEAM, "often")


async def test_what_is_written_is_indexed_without_being_asked(timeline: Timeline) -> None:
    running = asyncio.create_task(timeline.indexer.run())
    for number in range(70):
        await timeline.handle(attached(match()), mail(f"s{number}", message_id=f"{number}@x"))
    while await timeline.database[TermBlock.collection].count_documents({}) < 1:
        await timeline.handle(attached(match()), mail("more", message_id="more@x"))
        await asyncio.sleep(0.05)
    timeline.indexer.stop()
    await running
    await check_blocks(timeline)


async def test_what_an_earlier_process_has_left_fresh_is_indexed_at_the_start(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert(timeline, some_rows(3, 400))
    rows, blocks_ = timeline.database[MailRow.collection], timeline.database[TermBlock.collection]
    find, failures = TermIndexer.audiences, iter([PyMongoError("away")])

    async def audiences(self: TermIndexer, after: indexing.Audience | None = None) -> object:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await find(self, after)

    monkeypatch.setattr(TermIndexer, "audiences", audiences)
    monkeypatch.setattr(indexing, "_PAUSE_SECONDS", 0.01)
    indexer = TermIndexer(timeline.client, timeline.database)
    running = asyncio.create_task(indexer.run())
    async with asyncio.timeout(DEADLINE):
        while await blocks_.distinct("viewer") != ["!u1", "*", "u1", "u2"]:
            await asyncio.sleep(0.02)
    indexer.stop()
    await running
    assert await rows.count_documents({"block": None}) < 4 * MAX_ROWS


async def test_an_audience_that_cannot_be_indexed_delays_no_other(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def index(_: str, audience: str) -> int:
        asked.append(audience)
        if audience == "ill":
            raise OperationFailure("too large")
        return 0

    monkeypatch.setattr(indexing, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(timeline.indexer, "index", index)
    for audience in ("ill", "well"):
        for number in range(indexing._LOOK_AFTER):
            timeline.indexer.wrote(a_row(random.Random(number), audience, number, {"all"}))
    running = asyncio.create_task(timeline.indexer.run())
    while asked.count("ill") < 2:
        await asyncio.sleep(0)
    timeline.indexer.stop()
    await running
    assert asked[:3] == ["ill", "well", "ill"]


async def test_what_was_written_lately_is_indexed_unread_and_what_others_wrote_anew_is_read(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, read = random.Random(7), 0
    written = [a_row(chance, "*", n, {"all", f"x{n}"}) for n in range(MAX_ROWS)]
    written = [
        replace(row, content=f"k{n}", terms_digest=digest_of(row.terms), date=UNTIL)
        for n, row in enumerate(written)
    ]
    for row in written:
        timeline.indexer.wrote(row)
    anew = replace(written[5], terms=("all", "other"), terms_digest=digest_of(("all", "other")))
    older = replace(written[6], terms_digest=b"")  # of an older writer
    await insert(timeline, [*written[:5], anew, older, *written[7:]])
    read_terms = indexing.TermIndexer._read_terms

    async def counted(self: TermIndexer, account: str, rows: Sequence[str], *rest: Any) -> Any:
        nonlocal read
        read += len(rows)
        return await read_terms(self, account, rows, *rest)

    monkeypatch.setattr(indexing.TermIndexer, "_read_terms", counted)
    assert await timeline.indexer.index(ACCOUNT, "*") == 1
    assert read == 2
    [block] = await timeline.database[TermBlock.collection].find().to_list()
    assert set(block["terms"]) == {"all", "other", *(f"x{n}" for n in range(64) if n != 5)}


async def test_an_upgrade_takes_over_what_was_there_and_drops_the_former_index(
    timeline: Timeline,
) -> None:
    await by_the_former_index(timeline)
    wanted = await expected(timeline, TEAM, "often")
    assert await pages(timeline, TEAM, '"often"') == wanted
    stopped = asyncio.Event()
    stopped.set()
    assert not await index_terms(timeline.indexer, timeline.database, stopped)
    assert await pages(timeline, TEAM, '"often"') == wanted
    rows = timeline.database[MailRow.collection]
    assert BY_TERM.name in await rows.index_information()
    await timeline.index_terms()
    assert BY_TERM.name not in await rows.index_information()
    assert await pages(timeline, TEAM, '"often"') == wanted
    assert await check_blocks(timeline)


async def test_rows_whose_block_a_backup_has_missed_are_found_again(timeline: Timeline) -> None:
    await in_waves(timeline)
    made = timeline.database[TermBlock.collection]
    lost = await made.find({"viewer": "*"}, {"_id": 1}).to_list()
    await made.delete_many({"_id": {"$in": [block["_id"] for block in lost[::2]]}})
    await timeline.index_terms()
    await check_blocks(timeline)
    assert await pages(timeline, TEAM, '"often"') == await expected(timeline, TEAM, "often")


async def test_a_rare_word_costs_its_blocks(timeline: Timeline) -> None:
    chance = random.Random(1)
    rows = [a_row(chance, "*", number, {"all", f"x{number}"}) for number in range(1500)]
    await insert(timeline, rows)
    await timeline.index_terms()
    fresh = await timeline.database[MailRow.collection].count_documents({"block": None})
    assert fresh < term_blocks.MAX_ROWS
    cost = await cost_of(timeline.database, lambda: pages(timeline, TEAM, '"x700"'))
    assert cost.documents <= fresh + term_blocks.MAX_ROWS
    assert not cost.sorts
    assert not cost.scans
