"""The PROXY protocol: who is believed, what is a header, and whose connections are counted."""

import asyncio
import contextlib
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from services.ingest.limits import SmtpLimits
from services.ingest.smtp.proxy_header import NoProxyHeader, read_proxy_header
from tests.smtp_server import ENVELOPE, Dialogue, serving

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
IPV4 = bytes([192, 0, 2, 1]) + bytes([198, 51, 100, 1]) + b"\x01\x02\x00\x19"
IPV6 = ip_address("2001:db8::1").packed + ip_address("::1").packed + b"\x01\x02\x00\x19"


async def read(octets: bytes) -> tuple[str, bytes]:
    """Return whose header it is, and what was left."""
    reader = asyncio.StreamReader()
    reader.feed_data(octets)
    reader.feed_eof()
    address = await read_proxy_header(reader)
    return str(address), await reader.read()


@pytest.mark.parametrize(
    ("header", "address"),
    [
        (b"PROXY TCP4 192.0.2.1 198.51.100.1 258 25\r\n", "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 ::1 258 25\r\n", "2001:db8::1"),
        (b"PROXY UNKNOWN\r\n", "None"),
        (b"PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", "None"),
        (SIGNATURE + b"\x21\x11\x00\x0c" + IPV4, "192.0.2.1"),
        (SIGNATURE + b"\x21\x11\x00\x10" + IPV4 + b"\x04\x00\x01\x00", "192.0.2.1"),
        (SIGNATURE + b"\x21\x21\x00\x24" + IPV6, "2001:db8::1"),
        (SIGNATURE + b"\x20\x00\x00\x00", "None"),
        (SIGNATURE + b"\x21\x31\x00\xd8" + b"\0" * 216, "None"),
    ],
)
async def test_a_header_is_read_and_not_a_byte_more(header: bytes, address: str) -> None:
    assert await read(header + b"EHLO x\r\n") == (address, b"EHLO x\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b"EHLO x\r\nMAIL FROM:<>\r\n", b"PROXY TCP4 192.0.2.1 198.51.100.1 258\r\n"),
        *(b"PROXY TCP4 2001:db8::1 ::1 1 2\r\n", b"PROXY TCP4 " + b"1" * 200 + b"\r\n"),
        *(b"PROXY TCP4 192.0.2.1 198.51.100.1 258 25", b"PROXY UNKNOWN" + b"x" * 100_000),
        *(SIGNATURE + b"\x21\x11\x00\x0c" + IPV4[:-1], SIGNATURE + b"\x11\x11\x00\x0c" + IPV4),
        *(SIGNATURE + b"\x21\x11\xff\xff" + b"x" * 65535, SIGNATURE + b"\x22\x11\x00\x00"),
        b"PROXY \xff\xff\xff\xff\xff\xff\xff\r\n",
    ],
)
async def test_what_is_no_header_is_refused(octets: bytes) -> None:
    with pytest.raises(NoProxyHeader):
        await read(octets)


async def test_a_proxys_clients_are_counted_one_by_one(tmp_path: Path) -> None:
    limits = SmtpLimits(mail_bytes=1000, connections_per_address=1)
    proxies = [ip_network("127.0.0.2/32")]
    async with serving(tmp_path, limits=limits, proxies=proxies) as served:
        for client in ("192.0.2.1", "192.0.2.2"):
            header = f"PROXY TCP4 {client} 198.51.100.1 1 25\r\n".encode()
            async with served.connect("127.0.0.2") as first, served.connect("127.0.0.2") as second:
                for connection, code in ((first, "220"), (second, "421")):
                    await connection.say(header)
                    assert (await connection.answer())[:3] == code
        async with served.connect("127.0.0.2") as mute:
            await mute.say(b"EHLO x\r\nNOOP\r\n")
            assert await mute.answers() == ["421 4.3.5 PROXY header expected"]


@pytest.mark.parametrize(
    "header",
    [b"PROXY TCP4 192.0.2.1 198.51.100.1 1 25\r\n", SIGNATURE + b"\x21\x11\x00\x0c" + IPV4],
    ids=["version 1", "version 2"],
)
@pytest.mark.parametrize("proxies", [["127.0.0.2/32"], []], ids=["proxies", "no proxies"])
async def test_a_header_from_elsewhere_ends_the_session(
    tmp_path: Path, header: bytes, proxies: list[str]
) -> None:
    networks = [ip_network(network) for network in proxies]
    async with serving(tmp_path, proxies=networks) as served:
        async with served.connect("127.0.0.3") as stranger:
            await stranger.say(header + ENVELOPE)
            answers = await stranger.answers()
        assert answers[0].startswith("220 ")
        assert answers[-1] == "421 4.7.0 a PROXY header is not believed from here"
        assert not any(answer.startswith("250") for answer in answers)


async def test_clients_of_a_network_that_a_proxy_names_are_limited_together(
    tmp_path: Path,
) -> None:
    limits = SmtpLimits(mail_bytes=1000, connections=4, connections_per_network=2)
    proxies = [ip_network("127.0.0.2/32")]
    async with (
        serving(tmp_path, limits=limits, proxies=proxies) as served,
        contextlib.AsyncExitStack() as clients,
    ):

        async def arrive(address: str) -> tuple[Dialogue, str]:
            client = await clients.enter_async_context(served.connect("127.0.0.2"))
            await client.say(f"PROXY TCP4 {address} 198.51.100.1 1 25\r\n".encode())
            return client, (await client.answer())[:9]

        quiet, greeting = await arrive("192.0.2.1")
        assert greeting.startswith("220 ")
        told = [(await arrive(f"198.51.100.{n}"))[1] for n in range(4)]
        assert [answer[:4] for answer in told] == ["220 ", "220 ", "421 ", "421 "]
        assert told[-1] == "421 4.7.0"
        _, greeting = await arrive("203.0.113.1")
        assert greeting.startswith("220 ")
        served.admission.limiter._clock = lambda: time.monotonic() + 1000
        for n in range(20):  # over the limit of its network: it takes no one's place
            assert (await arrive(f"198.51.100.{n + 10}"))[1] == "421 4.7.0"
        assert (await quiet.ask("NOOP"))[:3] == "250"
