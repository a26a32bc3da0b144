"""Commands of `python -m services.timeline` that run once and exit."""

import asyncio
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

import structlog

from services.timeline.admin.audit import command as audit
from services.timeline.admin.dead_letters.arguments import OPTIONS as DEAD_LETTER_OPTIONS
from services.timeline.admin.dead_letters.command import DeadLettersCommand
from services.timeline.admin.index_terms import index_terms
from services.timeline.admin.reprocess import Reprocess
from services.timeline.admin.reprocess_preview import ReprocessPreview
from services.timeline.indexes import INDEXES
from services.timeline.settings import TimelineSettings
from services.timeline.write.indexing import TermIndexer
from services.timeline.write.listed_records import MailRow
from services.timeline.write.term_blocks import MAX_ROWS
from services.timeline.write.writer import Writer
from shared.runtime.dependencies import DependencyMonitor
from shared.runtime.mistake import Mistake
from shared.runtime.process import configure_logging, run
from shared.runtime.progress import Progress
from shared.storage.blobs import Blobs
from shared.storage.database import connect, migrate, what_is_missing

_AT_ONCE, _EXAMPLES = 64, 3
OPTIONS = f"""\
{audit.OPTIONS.rstrip()}
  --migrate         build the indexes, and exit
  --reprocess       read every mail that an older version has stored again, from its raw bytes, and
                    exit; if interrupted, run it again to continue
  --reprocess --all read all stored mail again, from the beginning
  --reprocess --dry-run
                    print what --reprocess would change: each kind, how many mails, and the ids of
                    some. Writes nothing; with --all, read all stored mail
  --index-terms     write search terms into blocks, drop the old index, and exit. Run it once every
                    pod has this version (docs/upgrades.md)
{DEAD_LETTER_OPTIONS}"""


def do_chore(words: Sequence[str], settings: TimelineSettings) -> int | None:
    """Run the command on the command line; return its exit code, or None if there is none."""
    if words[:1] == ["--dead-letters"]:
        return handle_dead_letters(words[1:], settings)
    if "--audit" in words:
        return make_audit(words, settings)
    configure_logging("timeline", settings.log_level)
    if "--migrate" in words:
        run(lambda _: build_indexes(settings))
    elif "--reprocess" in words and "--dry-run" in words:
        run(lambda stopping: preview(settings, stopping, include_current="--all" in words))
    elif "--reprocess" in words:
        run(lambda stopping: reprocess(settings, stopping, include_current="--all" in words))
    elif "--index-terms" in words:
        run(lambda stopping: make_blocks(settings, stopping))
    else:
        return None
    return 0


async def build_indexes(settings: TimelineSettings) -> None:
    """Build the indexes."""
    async with connect(settings.mongodb_url, "timeline migration") as client:
        database = client[settings.timeline_database]
        await DependencyMonitor("database", settings.mongodb_url, what_is_missing(database)).there()
        await migrate(database, INDEXES)


async def reprocess(
    settings: TimelineSettings, stopping: asyncio.Event, *, include_current: bool
) -> None:
    """Read stored mail again; show the progress and what changed."""
    async with connect(settings.mongodb_url, "timeline reprocess") as client:
        database = client[settings.timeline_database]
        blobs = Blobs(settings.blob_url)
        indexer = TermIndexer(client, database)
        writer = Writer(client, database, blobs, indexer.wrote)
        chore = Reprocess(writer, database, blobs)
        total, done, tally = await chore.begin(include_current=include_current)
        progress = Progress("reprocessed", total, done=done)
        indexing = asyncio.create_task(indexer.run())
        try:
            finished = await chore.run(stopping, progress.step, tally)
        finally:
            await writer.close()
            indexer.stop()
            await indexing
        progress.end()
    words = ", ".join(f"{count:,} {word}" for word, count in sorted(tally.items()) if count)
    sys.stderr.write(f"{words or 'nothing to do'}\n")
    if not finished:
        sys.stderr.write("interrupted; run the same command again to continue\n")


async def preview(
    settings: TimelineSettings, stopping: asyncio.Event, *, include_current: bool
) -> None:
    """Say what reprocessing would change: each kind, how many mails, and some of them."""
    tally, examples = Counter[str](), defaultdict[str, list[str]](list)
    kinds = Counter[str]()
    position: str | None = ""
    async with connect(settings.mongodb_url, "timeline reprocess preview") as client:
        database = client[settings.timeline_database]
        found = ReprocessPreview(database, Blobs(settings.blob_url))
        progress = Progress("read again", await found.count())
        while position is not None and not stopping.is_set():
            page = await found.page(_AT_ONCE, position, include_current=include_current)
            for item in page.items:
                kinds.update(item.kinds)
                for kind in item.kinds:
                    if len(examples[kind]) < _EXAMPLES:
                        examples[kind].append(f"{item.account}/{item.mail_id}")
            tally += page.tally
            progress.step(page.tally.total())
            position = page.position
        progress.end()
    for kind, count in kinds.most_common():
        sys.stdout.write(f"{kind:<16}{count:>9,}  {', '.join(examples[kind])}\n")
    words = ", ".join(f"{count:,} {word}" for word, count in sorted(tally.items()))
    sys.stderr.write(f"{words or 'nothing to do'}; nothing was written\n")
    if position is not None:
        sys.stderr.write("interrupted: this is not all\n")


async def make_blocks(settings: TimelineSettings, stopping: asyncio.Event) -> None:
    """Put all search terms into blocks and show the progress."""
    async with connect(settings.mongodb_url, "timeline index terms") as client:
        database = client[settings.timeline_database]
        rows = await database[MailRow.collection].estimated_document_count()
        progress = Progress("rows in blocks, at most", rows)
        finished = await index_terms(
            TermIndexer(client, database),
            database,
            stopping,
            lambda blocks: progress.step(blocks * MAX_ROWS),
        )
        progress.end()
    if not finished:
        sys.stderr.write("interrupted; run the same command again to continue\n")


def make_audit(words: Sequence[str], settings: TimelineSettings) -> int:
    """Run the audit: return 0 if every promise is kept, 1 if one is broken, 2 if it failed."""
    configure_logging("timeline", "ERROR")  # standard output is for what it finds
    try:
        made = audit.Audit(settings, audit.Wanted.parse(words, settings.dead_letters_kept))
        run(made.run)
    except Mistake as mistake:
        sys.stderr.write(f"timeline: {mistake}\n")
        return 2
    except Exception:  # 1 is the word for what is lost
        structlog.get_logger().exception("audit failed")
        return 2
    return made.code


def handle_dead_letters(words: Sequence[str], settings: TimelineSettings) -> int:
    """Run a dead-letter command; return its exit code."""
    configure_logging("timeline", "ERROR")  # standard output is for what was asked for
    asked = DeadLettersCommand(settings, words)
    run(asked.run)
    return asked.code
