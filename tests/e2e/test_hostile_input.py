"""Whatever is sent to whatever operation: a clear answer, never a failure of the service.

The operations and their parameters come from the OpenAPI documents. While the hostile values go
through them, MongoDB records every command that it gets: none of them may hold an operator, a key
or a field path that a user wrote.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pymongo
import pytest

from dev.stack import SERVICES, Stack
from tests.e2e.account import Account
from tests.e2e.operations import ALL_SCOPES, EVENTS, JSON, MAIL, NDJSON, Operation, operations
from tests.memory import forget_peak, peak

MARK = "zqmark"
"""In every hostile value that is to be recognised in the database's commands."""
OPERATORS = [{"$gt": ""}, {"$where": MARK}, [{"$ne": MARK}], {f"${MARK}": 1}, {f"{MARK}.x": 1}]
WORDS = [
    *("$gt", f"${MARK}", f"$${MARK}", f"{MARK}.$[].x", f'{{"${MARK}": ""}}', f"{MARK}'; return 1"),
    *("\0", f"{MARK}\0", "", " ", "-1", "NaN", "1e309", "9" * 400, "../../etc/passwd", "\u202e"),
    *(".*", f"^{MARK}", "(a+)+$", "%", "%24gt", "\ud800", "\U0010ffff", "x" * 5000),
]
NO_JSON = [
    *(b"", b"{", b"\0", b"\xff\xfe", b'{"a": 1e999}', b"9" * 5000, b'"\\ud800"', b"NaN"),
    *(b"[" * 50_000, b'{"a":' * 50_000, b"null", b"[]", b"true", b'{"$gt": ""}'),
]
MEBIBYTE = 1 << 20
PROBLEM = "application/problem+json"
FORGED: list[Any] = [
    *([{"$gt": 0}, "a" * 32], [0, {"$ne": 1}], [10**400, "a" * 32], [1e308, "a" * 32], [True, ""]),
    *([-(10**15), "a" * 32], [0, "$" + "a" * 31], {"$gt": 1}, None, "x", [[[[]]]], [0, "a" * 32]),
]


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    account = Account(stack)
    account.send("cand@mail.example", body=f"text {MARK}")
    assert account.outcome() == {"attached": 1}
    return account


@pytest.fixture(scope="module")
def asked(account: Account) -> list[Operation]:
    return [o for o in operations(account) if o.path != EVENTS]


def demand_clear(answer: httpx.Response, *about: object) -> None:
    """Fail unless the answer is a success, or a problem of the caller's."""
    assert answer.status_code < 500, (*about, answer.status_code, answer.text)
    if answer.status_code >= 400 and "uvicorn" not in answer.text:
        assert answer.headers["content-type"] == PROBLEM, (*about, answer.text)


def cursors() -> list[str]:
    texts = [json.dumps(value) for value in FORGED]
    texts += ["[" * 70, '[0, "\\ud800"]']
    return [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in texts]


def leaves(body: Any, path: Sequence[Any] = ()) -> Iterator[Sequence[Any]]:
    """Yield the place of every value in a body, and of the body itself."""
    yield path
    pairs: Any = ()
    if isinstance(body, Mapping | list):
        pairs = body.items() if isinstance(body, Mapping) else enumerate(body)
    for key, value in pairs:
        yield from leaves(value, (*path, key))


def with_value(body: Any, path: Sequence[Any], value: Any) -> Any:
    """Return the body with another value in that place."""
    if not path:
        return value
    key, *rest = path
    changed: Any = body.copy()
    changed[key] = with_value(body[key], rest, value)
    return changed


def bodies(operation: Operation) -> Iterator[tuple[bytes, bool]]:
    """Yield hostile JSON bodies, and of each whether it has an object or a list for a value."""
    for path in leaves(operation.body):
        for value in [*OPERATORS, *WORDS, 10**400, -(2**63) - 1, 1e308, None, True]:
            text = json.dumps(with_value(operation.body, path, value))
            yield text.encode(), not isinstance(value, str | int | float | None)
    for key in ("$set", "a.b", f"${MARK}", "__proto__", "_id", "account", "\0"):
        yield json.dumps({**operation.body, key: {"$ne": MARK}}).encode(), False
    for content in NO_JSON:
        yield content, False


