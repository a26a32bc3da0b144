"""What every test of a whole stack begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.dns_server import DnsServer
from dev.stack import Stack, own_databases
from tests.collector import Collector
from tests.e2e.account import Account
from tests.e2e.parts import Parts
from tests.told_secrets import told_secrets


@pytest.fixture(scope="package")
def stack(
    tmp_path_factory: pytest.TempPathFactory, dns: DnsServer, collector: Collector
) -> Iterator[Stack]:
    """Two replicas of every service on a broker and a database of their own.

    They end with this package: idle, they take an eighth of a processor.
    """
    environment = own_databases() | {
        "PUBLISH_DEADLINE": "3",
        "LOG_LEVEL": "DEBUG",
        "AUTHENTICATION_SECONDS": "4",
        "ACCOUNT_ERASURE_SECONDS": "4",
        "DNS_SERVERS": f"127.0.0.1:{dns.port}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",  # which must not matter
    }
    folder: Path = tmp_path_factory.mktemp("stack")
    with Stack(folder, replicas=2, environment=environment) as running:
        yield running
    assert told_secrets(folder / "logs", running.environment) == []


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack)


@pytest.fixture
def parts(tmp_path: Path, amqp_url: str, mongodb_url: str) -> Iterator[Parts]:
    parts = Parts(tmp_path, amqp_url, mongodb_url)
    yield parts
    parts.end()
