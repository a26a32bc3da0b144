"""The names of a token's claims, and the least length of its secret: what the settings need."""

from dataclasses import dataclass

OWN_SCOPE = "scope"
MIN_SECRET_BYTES = 32
"""RFC 7518 section 3.2: a key as long as the hash."""


@dataclass(frozen=True, slots=True)
class Claims:
    """The names of the claims that hold account, person and scope."""

    account: str = "account"
    person: str = "sub"
    scope: str = OWN_SCOPE
    """`scope` is words in one text (RFC 8693); a claim of another name may be a list of words."""

    @property
    def required_of_all(self) -> list[str]:
        """The claims that every token must have. A person's token also names the person."""
        return [self.account, self.scope, "aud", "iss", "exp"]
