"""The claimed authors of a mail: every domain that a reader may take for its author's.

* All of From counts, in each From field: mail programs show one of them or all.
* If a From field has no address, or one with an unreadable domain, no author is verified. Mail
  programs then show what they can read, or Sender: so every domain in either counts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.matcher.authentication.signature import domain_name
from services.matcher.reading.senders import literal_senders
from shared.mail.headers import HeaderBlock, addresses, decode_text, mailboxes

MAX_DOMAINS = 10
"""No mail needs more authors' domains; a mail with more has failed, whatever they are."""
_MAX_TEXT = 10_000
_WRITTEN = re.compile(r"@([^\s@<>()\[\]\",;:\\]{1,253})")


@dataclass(frozen=True, slots=True)
class Authors:
    """Who a mail says has written it."""

    domains: tuple[str, ...]
    """Each once, in order."""
    are_readable: bool
    """Every From field has an address, and the domain of each address can be read."""


def authors_of(header: HeaderBlock) -> Authors:
    """Return the authors of a mail."""
    fields = header.all("From")
    named = [domain_name(m.address.rpartition("@")[2]) for m in literal_senders(header)]
    known = [name for name in named if name is not None]
    every_field = len(fields) == 1 or all(addresses([field]) for field in fields)
    are_readable = bool(named) and len(named) == len(known) and every_field
    if not are_readable:
        known += _written(fields)
        known += _known(m.address.rpartition("@")[2] for m in mailboxes(header, "Sender"))
    return Authors(tuple(dict.fromkeys(known)), are_readable)


def _written(fields: list[str]) -> list[str]:
    """Return the domains that stand in From, however broken it is."""
    texts = [text[:_MAX_TEXT] for field in fields for text in (field, decode_text(field))]
    return _known(match[1] for text in texts for match in _WRITTEN.finditer(text))


def _known(written: Iterable[str]) -> list[str]:
    names = (domain_name(one.rstrip(".")) for one in written)
    return [name for name in names if name is not None and "." in name]
