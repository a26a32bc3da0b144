"""When the body of a mail counts: under which conditions a user's mail may be a forward.

The body of a mail is evidence that its writer supplies, so it counts only under all of these:

* every literal From, never a recovered one, is a user of the account,
* every To and Cc recipient is a capture address,
* no unblocked profile matched by header.
"""

from collections.abc import Collection

from services.matcher.decision.decide import Attach, Decision, Person
from services.matcher.reading.addresses import normalise
from services.matcher.reading.senders import literal_senders
from shared.contracts.events import Kind
from shared.mail.headers import HeaderBlock, mailboxes


def written_by_users(header: HeaderBlock, people: Collection[Person]) -> bool:
    """Return whether every literal From, never a recovered one, is a user of the account."""
    users = frozenset().union(*(person.keys for person in people if person.kind is Kind.USER))
    senders = [normalise(mailbox.address) for mailbox in literal_senders(header)]
    return bool(senders) and all(sender in users for sender in senders)


def may_be_forward(
    header: HeaderBlock, decision: Decision, people: Collection[Person], capture_domain: str
) -> bool:
    """Return whether the conditions hold under which the body counts."""
    if isinstance(decision, Attach):
        return False
    recipients = mailboxes(header, "To") + mailboxes(header, "Cc")
    return written_by_users(header, people) and all(
        normalise(r.address).endswith(f"@{capture_domain}") for r in recipients
    )
