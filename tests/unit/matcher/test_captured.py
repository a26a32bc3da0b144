"""A captured mail's bytes: none is fetched twice, and no wrapper is parsed again for each mail."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import pytest

from services.matcher.captured import CapturedMail
from services.matcher.decision.decide import Person
from services.matcher.decision.judge import Considered, judge
from services.matcher.reading.enclosed import cut
from shared.contracts.events import Kind, MailReceived
from shared.mail.headers import HeaderBlock, read_header_block
from shared.mail.mime import leaves
from shared.storage.blobs import Blobs
from tests.cost import LINEAR, growth, ratio
from tests.mails import enclosing, mail

DOMAIN = "in.satchel.test"
USER = Person("u1", Kind.USER, "U", ("user@team.example",), frozenset({"user@team.example"}))
MEGABYTE = 1 << 20
MOST = 98
"""Enclosed mails, few enough to be judged."""


class CountingBlobs:
    """One blob, and which ranges of it were fetched."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.fetched: list[tuple[int, int]] = []

    async def get_start(self, key: str, length: int) -> bytes:
        return await self.get_range(key, 0, length)

    async def get_range(self, _: str, start: int, end: int) -> bytes:
        assert start < len(self.raw), "a store answers this with an error"
        self.fetched.append((start, end := min(end, len(self.raw))))
        return self.raw[start:end]


def claimed(size: int, *, told: int | None = None) -> tuple[CapturedMail, CountingBlobs]:
    blobs = CountingBlobs(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    received = _received(size if told is None else told, claim="claims/x")
    return CapturedMail(received, b"", cast(Blobs, blobs)), blobs


def _received(size: int, claim: str | None = None) -> MailReceived:
    return MailReceived(
        capture_id=uuid4(),
        capture_address=f"a@{DOMAIN}",
        account_tag="x" * 8,
        received_at=datetime.now(UTC),
        door="smtp",
        size=size,
        blob_key=claim,
    )


@pytest.mark.parametrize(
    "size", [28, 128 * 1024, 300_000, MEGABYTE, MEGABYTE + 1, 3 * MEGABYTE], ids=str
)
async def test_no_byte_is_fetched_twice(size: int) -> None:
    captured, blobs = claimed(size)
    for read in (captured.header, captured.text, captured.whole, captured.text, captured.header):
        assert blobs.raw.startswith(await read())
    assert await captured.whole() == blobs.raw
    ends = [0, *(end for _, end in blobs.fetched)]
    assert [start for start, _ in blobs.fetched] == ends[:-1]
    assert ends[-1] == size


async def test_of_a_mail_that_its_header_decides_no_more_is_fetched() -> None:
    captured, blobs = claimed(3 * MEGABYTE)
    await captured.header()
    assert blobs.fetched == [(0, 128 * 1024)]


async def test_a_blob_that_is_shorter_than_its_event_says_is_read_to_its_end() -> None:
    captured, blobs = claimed(28, told=3 * MEGABYTE)
    await captured.header()
    assert await captured.whole() == blobs.raw


async def test_the_mails_that_were_judged_are_not_cut_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.matcher.captured.cut", lambda *_: pytest.fail("cut again"))
    raw = _forward(3, 100)
    found = await _handled(raw)
    assert found == cut(raw, ["1", "2", "3"])
    assert set(found) == {"1", "2", "3"}


async def test_a_redelivery_cuts_what_an_earlier_delivery_judged() -> None:
    raw = _forward(3, 100)
    captured = CapturedMail(_received(len(raw)), raw, cast(Blobs, None))
    assert await captured.enclosed(["3", "1"]) == cut(raw, ["1", "3"])


def test_a_wrapper_is_parsed_once_for_all_that_it_encloses(monkeypatch: pytest.MonkeyPatch) -> None:
    headers, body = enclosing([mail(body="inner 1"), mail(body="inner 2")], "inner")
    raw = _forward(2, 100, mail("user@team.example", headers=headers, body=body))
    parsed = []

    def watched(data: bytes, header: HeaderBlock | None, *, names: bool) -> object:
        parsed.append(len(data))
        return leaves(data, header, names=names)

    monkeypatch.setattr("services.matcher.reading.enclosed.leaves", watched)
    found = cut(raw, ["1", "2", "3", "3.1", "3.2"])
    assert found["3.2"] == mail(body="inner 2").encode()
    assert len(parsed) == 2


def _forward(count: int, each: int, *more: str) -> bytes:
    """Return a user's mail that encloses so many mails of about that size, and these."""
    line = "Some words of a text in a line of its own.\r\n"
    inner = [
        mail("shop@x.example", body=f"{number}\r\n{line * (each // len(line))}")
        for number in range(count)
    ]
    headers, body = enclosing([*inner, *more])
    return mail("user@team.example", f"me@{DOMAIN}", headers=headers, body=body).encode()


async def _handled(raw: bytes) -> dict[str, bytes]:
    """Judge a mail and return all that it encloses, as the consumer does."""

    async def ask(_: frozenset[str]) -> Considered:
        return Considered([USER])

    captured = CapturedMail(_received(len(raw)), raw, cast(Blobs, None))
    header = read_header_block(await captured.header())
    verdict = await judge(header, ask, captured.text, captured.whole, DOMAIN)
    captured.keep(verdict.mails)
    return {**await captured.enclosed([one.place for one in verdict.mails if one.place])}


def _handling(raw: bytes) -> Callable[[], object]:
    return lambda: asyncio.run(_handled(raw))


def _cutting(raw: bytes, count: int) -> Callable[[], object]:
    return lambda: cut(raw, [str(number + 1) for number in range(count)])


@pytest.mark.cost
def test_the_cost_grows_as_the_enclosed_mails_do() -> None:
    """Twelve, 48 and 96 mails of 20 KB each."""

    def handling(count: int) -> Callable[[], object]:
        return _handling(_forward(count, 20_000))

    def cutting(count: int) -> Callable[[], object]:
        return _cutting(_forward(count, 20_000), count)

    # Large mails are read in a thread: all threads of the process count.
    assert growth(handling, 12, clock=time.process_time) < LINEAR
    assert growth(cutting, 12) < LINEAR


@pytest.mark.cost
@pytest.mark.parametrize(
    "size", [2 * MEGABYTE, pytest.param(30 * MEGABYTE, marks=pytest.mark.full)], ids=str
)
def test_many_enclosed_mails_cost_hardly_more_than_few_of_the_same_size(size: int) -> None:
    many, few = _forward(MOST, size // MOST), _forward(2, size // 2)
    assert ratio(_handling(many), _handling(few), clock=time.process_time) < 5
    assert ratio(_cutting(many, MOST), _cutting(few, 2)) < 5
