"""Mails, people, and how a mail is judged in tests."""

import asyncio

from services.matcher.decision.decide import Attach, Person
from services.matcher.decision.judge import Considered, Verdict, judge
from services.matcher.decision.never_capture import NOTHING, NeverCapture
from shared.contracts.events import Kind
from shared.mail.headers import read_header_block
from tests.mails import enclosing, mail

DOMAIN = "in.satchel.test"
CAPTURE = f"anna.key@{DOMAIN}"


def person(person_id: str, kind: str, *addresses: str) -> Person:
    return Person(person_id, Kind(kind), person_id, addresses, frozenset(addresses))


PEOPLE = [
    person("u1", "user", "user@team.example", "user@home.example"),
    person("c1", "candidate", "cand@mail.example"),
    person("c2", "candidate", "second@mail.example"),
    person("c3", "candidate", "blocked@mail.example", "user@home.example"),
]
ABOUT_C1 = mail("cand@mail.example", "user@team.example")
UNMATCHED = mail("shop@x.example", "user@team.example")
ABOUT_BLOCKED = mail("blocked@mail.example", "shop@x.example")


def judged(
    raw: str,
    *,
    reads: list[str] | None = None,
    capture_address: str | None = None,
    never: NeverCapture = NOTHING,
) -> Verdict:
    """Judge a mail; `reads` gets what of it was asked for beyond its header."""
    data = raw.encode()
    asked = [] if reads is None else reads

    async def ask(keys: frozenset[str]) -> Considered:
        return Considered([p for p in PEOPLE if p.keys & keys or p.kind is Kind.USER], never)

    async def body() -> bytes:
        asked.append("body")
        return data

    async def whole() -> bytes:
        asked.append("whole")
        return data

    header = read_header_block(data)
    return asyncio.run(judge(header, ask, body, whole, DOMAIN, capture_address))


def forward(*mails: str, sender: str = "user@team.example", to: str = CAPTURE) -> str:
    headers, body = enclosing(mails)
    return mail(sender, to, headers=headers, body=body)


def attached(verdict: Verdict) -> dict[str, list[str]]:
    return {
        mail.place: [match.person_id for match in mail.decision.matches]
        for mail in verdict.attached
        if isinstance(mail.decision, Attach)
    }


QUESTION = mail(
    "Gmail Team <forwarding-noreply@google.com>",
    CAPTURE,
    body="anna@firm.example asks to forward.\r\nConfirmation code: 304298959\r\n",
)
