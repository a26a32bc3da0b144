"""Remote images, fetched for a reader who asked. The image's host sees Satchel, not the reader.

Rules:

* Only `https` on port 443; an `http` URL is fetched over `https`. No user, no password.
* The name is resolved here, once, and the connection goes to that address, so a second DNS answer
  changes nothing. If any address of the name is not public, nothing is fetched. Each of at most
  three redirects is checked in the same way.
* Unanswered names delay image requests only, and slow servers those of their account only.
* No cookie, no referrer, nothing about the reader. The user agent is the same for all readers.
* Ten seconds, 5 MiB and as many pixels as a browser can hold. The type is read from the first
  bytes: PNG, JPEG, GIF, WebP, BMP. A compressed answer is refused.
* Every failure is `ImageAway` without a reason, so that it reveals nothing about our network.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urljoin, urlsplit
from weakref import WeakValueDictionary

import h11
import structlog

from services.timeline.content.image_size import MAX_PIXELS, pixels_of_image
from services.timeline.content.images import type_of_image

MAX_BYTES = 5 << 20
_SECONDS, _MAX_REDIRECTS, _PORT = 10.0, 3, 443
_AT_ONCE, _OF_ACCOUNT = 16, 4
"""Pictures at a time, and names that are looked up; of one account."""
_MAX_HEAD = 16 << 10
_READ = 64 << 10
_AS_WRITTEN = "!$&'+,-./:;=@_~%()*"
_AGENT = "Mozilla/5.0 (compatible; SatchelImageProxy/1)"
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "64:ff9b::/96",  # NAT64: an IPv4 address in other clothes. RFC 6052.
            "192.0.0.0/24",  # for protocols (RFC 6890); a cloud serves its secrets here
            "192.88.99.0/24",  # relays of 6to4
            "fec0::/10",  # site-local, of the time before fc00::/7
            "3fff::/20",  # for documentation
        ),
    )
)
"""What Python takes for global."""
log = structlog.get_logger()

Resolve = Callable[[str, str], Awaitable[list[str]]]
"""Returns the addresses of a name, for an account."""
Connect = Callable[[str, str], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Opens TLS to an address, for a name that its certificate must have."""


class ImageAway(Exception):
    """The image cannot be fetched."""


class _RefusedError(Exception):
    """Why, for the log: one word, nothing of the mail."""


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """An image."""

    data: bytes
    content_type: str


