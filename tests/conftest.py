"""Real servers for the tests, started once, used by all tests of a worker.

`AMQP_URL` and `MONGODB_URL` of the environment are used instead. Tests that break a server need one
of their own: they are skipped then, and say so.
"""

import gc
import os
import secrets
import sys
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import structlog
from xdist.remote import Producer

from dev import process
from dev.dns_server import DnsServer
from dev.install import ensure_rabbitmq, find_mongod
from dev.mongodb import PrivateMongoDB
from dev.rabbitmq import PrivateRabbitMQ
from dev.stack import SERVICES
from dev.warm import WarmStarts
from tests.collector import Collector
from tests.scheduling import GroupScheduling, make_scheduler, rank

_MEASURED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--full`: the large numbers that the promises name, not a fifth of them."""
    parser.addoption("--full", action="store_true", help="large numbers, as promised: minutes more")


def pytest_configure(config: pytest.Config) -> None:
    """Let no example of hypothesis fail because the machine is slow, and log tracebacks plainly.

    structlog's own default draws every local variable: two seconds of a processor per traceback.
    And it writes to standard output, which is for what a command is asked for.
    """
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, plain],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    for name, examples in (("short", 30), ("full", 500)):
        hypothesis.settings.register_profile(
            name,
            max_examples=examples,
            deadline=None,
            suppress_health_check=[hypothesis.HealthCheck.too_slow],
        )
    hypothesis.settings.load_profile("full" if config.getoption("--full") else "short")


@pytest.fixture(scope="session", autouse=True)
def _warm_starts() -> Iterator[None]:
    """Start services from processes that have imported them: a fifth of the processor time."""
    process.warm_starts = WarmStarts([f"services.{service}" for service in SERVICES])
    yield
    process.warm_starts.close()
    process.warm_starts = None


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest) -> float:
    """How much of a large number this run takes."""
    return 1.0 if request.config.getoption("--full") else 0.2


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> list[str]:
    """Lines to be printed after the tests: what was measured, never asserted."""
    return request.config.stash.setdefault(_MEASURED, [])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that two workers are done at the same time."""
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("full")]
    items.sort(key=lambda item: rank(item.nodeid.partition("::")[0]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling | None:
    """Let tests that share a stack run in one worker."""
    return make_scheduler(config, log)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass over what stays for the whole run: thousands of tests.

    Each of its full collections, of which the tests of cost ask for hundreds, took half a second.
    """
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what a worker has measured to the process that prints it."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["measured"] = session.config.stash.get(_MEASURED, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker has measured."""
    lines: list[str] = getattr(node, "workeroutput", {}).get("measured", [])
    node.config.stash.setdefault(_MEASURED, []).extend(lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for line in terminalreporter.config.stash.get(_MEASURED, []):
        terminalreporter.write_line(f"measured: {line}")


@pytest.fixture(scope="session")
def private_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitMQ]:
    """A broker that may be frozen, alarmed and killed."""
    if "AMQP_URL" in os.environ:
        pytest.skip("breaks the broker, so it needs its own: unset AMQP_URL")
    ensure_rabbitmq()
    with PrivateRabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(scope="session")
def amqp_url(request: pytest.FixtureRequest) -> str:
    """A broker to use well."""
    given = os.environ.get("AMQP_URL")
    return given or str(request.getfixturevalue("private_broker").url)


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database server to use well."""
    if given := os.environ.get("MONGODB_URL"):
        yield given
        return
    find_mongod()
    # Tests write documents of past dates: what expires must not go while one looks at it.
    keeps_all = ("--setParameter", "ttlMonitorEnabled=false")
    with PrivateMongoDB(tmp_path_factory.mktemp("mongodb"), options=keeps_all) as database:
        yield database.url


@pytest.fixture
def database_name() -> str:
    """A database of the test's own."""
    return f"satchel_test_{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def dns() -> Iterator[DnsServer]:
    """The only DNS that the stack knows."""
    with DnsServer() as server:
        yield server


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the stack sends its spans."""
    with Collector() as collector:
        yield collector
