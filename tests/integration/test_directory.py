"""The directory and the capture addresses in a real database."""

import asyncio

import pytest

from services.matcher.directory.people import person_of
from services.matcher.indexes import INDEXES
from shared.contracts.events import Kind
from shared.storage.database import connect, what_is_missing
from tests.matcher_parts import ACCOUNT, Replica


class TestDirectory:
    async def test_an_address_has_one_form(self, matcher: Replica) -> None:
        person = person_of(
            "c5", Kind.CONTACT, "C", [" A@Bücher.example ", "a@xn--bcher-kva.example"]
        )
        assert await matcher.directory.put(ACCOUNT, person)
        assert person.keys == {"a@xn--bcher-kva.example"}
        found = await matcher.directory.holders(ACCOUNT, {"a@xn--bcher-kva.example", "b@x"})
        assert {key: [p.person_id for p in people] for key, people in found.items()} == {
            "a@xn--bcher-kva.example": ["c5"],
            "b@x": [],
        }

    async def test_putting_the_same_again_is_no_change(
        self, matcher: Replica, mongodb_url: str
    ) -> None:
        async def version() -> int:
            async with connect(mongodb_url, "test") as client:
                found = await client[matcher.database.name].people.find_one({"_id": "acme/c1"})
            assert found is not None
            return int(found["version"])

        before = await version()
        addresses = ["cand@mail.example", "c@x.example"]
        again = person_of("c1", Kind.CANDIDATE, "C", addresses)
        assert not await matcher.directory.put(ACCOUNT, again)
        assert await version() == before
        changed = person_of("c1", Kind.CANDIDATE, "C", addresses[:1])
        await matcher.directory.put(ACCOUNT, changed)
        assert await version() == before + 1

    @pytest.mark.parametrize("text", ["$name", {"$ne": 1}, "$$ROOT", "a.b"])
    async def test_what_looks_like_an_operator_is_text(
        self, matcher: Replica, text: object
    ) -> None:
        await matcher.directory.put(ACCOUNT, person_of("c6", Kind.CONTACT, str(text), []))
        person = await matcher.directory.get(ACCOUNT, "c6")
        assert person is not None
        assert person.name == str(text)

    async def test_the_look_up_uses_its_index(self, matcher: Replica, mongodb_url: str) -> None:
        async with connect(mongodb_url, "test") as client:
            people = client[matcher.database.name].people
            await people.insert_many(
                {
                    "_id": f"acme/x{n}",
                    "account": ACCOUNT,
                    "person_id": f"x{n}",
                    "kind": "contact",
                    "name": "",
                    "addresses": [],
                    "keys": [f"x{n}@mail.example"],
                }
                for n in range(500)
            )
            plan = await people.find(
                {"account": ACCOUNT, "keys": {"$in": ["x7@mail.example", "x9@mail.example"]}}
            ).explain()
        assert plan["executionStats"]["totalDocsExamined"] == 2

    async def test_readiness_knows_a_missing_index(
        self, matcher: Replica, mongodb_url: str
    ) -> None:
        async with connect(mongodb_url, "test") as client:
            why_not = what_is_missing(client[matcher.database.name], INDEXES)
            assert await why_not() is None
            await client[matcher.database.name].people.drop_index("by_address")
            assert "by_address" in str(await why_not())


async def test_a_user_has_one_address_however_often_it_is_asked_for(matcher: Replica) -> None:
    minted = await asyncio.gather(*(matcher.addresses.mint(ACCOUNT, "u7", "U") for _ in range(20)))
    assert len({record.address for record, _ in minted}) == 1
    assert sum(new for _, new in minted) == 1
