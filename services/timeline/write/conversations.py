"""Conversations as connected components: which mails belong together. Pure.

Mails are connected by the ids that they name: Message-ID, In-Reply-To and References within the
account, never by subject. Each id is a token; each mail ties its tokens together.

* A conversation is named after the first mail that was seen of it. That name is its id, and stays
  while it grows.
* When conversations meet, those with fewer mails take the name of the one with the most. So no mail
  is renamed more than log2(n) times. A name that was given up is still a token, so it resolves.

Which mails are together depends on neither order nor concurrency; only the name does.

Every join writes the conversation's document. So of two transactions that meet in one, one is
repeated: none can add a mail to a conversation while another renames it.
"""

from collections.abc import Sequence
from functools import reduce

from msgspec.structs import replace

from services.timeline.write.listed_records import Summary, SummaryRow
from services.timeline.write.read_marks import merge_marks
from services.timeline.write.records import Conversation, Token
from services.timeline.write.side_records import ReadMark
from services.timeline.write.state import Draft, OfConversation
from services.timeline.write.summary import joined


def token_id(account: str, token: str) -> str:
    """Return the id of a token's document, or of the conversation that is named so."""
    return f"{account}/{token}"


def summary_id(account: str, audience: str, conversation: str) -> str:
    """Return the id of a conversation's row in an audience."""
    return f"{account}/{audience}/{conversation}"


def join(
    draft: Draft, account: str, tokens: Sequence[str], *, new_mails: int = 0, is_changed: bool
) -> str:
    """Tie a mail's tokens together, its own being the first; return the conversation's id.

    `new_mails` is 1 for a mail that was not there before. `is_changed` says that something which
    is listed of the conversation changes.
    """
    ids = {token: token_id(account, token) for token in dict.fromkeys(tokens)}
    known = draft.many(Token, account, ids.values())
    names = [*dict.fromkeys(token.conversation for token in known.values() if token is not None)]
    stored = draft.many(Conversation, account, [token_id(account, name) for name in names])
    found = [
        was or Conversation(id=id_, account=account, mails=0)  # its document is lost
        for id_, was in stored.items()
    ]
    largest = max(found, key=lambda c: (c.mails, c.id), default=None)
    name = largest.id.partition("/")[2] if largest else tokens[0]
    losers = [other for other in names if other != name]
    if losers:
        _merge(draft, account, name, losers)
    untied = [id_ for id_, token in known.items() if token is None]
    for id_ in untied:
        draft.put(Token(id=id_, account=account, conversation=name))
    if untied or losers or is_changed:
        gained = new_mails + sum(c.mails for c in found if c is not largest)
        was = largest or Conversation(id=token_id(account, name), account=account, mails=0)
        draft.put(replace(was, mails=was.mails + gained, joined=was.joined + 1))
    return name


def _merge(draft: Draft, account: str, name: str, losers: Sequence[str]) -> None:
    """Let all that belongs to the losers belong to the conversation of this name."""
    names = (name, *losers)
    draft.need(OfConversation(kind, account, of) for of in names for kind in (SummaryRow, ReadMark))
    rows = draft.of_conversations(SummaryRow, account, names)
    merge_marks(draft, account, name, losers, rows)
    for loser in losers:
        draft.rename(account, loser, name)
        draft.delete(Conversation, account, token_id(account, loser))
    by_audience: dict[str, list[SummaryRow]] = {}
    for row in rows:
        by_audience.setdefault(row.audience, []).append(row)
        draft.delete(SummaryRow, account, row.id)
    for audience, parts in by_audience.items():
        summary = reduce(joined, map(summary_in, parts))
        arrived = max(part.arrived for part in parts)
        draft.put(summary_row(account, audience, name, arrived, summary))


def summary_in(row: SummaryRow) -> Summary:
    """Return the summary in a row."""
    return Summary(**{field: getattr(row, field) for field in Summary.__struct_fields__})


def summary_row(
    account: str, audience: str, conversation: str, arrived: int, summary: Summary
) -> SummaryRow:
    """Return the row that has this summary."""
    fields = {field: getattr(summary, field) for field in Summary.__struct_fields__}
    return SummaryRow(
        id=summary_id(account, audience, conversation),
        account=account,
        audience=audience,
        conversation=conversation,
        arrived=arrived,
        **fields,
    )