def ask_all(account: Account, asked: Sequence[Operation]) -> int:
    """Send hostile values through every parameter and every field; return how many."""
    count = 0
    client = account.client_for("u1", " ".join(sorted(ALL_SCOPES)))
    for operation in asked:
        required = {name: operation.query[name] for name in operation.required}
        for name in operation.query:
            for value in [*WORDS, *(cursors() if name == "cursor" else ())]:
                forms: list[dict[str, Any]] = [{name: value}]
                if value == "$gt":
                    forms += [{f"{name}[$ne]": value}, {name: [value, value]}]
                for params in forms:
                    answer = operation.ask(client, params={**required, **params})
                    demand_clear(answer, operation.name, params)
                    count += 1
        for name in operation.in_path:
            for word in WORDS:
                quoted = quote(word, safe="", errors="surrogatepass")
                answer = operation.at(**{name: quoted}).ask(client)
                demand_clear(answer, operation.name, name, word)
                count += 1
        for content, has_object in bodies(operation) if operation.media_type == JSON else ():
            answer = operation.ask(client, content=content)
            demand_clear(answer, operation.name, content[:200])
            assert not has_object or answer.status_code == 422, (operation.name, content[:200])
            count += 1
    return count


@contextmanager
def recorded(stack: Stack) -> Iterator[list[Mapping[str, Any]]]:
    """Record every command that the services send to MongoDB meanwhile."""
    names = [stack.environment[name] for name in ("MATCHER_DATABASE", "TIMELINE_DATABASE")]
    commands: list[Mapping[str, Any]] = []
    with pymongo.MongoClient[dict[str, Any]](stack.environment["MONGODB_URL"]) as client:
        for name in names:
            client[name].command("profile", 0)
            client[name].drop_collection("system.profile")
            client[name].create_collection("system.profile", capped=True, size=256 * MEBIBYTE)
            client[name].command("profile", 2, slowms=0, sampleRate=1.0)
        yield commands
        for name in names:
            client[name].command("profile", 0)
            commands += client[name]["system.profile"].find()
            client[name]["system.profile"].drop()


def user_written(command: Any, *, evaluated: bool = False) -> Iterator[object]:
    """Yield what MongoDB would take for code in a command and a user wrote.

    `evaluated` is where a text that begins with `$` is a field path: in pipelines, but not within
    `$literal`.
    """
    if isinstance(command, Mapping):
        for key, value in command.items():
            if MARK in key or "\0" in key:
                yield key
            pipeline = key in ("pipeline", "u", "updateobj", "$expr") and isinstance(value, list)
            inside = (evaluated or pipeline) and key != "$literal" and key != "$match"
            yield from user_written(value, evaluated=inside)
    elif isinstance(command, list | tuple):
        for value in command:
            yield from user_written(value, evaluated=evaluated)
    elif isinstance(command, str) and evaluated and command.startswith("$") and MARK in command:
        yield command


def operators(command: Any) -> Iterator[str]:
    """Yield the operators in a command."""
    if isinstance(command, Mapping):
        for key, value in command.items():
            if key.startswith("$"):
                yield key
            yield from operators(value) if key != "$literal" else ()
    elif isinstance(command, list | tuple):
        for value in command:
            yield from operators(value)


