"""`/v1/dead-letters`: messages that could not be handled, for operators.

The scope `ops` is for these routes only. It shows the mail of all users of the account.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.timeline.admin.dead_letters.content import Content, HeaderField
from services.timeline.admin.dead_letters.letter import STATES, State, StoredLetter
from services.timeline.admin.dead_letters.records import Records, Which
from services.timeline.admin.dead_letters.replay import Replay
from services.timeline.api.mails import blob_errors, mail_file
from services.timeline.query.cursors import InvalidCursor
from shared.broker import UNROUTABLE, PublishFailed
from shared.http.auth import Caller
from shared.http.raw_body import BYTES
from shared.http.web import Code, Problem, allowed, invalid_field, not_found
from shared.storage.blobs import BlobMissing

Operator = Annotated[Caller, allowed("ops")]
IdInPath = Annotated[str, Path(pattern=r"^[a-z2-7]{32}$", description="The dead letter's id")]


class SettledOut(BaseModel):
    """How a dead letter was settled."""

    model_config = ConfigDict(from_attributes=True)

    by: str
    at: datetime
    why: str | None = Field(description="Why it was dropped")


class DeadLetterOut(BaseModel):
    """A message that could not be handled, as lists show it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    capture_id: str | None = Field(description="Id of the capture, if known")
    tag: str = Field(description="Tag of the event, such as `mail.received.v1`")
    reason: str
    detail: str
    queue: str = Field(description="The queue that it could not be handled from")
    at: datetime = Field(description="When it was stored")
    size: int = Field(description="Size of its mail in bytes")
    state: State
    replays: int = Field(description="How often it had been replayed before")
    expires_at: datetime
    settled: SettledOut | None


class HeaderOut(BaseModel):
    """One header field of a mail."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: str


class DeadLetterDetail(DeadLetterOut):
    """A dead letter. While it waits, it includes its event and the header of its mail."""

    event: str | None = Field(description="The event as it was received. JSON if Satchel made it")
    headers: list[HeaderOut]

    @classmethod
    def of(cls, letter: StoredLetter, header: Sequence[HeaderField]) -> Self:
        """Return a dead letter with the header of its mail."""
        return cls(
            **DeadLetterOut.model_validate(letter).model_dump(),
            event=letter.event,
            headers=[HeaderOut.model_validate(field) for field in header],
        )


class DeadLetterList(BaseModel):
    """A page of dead letters, newest first."""

    items: list[DeadLetterOut]
    next_cursor: str | None


def dead_letter_routes(records: Records, content: Content, replay: Replay) -> APIRouter:
    """Return the routes of dead letters."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    async def find(caller: Caller, id_: str) -> StoredLetter:
        found = await records.one(id_, caller.account)
        if found is None:
            raise not_found("dead letter")
        return found

    @router.get("")
    async def list_dead_letters(
        caller: Operator,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        reason: Annotated[str | None, Query(max_length=64)] = None,
        state: State | None = None,
    ) -> DeadLetterList:
        """List the account's dead letters, newest first."""
        which = Which(reason=reason, states=(state,) if state else STATES)
        try:
            page = await records.page(caller.account, which, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        items = [DeadLetterOut.model_validate(letter) for letter in page.items]
        return DeadLetterList(items=items, next_cursor=page.next_cursor)

    @router.get("/{dead_letter_id}")
    async def get_dead_letter(dead_letter_id: IdInPath, caller: Operator) -> DeadLetterDetail:
        """Return a dead letter with the header of its mail."""
        letter = await find(caller, dead_letter_id)
        with blob_errors("mail"):
            return DeadLetterDetail.of(letter, await content.header(letter))

    @router.get(
        "/{dead_letter_id}/raw",
        response_class=Response,
        responses={200: {"content": {"message/rfc822": BYTES}}},
    )
    async def get_raw_dead_letter(dead_letter_id: IdInPath, caller: Operator) -> Response:
        """Return the raw mail of a dead letter that waits."""
        letter = await find(caller, dead_letter_id)
        with blob_errors("mail"):
            raw = await content.mail(letter)
        return mail_file(raw, dead_letter_id)

    @router.post("/{dead_letter_id}/replay")
    async def replay_dead_letter(dead_letter_id: IdInPath, caller: Operator) -> DeadLetterOut:
        """Send a dead letter back to its queue. Replaying it twice is harmless.

        409 if it was dropped or cannot be sent. 503 if the broker does not confirm.
        """
        letter = await find(caller, dead_letter_id)
        if letter.state == "dropped":
            raise _settled("was dropped")
        try:
            with blob_errors():
                replayed = await replay.replay(letter, caller.person_id)
        except BlobMissing as error:
            raise _not_sent("its bytes no longer exist") from error
        except PublishFailed as failure:
            if failure.reason == UNROUTABLE:
                raise _not_sent(f"no queue takes the routing key {letter.key}") from failure
            raise Problem(Code.BROKER_UNAVAILABLE, "the broker did not confirm") from failure
        if replayed.state == "dropped":
            raise _settled("was dropped")
        return DeadLetterOut.model_validate(replayed)

    @router.delete("/{dead_letter_id}")
    async def drop_dead_letter(
        dead_letter_id: IdInPath,
        caller: Operator,
        why: Annotated[
            str,
            Query(
                min_length=1,
                max_length=500,
                description="Why it is dropped. Kept with the dead letter",
            ),
        ],
    ) -> DeadLetterOut:
        """Drop a dead letter. Dropping it twice is harmless. 409 if it was replayed."""
        dropped = await replay.drop(await find(caller, dead_letter_id), caller.person_id, why)
        if dropped.state != "dropped":
            is_done = dropped.state == "replayed"
            raise _settled(f"{'was' if is_done else 'is being'} replayed")
        return DeadLetterOut.model_validate(dropped)

    return router


def _settled(how: str) -> Problem:
    return Problem(Code.DEAD_LETTER_SETTLED, f"the dead letter {how}")


def _not_sent(why: str) -> Problem:
    return Problem(Code.DEAD_LETTER_NOT_SENT, why)
