"""`/v1/people/{person_id}:erase`, `/v1/erasures`: people are erased, with a receipt."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.matcher.api.leaving import Leaving
from services.matcher.api.people import PersonInPath, Reader, Writer
from services.matcher.erasures.finishing import Finishing
from services.matcher.erasures.records import Erasure, Erasures, Refusal
from services.matcher.rematch.sealed import SealedCaptures
from services.matcher.reviews.records import Reviews
from shared.contracts.events import Erased, ErasureId
from shared.http.web import Code, Problem, SignedIn, not_found
from shared.storage.blobs import BlobStoreAway

ErasureInPath = Annotated[ErasureId, Path(description="The id that the erasure was answered with")]


class ErasureOut(BaseModel):
    """An erasure, and how far it is."""

    id: ErasureId
    person_id: str = Field(description="Whom it was asked for")
    person_ids: list[str] = Field(
        description="Who is erased: all people who were merged into the same profile"
    )
    state: Literal["running", "done"]
    asked_by: str = Field(description="The caller's person id")
    asked_at: datetime = Field(description="When it was asked for")
    done_at: datetime | None = Field(description="When all was erased; null while it runs")
    erased: Erased = Field(
        description="How much was removed; counted when a person is done. What concerns two of the "
        "people counts twice"
    )
    receipt: str | None = Field(
        description="A signed receipt (compact JWS, EdDSA), which a key of `GET /v1/erasures/keys` "
        "verifies; null while it runs. It has ids, times and counts, no name and no address"
    )

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureOut":
        """Return an erasure."""
        return cls(
            id=erasure.id,
            person_id=erasure.person_id,
            person_ids=list(erasure.person_ids),
            state="done" if erasure.state == "done" else "running",
            asked_by=erasure.asked_by,
            asked_at=erasure.asked_at,
            done_at=erasure.done_at,
            erased=erasure.erased,
            receipt=erasure.receipt,
        )


class ErasureList(BaseModel):
    """A page of erasures, the latest first."""

    items: list[ErasureOut]
    next_cursor: str | None


class KeySet(BaseModel):
    """Public keys (RFC 7517)."""

    keys: list[dict[str, Any]] = Field(description="JSON Web Keys, without a private part")


def erasure_routes(
    erasures: Erasures,
    finishing: Finishing,
    leaving: Leaving,
    sealed: SealedCaptures,
    reviews: Reviews,
) -> APIRouter:
    """Return the routes by which people are erased."""
    router = APIRouter(tags=["directory"])

    @router.post("/v1/people/{person_id}:erase", status_code=202)
    async def erase_person(
        person_id: PersonInPath, caller: Writer, response: Response
    ) -> ErasureOut:
        """Erase a person: from the directory at once, and from all mail.

        202 with the erasure, which `Location` tells the progress of. Mail that concerns no one else
        is deleted. In the mail of others their name and address are replaced in the header and
        in all that is listed; what people wrote is not searched. People who are merged into the
        same profile are erased together. It goes on whatever is restarted.

        To ask again gives the same erasure, until somebody has the id again: who gets it starts
        empty. 404 if the directory never had the person; 409 `is_a_user` for a user of the account;
        409 `erasure_key_missing` if this installation cannot sign a receipt.
        """
        if not finishing.can_sign:
            raise Problem(Code.ERASURE_KEY_MISSING, "ERASURE_SIGNING_KEY is not set")
        addresses = await erasures.addresses(caller.account, person_id)
        try:  # first: once the person is gone nothing tells their addresses
            await sealed.forget_naming(caller.account, addresses)
        except BlobStoreAway as away:
            raise Problem(Code.BLOB_STORE_UNAVAILABLE, "the blob store is unavailable") from away
        done = await erasures.ask(caller.account, caller.person_id, person_id)
        if isinstance(done, str):
            raise _problem_of(done)
        await reviews.forget(caller.account)  # once more at the end: `erasures/finishing.py`
        await leaving.leave(caller.account, done.person_ids)
        response.headers["Location"] = f"/v1/erasures/{done.id}"
        return ErasureOut.of(done)

    @router.get("/v1/erasures/keys")
    async def get_erasure_keys(caller: SignedIn) -> KeySet:
        """Return the public keys of receipts as a JWK set; a receipt names its key (`kid`).

        Keys of former secrets are among them, so a receipt verifies as long as the installation
        keeps its database. Keep the key with the receipt.
        """
        return KeySet(keys=[*await finishing.public_keys()])

    @router.get("/v1/erasures/{erasure_id}")
    async def get_erasure(erasure_id: ErasureInPath, caller: Reader) -> ErasureOut:
        """Return how far an erasure is, and its receipt. It is kept as long as the account."""
        erasure = await erasures.one(caller.account, erasure_id)
        if erasure is None:
            raise not_found("erasure")
        return ErasureOut.of(erasure)

    @router.get("/v1/erasures")
    async def list_erasures(
        caller: Reader,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[
            str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next_cursor` of a page")
        ] = None,
    ) -> ErasureList:
        """List erasures, the latest first."""
        found = await erasures.list(caller.account, limit + 1, cursor)
        page = found[:limit]
        return ErasureList(
            items=[ErasureOut.of(erasure) for erasure in page],
            next_cursor=page[-1].id if len(found) > limit else None,
        )

    return router


def _problem_of(refusal: Refusal) -> Problem:
    if refusal == "unknown":
        return not_found("person")
    return Problem(Code.IS_A_USER, "the person is a user of the account")
