"""The verdicts about a capture: the captured mail's, and those of the mails that it encloses.

* An inline forward is its forwarder's mail. What is shown is the original, for which the
  forwarder's signature says nothing: `unverified` at best, with the forwarder's domain beside it.
* An enclosed mail is verified by its own signature alone. Mail clients change what they enclose, so
  it cannot fail by itself; but all that a failed mail encloses has failed.
* The verdict on the captured mail itself comes along as `forwarder`: the timeline holds back all
  mails of a capture by that one verdict.
* Backfill is not checked: its keys may be gone, and may belong to others by now.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from services.matcher.authentication.authors import MAX_DOMAINS, authors_of
from services.matcher.authentication.policy import organization
from services.matcher.authentication.signature import AskText
from services.matcher.authentication.slow import SlowLimiter
from services.matcher.authentication.verdict import Question, authenticate, unverified
from services.matcher.decision.judge import Judgement
from services.matcher.metrics import AUTHENTICATE_SECONDS, AUTHENTICATIONS
from services.matcher.resolver import Resolver
from shared.contracts.events import Authentication, AuthenticationVerdict, MailReceived

MAX_ENCLOSED = 10
"""Enclosed mails of one capture that are looked at."""


class Verdicts(dict[str, Authentication]):
    """The verdicts about the mails of a capture, by place."""

    forwarder: Authentication | None = None
    """That of the captured mail, where it forwards what is attached."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Authenticates the senders of mails."""

    resolver: Resolver
    seconds: float
    """For all of a capture; 0 when nothing is to be found out."""
    trusted_sealers: Collection[str] = ()
    authserv_id: str | None = None
    slow_limiter: SlowLimiter = field(default_factory=SlowLimiter)

    async def of_capture(
        self,
        received: MailReceived,
        captured: Judgement,
        attached: Collection[Judgement],
        whole: Callable[[], Awaitable[bytes]],
    ) -> Verdicts:
        """Return the verdicts about the mails of a capture that are attached, by place.

        `whole` returns the captured mail; it is asked only when something is to be found out.
        """
        if not self.seconds or received.backfill:
            reason = "old_mail" if received.backfill else "not_checked"
            return Verdicts({mail.place: unverified(reason) for mail in attached})
        raw = await whole()
        started = time.monotonic()
        found = {"": unverified("dns"), captured.place: unverified("dns")}
        found |= {mail.place: unverified("enclosed") for mail in attached if mail is not captured}
        outer = _Outer()
        try:
            async with (
                self.slow_limiter.patience(
                    self.resolver.text,
                    received.account_tag,
                    _organisations(captured),
                    is_large=received.blob_key is not None,
                ) as patience,
                asyncio.timeout(self.seconds),
            ):
                await self._find(received, captured, attached, raw, found, outer, patience.ask)
        except TimeoutError:
            pass  # those that are not found out by now are unverified
        AUTHENTICATE_SECONDS.observe(time.monotonic() - started)
        if captured.forwarded:
            found[captured.place] = _of_forward(outer.verdict)
        result = Verdicts({mail.place: found[mail.place] for mail in attached})
        if captured.forwarded or any(mail.place != captured.place for mail in attached):
            result.forwarder = outer.verdict
        for authentication in result.values():
            AUTHENTICATIONS.labels(authentication.verdict.value).inc()
        return result

    async def of_question(
        self,
        received: MailReceived,
        captured: Judgement,
        whole: Callable[[], Awaitable[bytes]],
        *,
        is_from_provider: bool = True,
    ) -> Mapping[str, Authentication]:
        """Return the verdict about a provider's question; nothing where none is to be found out.

        What it seems to forward is no matter: it is the provider who asks. Where From may be of any
        domain (`is_from_provider` is False) its signature does not verify the question.
        """
        if not self.seconds:
            return {}
        asked = replace(captured, forwarded=None)
        found = await self.of_capture(received, asked, [asked], whole)
        return found if is_from_provider else {place: _of_other(a) for place, a in found.items()}

    async def _find(
        self,
        received: MailReceived,
        captured: Judgement,
        attached: Collection[Judgement],
        raw: bytes,
        found: dict[str, Authentication],
        outer: "_Outer",
        ask: AskText,
    ) -> None:
        verdict = await self._one(received, captured, raw, self.authserv_id, ask)
        outer.verdict = found[captured.place] = verdict
        enclosed = [mail for mail in attached if mail.place != captured.place]
        if verdict.verdict is AuthenticationVerdict.FAILED:
            found |= {mail.place: verdict for mail in enclosed}
            return
        for mail in enclosed[:MAX_ENCLOSED]:
            own = await self._one(received, mail, mail.raw, None, ask)
            found[mail.place] = _of_enclosed(own)

    async def _one(
        self,
        received: MailReceived,
        mail: Judgement,
        raw: bytes,
        authserv_id: str | None,
        ask: AskText,
    ) -> Authentication:
        question = Question(
            raw,
            mail.header,
            received.received_at,
            ask,
            self.trusted_sealers,
            authserv_id,
        )
        return await authenticate(question)


def not_asked(captured: Judgement, attached: Collection[Judgement], reason: str) -> Verdicts:
    """Return the verdicts about a capture for which nothing can be found out any more."""
    verdicts = Verdicts({mail.place: unverified(reason) for mail in attached})
    if captured.forwarded or any(mail.place != captured.place for mail in attached):
        verdicts.forwarder = unverified(reason)
    return verdicts


@dataclass(slots=True)
class _Outer:
    """What is known of the captured mail so far."""

    verdict: Authentication = field(default_factory=lambda: unverified("dns"))


def _organisations(captured: Judgement) -> set[str]:
    """Return the organisations of a mail's authors."""
    return {organization(domain) for domain in authors_of(captured.header).domains[:MAX_DOMAINS]}


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


def _of_other(found: Authentication) -> Authentication:
    """Return what the verdict about a mailbox says of the provider that writes from it."""
    if found.verdict is AuthenticationVerdict.VERIFIED:
        return unverified("other_domain", found.domain)
    return found


def _of_enclosed(own: Authentication) -> Authentication:
    """Return what is said of a mail that a mail client has enclosed."""
    if own.verdict is AuthenticationVerdict.VERIFIED:
        return own
    return unverified("enclosed", own.domain)
