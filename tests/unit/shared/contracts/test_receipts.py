from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from shared.contracts.capture_id import capture_id, moment_of
from shared.contracts.receipts import (
    Receipt,
    day_prefix,
    decode,
    encode,
    first_id,
    is_of_hour,
)

EVENING = datetime(2026, 1, 15, 23, 59, 59, 999_000, tzinfo=UTC)


def receipt(at: datetime, *, backfill: bool = False) -> Receipt:
    id_ = UUID(first_id(at))
    id_ = UUID(int=id_.int | 0x7 << 76 | 0x2 << 62)
    if backfill:
        id_ = uuid5(id_, "old")
    return Receipt(
        capture_id=id_, account_tag="t", received_at=at, size=1, door="smtp", backfill=backfill
    )


def test_what_was_written_is_read() -> None:
    written = [receipt(EVENING), receipt(EVENING, backfill=True)]
    [data] = encode(written).values()
    assert decode(data) == written
    assert data.count(b"backfill") == 1


def test_each_hour_has_objects_of_its_own() -> None:
    midnight = EVENING + timedelta(milliseconds=1)
    objects = encode([receipt(midnight), receipt(EVENING), receipt(EVENING)])
    [evening, morning] = sorted(objects)
    assert evening.startswith(day_prefix(EVENING))
    assert morning.startswith(day_prefix(midnight))
    assert is_of_hour(evening, EVENING)
    assert not is_of_hour(morning, EVENING)
    assert len(decode(objects[evening])) == 2


def test_a_receipt_belongs_to_the_hour_of_its_id() -> None:
    late = receipt(EVENING).model_copy(update={"received_at": EVENING + timedelta(seconds=1)})
    [key] = encode([late])
    assert is_of_hour(key, EVENING)


def test_ids_are_found_by_their_moment() -> None:
    before, id_ = datetime.now(UTC) - timedelta(milliseconds=1), capture_id("t")
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    assert first_id(before) < str(id_) < first_id(after)
    moment = moment_of(id_)
    assert moment is not None
    assert before - timedelta(milliseconds=1) < moment < after
    assert moment_of(uuid5(id_, "old mail")) is None