KNOWN_OPERATORS = {
    *("$and", "$or", "$nor", "$in", "$nin", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$exists"),
    *("$elemMatch", "$set", "$unset", "$setOnInsert", "$inc", "$max", "$min", "$addToSet", "$pull"),
    *(
        "$push",
        "$each",
        "$slice",
        "$literal",
        "$toLong",
        "$lookup",
        "$cond",
        "$ifNull",
        "$add",
        "$filter",
        "$match",
        "$group",
        "$sum",
    ),
    *(
        "$let",
        "$not",
        "$map",
        "$mergeObjects",
        "$reduce",
        "$concatArrays",
        "$setIntersection",
        "$setDifference",
        "$unwind",
    ),
    *("$sort", "$limit", "$project", "$changeStream", "$clusterTime", "$db", "$readPreference"),
    *("$truncated", "$_internalSetMultiUpdateParamsForTest"),
}
"""All that the services' own code writes."""


def test_no_operator_of_a_user_reaches_the_database(
    stack: Stack, account: Account, asked: list[Operation]
) -> None:
    with recorded(stack) as commands:
        sent = ask_all(account, asked)
        hostile = Account(stack)
        for subject in (f"${MARK}", f"{MARK}.a", "$set"):
            hostile.send(
                f'"{subject}" <cand@mail.example>',
                headers=f"In-Reply-To: <${MARK}.b@x>\r\n${MARK}.x: y\r\nSubject: {subject}\r\n",
                body=f"${MARK}.c {subject}",
                message_id=f"${MARK}.{hostile.sent}@x",
            )
        assert hostile.outcome() == {"attached": 3}
    assert sent > 700
    ours = [command for command in commands if "$truncated" not in str(command)]
    assert sum(MARK in str(command) for command in ours) > 50, "the values did not get so far"
    for command in commands:
        told = {
            name: command[name] for name in ("command", "originatingCommand") if name in command
        }
        assert list(user_written(told)) == [], command
        assert {*operators(told)} <= KNOWN_OPERATORS, command


def test_no_body_is_larger_than_its_limit(
    stack: Stack, account: Account, asked: list[Operation]
) -> None:
    """With and without a Content-Length, with and without a body that is expected."""
    pids = [replica.process.pid for service in SERVICES for replica in stack.of(service)[:1]]
    for pid in pids:
        forget_peak(pid)
    before = [peak(pid) for pid in pids]
    for operation in asked:
        if operation.media_type == NDJSON:
            continue
        size = 31 * MEBIBYTE if operation.media_type == MAIL else 2 * MEBIBYTE

        def pieces(size: int = size) -> Iterator[bytes]:
            for _ in range(size // MEBIBYTE):
                yield b" " * MEBIBYTE

        for content in (b" " * size, pieces()):
            try:
                answer = operation.ask(account.client, content=content)
            except httpx.WriteError:
                continue  # it was refused, and the connection closed, before all was sent
            demand_clear(answer, operation.name)
            assert not operation.media_type or answer.status_code == 413, operation.name
    grown = [peak(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
    assert max(grown) < 150, grown


def test_a_line_of_an_import_has_a_limit(account: Account) -> None:
    """An endless line, and wrong ones whose fields have endless names, cost no memory."""
    pid = account.stack.of("matcher")[0].process.pid
    forget_peak(pid)
    before = peak(pid)

    def lines() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * MEBIBYTE
        yield b"\n"
        for number in range(2000):
            yield json.dumps({f"{number}" + "k" * 60_000: 1}).encode() + b"\n"
        yield b"[" * 60_000 + b'\n{"person_id": {"$gt": ""}}\n\0\n\xff\n'
        yield b'{"person_id": "z1", "kind": "contact", "name": "Z", "addresses": []}'

    answer = account.client.request(
        "POST", "matcher", "/v1/people:import", content=lines(), headers={"Content-Type": NDJSON}
    )
    last = json.loads(answer.text.splitlines()[-1])
    assert last == {"lines": 2006, "stored": 1, "failed": 2005, "done": True}
    assert len(answer.text) < 3 * MEBIBYTE
    assert peak(pid) - before < 60


@pytest.mark.parametrize("service", SERVICES)
def test_a_request_line_and_a_header_have_a_limit(account: Account, service: str) -> None:
    for size in (5_000, MEBIBYTE):
        for options in (
            {"params": {"q": "x" * size}} if size < 65_000 else {},
            {"headers": {"X-Long": "x" * size}},
            {"headers": {"Authorization": "Bearer " + "e" * size}},
            {"headers": {f"X-{n}": "y" * 20_000 for n in range(size // 20_000)}},
        ):
            try:
                answer = account.client.request("GET", service, "/healthz", **options)
            except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
                continue
            assert answer.status_code in (200, 400, 431), (size, answer.status_code)
            assert answer.status_code == 400 or size < MEBIBYTE or not options
