"""DATA: what ends a mail, what does not, and that memory stays bounded."""

import asyncio
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.data import MailTooLarge, read_data

LIMIT = 10_000


class Stream(asyncio.StreamReader):
    def give_back(self, rest: bytes) -> None:
        self.feed_data(rest)  # `read` took all there was, so this comes next


async def read(*pieces: bytes, limit: int = LIMIT) -> tuple[bytes, bytes]:
    """Return the mail and what was left in the stream after it."""
    reader = Stream(limit=2**20)

    async def feed() -> None:
        for piece in pieces:
            reader.feed_data(piece)
            await asyncio.sleep(0)

    feeding = asyncio.create_task(feed())
    mail = await read_data(reader, limit)
    await feeding
    reader.feed_eof()
    return mail, await reader.read()


@pytest.mark.parametrize(
    ("sent", "mail"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n..b\r\n.\r\n", b".a\r\n.b\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        # A bare CR or LF ends nothing: no mail is smuggled within another.
        (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
        (b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n"),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\nb\r\n"),
        (b"a\r\r\n.\r\n", b"a\r\r\n"),
        (b"\xff\x00\r\n.\r\n", b"\xff\x00\r\n"),
    ],
)
async def test_only_a_lone_dot_between_line_ends_ends_a_mail(sent: bytes, mail: bytes) -> None:
    assert await read(sent) == (mail, b"")
    assert await read(*(bytes([byte]) for byte in sent)) == (mail, b"")


async def test_what_follows_is_left_for_the_next_command() -> None:
    assert await read(b"a\r\n.\r\nQUIT\r\n") == (b"a\r\n", b"QUIT\r\n")
    assert await read(b"a\r\n.\r", b"\nQU", b"IT\r\n") == (b"a\r\n", b"QUIT\r\n")


@given(
    mail=st.binary(max_size=300).map(lambda text: text.replace(b"x", b"\r\n.") + b"\r\n"),
    seed=st.integers(),
)
def test_any_mail_arrives_as_it_was_however_it_is_cut(mail: bytes, seed: int) -> None:
    stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    cuts = sorted(random.Random(seed).choices(range(len(stuffed) + 1), k=4))
    pieces = [stuffed[a:b] for a, b in zip([0, *cuts], [*cuts, len(stuffed)], strict=True)]
    arrived, rest = asyncio.run(read(*(piece for piece in pieces if piece)))
    assert (arrived, rest) == (mail, b"")


async def test_the_limit_is_the_limit() -> None:
    assert len((await read(b"x" * (LIMIT - 2) + b"\r\n.\r\n"))[0]) == LIMIT
    with pytest.raises(MailTooLarge):
        await read(b"x" * (LIMIT - 1) + b"\r\n.\r\n")


async def test_a_mail_without_line_ends_is_drained_in_bounded_memory() -> None:
    reader = Stream(limit=2**16)
    piece = b"x" * 100_000

    async def feed() -> None:
        for _ in range(500):
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_data(b"\r\n.\r\nQUIT\r\n")

    tracemalloc.start()
    feeding = asyncio.create_task(feed())
    with pytest.raises(MailTooLarge):
        await read_data(reader, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await feeding
    assert peak < 5_000_000
    assert await reader.readuntil(b"\r\n") == b"QUIT\r\n"


async def test_a_connection_that_ends_early_gives_no_mail() -> None:
    reader = Stream()
    reader.feed_data(b"half a mail\r\n")
    reader.feed_eof()
    with pytest.raises(ConnectionResetError):
        await read_data(reader, LIMIT)
