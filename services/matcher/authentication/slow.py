"""Limits how many captures wait for slow DNS: in all, per account, and per sending organisation.

Anybody can make a name slow. An answer within QUICK seconds costs nothing. A capture that waits
longer takes a place until its verdict is known; if no place is left, the question stays
unanswered. So slow names delay few captures, and the prefetch has room for them
(`services/matcher/__main__.py`).
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from services.matcher.authentication.signature import AskText
from services.matcher.metrics import AUTHENTICATIONS_CUT_SHORT
from services.matcher.resolver import NoAnswer


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many captures may wait at a time, in one process."""

    all: int = 32
    account: int = 8
    organisation: int = 4
    """Of From, so that one sender leaves places of an account to others."""
    large: int = 1
    """Mails in the blob store, of which two are in memory at a time: one stays free."""
    quick: float = 0.25
    """Seconds that a question may take without a place."""


BOUNDS = Bounds()


class SlowLimiter:
    """The places of captures that wait for slow DNS."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.bounds = bounds
        self._taken: Counter[tuple[str, str]] = Counter()

    def patience(
        self, ask: AskText, account: str, organisations: Collection[str], *, is_large: bool
    ) -> "Patience":
        """Return a resolver for one capture, limited in how long it waits."""
        limits = {("all", ""): self.bounds.all, ("account", account): self.bounds.account}
        for organisation in organisations:
            limits["organisation", organisation] = self.bounds.organisation
        if is_large:
            limits["large", ""] = self.bounds.large
        return Patience(self, ask, limits)

    def take(self, limits: dict[tuple[str, str], int]) -> bool:
        """Take a place, if one is free."""
        if any(self._taken[key] >= limit for key, limit in limits.items()):
            return False
        self._taken.update(limits.keys())
        return True

    def give_back(self, limits: dict[tuple[str, str], int]) -> None:
        """Free a place. Limits without waiting captures take no memory."""
        self._taken.subtract(limits.keys())
        for key in limits:
            if not self._taken[key]:
                del self._taken[key]

    def __len__(self) -> int:
        """Return how many places are taken."""
        return self._taken["all", ""]


class Patience:
    """Resolves names for one capture."""

    def __init__(
        self, places: SlowLimiter, ask: AskText, limits: dict[tuple[str, str], int]
    ) -> None:
        self._places, self._ask, self._limits = places, ask, limits
        self._has_place = self._is_cut_short = False

    async def ask(self, name: str) -> list[str]:
        """Return the TXT records of a name. Raises NoAnswer, early if no place is free."""
        question = asyncio.ensure_future(self._ask(name))
        try:
            quick, _ = await asyncio.wait({question}, timeout=self._places.bounds.quick)
            if not quick and not self._may_wait():
                raise NoAnswer(name)
            return await question
        finally:
            question.cancel()

    def _may_wait(self) -> bool:
        self._has_place = self._has_place or self._places.take(self._limits)
        if not self._has_place and not self._is_cut_short:
            self._is_cut_short = True
            AUTHENTICATIONS_CUT_SHORT.inc()
        return self._has_place

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._has_place:
            self._places.give_back(self._limits)
            self._has_place = False
