"""What whatever rests on the directory may rely on: of the real one, and of the one in memory."""

from dataclasses import dataclass
from datetime import UTC, datetime

from services.matcher.directory.capture_addresses import CaptureAddresses
from services.matcher.directory.people import Directory, person_of
from services.matcher.directory.versions import Versions
from shared.contracts.events import Kind

ACCOUNT, OTHER = "acme", "other"
CANDIDATE = person_of("c1", Kind.CANDIDATE, "C", ["a@mail.example", "B@mail.example"])


@dataclass(frozen=True)
class DirectoryParts:
    """A directory, real or not."""

    versions: Versions
    directory: Directory
    addresses: CaptureAddresses


class DirectorySuite:
    """Its tests take `parts`, a fixture of the module that inherits them."""

    async def test_who_holds_an_address_is_found_in_the_account_alone(
        self, parts: DirectoryParts
    ) -> None:
        assert await parts.directory.put(ACCOUNT, CANDIDATE)
        assert not await parts.directory.put(ACCOUNT, CANDIDATE)
        keys = ["a@mail.example", "b@mail.example", "nobody@mail.example"]
        found = await parts.directory.holders(ACCOUNT, keys)
        assert found == {keys[0]: (CANDIDATE,), keys[1]: (CANDIDATE,), keys[2]: ()}
        assert await parts.directory.holders(OTHER, keys) == dict.fromkeys(keys, ())

    async def test_a_person_who_was_deleted_holds_nothing(self, parts: DirectoryParts) -> None:
        await parts.directory.put(ACCOUNT, CANDIDATE)
        await parts.directory.delete(ACCOUNT, "c1")
        assert await parts.directory.holders(ACCOUNT, ["a@mail.example"]) == {"a@mail.example": ()}

    async def test_every_change_raises_the_version_of_its_account(
        self, parts: DirectoryParts
    ) -> None:
        record, _ = await parts.addresses.mint(ACCOUNT, "u1", "User")
        seen = [await parts.versions.read(ACCOUNT)]
        for change in (
            lambda: parts.directory.put(ACCOUNT, CANDIDATE),
            lambda: parts.directory.delete(ACCOUNT, "c1"),
            lambda: parts.addresses.revoke_one(ACCOUNT, record.address),
        ):
            await change()
            seen.append(await parts.versions.read(ACCOUNT))
        assert seen == sorted(set(seen)), "each is higher than the one before"
        assert await parts.versions.read(OTHER) == 0

    async def test_a_change_raises_the_version_before_it_is_written_and_after(
        self, parts: DirectoryParts
    ) -> None:
        before = await parts.versions.read(ACCOUNT)
        async with parts.versions.change(ACCOUNT):
            meanwhile = await parts.versions.read(ACCOUNT)
        assert before < meanwhile < await parts.versions.read(ACCOUNT)

    async def test_an_address_is_found_until_and_after_it_was_revoked(
        self, parts: DirectoryParts
    ) -> None:
        record, is_new = await parts.addresses.mint(ACCOUNT, "u1", "User")
        assert is_new
        again, is_new = await parts.addresses.mint(ACCOUNT, "u1", "User")
        assert (again.address, is_new) == (record.address, False)
        found = await parts.addresses.find(record.address)
        assert found is not None
        assert (found.account, found.person_id) == (ACCOUNT, "u1")
        assert found.counts_at(datetime.now(UTC))
        await parts.addresses.revoke_one(ACCOUNT, record.address)
        revoked = await parts.addresses.find(record.address)
        assert revoked is not None
        assert not revoked.counts_at(datetime.now(UTC))
        assert await parts.addresses.find("nobody@in.satchel.test") is None
