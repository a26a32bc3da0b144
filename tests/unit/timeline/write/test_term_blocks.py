"""How rows are put into blocks of terms."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.write import indexing, term_blocks
from services.timeline.write.indexing import _Remembered
from services.timeline.write.term_blocks import (
    MAX_ROWS,
    MAX_WIDTH,
    FreshRow,
    begins_at,
    ends_before,
    first_place,
    last_place,
    pack,
    place_of,
)

NOW = datetime(2026, 1, 15, 12, 0, 0, 500_000, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2105, 1, 1), timezones=st.just(UTC))


def rows(count: int, *, apart: timedelta = timedelta(hours=1), terms: int = 3) -> list[FreshRow]:
    return [
        FreshRow(
            id=f"r{n}", date=NOW + n * apart, terms=("all", *(f"{n}.{t}" for t in range(terms)))
        )
        for n in range(count)
    ]


def test_a_block_has_as_many_rows_as_fit_and_each_term_once() -> None:
    [one, other] = pack("acme", "*", rows(2 * MAX_ROWS + 5))
    assert [len(one.rows), len(other.rows)] == [MAX_ROWS, MAX_ROWS]
    assert one.rows[0] == "r0"
    assert len(one.block.terms) == 1 + 3 * MAX_ROWS
    assert list(one.block.terms) == sorted(one.block.terms)
    assert one.block.id != other.block.id


def test_what_fills_no_block_is_left() -> None:
    assert list(pack("acme", "*", rows(MAX_ROWS - 1))) == []
    assert list(pack("acme", "*", [])) == []


def test_no_block_spans_more_than_it_may() -> None:
    packed = list(pack("acme", "*", rows(70, apart=timedelta(days=10))))
    assert packed
    for one in packed:
        first, last = int(one.rows[0][1:]), int(one.rows[-1][1:])
        assert (last - first) * timedelta(days=10) <= MAX_WIDTH


@pytest.mark.parametrize("bound", ["MAX_TERMS", "MAX_CHARACTERS"])
def test_a_block_is_no_larger_than_a_document_may_be(
    monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(term_blocks, bound, 100)
    packed = list(pack("acme", "*", rows(60, terms=30)))
    assert packed
    assert all(len(one.block.terms) <= 100 for one in packed)
    alone = list(pack("acme", "*", rows(3, terms=200)))
    assert [one.rows for one in alone] == [("r0",), ("r1",)], "one that is larger is alone"


@given(MOMENTS, st.timedeltas(timedelta(0), MAX_WIDTH), MOMENTS)
def test_a_place_bounds_the_mails_of_its_block(
    oldest: datetime, width: timedelta, moment: datetime
) -> None:
    newest = min(oldest + width, datetime(2105, 1, 1, tzinfo=UTC))
    place = place_of(oldest, newest)
    begins = begins_at(place)
    assert begins is None or begins <= oldest
    assert newest < ends_before(place)
    if oldest <= moment <= newest:
        assert first_place(moment) <= place <= last_place(moment)
    if newest >= moment:
        assert first_place(moment) <= place
    if begins is not None and begins <= moment and newest <= moment + MAX_WIDTH:
        assert place <= last_place(moment)


def test_any_day_that_can_be_typed_has_a_place() -> None:
    for day in (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        assert first_place(day) <= last_place(day)


def test_blocks_sort_by_their_newest_mail() -> None:
    early, late = place_of(NOW, NOW), place_of(NOW - MAX_WIDTH, NOW + timedelta(seconds=1))
    assert early < late


def test_the_terms_of_what_was_written_lately_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexing, "_MAX_REMEMBERED", 5)
    remembered = _Remembered()
    remembered.add("a", b"1", ("x", "y"))
    remembered.add("b", b"2", ("x", "y", "z"))
    assert remembered.of("a", b"1") == ("x", "y")
    assert remembered.of("a", b"2") is None, "others now"
    assert remembered.of("c", b"1") is None
    remembered.add("a", b"3", ("x",))
    assert remembered.of("a", b"3") == ("x",)
    remembered.add("c", b"4", ("x", "y"))
    assert remembered.of("b", b"2") is None, "the oldest is forgotten"
    assert (remembered.of("a", b"3"), remembered.of("c", b"4")) == (("x",), ("x", "y"))
    remembered.add("d", b"", ("x",))
    assert remembered.of("d", b"") is None, "without a digest nothing is remembered"
