"""`/v1/people`: the directory, as the ATS keeps it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from services.matcher.api.leaving import Leaving
from services.matcher.decision.decide import Person
from services.matcher.directory.people import Directory, person_of
from services.matcher.reading.addresses import check, normalise
from shared.contracts.events import Kind, PersonId
from shared.http.auth import Caller
from shared.http.preconditions import IfMatch, changed_meanwhile, demand_match, tagged
from shared.http.web import allowed, not_found

MAX_ADDRESSES, MAX_ADDRESS_BYTES = 100, 24 * 1024
"""A person has to fit into one event."""
_ATTEMPTS = 5
"""Of a patch that others overtake."""
PersonInPath = Annotated[PersonId, Path(description="The person's id in the ATS")]


def _reachable(person_id: str) -> str:
    """Refuse what stands for a folder in a path (RFC 3986 section 5.2.4)."""
    if person_id in (".", ".."):
        raise ValueError("cannot be used as an id in a URL")
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


def _no_default(schema: dict[str, Any]) -> None:
    """Let a schema not promise what stands for "not given"."""
    schema.pop("default", None)


class PersonPatch(PersonIn):
    """Changes to a person. Fields that are left out stay as they are."""

    kind: Kind = Field(Kind.GUEST, json_schema_extra=_no_default)
    name: str = Field("", max_length=500, json_schema_extra=_no_default)
    addresses: Annotated[
        list[Annotated[str, Field(max_length=320), AfterValidator(check)]],
        Field(max_length=MAX_ADDRESSES, json_schema_extra=_no_default),
    ] = []

    def applied_to(self, person: Person) -> Person:
        """Return the person with the change."""
        given = self.model_fields_set
        return person_of(
            person.person_id,
            self.kind if "kind" in given else person.kind,
            self.name if "name" in given else person.name,
            self.addresses if "addresses" in given else person.addresses,
        )


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
            str | None,
            Query(
                max_length=320,
                description="Only people with this address, in any equivalent spelling",
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=128)] = None,
    ) -> PersonList:
        """List people, or those who have an address."""
        if address is not None:
            key = normalise(address)
            found = [*await directory.with_address(caller.account, key)]
            return PersonList(items=[_shown(person) for person in found], next_cursor=None)
        found = await directory.list(caller.account, limit + 1, cursor)
        page = found[:limit]
        return PersonList(
            items=[_shown(person) for person in page],
            next_cursor=page[-1].person_id if len(found) > limit else None,
        )

    @router.put("/v1/people/{person_id}", responses={201: {"model": PersonOut}})
    async def put_person(
        person_id: NewPersonInPath,
        body: PersonIn,
        response: Response,
        caller: Writer,
        if_match: IfMatch = None,
    ) -> PersonOut:
        """Create or replace a person: 201 if they are new, otherwise 200. Idempotent.

        Mail received after the answer is decided with the change. A person who is no longer a user
        loses their capture address and their *never capture* list.
        """
        person = body.person(person_id)
        new = False
        if if_match is None:
            new = await directory.put(caller.account, person)
        else:
            before = await directory.get(caller.account, person_id)
            demand_match(if_match, _shown(before) if before else None)
            if before is None or not await directory.replace(caller.account, before, person):
                raise changed_meanwhile()
        response.status_code = 201 if new else 200
        return await stored(caller, person, response)

    @router.patch("/v1/people/{person_id}")
    async def update_person(
        person_id: PersonInPath,
        body: Annotated[PersonPatch, Body(media_type="application/merge-patch+json")],
        response: Response,
        caller: Writer,
        if_match: IfMatch = None,
    ) -> PersonOut:
        """Change only the given fields (JSON merge patch, RFC 7396). A list is replaced as a whole.

        404 if there is no such person. Otherwise it works like PUT.
        """
        for _ in range(_ATTEMPTS):
            before = await directory.get(caller.account, person_id)
            if before is None:
                raise not_found("person")
            if if_match is not None:
                demand_match(if_match, _shown(before))
            person = body.applied_to(before)
            if await directory.replace(caller.account, before, person):
                return await stored(caller, person, response)
        raise changed_meanwhile()

    async def stored(caller: Caller, person: Person, response: Response) -> PersonOut:
        if person.kind is not Kind.USER:  # afterwards: an address minted meanwhile is revoked, too
            await leaving.leave(caller.account, [person.person_id])
        return tagged(_shown(person), response)

    @router.get("/v1/people/{person_id}")
    async def get_person(person_id: PersonInPath, response: Response, caller: Reader) -> PersonOut:
        """Return a person with their `ETag`."""
        person = await directory.get(caller.account, person_id)
        if person is None:
            raise not_found("person")
        return tagged(_shown(person), response)

    @router.delete("/v1/people/{person_id}", status_code=204)
    async def delete_person(person_id: PersonInPath, caller: Writer) -> None:
        """Delete a person. A user's capture address is revoked. 204 even if there was none.

        Their *never capture* list is deleted too. The mail of a profile is hidden until the id
        returns with one of its addresses, unless it was merged into another: then it is shown on
        that one.
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
