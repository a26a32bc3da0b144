"""Sign-in to the pages by OpenID Connect: what the pages are told, all of it public."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.runtime.claims import Claims


@dataclass(frozen=True, slots=True)
class SignIn:
    """An OpenID issuer, and how the pages sign in at it."""

    issuer: str
    client_id: str
    scope: str
    resource: str | None
    claims: Claims
    origins: tuple[str, ...]
    """Where the pages may send requests to, besides their own origin."""

    def shown(self) -> dict[str, Any]:
        """Return what the pages are told."""
        return {name: value for name, value in asdict(self).items() if name != "origins"}


def origin_of(url: str) -> str:
    """Return the origin of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
