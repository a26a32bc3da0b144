"""DATA: what ends a mail, what does not, and that memory stays bounded."""

import asyncio
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.smtp.data import MailTooLarge, TooMuchAtOnce, read_chunk, read_data

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


@pytest.mark.parametrize(
    ("limit", "most", "error"),
    [(1_000_000, 10**9, MailTooLarge), (10**9, 1_000_000, TooMuchAtOnce)],
)
async def test_a_mail_without_line_ends_is_drained_in_bounded_memory(
    limit: int, most: int, error: type[Exception]
) -> None:
    reader = Stream(limit=2**16)
    piece = b"x" * 100_000

    async def feed() -> None:
        for _ in range(200):
            reader.feed_data(piece)
            await asyncio.sleep(0)
        reader.feed_data(b"\r\n.\r\nQUIT\r\n")

    tracemalloc.start()
    feeding = asyncio.create_task(feed())
    with pytest.raises(error):
        await read_data(reader, limit, lambda size: size <= most)
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


class Pieces:
    """Gives the bytes piece by piece, and remembers what was asked and what came back."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.asked: list[int] = []

    async def read(self, most: int) -> bytes:
        self.asked.append(most)
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:most], self.pieces[0][most:]
        self.pieces[:1] = [rest] if rest else []
        return piece

    def give_back(self, rest: bytes) -> None:
        self.pieces.insert(0, rest)


def remembering(sizes: list[int]) -> Callable[[int], bool]:
    """Return what allows everything, and remembers what it was asked."""

    def may_hold(size: int) -> bool:
        sizes.append(size)
        return True

    return may_hold


@pytest.mark.parametrize(
    ("pieces", "asked"),
    [
        # The two bytes before the mail stand for the line end before its first line.
        ((b"abc\r\n.\r\n",), [7]),
        ((b"abc", b"def\r\n.\r\n"), [5, 10]),
        ((b"abc\r", b"\n.\r\n", b"QUIT"), [6, 7]),
    ],
)
async def test_how_much_is_held_is_asked_piece_by_piece(
    pieces: tuple[bytes, ...], asked: list[int]
) -> None:
    sizes: list[int] = []
    await read_data(Pieces(*pieces), LIMIT, remembering(sizes))
    assert sizes == asked


async def test_what_may_not_be_held_is_drained_to_its_end() -> None:
    reader = Pieces(b"a" * 100, b"b" * 100, b"c\r\n", b".\r", b"\nQUIT\r\n")
    sizes: list[int] = []

    def may_hold(size: int) -> bool:
        sizes.append(size)
        return size < 150

    with pytest.raises(TooMuchAtOnce):
        await read_data(reader, LIMIT, may_hold)
    assert reader.pieces == [b"QUIT\r\n"]
    assert sizes == [102, 202], "once is enough"


async def test_a_mail_over_the_limit_is_held_no_more_while_it_is_drained() -> None:
    reader = Pieces(b"a" * 100, b"b" * 100, b"c" * 100, b"\r\n.\r\nQUIT\r\n")
    sizes: list[int] = []
    with pytest.raises(MailTooLarge):
        await read_data(reader, 150, remembering(sizes))
    assert sizes == [102, 0, 0, 0]
    assert reader.pieces == [b"QUIT\r\n"]


async def test_an_end_that_comes_in_pieces_is_seen_while_draining() -> None:
    for cut in range(1, 5):
        end = b"\r\n.\r\n"
        reader = Pieces(b"a" * 200, end[:cut], end[cut:], b"QUIT\r\n")
        with pytest.raises(MailTooLarge):
            await read_data(reader, 100)
        assert reader.pieces == [b"QUIT\r\n"]


async def test_too_large_comes_before_too_much_at_once() -> None:
    with pytest.raises(MailTooLarge):
        await read_data(Pieces(b"a" * 200, b"\r\n.\r\n"), 100, lambda _: False)


async def test_nothing_is_given_back_where_nothing_follows() -> None:
    reader = Pieces(b"a\r\n.\r\n")
    assert await read_data(reader, LIMIT) == b"a\r\n"
    assert reader.pieces == []
    assert reader.asked == [1024 * 1024]


async def chunk(
    reader: Pieces, size: int, *, held: bytes = b"", limit: int = LIMIT, most: int = LIMIT
) -> tuple[bytes, list[int]]:
    """Return what there is of the mail after a chunk, and the sizes that were asked about."""
    mail, sizes = bytearray(held), list[int]()

    def may_hold(total: int) -> bool:
        sizes.append(total)
        return total <= most

    try:
        await read_chunk(reader, size, mail, limit, may_hold)
    finally:
        reader.pieces.insert(0, b"|")
    return bytes(mail), sizes


async def test_a_chunk_is_exactly_as_long_as_it_says() -> None:
    reader = Pieces(b"b\r\n", b".\r\nQUIT")
    assert await chunk(reader, 6, held=b"a") == (b"ab\r\n.\r\n", [4, 7])
    assert reader.asked == [6, 3]
    assert reader.pieces == [b"|", b"QUIT"]
    assert await chunk(Pieces(b"QUIT"), 0, held=b"a") == (b"a", [])


async def test_a_large_chunk_is_read_in_pieces() -> None:
    reader = Pieces(b"x" * (2**20 + 5))
    mail, _ = await chunk(reader, 2**20 + 5, limit=2**22, most=2**22)
    assert len(mail) == 2**20 + 5
    assert reader.asked == [2**20, 5]


@pytest.mark.parametrize(("limit", "fits"), [(10, True), (9, False)])
async def test_the_limit_counts_all_chunks(limit: int, fits: bool) -> None:
    reader = Pieces(b"567890QUIT")
    if fits:
        assert (await chunk(reader, 6, held=b"1234", limit=limit))[0] == b"1234567890"
    else:
        with pytest.raises(MailTooLarge):
            await chunk(reader, 6, held=b"1234", limit=limit)
    assert reader.pieces == [b"|", b"QUIT"], "read to its end either way"


async def test_of_a_chunk_that_may_not_be_held_nothing_more_is_kept() -> None:
    mail = bytearray(b"1234")
    sizes: list[int] = []

    def may_hold(total: int) -> bool:
        sizes.append(total)
        return total <= 5

    reader = Pieces(b"5", b"67", b"8")
    with pytest.raises(TooMuchAtOnce):
        await read_chunk(reader, 4, mail, LIMIT, may_hold)
    assert (bytes(mail), sizes, reader.pieces) == (b"12345", [5, 7], [])


async def test_a_chunk_that_is_too_large_counts_for_nothing() -> None:
    mail, sizes = bytearray(b"1234"), list[int]()
    with pytest.raises(MailTooLarge):
        await read_chunk(Pieces(b"56"), 2, mail, 5, remembering(sizes))
    assert (bytes(mail), sizes) == (b"1234", [0])


async def test_a_chunk_that_ends_early_is_no_mail() -> None:
    with pytest.raises(ConnectionResetError):
        await chunk(Pieces(b"123"), 4)
