"""The writer on a real database: groups, races, faults, and the one capture that cannot be written.

What it writes is compared with what a writer on another database writes one by one.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from dev.mongodb import PrivateMongoDB
from services.timeline.content.reader import read
from services.timeline.metrics import BATCH_REQUESTS, CONFLICTS, HALVINGS
from services.timeline.write import apply as apply_module
from services.timeline.write.indexes import INDEXES
from services.timeline.write.projection import project
from services.timeline.write.requests import Answer, Attach, Dismiss, Request, account_of
from services.timeline.write.state import Draft
from services.timeline.write.writer import DEADLINE_SECONDS, Writer
from shared.contracts.events import MailAttached
from shared.storage.blobs import Blobs
from shared.storage.database import DatabaseAway, Document, connect, migrate
from tests.marks import in_full
from tests.timeline_parts import ACCOUNT, HOW_WRITTEN, attached, dismissed, mail, match

Writers = Callable[[str], Awaitable[Writer]]
_TEST_COMMANDS = ("--setParameter", "enableTestCommands=1")
_TRANSACTION = "TransientTransactionError"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateMongoDB]:
    """A database that may be frozen, killed and made to fail."""
    folder = tmp_path_factory.mktemp("writer")
    with PrivateMongoDB(folder, options=_TEST_COMMANDS) as server:
        yield server


@pytest.fixture
async def writers(
    server: PrivateMongoDB, database_name: str, tmp_path: Path
) -> AsyncIterator[Writers]:
    """Makes writers, each with a client of its own, on the database of that name."""
    made: list[tuple[AsyncMongoClient[Document], Writer]] = []

    async def make(name: str) -> Writer:
        client = connect(server.url, "test")
        database = client[f"{database_name}_{name}"]
        await migrate(database, INDEXES)
        writer = Writer(client, database, Blobs(f"file://{tmp_path}/blobs"))
        made.append((client, writer))
        return writer

    yield make
    for client, writer in made:
        await writer.close()
        await client.close()


def attach(event: MailAttached, raw: bytes) -> Attach:
    """Return the request that an attached mail makes."""
    return Attach(event=event, projection=project(event, read(raw), raw), raw=raw)


def letter(
    name: str, *, references: Sequence[str] = (), person: str = "c1", **of_event: Any
) -> Attach:
    """Return a capture of a mail with this id."""
    raw = mail(
        f"Subject {name}",
        message_id=f"{name}@x",
        references=" ".join(f"<{reference}@x>" for reference in references),
        to=f"{person}@x.example",
        text=f"The text of {name}.",
    )
    return attach(attached(match(person, f"{person}@x.example"), **of_event), raw)


async def contents(writer: Writer) -> dict[str, Any]:
    """Return all that is stored, but for names of conversations and when it was written."""
    database = writer._database
    least: dict[str, str] = {}
    async for token in database["tokens"].find():
        id_ = token["_id"].partition("/")[2]
        least[token["thread"]] = min(id_, least.get(token["thread"], id_))
    found: dict[str, Any] = {}
    for name in ("mails", "contents", "tokens", "mail_rows", "profile_mails", "conversations"):
        documents = await database[name].find().to_list()
        for document in documents:
            for field in HOW_WRITTEN:
                document.pop(field, None)
            if "thread" in document:
                document["thread"] = least[document["thread"]]
            if name == "conversations":
                document["_id"] = document["_id"].rpartition("/")[0]
        found[name] = sorted(documents, key=repr)
    outcomes = await database["outcomes"].find().to_list()
    found["outcomes"] = sorted((o["_id"], o["decision"]) for o in outcomes)
    tallies: dict[tuple[str, str], int] = {}
    async for tally in database["tallies"].find():
        key = tally["account"], tally["owner"]
        tallies[key] = tallies.get(key, 0) + tally.get("attached", 0)
    found["tallies"] = tallies
    return found


async def submit_all(writer: Writer, requests: Sequence[Request]) -> list[Answer]:
    """Submit all at once, again what failed because the database was away."""

    async def submit(request: Request) -> Answer:
        while True:
            try:
                return await writer.submit(request)
            except DatabaseAway:
                await asyncio.sleep(0.05)

    return await asyncio.gather(*map(submit, requests))


async def one_by_one(writer: Writer, requests: Sequence[Request]) -> dict[str, Any]:
    """Return what is stored when each is written alone."""
    for request in requests:
        await writer.submit(request)
    return await contents(writer)


class Commands(CommandListener):
    """Counts the commands that a client sends."""

    def __init__(self) -> None:
        self.count = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.count += 1

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...


async def test_what_waits_is_committed_together(
    server: PrivateMongoDB, database_name: str, tmp_path: Path
) -> None:
    commands = Commands()
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        server.url, tz_aware=True, event_listeners=[commands]
    )
    writer = Writer(client, client[database_name], Blobs(f"file://{tmp_path}/blobs"))
    await migrate(client[database_name], INDEXES)
    await writer.submit(letter("first"))
    requests = [letter(f"m{n}", references=[f"m{n - n % 3}"]) for n in range(256)]
    commands.count = 0
    answers = await submit_all(writer, requests)
    assert {answer.outcome for answer in answers} == {"attached"}
    assert commands.count <= len(requests), "a command a mail; one by one they are 14 and more"
    await writer.close()
    await client.drop_database(database_name)
    await client.close()


async def test_a_capture_that_cannot_be_applied_fails_alone(
    writers: Writers, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = await writers("a")
    requests = [letter(f"m{n}", references=["m0"]) for n in range(64)]
    poisoned, original = requests[17], apply_module.apply_one

    def apply_one(draft: Draft, request: Request, now: Any) -> Answer:
        if request is poisoned:
            raise ArithmeticError("a defect")
        return original(draft, request, now)

    monkeypatch.setattr(apply_module, "apply_one", apply_one)
    halvings = _value(HALVINGS)
    results = await asyncio.gather(*map(writer.submit, requests), return_exceptions=True)
    failed = [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    assert failed == [17]
    assert isinstance(results[17], ArithmeticError)
    assert 0 < _value(HALVINGS) - halvings <= 7
    monkeypatch.undo()
    other = await one_by_one(await writers("b"), [r for r in requests if r is not poisoned])
    assert await contents(writer) == other


async def test_a_document_that_the_database_refuses_fails_alone(writers: Writers) -> None:
    writer = await writers("a")
    client = writer._client
    await client[
        writer._database.name
    ].command(
        "collMod", "mails", validator={"message_id": {"$ne": "m5@x"}}
    ) if "mails" in await (
        writer._database.list_collection_names()
    ) else await writer._database.create_collection(
        "mails", validator={"message_id": {"$ne": "m5@x"}}
    )
    requests = [letter(f"m{n}") for n in range(20)]
    results = await asyncio.gather(*map(writer.submit, requests), return_exceptions=True)
    failed = [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    assert failed == [5]
    assert not isinstance(results[5], DatabaseAway)


@pytest.mark.parametrize(
    "references",
    [
        pytest.param(lambda n, chance: [f"m{chance.randrange(1000)}"], id="one conversation"),
        pytest.param(lambda n, chance: [f"m{n ^ 1}", f"m{(n * 7) % 400}"], id="many that merge"),
    ],
)
async def test_two_writers_that_race_write_what_one_does(
    writers: Writers,
    references: Callable[[int, random.Random], list[str]],
    share: float,
    measured: list[str],
) -> None:
    chance, count = random.Random(3), 1000 if share == 1 else 120
    requests = [
        letter(f"m{n}", references=references(n, chance), person=f"c{n % 3}", owner=f"u{n % 2}")
        for n in range(count)
    ]
    requests += chance.sample(requests, count // 4)  # some come again
    chance.shuffle(requests)
    first, second = await writers("a"), await writers("a")
    before = _value(CONFLICTS), _value(HALVINGS), BATCH_REQUESTS._sum.get()
    half = len(requests) // 2
    await asyncio.gather(submit_all(first, requests[:half]), submit_all(second, requests[half:]))
    raced = await contents(first)
    now = _value(CONFLICTS), _value(HALVINGS), BATCH_REQUESTS._sum.get()
    measured.append(
        f"two writers, {len(requests)} captures: {now[0] - before[0]:.0f} conflicts, "
        f"{now[1] - before[1]:.0f} halvings"
    )
    chance.shuffle(requests)
    assert raced == await one_by_one(await writers("b"), requests)


@contextmanager
def failing(server: PrivateMongoDB, commands: Sequence[str], **data: Any) -> Iterator[None]:
    """Let commands of the test's clients fail."""
    with MongoClient[Document](server.url) as client:
        client.admin.command(
            "configureFailPoint",
            "failCommand",
            mode={"skip": data.pop("skip", 0)}
            if "skip" in data
            else {"times": data.pop("times", 3)},
            data={"failCommands": list(commands), "appName": "test", **data},
        )
        try:
            yield
        finally:
            client.admin.command("configureFailPoint", "failCommand", mode="off")


