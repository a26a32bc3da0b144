"""The verdicts about a capture: the captured mail's, and those of the mails that it encloses.

* An inline forward is its forwarder's mail. What is shown is the original, for which the
  forwarder's signature says nothing: `unverified` at best, with the forwarder's domain beside it.
* An enclosed mail is verified by its own signature alone. Mail clients change what they enclose, so
  it cannot fail by itself; but all that a failed mail encloses has failed.
* Old mail that is brought along is not looked at: its keys may be gone, and may be others' by now.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace

from services.matcher.authentication.verdict import Question, authenticate, unverified
from services.matcher.judge import Judgement
from services.matcher.metrics import AUTHENTICATE_SECONDS, AUTHENTICATIONS
from services.matcher.resolver import Resolver
from shared.events import Authentication, AuthenticationVerdict, MailReceived

MAX_ENCLOSED = 10
"""Enclosed mails of one capture that are looked at."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Finds out whether mails are from whom they say."""

    resolver: Resolver
    seconds: float
    """For all of a capture; 0 when nothing is to be found out."""
    trusted_sealers: Collection[str] = ()
    authserv_id: str | None = None

    async def of_capture(
        self,
        received: MailReceived,
        captured: Judgement,
        attached: Collection[Judgement],
        whole: Callable[[], Awaitable[bytes]],
    ) -> Mapping[str, Authentication]:
        """Return the verdicts about the mails of a capture that are attached, by place.

        `whole` returns the captured mail; it is asked only when something is to be found out.
        """
        found: dict[str, Authentication] = {}
        if not self.seconds or received.backfill:
            reason = "old_mail" if received.backfill else "not_checked"
            return {mail.place: unverified(reason) for mail in attached}
        raw = await whole()
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.seconds):
                await self._find(received, captured, attached, raw, found)
        except TimeoutError:
            pass  # those that are not found out by now are unverified
        AUTHENTICATE_SECONDS.observe(time.monotonic() - started)
        result = {mail.place: found.get(mail.place, unverified("dns")) for mail in attached}
        for authentication in result.values():
            AUTHENTICATIONS.labels(authentication.verdict.value).inc()
        return result

    async def of_question(
        self,
        received: MailReceived,
        captured: Judgement,
        whole: Callable[[], Awaitable[bytes]],
    ) -> Mapping[str, Authentication]:
        """Return the verdict about a provider's question; nothing where none is to be found out.

        What it seems to forward is no matter: it is the provider who asks.
        """
        if not self.seconds:
            return {}
        asked = replace(captured, forwarded=None)
        return await self.of_capture(received, asked, [asked], whole)

    async def _find(
        self,
        received: MailReceived,
        captured: Judgement,
        attached: Collection[Judgement],
        raw: bytes,
        found: dict[str, Authentication],
    ) -> None:
        outer = await self._one(received, captured, raw, self.authserv_id)
        has_failed = outer.verdict is AuthenticationVerdict.FAILED
        found[captured.place] = _of_forward(outer) if captured.forwarded else outer
        enclosed = [mail for mail in attached if mail.place]
        for number, mail in enumerate(enclosed):
            if has_failed:
                found[mail.place] = outer
            elif number < MAX_ENCLOSED:
                own = await self._one(received, mail, mail.raw, None)
                found[mail.place] = _of_enclosed(own)

    async def _one(
        self, received: MailReceived, mail: Judgement, raw: bytes, authserv_id: str | None
    ) -> Authentication:
        question = Question(
            raw,
            mail.header,
            received.received_at,
            self.resolver.text,
            self.trusted_sealers,
            authserv_id,
        )
        return await authenticate(question)


def _of_forward(forwarders: Authentication) -> Authentication:
    """Return what the forwarder's verdict says about the original that is shown."""
    if forwarders.verdict is AuthenticationVerdict.FAILED:
        return forwarders
    return Authentication(
        verdict=AuthenticationVerdict.UNVERIFIED,
        method=forwarders.method,
        domain=forwarders.domain,
        reason="forwarded",
    )


def _of_enclosed(own: Authentication) -> Authentication:
    """Return what is said of a mail that a mail client has enclosed."""
    if own.verdict is AuthenticationVerdict.VERIFIED:
        return own
    return unverified("enclosed", own.domain)
