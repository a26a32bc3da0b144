"""The inbox: conversations, one conversation, what is read and unread, live updates."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.timeline.api.conversation_shapes import (
    ConversationDetail,
    ConversationList,
    ConversationOut,
    conversation_fields,
)
from services.timeline.api.people_shapes import people_named
from services.timeline.api.shapes import MailOut
from services.timeline.query.cursors import InvalidCursor
from services.timeline.query.inbox import Inbox
from services.timeline.query.inbox_rows import InboxItem
from services.timeline.query.live import Live
from services.timeline.query.mails import Mails
from services.timeline.query.people import Directory, KnownPerson
from services.timeline.query.search import Search
from services.timeline.query.search_query import MAX_QUERY, InvalidQuery, parse_query
from services.timeline.query.viewer import Viewer, viewer_of
from services.timeline.write.account_settings import AccountSettings
from shared.contracts.events import PersonId
from shared.http.auth import Caller
from shared.http.web import allowed, invalid_field, not_found

Reader = Annotated[Caller, allowed("timeline:read")]
ConversationInPath = Annotated[
    str,
    Path(
        pattern=r"^[a-z2-7]{32}$",
        description="The conversation's id, or a former id of a merged one",
    ),
]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]


class UnreadOut(BaseModel):
    """Number of unread conversations."""

    unread: int
    more: bool = Field(description="Whether there are more than `unread` says")


class ReadAll(BaseModel):
    """What to mark as read."""

    model_config = ConfigDict(extra="forbid")

    before: AwareDatetime | None = Field(
        None, description="Mark everything that had arrived by this time. Default: now"
    )


def inbox_routes(
    inbox: Inbox,
    search: Search,
    mails: Mails,
    directory: Directory,
    settings: AccountSettings,
    live: Live,
) -> APIRouter:
    """Return the routes of the inbox."""
    router = APIRouter(tags=["inbox"])

    async def names_in(viewer: Viewer, items: Sequence[InboxItem]) -> dict[str, KnownPerson]:
        ids = {person.person_id for item in items for person in item.row.persons}
        return await directory.named(viewer.account, ids)

    @router.get("/v1/inbox")
    async def list_conversations(
        caller: Reader,
        limit: Limit = 50,
        cursor: Cursor = None,
        q: Annotated[
            str | None,
            Query(
                max_length=MAX_QUERY,
                description='Search: words, `prefix*`, `"a phrase"`, `from:`, `to:`, '
                "`has:attachment`, `before:2026-01-31`, `after:2026-01-01`",
                examples=["from:anna interview has:attachment"],
            ),
        ] = None,
        unread: Annotated[
            bool, Query(description="Only conversations that the caller has not read")
        ] = False,
        owner: Annotated[
            Literal["me"] | None,
            Query(description="`me`: only mail received at the caller's own capture address"),
        ] = None,
        person_id: Annotated[
            PersonId | None, Query(description="Only conversations with mail of this profile")
        ] = None,
    ) -> ConversationList:
        """List the account's conversations, newest first; unread ones in order of arrival.

        A page may hold fewer items than `limit`, even none. Continue while there is a
        `next_cursor`.
        """
        viewer = await viewer_of(settings, caller, own_only=owner == "me")
        partial = 0
        try:
            if q is not None and q.strip():
                hits = await search.hits(viewer, parse_query(q), limit, cursor)
                found = await inbox.of_conversations(viewer, hits.conversations)
                profile = person_id
                if person_id is not None:
                    profile = (await inbox.hiding.profile(viewer.account, person_id)).survivor
                items = [item for item in found if _wanted(item, profile, unread=unread)]
                next_cursor, partial = hits.next_cursor, hits.partial
            else:
                list_ = inbox.unread.page if unread else inbox.page
                page = await list_(viewer, limit, cursor, person_id)
                items, next_cursor = page.items, page.next_cursor
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        except InvalidQuery as error:
            raise invalid_field("q", str(error)) from error
        names = await names_in(viewer, items)
        return ConversationList(
            items=[ConversationOut.of(item, names) for item in items],
            next_cursor=next_cursor,
            partial=partial,
        )

    @router.get("/v1/inbox/unread")
    async def count_unread_conversations(
        caller: Reader,
        owner: Annotated[Literal["me"] | None, Query()] = None,
    ) -> UnreadOut:
        """Count the caller's unread conversations."""
        viewer = await viewer_of(settings, caller, own_only=owner == "me")
        count, more = await inbox.unread.count(viewer)
        return UnreadOut(unread=count, more=more)

    @router.put("/v1/inbox/read", status_code=204, response_class=Response)
    async def mark_all_read(caller: Reader, what: ReadAll | None = None) -> None:
        """Mark everything as read for the caller."""
        viewer = await viewer_of(settings, caller)
        before = what.before if what else None
        await inbox.mark_all(viewer, before or datetime.now(UTC))

    @router.get("/v1/conversations/{conversation_id}")
    async def get_conversation(
        conversation_id: ConversationInPath,
        caller: Reader,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> ConversationDetail:
        """Return a conversation with a page of its mails, newest first."""
        viewer = await viewer_of(settings, caller)
        item = await inbox.one(viewer, conversation_id)
        if item is None:
            raise not_found("conversation")
        try:
            page = await mails.of_conversation(viewer, item.row.conversation, limit, cursor)
        except InvalidCursor as error:
            raise invalid_field("cursor", str(error)) from error
        profiles = {person.person_id for person in item.row.persons}
        names = await directory.named(viewer.account, profiles | people_named(page.items))
        return ConversationDetail(
            **conversation_fields(item, names),
            mails=[MailOut.of(shown, names) for shown in page.items],
            next_cursor=page.next_cursor,
        )

    @router.put(
        "/v1/conversations/{conversation_id}/read", status_code=204, response_class=Response
    )
    async def mark_conversation_read(conversation_id: ConversationInPath, caller: Reader) -> None:
        """Mark all mail that has arrived in a conversation as read for the caller."""
        await mark(caller, conversation_id, unread=False)

    @router.put(
        "/v1/conversations/{conversation_id}/unread", status_code=204, response_class=Response
    )
    async def mark_conversation_unread(conversation_id: ConversationInPath, caller: Reader) -> None:
        """Mark a conversation as unread for the caller."""
        await mark(caller, conversation_id, unread=True)

    async def mark(caller: Caller, conversation_id: str, *, unread: bool) -> None:
        viewer = await viewer_of(settings, caller)
        if not await inbox.mark(viewer, conversation_id, unread=unread):
            raise not_found("conversation")

    @router.get(
        "/v1/events",
        response_class=EventSourceResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream_events(
        caller: Reader,
        last_event_id: Annotated[
            str | None, Header(max_length=64, description="Id of the last event that was received")
        ] = None,
    ) -> EventSourceResponse:
        """Stream changes as server-sent events, so that a client knows what to fetch again.

        `changed` names a `conversation_id`. `refetch` means that anything may have changed.
        `setup` means that the caller's own set-up has changed (`GET /v1/setup`).

        The stream ends when the token expires or the service stops. Reconnect with
        `Last-Event-ID`.
        """

        async def stream() -> AsyncIterator[ServerSentEvent]:
            async for hint in live.listen(caller, last_event_id):
                about = {"conversation_id": hint.conversation_id} if hint.conversation_id else {}
                yield ServerSentEvent(data=json.dumps(about), event=hint.kind, id=hint.id)

        return EventSourceResponse(stream(), ping=15, send_timeout=30)

    return router


def _wanted(item: InboxItem, person_id: str | None, *, unread: bool) -> bool:
    persons = item.row.persons
    has_person = person_id is None or any(p.person_id == person_id for p in persons)
    return has_person and (item.unread or not unread)
