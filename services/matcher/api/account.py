"""`/v1/account:erase`, `/v1/account-erasures`: an account is erased, with a receipt."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.matcher.erasures.accounts import AccountErasure, AccountErasures
from services.matcher.erasures.finishing import Finishing
from shared.contracts.events import ErasedOfAccount, ErasureId
from shared.http.auth import Caller
from shared.http.web import ERASE_ACCOUNT, Code, Problem, allowed, invalid_field, not_found

Eraser = Annotated[Caller, allowed("account:erase")]
ErasureInPath = Annotated[ErasureId, Path(description="The id that the erasure was answered with")]


class AccountErasureIn(BaseModel):
    """A request to erase the account of the token."""

    account: str = Field(
        max_length=64,
        description="The account's id once more, as a confirmation: it has to be the token's",
    )


class AccountErasureOut(BaseModel):
    """An account's erasure, and how far it is."""

    id: ErasureId
    account: str = Field(description="The account's id")
    state: Literal["running", "done"]
    asked_by: str = Field(description="The caller's person id")
    asked_at: datetime = Field(description="When it was asked for")
    done_at: datetime | None = Field(description="When all was erased; null while it runs")
    erased: ErasedOfAccount = Field(description="How much was removed; complete when it is done")
    receipt: str | None = Field(
        description="A signed receipt (compact JWS, EdDSA), which a key of `GET /v1/erasures/keys` "
        "verifies; null while it runs. It has ids, times and counts"
    )

    @classmethod
    def of(cls, erasure: AccountErasure) -> "AccountErasureOut":
        """Return an erasure."""
        return cls(
            id=erasure.id,
            account=erasure.account,
            state=erasure.state,
            asked_by=erasure.asked_by,
            asked_at=erasure.asked_at,
            done_at=erasure.done_at,
            erased=erasure.erased,
            receipt=erasure.receipt,
        )


class AccountErasureList(BaseModel):
    """A page of erasures, the latest first."""

    items: list[AccountErasureOut]
    next_cursor: str | None


def account_routes(erasures: AccountErasures, finishing: Finishing) -> APIRouter:
    """Return the routes by which accounts are erased."""
    router = APIRouter(tags=["directory"])

    @router.post(ERASE_ACCOUNT, status_code=202)
    async def erase_account(
        body: AccountErasureIn, caller: Eraser, response: Response
    ) -> AccountErasureOut:
        """Erase the whole account of the token: directory, mail and settings. It cannot be undone.

        202 with the erasure, which `Location` tells the progress of. It needs the scope
        `account:erase`, which no other scope includes, and the account's id in the body. All
        capture addresses end at once and for good: mail that they get is accepted and forgotten.
        Stored mail is deleted within seconds to minutes. A second pass some minutes later
        deletes what was in flight, before the receipt is signed.

        Until then every request that would write to the account gets 409 `account_erasing`, and
        lists become empty. Afterwards the account's id can be used again; it starts empty.
        To ask again while it runs gives the same erasure. 422 if `account` is not the token's; 409
        `erasure_key_missing` if this installation cannot sign a receipt.
        """
        if body.account != caller.account:
            raise invalid_field("account", "is not the account of the token")
        if not finishing.can_sign:
            raise Problem(Code.ERASURE_KEY_MISSING, "ERASURE_SIGNING_KEY is not set")
        erasure = await erasures.ask(caller.account, caller.person_id)
        response.headers["Location"] = f"/v1/account-erasures/{erasure.id}"
        return AccountErasureOut.of(erasure)

    @router.get("/v1/account-erasures/{erasure_id}")
    async def get_account_erasure(erasure_id: ErasureInPath, caller: Eraser) -> AccountErasureOut:
        """Return how far an account's erasure is, and its receipt, which is kept for good."""
        erasure = await erasures.one(caller.account, erasure_id)
        if erasure is None:
            raise not_found("erasure")
        return AccountErasureOut.of(erasure)

    @router.get("/v1/account-erasures")
    async def list_account_erasures(
        caller: Eraser,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[
            str | None, Query(pattern=r"^[0-9a-f]{32}$", description="`next_cursor` of a page")
        ] = None,
    ) -> AccountErasureList:
        """List the erasures of the account, the latest first."""
        found = await erasures.list(caller.account, limit + 1, cursor)
        page = found[:limit]
        return AccountErasureList(
            items=[AccountErasureOut.of(erasure) for erasure in page],
            next_cursor=page[-1].id if len(found) > limit else None,
        )

    return router
