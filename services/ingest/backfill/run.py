"""`--backfill`: imports old mail, by the same path as live mail.

    the mails, one by one (`old_mail.py`) -> Receiver.receive -> a queue of its own, confirmed

* The same mail always gets the same capture id: imported again, it is not counted twice.
* While the broker or the blob store cannot accept mail (a full queue, too), it waits and says so.
* After an interruption, even a kill, the same command continues: a state file says up to where all
  mail is confirmed. It is deleted when everything is.
* Mail that is over the size limit, empty or unreadable is named, counted and left out.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.ingest.backfill.sources import OldMail, Place, measure, read_old_mail
from services.ingest.receipts import Receipts
from services.ingest.receive import NotAccepted, Receiver
from services.ingest.settings import IngestSettings
from shared.broker import Publisher
from shared.contracts.events import MailReceived
from shared.contracts.topology import uses
from shared.runtime.mistake import Mistake
from shared.runtime.process import running
from shared.runtime.progress import Progress
from shared.storage.blobs import Blobs

OPTIONS = """\
  --backfill PATH --recipient ADDRESS [--state FILE]
      import old mail for the user who owns this capture address, and exit. PATH is an mbox, a
      Maildir, a folder of .eml and .mbox files, or a single mail. If it is interrupted, run the
      same command again: it continues from FILE (default: .satchel-backfill-*.json, in this folder)

"""
_AT_ONCE = 16
_BYTES_AT_ONCE = 64 * 1024 * 1024
_WAIT_SECONDS = 1.0
_SAVE_SECONDS = 1.0
_UnderWay = tuple[OldMail, asyncio.Task[str | None]]


@dataclass
class State:
    """Progress of a backfill: everything before `place` is done."""

    file: Path
    of: str
    """What it is the state of."""
    place: Place = field(default_factory=Place)
    taken: int = 0
    """Bytes of the whole that are done."""
    tally: Counter[str] = field(default_factory=Counter)

    def load(self) -> None:
        """Read the state of an earlier run, if any. Raises Mistake if it is another backfill's."""
        try:
            kept = json.loads(self.file.read_text())
            if kept["of"] != self.of:
                raise Mistake(f"{self.file} is the state of another backfill")
            self.place = Place(tuple(kept["file"]), kept["offset"])
            self.taken, self.tally = kept["taken"], Counter(kept["tally"])
        except FileNotFoundError:
            self.save()  # better now than after an hour
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Mistake(f"{self.file} is not a backfill state ({error})") from error

    def save(self) -> None:
        """Write the state atomically. Raises Mistake if that is impossible."""
        kept = {"of": self.of, "file": self.place.file, "offset": self.place.offset}
        kept |= {"taken": self.taken, "tally": self.tally}
        new = self.file.with_name(f"{self.file.name}.new")
        try:
            with new.open("w") as file:
                json.dump(kept, file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.file)
        except OSError as error:
            raise Mistake(f"{self.file}: {error.strerror}; choose another --state") from error

    def forget(self) -> None:
        """Delete the state, since everything is done."""
        self.file.unlink(missing_ok=True)


