"""The end of a rematch window, and any order of mail, people and settings against a model."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from services.matcher.rematch.keys import NoPlace, Place
from services.matcher.rematch.sealed import SealedCaptures
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from tests.fakes import Recorder
from tests.matcher_parts import ACCOUNT, Replica
from tests.rematch_parts import (
    LATE,
    add,
    attached,
    count,
    dismiss,
    ending,
    id_of,
    settle,
)


@pytest.mark.usefixtures("window")
class TestEnding:
    """What the end of the window leaves."""

    async def test_after_the_end_nothing_opens_and_nothing_is_left(
        self, matcher: Replica, recorder: Recorder, tmp_path: Path
    ) -> None:
        for size in (0, CLAIM_CHECK_BYTES):
            await dismiss(matcher, size=size)
        await ending(matcher, timedelta(days=6, hours=23)).work()
        assert await count(matcher) == 2
        await ending(matcher, timedelta(days=7)).work()
        assert await count(matcher) == 0
        assert list((tmp_path / "blobs" / "sealed").rglob("*")) == []
        await ending(matcher, timedelta(days=8)).work()
        window = await matcher.database["rematch_windows"].find_one({})
        assert window is not None
        assert (window["days"], window["keys"]) == (7, [])
        await add(matcher)
        assert attached(recorder) == []

    async def test_a_capture_whose_key_is_gone_does_not_open(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        with patch.object(SealedCaptures, "end", return_value=0):
            await ending(matcher, timedelta(days=8)).work()
        await add(matcher)
        assert attached(recorder) == []

    async def test_turned_off_the_keys_are_gone_at_once(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        await dismiss(matcher)
        await matcher.sealed.set_days(ACCOUNT, 0)
        window = await matcher.database["rematch_windows"].find_one({})
        assert window is not None
        assert (window["days"], window["keys"]) == (0, [])
        await matcher.sealed.set_days(ACCOUNT, 30)  # which brings nothing back
        await add(matcher)
        await ending(matcher).work()
        assert (await count(matcher), attached(recorder)) == (0, [])

    async def test_a_shorter_window_counts_for_what_is_kept(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        kept, _ = [await dismiss(matcher, age=timedelta(days=days)) for days in (1, 3)]
        await matcher.sealed.set_days(ACCOUNT, 2)
        await ending(matcher).work()
        assert await count(matcher) == 1
        await matcher.sealed.set_days(ACCOUNT, 30)
        await dismiss(matcher, age=timedelta(days=1))
        await ending(matcher, timedelta(days=1)).work()
        assert await count(matcher) == 1, "a longer one does not"
        await add(matcher)
        assert id_of(kept) not in [event.capture_id for event in attached(recorder)]
        assert len(attached(recorder)) == 1

    async def test_what_is_sealed_while_it_is_turned_off_is_destroyed(
        self, matcher: Replica
    ) -> None:
        place = matcher.rematch_keys.place

        async def before_it_was_turned_off(*given: Any) -> Place | NoPlace:
            found = await place(*given)
            await matcher.sealed.set_days(ACCOUNT, 0)
            return found

        for size in (0, CLAIM_CHECK_BYTES):
            await matcher.sealed.set_days(ACCOUNT, 7)
            with patch.object(matcher.rematch_keys, "place", before_it_was_turned_off):
                await dismiss(matcher, size=size)
        assert await count(matcher) == 0
        assert "sealed/" not in [
            prefix
            for prefix in await matcher.blobs.prefixes()
            if [some async for some in matcher.blobs.listed(prefix) if some]
        ]

    async def test_of_two_who_change_it_from_the_same_one_is_first(self, matcher: Replica) -> None:
        done = await asyncio.gather(
            *(matcher.sealed.set_days(ACCOUNT, days, expected=7) for days in (3, 9))
        )
        assert sorted(done) == [False, True]
        fresh = [matcher.sealed.set_days("globex", days, expected=0) for days in (3, 9)]
        assert sorted(await asyncio.gather(*fresh)) == [False, True]

    async def test_who_is_erased_takes_what_names_them_along(
        self, matcher: Replica, recorder: Recorder
    ) -> None:
        for to in (LATE, f"{LATE}, zqother@mail.example", "zqother@mail.example"):
            await dismiss(matcher, to, size=CLAIM_CHECK_BYTES if to == LATE else 0)
        assert await matcher.sealed.forget_naming(ACCOUNT, [LATE]) == 2
        assert await count(matcher) == 1
        await matcher.sealed.forget_account(ACCOUNT)
        assert await count(matcher) == 0
        assert await matcher.rematch_keys.days(ACCOUNT) == 0
        await dismiss(matcher)
        assert await count(matcher) == 0


@dataclass(slots=True)
class Waiting:
    """What a plain model keeps of a sealed capture."""

    address: str
    age: timedelta
    days: int

    @property
    def has_ended(self) -> bool:
        return self.age >= timedelta(days=self.days)


async def test_any_order_of_mail_adding_changing_and_ending_gives_what_a_model_gives(
    matcher: Replica, recorder: Recorder, share: float
) -> None:
    chance = random.Random(21)
    for round_ in range(int(20 * share)):
        addresses = [f"r{round_}a{number}@x.example" for number in range(3)]
        days, known = 0, set[str]()
        waiting, expected = dict[UUID, Waiting](), set[UUID]()
        for _ in range(12):
            address = chance.choice(addresses)
            match chance.choice(["mail", "mail", "mail", "change", "add", "end"]):
                case "mail":
                    age = timedelta(hours=chance.randrange(24 * 4))
                    delivery = await dismiss(matcher, address, age=age)
                    if address not in known:
                        waiting[id_of(delivery)] = Waiting(address, age, days)
                case "change":
                    days = chance.choice([0, 1, 2, 5])
                    await matcher.sealed.set_days(ACCOUNT, days)
                    for one in waiting.values():
                        one.days = min(one.days, days)
                case "add":
                    if address not in known:
                        known.add(address)
                        await add(matcher, address, f"p-{address}")
                        named = {i: one for i, one in waiting.items() if one.address == address}
                        expected.update(i for i, one in named.items() if not one.has_ended)
                        waiting = {i: one for i, one in waiting.items() if i not in named}
                case "end":
                    await ending(matcher).work()
                    await settle(matcher)
        found = [event.capture_id for event in attached(recorder) if event.rematched]
        assert Counter(found) == Counter(expected)
        recorder.published.clear()
        await matcher.sealed.forget_account(ACCOUNT)
