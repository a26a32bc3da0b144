"""Tag lists: `a=rsa-sha256; d=mail.example`. RFC 6376 section 3.2.

DKIM's and ARC's signatures, keys in DNS and DMARC's records are written so.
"""

import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*+")
_SPACE = re.compile(r"[ \t\r\n]++")


class BadTags(ValueError):
    """Not a tag list, or one that names a tag twice."""


def read_tags(text: str) -> dict[str, str]:
    """Return the tags and their values, folding white space around them removed."""
    found: dict[str, str] = {}
    for piece in text.split(";"):
        if not piece.strip(" \t\r\n"):
            continue
        name, equals, value = (part.strip(" \t\r\n") for part in piece.partition("="))
        if not equals or not _NAME.fullmatch(name) or name in found:
            raise BadTags(name)
        found[name] = value
    return found


def without_space(value: str) -> str:
    """Return a value without any white space, as base64 and lists are compared."""
    return _SPACE.sub("", value)