class Backfill:
    """One run of the command."""

    def __init__(self, settings: IngestSettings, arguments: Sequence[str]) -> None:
        """Raise Mistake when the command cannot be carried out."""
        given = _parser().parse_args(arguments)
        path: Path = given.backfill
        domain = settings.capture_domain
        address = settings.key_ring.verify(given.recipient, domain)
        if address is None:
            raise Mistake(f"--recipient is not a capture address of {domain}")
        if not (path.is_file() or path.is_dir()):
            raise Mistake(f"{path} does not exist, or is neither a file nor a folder")
        try:
            total = measure(path)
        except OSError as error:
            raise Mistake(f"{error.filename}: {error.strerror}") from error
        of = f"{path.resolve()} for {address.address}"
        name = f".satchel-backfill-{hashlib.sha256(of.encode()).hexdigest()[:12]}.json"
        self.state = State(given.state or Path(name), of)
        self.state.load()
        self._settings, self._path, self._address = settings, path, address
        self._sent_before = self.state.tally["sent"]
        self._progress = Progress("imported", total, done=self.state.taken, in_bytes=True)
        self._is_waiting = False
        self.finished = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Import the mails until the end or `stopping`, and print a summary."""
        settings, started = self._settings, time.monotonic()
        publisher = Publisher(
            settings.amqp_url,
            "ingest backfill",
            uses(publishes=[MailReceived]),
            deadline=settings.publish_deadline,
        )
        blobs, backfill_id = Blobs(settings.blob_url), settings.key_ring.backfill_id
        receipts = Receipts(blobs, every=settings.receipt_seconds)
        receiver = Receiver(publisher, blobs, receipts=receipts, backfill_id=backfill_id)
        async with running(publisher, stopping), running(receipts, stopping):
            self.finished = await self._bring(receiver, stopping)
        self._progress.end()
        sys.stderr.write(self._summary(time.monotonic() - started))
        if self.finished:
            self.state.forget()

    async def _bring(self, receiver: Receiver, stopping: asyncio.Event) -> bool:
        """Return whether everything is done."""
        mails = read_old_mail(self._path, self._settings.max_mail_bytes, self.state.place)
        under_way: deque[_UnderWay] = deque()
        at_end, saved = False, time.monotonic()
        try:
            while not (at_end or stopping.is_set()):
                mail = await asyncio.to_thread(next, mails, None)
                if mail is None:
                    at_end = True
                else:
                    one = asyncio.create_task(self._one(receiver, mail, stopping))
                    under_way.append((mail, one))
                while under_way and (at_end or _is_enough(under_way)):
                    if not await self._settle(*under_way.popleft()):
                        return False
                if time.monotonic() - saved > _SAVE_SECONDS:
                    await asyncio.to_thread(self.state.save)
                    saved = time.monotonic()
            while under_way and await self._settle(*under_way.popleft()):
                pass
            return at_end
        finally:
            await asyncio.gather(*(one for _, one in under_way), return_exceptions=True)
            self.state.save()

    async def _settle(self, mail: OldMail, one: asyncio.Task[str | None]) -> bool:
        """Wait for a mail; return whether it is done with, else it remains for another run."""
        became = await one
        if became is None:
            return False
        self.state.place = mail.after
        self.state.taken += mail.taken
        self.state.tally[became] += 1
        self._progress.step(mail.taken)
        return True

    async def _one(self, receiver: Receiver, mail: OldMail, stopping: asyncio.Event) -> str | None:
        """Return what became of a mail; None when it had to be left for another run."""
        if mail.raw is None or not mail.raw.strip():
            became = "unreadable" if mail.error else "too large" if mail.raw is None else "empty"
            self._progress.note(f"skipped, {mail.error or became}: {mail.name}")
            return became
        while not await self._is_taken(receiver, mail.raw):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _WAIT_SECONDS)
            if stopping.is_set():
                return None
        return "sent"

    async def _is_taken(self, receiver: Receiver, raw: bytes) -> bool:
        try:
            await receiver.receive(raw, [self._address], mail_from=None, door="http")
        except NotAccepted as failure:
            if not self._is_waiting:
                self._progress.note(f"waiting: mail is not accepted right now ({failure})")
            self._is_waiting = True
            return False
        if self._is_waiting:
            self._progress.note("continuing")
        self._is_waiting = False
        return True

    def _summary(self, seconds: float) -> str:
        tally = self.state.tally
        counts = {**tally, "sent": tally["sent"] - self._sent_before}
        counts["sent before"] = self._sent_before
        words = ("sent", "sent before", "too large", "empty", "unreadable")
        told = ", ".join(f"{counts[w]:,} {w}" for w in words if w == "sent" or counts.get(w))
        lines = [f"{tally.total():,} read: {told}; {seconds:,.1f} s"]
        if self.finished:
            lines.append("GET /v1/stats of the timeline shows what becomes of them")
        else:
            lines.append("interrupted; run the same command again to continue")
        return "".join(f"{line}\n" for line in lines)


def _is_enough(under_way: Sequence[_UnderWay]) -> bool:
    held = sum(len(mail.raw or b"") for mail, _ in under_way)
    return len(under_way) >= _AT_ONCE or held > _BYTES_AT_ONCE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingest", add_help=False, allow_abbrev=False)
    parser.add_argument("--backfill", metavar="PATH", type=Path, required=True)
    parser.add_argument("--recipient", metavar="ADDRESS", required=True)
    parser.add_argument("--state", metavar="FILE", type=Path)
    return parser
