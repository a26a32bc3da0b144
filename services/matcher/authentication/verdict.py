"""The verdict on a mail's From: verified, unverified or failed. `docs/authentication.md`.

1. The results of this deployment's mail server in front are trusted, if there is one.
2. Else a valid DKIM signature of the sender's own organization verifies the mail;
3. else the results of a trusted forwarder, from when the mail reached it (ARC).
4. Without any of these, the mail has failed if it differs from what was signed, or if the policy of
   the sender's domain rejects it. SPF is ignored: every forwarded mail would fail it.

Every author is judged, and the worst verdict counts (`authors.py`). A mail fails only if every
query was answered: otherwise it is `unverified`. An unanswered key does not skip the policy: if the
sender's domain demands a signature, the reason is `key_unanswered`, and the mail waits wherever
failed mail does.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ParamSpec, TypeVar

from services.matcher.authentication.authors import MAX_DOMAINS, Authors, authors_of
from services.matcher.authentication.canonical import SignedForm, signed_form
from services.matcher.authentication.policy import (
    Policy,
    is_aligned,
    policy_names,
    policy_of,
)
from services.matcher.authentication.questions import Questions
from services.matcher.authentication.results import Result, believed_results, read_results
from services.matcher.authentication.seals import trusted_results
from services.matcher.authentication.signature import (
    AskText,
    Bodies,
    Check,
    Signature,
    Unusable,
    read_signature,
    verify,
)
from services.matcher.resolver import NoAnswer
from shared.contracts.events import Authentication, AuthenticationMethod
from shared.contracts.events import AuthenticationVerdict as Verdict
from shared.mail.headers import HeaderBlock

P = ParamSpec("P")
T = TypeVar("T")
MAX_SIGNATURES = 5
"""Of the sender's organization, that are looked at."""
MAX_SENDERS = 3
"""Domains in From that may be verified. With more, none is, and only their policies are asked."""
_LARGE = 256 * 1024
"""Bytes; more than this is hashed in a thread."""
_WORST_FIRST = (Verdict.FAILED, Verdict.UNVERIFIED, Verdict.VERIFIED)
_SIGNED_BY = ("DKIM-Signature", "ARC-Seal")
"""Without any of these there is nothing to verify, and no need for the form that was signed."""
_LIST_FIELDS = ("List-Id", "List-Post", "List-Unsubscribe", "Mailing-List")


@dataclass(frozen=True, slots=True)
class Question:
    """A mail to be judged, and how."""

    raw: bytes
    header: HeaderBlock
    received_at: datetime
    ask: AskText
    trusted_sealers: Collection[str] = ()
    authserv_id: str | None = None
    ahead: Callable[[Iterable[str]], None] = lambda _: None
    """Begin to ask for what may be needed."""


async def authenticate(question: Question) -> Authentication:
    """Return the verdict about a mail's From; with several authors the worst one."""
    authors = authors_of(question.header)
    if len(authors.domains) > MAX_DOMAINS:
        return Authentication(verdict=Verdict.FAILED, reason="too_many_senders")
    async with Questions(question.ask) as questions:
        asking = replace(question, ask=questions.text, ahead=questions.ahead)
        return await _worst(_judgements(asking, authors))


def _judgements(
    question: Question, authors: Authors
) -> list[Coroutine[None, None, Authentication]]:
    may_be_verified = authors.are_readable and len(authors.domains) <= MAX_SENDERS
    judge = _of_sender if may_be_verified else _of_author
    found = [judge(question, domain) for domain in authors.domains]
    return found if may_be_verified else [*found, _no_sender()]


async def _worst(judgements: Sequence[Coroutine[None, None, Authentication]]) -> Authentication:
    """Return the worst of them. Once one has failed, the others are cancelled.

    So a forger who adds a slow domain beside the victim's gains nothing.
    """
    tasks = [asyncio.ensure_future(judgement) for judgement in judgements]
    found: list[Authentication] = []
    try:
        for task in asyncio.as_completed(tasks):
            found.append(await task)
            if found[-1].verdict is Verdict.FAILED:
                return found[-1]
    finally:
        for left in tasks:
            left.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    in_order = [task.result() for task in tasks]
    return min(in_order, key=lambda one: _WORST_FIRST.index(one.verdict))


async def _no_sender() -> Authentication:
    return unverified("no_sender")


async def _of_author(question: Question, domain: str) -> Authentication:
    """Judge an author whom nothing can verify: by what their domain demands."""
    try:
        policy = await policy_of(domain, question.ask)
    except NoAnswer:
        return unverified("dns", domain)
    return _failed("policy", domain) if policy.demands else unverified("no_sender")


def unverified(reason: str, domain: str | None = None) -> Authentication:
    """Return the verdict that nothing could be found out, with the reason."""
    return Authentication(verdict=Verdict.UNVERIFIED, domain=domain, reason=reason)


