"""The form of a link that confirms: it counts as a whole or not at all."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from services.matcher.reading.addresses import normalise

MAX_LINK = 2000
_URL = re.compile(r"(https?)://([a-z0-9.-]{1,253})(/[^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
"""Neither a user nor a port, and no upper case in the host: no provider writes those."""
_CHARACTER = r"(?:[A-Za-z0-9_.~=-]|%(?!2[fF]|3[aAfF]|23|5[cC]|[01])[0-9A-Fa-f]{2})"
"""Of a token. No slash, colon, question mark, number sign, backslash or control character, not even
encoded: what follows such a one could be another path, or another page."""
TOKEN = _CHARACTER + "{1,1500}"
KEY = rf"(?!.*\.\.)(?:{_CHARACTER}|[+*!,]|%2[fF]){{1,1500}}"
"""Of a parameter that cannot be mistaken for an address: Base64, encoded."""
_VALUE = re.compile(_CHARACTER + "{0,1500}")
_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
CANCELS = re.compile(r"cancel|declin|deny|disallow|refus|reject|unsub")
_MAX_PARAMETERS = 20
_WITH_TOKEN = 2
"""Parameters of a link at least, where one says what it does: another has to say for whom."""


@dataclass(frozen=True, slots=True)
class Link:
    """The links of one form; every pattern has to match the whole of its part."""

    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    """The parameters that have to be there, each once."""
    has_others: bool = False
    """Whether other parameters may stand beside them, such as the token."""
    fragment: str | None = None
    over_http: bool = False
    """Was sent with http as well; it is shown with https."""
    target: str | None = None
    """The parameter that names the address to forward to, where there is one."""

    def read(self, url: str, capture_address: str | None) -> str | None:
        """Return the link as it is shown, None where the URL is no such link."""
        if len(url) > MAX_LINK or not (found := _URL.fullmatch(url)):
            return None
        scheme, host, path, query, fragment = found.groups()
        if scheme == "http" and not self.over_http:
            return None
        whole = (
            re.fullmatch(self.host, host)
            and re.fullmatch(self.path, path)
            and self._has_query(query, capture_address)
            and self._has_fragment(fragment)
        )
        return f"https{url[len(scheme) :]}" if whole else None

    def _has_fragment(self, fragment: str | None) -> bool:
        if self.fragment is None or fragment is None:
            return self.fragment == fragment
        return re.fullmatch(self.fragment, fragment) is not None

    def _has_query(self, query: str | None, capture_address: str | None) -> bool:
        pairs = [pair.partition("=")[::2] for pair in query.split("&")] if query else []
        given = dict(pairs)
        if len(given) < len(pairs) or len(pairs) > _MAX_PARAMETERS:
            return False  # of two values one might be read here and the other there
        others = given.keys() - self.query.keys()
        if others and not self.has_others:
            return False
        if self.has_others and self.query and len(given) < _WITH_TOKEN:
            return False
        if self.target in given and capture_address is not None:
            named = normalise(unquote(given[self.target]))
            if named != normalise(capture_address):
                return False
        has_needed = all(
            re.fullmatch(form, given.get(name, "")) for name, form in self.query.items()
        )
        return has_needed and all(_is_plain(name, given[name]) for name in others)


def _is_plain(name: str, value: str) -> bool:
    """Return whether a parameter can neither cancel nor lead elsewhere."""
    return bool(
        _NAME.fullmatch(name)
        and _VALUE.fullmatch(value.replace("@", "%40"))
        and not CANCELS.search(f"{name}={value}".lower())
    )