@pytest.mark.parametrize(
    ("commands", "data"),
    [
        (
            ["commitTransaction"],
            {"errorCode": 262, "errorLabels": ["UnknownTransactionCommitResult"]},
        ),
        (["commitTransaction"], {"closeConnection": True}),
        (["commitTransaction"], {"errorCode": 251, "errorLabels": [_TRANSACTION]}),
        (["insert"], {"errorCode": 112, "errorLabels": [_TRANSACTION], "times": 4}),
        (["update"], {"closeConnection": True}),
        (["find"], {"errorCode": 10107}),
    ],
    ids=[
        "unknown commit",
        "lost commit",
        "lost transaction",
        "conflict",
        "lost write",
        "stepped down",
    ],
)
async def test_what_is_transient_is_repeated_and_rejects_nothing(
    writers: Writers, server: PrivateMongoDB, commands: list[str], data: dict[str, Any]
) -> None:
    requests = [letter(f"m{n}", references=[f"m{n // 2}"]) for n in range(40)]
    writer = await writers("a")
    await writer.submit(letter("first"))
    with failing(server, commands, **data):
        answers = await submit_all(writer, requests)
    assert {answer.outcome for answer in answers} == {"attached"}
    other = await one_by_one(await writers("b"), [letter("first"), *requests])
    assert (await contents(writer))["mail_rows"] == other["mail_rows"]
    assert (await contents(writer))["conversations"] == other["conversations"]
    assert (await contents(writer))["tallies"] == other["tallies"]


