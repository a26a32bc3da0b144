"""A sealed capture opens with the day's key, the secret and one of its addresses alone."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.matcher.rematch.sealing import CannotOpen, DayKey, SealedBytes, Seals
from shared.contracts.capture_address import KeyRing
from shared.contracts.events import MailReceived

RING = KeyRing.parse("k1:" + "s" * 20)
KEY = DayKey("acme", "2026-01-15.1", b"d" * 32)
ADDRESSES = ("cand@mail.example", "other@mail.example")
RAW = b"From: cand@mail.example\r\n\r\nzebra"
RECEIVED = MailReceived(
    capture_id=uuid4(),
    capture_address="me@in.satchel.test",
    account_tag="x" * 8,
    received_at=datetime(2026, 1, 15, 9, tzinfo=UTC),
    door="smtp",
    size=len(RAW),
    blob_key="claims/1",
)
ID = str(RECEIVED.capture_id)


def sealed(seals: Seals | None = None) -> SealedBytes:
    return (seals or Seals(RING)).seal(KEY, RECEIVED, RAW, ADDRESSES)


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_address_opens_it(address: str) -> None:
    received, raw = Seals(RING).open(KEY, sealed(), ID, address)
    assert raw == RAW
    assert received == RECEIVED.model_copy(update={"blob_key": None})


@pytest.mark.parametrize(
    ("seals", "key", "id_", "address"),
    [
        (Seals(RING), KEY, ID, "third@mail.example"),
        (Seals(RING), replace(KEY, secret=b"e" * 32), ID, ADDRESSES[0]),
        (Seals(RING), replace(KEY, account="other"), ID, ADDRESSES[0]),
        (Seals(RING), replace(KEY, id="2026-01-16.1"), ID, ADDRESSES[0]),
        (Seals(RING), KEY, str(uuid4()), ADDRESSES[0]),
        (Seals(KeyRing.parse("k1:" + "t" * 20)), KEY, ID, ADDRESSES[0]),
        (Seals(KeyRing.parse("k2:" + "s" * 20)), KEY, ID, ADDRESSES[0]),
    ],
    ids=["address", "day key", "account", "day", "capture", "secret", "retired secret"],
)
def test_with_one_thing_that_is_another_it_does_not(
    seals: Seals, key: DayKey, id_: str, address: str
) -> None:
    with pytest.raises(CannotOpen):
        seals.open(key, sealed(), id_, address)


def test_nor_when_its_parts_are_those_of_another() -> None:
    one, two = sealed(), sealed()
    for mixed in (replace(one, content=two.content), replace(one, wrapped=two.wrapped)):
        with pytest.raises(CannotOpen):
            Seals(RING).open(KEY, mixed, ID, ADDRESSES[0])
    swapped = dict(zip(one.wrapped, [*one.wrapped.values()][::-1], strict=True))
    with pytest.raises(CannotOpen):
        Seals(RING).open(KEY, replace(one, wrapped=swapped), ID, ADDRESSES[0])
    for content in (b"", one.content[:20], one.content[:-1] + b"!"):
        with pytest.raises(CannotOpen):
            Seals(RING).open(KEY, replace(one, content=content), ID, ADDRESSES[0])


def test_what_the_database_has_says_nothing_of_the_mail() -> None:
    told = repr(sealed()).encode()
    assert [word for word in (b"zebra", b"cand", b"mail.example", b"satchel") if word in told] == []


def test_it_is_found_by_its_addresses_on_its_day_alone() -> None:
    seals, found_by = Seals(RING), set(sealed().wrapped)
    assert set(seals.found_by(KEY, ADDRESSES)) == found_by
    assert found_by.isdisjoint(seals.found_by(KEY, ["third@mail.example"]))
    for other in (replace(KEY, secret=b"e" * 32), replace(KEY, account="other")):
        assert found_by.isdisjoint(seals.found_by(other, ADDRESSES))


def test_after_another_secret_was_promoted_it_is_found_and_opens() -> None:
    both = Seals(KeyRing.parse(f"k1:{'s' * 20},k2:{'t' * 20}", "k2"))
    before = sealed()
    [found_by] = {*both.found_by(KEY, ADDRESSES[:1])} & {*before.wrapped}
    assert both.found_by(KEY, ADDRESSES[:1])[found_by] == ADDRESSES[0]
    assert both.open(KEY, before, ID, ADDRESSES[0])[1] == RAW
    assert sealed(both).ring_id == "k2"