async def _of_sender(question: Question, sender: str) -> Authentication:
    try:
        if question.authserv_id:
            results = believed_results(question.header, question.authserv_id)
            if results:
                return await _by_results(question, results, sender)
        return await _by_signatures(question, sender)
    except NoAnswer:
        return unverified("dns", sender)


async def _by_signatures(question: Question, sender: str) -> Authentication:
    """Verify a mail that the mail server in front has not verified."""
    policy: Policy | None = None
    unanswered: NoAnswer | None = None
    is_altered = has_signature = False
    size = len(question.raw)
    is_signed = any(question.header.first(name) is not None for name in _SIGNED_BY)
    mail = await _run(size, signed_form, question.raw, question.header) if is_signed else None
    if mail is not None:
        bodies = Bodies(mail.body)
        signatures = _aligned_signatures(mail, sender)
        for number, signature in enumerate(signatures):
            has_signature = True
            if number == 1:  # the first, which mostly holds, needs nothing else
                question.ahead(policy_names(sender))
                question.ahead(one.key_name for one in signatures)
            try:
                if signature.domain != sender:
                    policy = policy or await policy_of(sender, question.ask)
                    if policy.strict:
                        continue
                await _run(size, bodies.hash, signature.body_form)
                check = await verify(signature, mail, bodies, question.received_at, question.ask)
            except NoAnswer as error:
                unanswered = error
                continue
            if check is Check.HOLDS:
                return _verified("dkim", sender)
            is_altered |= check is Check.ALTERED
        try:
            if await _vouched_for(question, mail, bodies, sender):
                return _verified("arc", sender)
        except NoAnswer as error:
            unanswered = error
    policy = policy or await policy_of(sender, question.ask)
    if unanswered is not None:
        return unverified("key_unanswered" if policy.demands else "dns", sender)
    if is_altered and (policy.demands or not _is_of_list(question)):
        return _failed("altered", sender, "dkim")
    if policy.demands:
        return _failed("policy", sender)
    if is_altered:
        return unverified("list", sender)
    return unverified("signature" if has_signature else "unsigned", sender)


async def _run(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what takes long for a large mail: then in a thread."""
    if size > _LARGE:
        return await asyncio.to_thread(work, *args, **kwargs)
    return work(*args, **kwargs)


def _aligned_signatures(mail: SignedForm, sender: str) -> list[Signature]:
    """Return the signatures of the sender's organization, the sender's own first."""
    found = []
    for field in mail.all("dkim-signature"):
        try:
            signature = read_signature(field)
        except Unusable:
            continue
        if is_aligned(signature.domain, sender):
            found.append(signature)
    found.sort(key=lambda signature: signature.domain != sender)
    return found[:MAX_SIGNATURES]


async def _vouched_for(question: Question, mail: SignedForm, bodies: Bodies, sender: str) -> bool:
    """Return whether a trusted forwarder found the mail to be its sender's."""
    vouched = await trusted_results(
        mail, bodies, question.trusted_sealers, question.received_at, question.ask
    )
    return any(_passes(read_results(text)[1], sender) for text in vouched)


async def _by_results(question: Question, results: Sequence[Result], sender: str) -> Authentication:
    """Believe what the border found; SPF alone counts neither way."""
    if _passes(results, sender):
        return _verified("authentication_results", sender)
    own = [result for result in results if _is_about(result, sender)]
    is_altered = any((r.method, r.result) == ("dkim", "fail") for r in own)
    asked_for = next((r.policy for r in own if r.method == "dmarc" and r.policy), None)
    if asked_for is None:
        demands = (await policy_of(sender, question.ask)).demands
    else:
        demands = asked_for != "none"
    is_unsure = any(r.result == "temperror" for r in own)
    if is_unsure:
        return unverified("key_unanswered" if demands else "dns", sender)
    if demands or (is_altered and not _is_of_list(question)):
        reason = "altered" if is_altered else "policy"
        return _failed(reason, sender, "authentication_results")
    return unverified("list" if is_altered else "unsigned", sender)


def _passes(results: Iterable[Result], sender: str) -> bool:
    return any(result.result == "pass" and _is_about(result, sender) for result in results)


def _is_about(result: Result, sender: str) -> bool:
    """Return whether a result says something about the sender in From."""
    if result.domain is None:
        return False
    if result.method == "dmarc":
        return result.domain == sender
    return result.method == "dkim" and is_aligned(result.domain, sender)


def _is_of_list(question: Question) -> bool:
    return any(question.header.first(name) is not None for name in _LIST_FIELDS)


def _verified(method: AuthenticationMethod, domain: str) -> Authentication:
    return Authentication(verdict=Verdict.VERIFIED, method=method, domain=domain)


def _failed(reason: str, domain: str, method: AuthenticationMethod | None = None) -> Authentication:
    return Authentication(verdict=Verdict.FAILED, method=method, domain=domain, reason=reason)