@asynccontextmanager
async def frozen(server: PrivateMongoDB) -> AsyncIterator[None]:
    """Freeze the server meanwhile."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def kill(server: PrivateMongoDB) -> None:
    """Kill the server, and start it again."""
    server.kill()
    server.start()


def freeze(server: PrivateMongoDB) -> None:
    """Let the server be silent for a second."""
    server.freeze()
    time.sleep(1)
    server.thaw()


def step_down(server: PrivateMongoDB) -> None:
    """Let the primary give its place up for a second."""
    with MongoClient[Document](server.url) as client:
        client.admin.command("replSetStepDown", 1, secondaryCatchUpPeriodSecs=0, force=True)


@pytest.mark.parametrize("breaks", [kill, *in_full(freeze, step_down)])
async def test_a_server_that_breaks_under_a_full_writer_loses_nothing(
    writers: Writers, server: PrivateMongoDB, breaks: Callable[[PrivateMongoDB], None]
) -> None:
    writer = await writers("a")
    requests = [letter(f"m{n}", references=[f"m{n // 2}"]) for n in range(120)]
    writing = asyncio.create_task(submit_all(writer, requests))
    await asyncio.sleep(0.05)
    assert not writing.done()
    await asyncio.to_thread(breaks, server)
    assert {answer.outcome for answer in await writing} == {"attached"}
    assert await contents(writer) == await one_by_one(await writers("b"), requests)


async def test_a_silent_server_ends_in_a_retry_for_everybody(
    writers: Writers, server: PrivateMongoDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.timeline.write.writer.DEADLINE_SECONDS", DEADLINE_SECONDS / 10)
    writer = await writers("a")
    await writer.submit(letter("first"))
    async with frozen(server):
        results = await asyncio.gather(
            *(writer.submit(letter(f"m{n}")) for n in range(10)), return_exceptions=True
        )
    assert {type(result) for result in results} == {DatabaseAway}


async def test_closing_writes_what_waits(writers: Writers) -> None:
    writer = await writers("a")
    requests = [letter(f"m{n}") for n in range(100)]
    submitted = [asyncio.create_task(writer.submit(request)) for request in requests]
    await asyncio.sleep(0)
    await writer.close()
    assert {(await task).outcome for task in submitted} == {"attached"}


async def test_accounts_share_a_batch_and_keep_apart(writers: Writers) -> None:
    writer = await writers("a")
    requests: list[Request] = [letter(f"m{n % 9}", account=f"account{n % 5}") for n in range(90)]
    requests += [Dismiss(event=dismissed()) for _ in range(10)]
    answers = await submit_all(writer, requests)
    assert {account_of(request) for request in requests} == {
        *map("account{}".format, range(5)),
        ACCOUNT,
    }
    assert [answer.outcome for answer in answers[-10:]] == ["dismissed"] * 10
    other = await one_by_one(await writers("b"), requests)
    assert await contents(writer) == other


def _value(counter: Any) -> float:
    return float(counter._value.get())
