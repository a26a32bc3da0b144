"""The client behind a proxy: the PROXY protocol, version 1 and 2, as HAProxy describes it.

The library's own reader is not used: it believes every client, reads up to 64 KiB before it
checks, and disconnects without a reply. The caller sets the time limit, and reads headers from
trusted proxies only.
"""

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_address

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LONGEST_V1 = 107
_LONGEST_V2 = 1024
"""More than two addresses and what proxies are known to add to them."""
_LOCAL, _PROXY = 0x20, 0x21
_OVER_IPV4, _OVER_IPV6 = 0x11, 0x21

Address = IPv4Address | IPv6Address


class NoProxyHeader(Exception):
    """The connection does not begin with a PROXY header."""


async def read_proxy_header(reader: asyncio.StreamReader) -> Address | None:
    """Return the client's address; None when the proxy speaks for itself (a health check).

    Reads the header and not a byte more. Raises NoProxyHeader.
    """
    try:
        start = await reader.readexactly(len(_SIGNATURE))  # a header is longer in either version
        if start == _SIGNATURE:
            return await _version_2(reader)
        if start.startswith(b"PROXY "):
            return await _version_1(reader, start)
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise NoProxyHeader from error
    raise NoProxyHeader


async def _version_1(reader: asyncio.StreamReader, line: bytes) -> Address | None:
    while not line.endswith(b"\r\n"):
        if len(line) >= _LONGEST_V1:
            raise NoProxyHeader
        line += await reader.readexactly(1)
    match line.decode("ascii").split():
        case ["PROXY", "UNKNOWN", *_]:
            return None
        case ["PROXY", "TCP4", source, _, _, _]:
            return IPv4Address(source)
        case ["PROXY", "TCP6", source, _, _, _]:
            return IPv6Address(source)
    raise NoProxyHeader


async def _version_2(reader: asyncio.StreamReader) -> Address | None:
    command, family, *size = await reader.readexactly(4)
    length = int.from_bytes(bytes(size), "big")
    if command not in (_LOCAL, _PROXY) or length > _LONGEST_V2:
        raise NoProxyHeader
    addresses = await reader.readexactly(length)
    if command == _LOCAL:
        return None
    if family == _OVER_IPV4 and length >= 12:
        return ip_address(addresses[:4])
    if family == _OVER_IPV6 and length >= 36:
        return ip_address(addresses[:16])
    return None  # a transport that has no address, as the protocol allows