class RemoteImages:
    """Fetches images, a few at a time."""

    def __init__(self, resolve: Resolve | None = None, connect: Connect | None = None) -> None:
        self._resolve, self._connect = resolve or _Names().resolve, connect or _Tls().connect
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._of_account: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def get(self, url: str, account: str) -> RemoteImage:
        """Return the image at a URL, for an account. Raises ImageAway."""
        of_account = self._of_account.setdefault(account, asyncio.Semaphore(_OF_ACCOUNT))
        try:
            async with asyncio.timeout(_SECONDS), of_account, self._at_once:
                data = await self._followed(url, account)
                content_type = type_of_image(data)
                if content_type is None:
                    raise _RefusedError("type")
                if pixels_of_image(data) > MAX_PIXELS:
                    raise _RefusedError("pixels")
        except _RefusedError as refused:
            log.info("remote image refused", why=str(refused))
            raise ImageAway from None
        except (OSError, TimeoutError, ValueError, h11.ProtocolError) as error:
            log.info("remote image unavailable", why=type(error).__name__)
            raise ImageAway from None
        return RemoteImage(data, content_type)

    async def _followed(self, url: str, account: str) -> bytes:
        for _ in range(_MAX_REDIRECTS + 1):
            parts = _checked(url)
            address = await self._public_address(parts.hostname or "", account)
            found, location = await self._asked(parts, address)
            if location is None:
                return found
            url = urljoin(parts.geturl(), location)
        raise _RefusedError("redirects")

    async def _public_address(self, host: str, account: str) -> str:
        addresses = await self._resolve(host, account)
        if not addresses or not all(is_public(address) for address in addresses):
            raise _RefusedError("address")
        return addresses[0]

    async def _asked(self, parts: SplitResult, address: str) -> tuple[bytes, str | None]:
        """Return the body of a good answer, or where it is instead."""
        host = parts.hostname or ""
        async with self._connection(address, host) as (reader, writer):
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
            target = quote(parts.path or "/", safe=_AS_WRITTEN)
            if parts.query:
                target += "?" + quote(parts.query, safe=_AS_WRITTEN + "?[]")
            request = h11.Request(
                method="GET",
                target=target,
                headers=[
                    ("Host", f"[{host}]" if ":" in host else host),
                    ("User-Agent", _AGENT),
                    ("Accept", "image/png, image/jpeg, image/gif, image/webp"),
                    ("Connection", "close"),
                ],
            )
            writer.write(connection.send(request) + connection.send(h11.EndOfMessage()))
            await writer.drain()
            return await _answer(connection, reader)

    @asynccontextmanager
    async def _connection(
        self, address: str, host: str
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await self._connect(address, host)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()  # nothing is owed to it


async def _answer(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[bytes, str | None]:
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Response):
            headers = dict(event.headers)
            location = headers.get(b"location")
            if event.status_code in (301, 302, 303, 307, 308) and location:
                return b"", location.decode("latin-1")
            if event.status_code != 200:
                raise _RefusedError("status")
            if int(headers.get(b"content-length", b"0")) > MAX_BYTES:
                raise _RefusedError("size")
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BYTES:
                raise _RefusedError("size")
        elif isinstance(event, h11.EndOfMessage):
            return bytes(body), None
        elif not isinstance(event, h11.InformationalResponse):
            raise _RefusedError("answer")


def _checked(url: str) -> SplitResult:
    """Return the parts of an address that may be asked for, by https."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _RefusedError("scheme")
    if parts.username is not None or parts.password is not None:
        raise _RefusedError("user")
    if parts.port not in (None, _PORT if parts.scheme == "https" else 80):
        raise _RefusedError("port")
    host = parts.hostname
    if not host.isascii():
        host = host.encode("idna").decode()
    written = f"[{host}]" if ":" in host else host
    return parts._replace(scheme="https", netloc=written, fragment="")


def is_public(address: str) -> bool:
    """Return whether an IP address is public, in whatever form it is written."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:  # `fe80::1%eth0` among them
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if inner:
            return False
    if any(found in network for network in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast and not found.is_reserved


class _Names:
    """Looks names up in threads of its own, which do not delay the end of the process.

    The system's resolver waits for a slow name as long as it likes, also for a reader who has left.
    In the loop's own few threads such names would keep everybody else's work waiting.
    """

    def __init__(self) -> None:
        self._under_way = Counter[str]()

    async def resolve(self, host: str, account: str) -> list[str]:
        """Return the addresses of a name. A place is taken until it is answered."""
        taken = self._under_way
        if taken.total() >= _AT_ONCE or taken[account] >= _OF_ACCOUNT:
            raise _RefusedError("lookups")
        taken[account] += 1
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str]] = loop.create_future()

        def tell(found: list[str] | Exception) -> None:
            taken[account] -= 1
            if not taken[account]:
                del taken[account]
            if answer.done():
                return
            if isinstance(found, Exception):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def look_up() -> None:
            found: list[str] | Exception
            try:
                told = socket.getaddrinfo(host, _PORT, type=socket.SOCK_STREAM)
                found = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in told))
            except (OSError, ValueError) as error:
                found = error
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(tell, found)

        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        return await answer


class _Tls:
    """TLS with the certificates of this machine, read when they are first needed."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def connect(
        self, address: str, host: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to an address, for a name."""
        if self._context is None:
            self._context = await asyncio.to_thread(ssl.create_default_context)
        return await asyncio.open_connection(
            address, _PORT, ssl=self._context, server_hostname=host, limit=_READ
        )
