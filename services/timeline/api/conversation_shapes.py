"""The shapes of conversations. Fields may be added, never renamed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from services.timeline.api.shapes import AddressOut, MailOut
from services.timeline.query.inbox_rows import InboxItem
from services.timeline.query.people import KnownPerson
from shared.contracts.events import Kind


class ProfileOut(BaseModel):
    """A candidate or contact with mail in a conversation."""

    person_id: str
    kind: Kind
    name: str = Field(description="The person's name; empty if the directory no longer has them")


class ConversationOut(BaseModel):
    """A conversation in the inbox, summarised over the mails that the caller may see."""

    id: str
    subject: str = Field(description="Subject of the first mail")
    participants: list[AddressOut] = Field(description="The latest 20 participants")
    profiles: list[ProfileOut]
    last_mail_at: datetime
    mail_count: int
    unread: bool
    snippet: str = Field(description="Snippet of the newest mail")
    has_attachments: bool

    @classmethod
    def of(cls, item: InboxItem, names: Mapping[str, KnownPerson]) -> Self:
        """Return the conversation, with what the directory says about its profiles."""
        return cls(**conversation_fields(item, names))


def conversation_fields(item: InboxItem, names: Mapping[str, KnownPerson]) -> dict[str, Any]:
    """Return the fields of a conversation."""
    row = item.row
    kinds = {person.person_id: person.kind for person in row.persons}
    return {
        "id": row.conversation,
        "subject": row.first.subject,
        "participants": row.participants,
        "profiles": [
            ProfileOut(
                person_id=id_,
                kind=Kind(names[id_].kind if id_ in names else kind),
                name=names[id_].name if id_ in names else "",
            )
            for id_, kind in kinds.items()
        ],
        "last_mail_at": row.last_mail_at,
        "mail_count": row.mail_count,
        "unread": item.unread,
        "snippet": row.last.snippet,
        "has_attachments": row.with_attachments > 0,
    }


class ConversationList(BaseModel):
    """A page of conversations, newest first."""

    items: list[ConversationOut]
    next_cursor: str | None
    partial: int = Field(
        0,
        description="For a search: number of mails, up to 1,000, that it may have "
        "missed because they have more words than are indexed",
    )


class ConversationDetail(ConversationOut):
    """A conversation with a page of its mails, newest first."""

    mails: list[MailOut]
    next_cursor: str | None = Field(
        description="Send it as `cursor` to get the next page of mails. null on the last page"
    )
