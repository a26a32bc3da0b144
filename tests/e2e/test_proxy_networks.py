"""A running ingest behind a proxy: limits count the networks that PROXY names, and it alone."""

import asyncio
import contextlib
from collections import Counter

from dev.siege.attacker import Attacker
from tests.deadline import DEADLINE
from tests.e2e.parts import Parts

PLACES, OF_NETWORK, NETWORKS, TRIES = 30, 3, 20, 5
PROXY, ELSEWHERE = "127.0.0.2", "127.0.0.3"


def header(network: int, host: int) -> bytes:
    return f"PROXY TCP4 10.9.{network}.{host} 198.51.100.1 1 25\r\n".encode()


async def fill(port: int) -> tuple[Counter[str], Counter[int]]:
    """Return what all were told, and how many sessions of each network are left."""
    told, left = Counter[str](), Counter[int]()
    async with asyncio.timeout(DEADLINE), contextlib.AsyncExitStack() as stack:
        sessions = []
        for host in range(1, TRIES + 1):
            for network in range(NETWORKS):
                client = await stack.enter_async_context(Attacker(port, PROXY))
                await client.say(header(network, host))
                code = await client.answer()
                told[code] += 1
                if code == "220":
                    sessions.append((network, client))
        for network, client in sessions:
            left[network] += await client.ask("NOOP") == "250"
        forger = await stack.enter_async_context(Attacker(port, ELSEWHERE))
        await forger.say(header(0, 1))
        assert await forger.codes() == ["220", "421"]
    return told, left


def test_every_network_that_a_proxy_names_has_its_share_of_the_places(parts: Parts) -> None:
    parts.bring("broker")
    parts.bring("blobs")
    ingest = parts.start(
        "ingest",
        SMTP_PROXY_NETWORKS=f"{PROXY}/32",
        SMTP_MAX_CONNECTIONS=str(PLACES),
        SMTP_MAX_CONNECTIONS_PER_NETWORK=str(OF_NETWORK),
    )
    ingest.await_ready()
    told, left = asyncio.run(fill(ingest.ports["INGEST_SMTP_PORT"]))
    assert sum(told.values()) == NETWORKS * TRIES
    assert sum(left.values()) == PLACES
    assert min(left[network] for network in range(NETWORKS)) >= 1
    assert max(left.values()) <= OF_NETWORK
