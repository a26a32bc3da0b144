"""`--dead-letters`: dead letters from a shell, for all accounts and for no known account.

Output goes to standard output, as a table or, with `--json`, as one JSON object per line. Progress
and failures go to standard error.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime

from msgspec.structs import asdict

from services.timeline.admin.dead_letters.arguments import parse
from services.timeline.admin.dead_letters.content import Content
from services.timeline.admin.dead_letters.letter import STATES, StoredLetter
from services.timeline.admin.dead_letters.records import Records, Which
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.settings import TimelineSettings
from shared.broker import UNROUTABLE, Publisher, PublishFailed
from shared.contracts.events import EVENTS
from shared.contracts.topology import uses
from shared.runtime.process import running
from shared.runtime.progress import Progress
from shared.storage.blobs import BlobMissing, Blobs, BlobStoreAway
from shared.storage.database import DatabaseAway, connect, database_errors

_AT_ONCE = 16
_WAIT_SECONDS = 1.0
_COLUMNS = ("id", "at", "state", "reason", "account", "tag", "queue", "size")
_SHOWN = (
    *("capture_id", "tag", "reason", "queue", "at", "size", "state", "replays", "expires_at"),
    *("id", "detail"),
)
_Act = Callable[[StoredLetter], Awaitable[str]]
_Shown = dict[str, object]


class DeadLettersCommand:
    """One run of the command; `code` is its exit code."""

    def __init__(self, settings: TimelineSettings, arguments: Sequence[str]) -> None:
        """Exit with 2 when the command is not understood."""
        self._given = parse(arguments)
        self._settings = settings
        self.code = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Run the command."""
        settings = self._settings
        topology = uses(publishes=EVENTS.values())
        publisher = Publisher(settings.amqp_url, "timeline dead letters", topology)
        blobs = Blobs(settings.blob_url)
        async with connect(settings.mongodb_url, "timeline dead letters") as client:
            self._records = Records(client[settings.timeline_database])
            self._content = Content(blobs)
            try:
                with database_errors():
                    if self._given.action == "list":
                        await self._list()
                    elif self._given.action == "show":
                        await self._show()
                    elif self._given.action == "drop":
                        await self._each(self._drop(publisher), "dropped", stopping)
                    else:
                        replay = self._replay(publisher, stopping)
                        async with running(publisher, stopping):
                            await self._each(replay, "replayed", stopping)
            except (DatabaseAway, BlobStoreAway) as away:
                self._fail(f"{type(away).__name__}: {away}; the same command goes on from here")

    async def _list(self) -> None:
        given = self._given
        states = STATES if given.state == "any" else (given.state,)
        which = Which(given.account, given.reason, states)
        found = await self._records.every(which, given.limit)
        if given.json:
            for letter in found:
                _say_json(_listed(letter))
        else:
            _say_table(_COLUMNS, map(_listed, found))

    async def _show(self) -> None:
        letter = await self._records.one(self._given.id)
        if letter is None:
            self._fail(f"there is no dead letter {self._given.id}")
        elif self._given.raw:
            try:
                sys.stdout.buffer.write(await self._content.mail(letter))
            except BlobMissing:
                self._fail("its mail is not there")
        else:
            shown = {**_listed(letter), "event": letter.event}
            header = await self._content.header(letter)
            if self._given.json:
                _say_json({**shown, "headers": [asdict(field) for field in header]})
            else:
                _say_table(("field", "value"), _rows(shown))
                sys.stdout.write("\n")
                for field in header:
                    sys.stdout.write(f"{field.name}: {_printable(field.value)}\n")

    async def _each(self, act: _Act, done: str, stopping: asyncio.Event) -> None:
        """Do it with each that is meant, some at a time, and say what became of them."""
        given = self._given
        which = Which(given.account, given.reason, ("waiting",))
        ids = given.ids or await self._records.ids(which, datetime.now(UTC))
        progress, left = Progress(done, len(ids)), iter(ids)
        tally = Counter[str]()

        async def work() -> None:
            for id_ in left:
                if stopping.is_set():
                    tally["left"] += 1
                    continue
                letter = await self._records.one(id_)
                became = await act(letter) if letter else "not there"
                tally[became] += 1
                if became != done:
                    progress.note(f"{_printable(id_)}: {became}")
                if given.json:
                    after = await self._records.one(id_)
                    _say_json({**(_listed(after) if after else {"id": id_}), "became": became})
                progress.step()

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_AT_ONCE):
                    group.create_task(work())
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        progress.end()
        told = ", ".join(f"{count:,} {word}" for word, count in sorted(tally.items()))
        sys.stderr.write(f"{told or 'nothing to do'}\n")
        if tally.keys() - {done}:
            self.code = 1

    def _replay(self, publisher: Publisher, stopping: asyncio.Event) -> _Act:
        replay = Replay(self._records, self._content, publisher)

        async def act(letter: StoredLetter) -> str:
            while True:
                try:
                    after = await replay.replay(letter, self._given.by)
                except BlobMissing:
                    return "its bytes no longer exist"
                except PublishFailed as failure:
                    if failure.reason == UNROUTABLE:
                        return "no queue takes it"
                    if stopping.is_set():
                        return "left"
                    await asyncio.sleep(_WAIT_SECONDS)  # the broker is unavailable: retry
                else:
                    return after.state

        return act

    def _drop(self, publisher: Publisher) -> _Act:
        replay = Replay(self._records, self._content, publisher)

        async def act(letter: StoredLetter) -> str:
            after = await replay.drop(letter, self._given.by, self._given.why)
            return "being replayed" if after.state == "waiting" else after.state

        return act

    def _fail(self, message: str) -> None:
        sys.stderr.write(f"timeline: {message}\n")
        self.code = 1


def _listed(letter: StoredLetter) -> _Shown:
    return {
        **{name: getattr(letter, name) for name in _SHOWN},
        "settled": asdict(letter.settled) if letter.settled else None,
        "account": letter.account or letter.account_tag or "",
    }


def _rows(shown: _Shown) -> Iterable[_Shown]:
    return ({"field": field, "value": value} for field, value in shown.items() if value is not None)


def _say_json(value: _Shown) -> None:
    sys.stdout.write(json.dumps(value, default=_plain) + "\n")


def _say_table(columns: Sequence[str], rows: Iterable[_Shown]) -> None:
    lines = [[_printable(_plain(row[column])) for column in columns] for row in rows]
    lines.insert(0, list(columns))
    widths = [max(len(line[n]) for line in lines) for n in range(len(columns))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _plain(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _printable(text: str) -> str:
    """Return text that cannot move a terminal's cursor: anybody may have written it."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
