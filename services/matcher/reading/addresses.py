"""The addresses of the directory: which are accepted, and the form in which they compare.

The directory takes every address that a header can hold: what is stored is what can match. So the
reader of headers decides what is an address (`shared/mail/address_list.py`), not the grammar of
RFC 5321, which real addresses break: `taro..yamada.@keitai.example`.
"""

from shared.mail.address_form import normalise as normalise
from shared.mail.address_list import MAX_ADDRESS, read_address_list


def check(address: str) -> str:
    """Return the address, trimmed, when it is one. Raises ValueError with what is not.

    It is one when a header that holds it, bare or in brackets, names it and nothing else.
    """
    trimmed = address.strip()
    if len(trimmed) > MAX_ADDRESS:
        raise ValueError(f"is not an email address: longer than {MAX_ADDRESS} characters")
    local, at, domain = trimmed.rpartition("@")
    if not (local and at and domain):
        raise ValueError("is not an email address: it needs text before and after the @")
    if "" in domain.removesuffix(".").split("."):
        raise ValueError("is not an email address: a part of its domain is empty")
    if not _is_read_as_one(trimmed):
        raise ValueError(
            "is not an email address: not exactly one, or with characters that no address may have"
        )
    return trimmed


def _is_read_as_one(address: str) -> bool:
    key = normalise(address)
    for written in (address, f"<{address}>"):
        found = [normalise(mailbox.address) for mailbox in read_address_list(written)]
        if found != [key]:
            return False
    return True
