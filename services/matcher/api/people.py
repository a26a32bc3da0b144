"""`/v1/people`: the directory, as the ATS keeps it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from services.matcher.addresses import check, normalise
from services.matcher.decide import Person
from services.matcher.directory import Directory, person_of
from services.matcher.leaving import Leaving
from shared.auth import Caller
from shared.events import Kind, PersonId
from shared.web import allowed, not_found

MAX_ADDRESSES, MAX_ADDRESS_BYTES = 100, 24 * 1024
"""A person has to fit into one event."""
PersonInPath = Annotated[PersonId, Path(description="The person's id in the ATS")]


def _reachable(person_id: str) -> str:
    """Refuse what stands for a folder in a path (RFC 3986 section 5.2.4)."""
    if person_id in (".", ".."):
        raise ValueError("is no id that a URL can hold")
    return person_id


NewPersonId = Annotated[PersonId, AfterValidator(_reachable)]
NewPersonInPath = Annotated[NewPersonId, Path(description="The person's id in the ATS")]
Reader = Annotated[Caller, allowed("directory:read")]
Writer = Annotated[Caller, allowed("directory:write")]


class PersonIn(BaseModel):
    """A person as the ATS knows them."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    name: Annotated[str, Field(max_length=500)]
    addresses: Annotated[
        list[Annotated[str, Field(max_length=320), AfterValidator(check)]],
        Field(max_length=MAX_ADDRESSES),
    ]

    @field_validator("addresses")
    @classmethod
    def _fit_into_an_event(cls, addresses: list[str]) -> list[str]:
        if sum(len(address.encode()) for address in addresses) > MAX_ADDRESS_BYTES:
            raise ValueError(f"are longer than {MAX_ADDRESS_BYTES} bytes together")
        return addresses

    def person(self, person_id: str) -> Person:
        """Return the person for the directory."""
        return person_of(person_id, self.kind, self.name, self.addresses)


class PersonOut(BaseModel):
    """A person of the directory."""

    person_id: str
    kind: Kind
    name: str
    addresses: list[str]


class PersonList(BaseModel):
    """A page of people, in the order of their ids."""

    items: list[PersonOut]
    next_cursor: str | None


def people_routes(directory: Directory, leaving: Leaving) -> APIRouter:
    """Return the routes of the directory."""
    router = APIRouter(tags=["directory"])

    @router.get("/v1/people")
    async def list_people(
        caller: Reader,
        address: Annotated[
            str | None, Query(max_length=320, description="Only who has this address")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=128)] = None,
    ) -> PersonList:
        """Return people, or those who have an address: written in any way that means the same."""
        if address is not None:
            key = normalise(address)
            holders = (await directory.holders(caller.account, [key]))[key]
            found = sorted(holders, key=lambda person: person.person_id)
            return PersonList(items=[_shown(person) for person in found], next_cursor=None)
        found = await directory.list(caller.account, limit + 1, cursor)
        page = found[:limit]
        return PersonList(
            items=[_shown(person) for person in page],
            next_cursor=page[-1].person_id if len(found) > limit else None,
        )

    @router.put("/v1/people/{person_id}", responses={201: {"model": PersonOut}})
    async def put_person(
        person_id: NewPersonInPath, body: PersonIn, response: Response, caller: Writer
    ) -> PersonOut:
        """Store a person. 201 when they are new, 200 otherwise; the same again changes nothing.

        Mail received after the answer is decided by it. Who is no user any more loses their
        capture address and their *never capture* list.
        """
        person = body.person(person_id)
        new = await directory.put(caller.account, person)
        if body.kind is not Kind.USER:  # afterwards: an address minted meanwhile is revoked, too
            await leaving.leave(caller.account, [person_id])
        response.status_code = 201 if new else 200
        return _shown(person)

    @router.get("/v1/people/{person_id}")
    async def get_person(person_id: PersonInPath, caller: Reader) -> PersonOut:
        """Return a person."""
        person = await directory.get(caller.account, person_id)
        if person is None:
            raise not_found("person")
        return _shown(person)

    @router.delete("/v1/people/{person_id}", status_code=204)
    async def delete_person(person_id: PersonInPath, caller: Writer) -> None:
        """Forget a person; a user's capture address is revoked. 204 also when there was none.

        Their *never capture* list is forgotten with them.
        """
        await directory.delete(caller.account, person_id)
        await leaving.leave(caller.account, [person_id])

    return router


def _shown(person: Person) -> PersonOut:
    return PersonOut(
        person_id=person.person_id,
        kind=person.kind,
        name=person.name,
        addresses=list(person.addresses),
    )
