"""Who really wrote a mail that a list or group passed on.

Mailing lists and groups rewrite From so that DMARC (RFC 7489) holds: `"Name" via List <list@...>`.
The author then stands in X-Original-From (Google Groups), X-Original-Sender, or in Reply-To
(Mailman's `from_is_list`), and takes part in the place of the list.

A From is taken for rewritten only when it says so, by ` via ` in its name, and the mail has a sign
of a list: a header that lists and groups set, or the rewritten address among its recipients.
Anyone can call themselves "A via B" and name someone else as the author.
"""

import re

from shared.mail.headers import HeaderBlock, Mailbox, mailboxes

_VIA = re.compile(r"\bvia\b", re.IGNORECASE)
_PASSED_ON_BY = frozenset(
    {
        "List-Id",
        "List-Post",
        "List-Help",
        "List-Subscribe",
        "Mailing-List",
        "X-Google-Group-Id",
    }
)
_ORIGINALS = ("X-Original-From", "X-Original-Sender", "Reply-To")


def literal_senders(header: HeaderBlock) -> list[Mailbox]:
    """Return who stands in From, rewritten or not."""
    return mailboxes(header, "From")


def senders(header: HeaderBlock) -> list[Mailbox]:
    """Return who wrote the mail: its From, each rewritten one replaced by its author."""
    literal = literal_senders(header)
    if not any(_VIA.search(mailbox.name) for mailbox in literal):
        return literal
    author = _author(header, {mailbox.address.lower() for mailbox in literal})
    if author is None:
        return literal
    return [author if _VIA.search(mailbox.name) else mailbox for mailbox in literal]


def is_passed_on(header: HeaderBlock) -> bool:
    """Return whether a list or group says that it passed the mail on."""
    return any(header.first(name) is not None for name in _PASSED_ON_BY)


def _author(header: HeaderBlock, lists: set[str]) -> Mailbox | None:
    if not (is_passed_on(header) or _are_written_to(header, lists)):
        return None
    for name in _ORIGINALS:
        candidates = [m for m in mailboxes(header, name) if m.address.lower() not in lists]
        if len(candidates) == 1:  # two are a choice that the header does not make
            return candidates[0]
    return None


def _are_written_to(header: HeaderBlock, lists: set[str]) -> bool:
    written_to = (m.address.lower() for name in ("To", "Cc") for m in mailboxes(header, name))
    return not lists.isdisjoint(written_to)
