"""Inline forwards: under which conditions the body counts, and what it says."""

import asyncio
import json
import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.matcher.decision.decide import Attach, Dismiss, Person
from services.matcher.decision.judge import Considered, Judgement, judge
from services.matcher.forwards import forwarded_in, forwarded_participants
from services.matcher.forwards.markup import text_of_html
from services.matcher.forwards.people import MAX_ADDRESSES
from services.matcher.forwards.read import MAX_LEVELS, MAX_PEOPLE
from shared.contracts.events import Direction, DismissalReason, Kind, Source
from shared.mail.field_labels import LABELS, field_of
from shared.mail.headers import read_header_block
from tests.cost import LINEAR, growth

DOMAIN = "in.satchel.test"
CORPUS = Path(os.environ.get("FORWARD_CORPUS", "none given"))
"""A file of forwards by others and what is known of them, measured where there is one."""


def person(person_id: str, kind: str, *addresses: str) -> Person:
    return Person(person_id, Kind(kind), person_id, addresses, frozenset(addresses))


USER = person("u1", "user", "user@team.example")
CANDIDATE = person("c1", "candidate", "cand@mail.example")
PEOPLE = [USER, CANDIDATE, person("u2", "user", "two@team.example")]

BLOCK = """
---------- Forwarded message ---------
From: The Candidate <cand@mail.example>
Date: Thu, Jan 15, 2026 at 9:30 AM
Subject: My application
To: Somebody <somebody@x.example>
Cc: two@team.example

The text.
"""


def judged(
    body: str = BLOCK,
    *,
    sender: str = "user@team.example",
    to: str = f"anna.key@{DOMAIN}",
    people: Collection[Person] = PEOPLE,
    headers: str = "",
) -> Judgement:
    raw = f"From: {sender}\r\nTo: {to}\r\nSubject: Fwd: x\r\n{headers}\r\n{body}".encode()

    async def ask(keys: frozenset[str]) -> Considered:
        return Considered([p for p in people if p.keys & keys or p.kind is Kind.USER])

    async def whole() -> bytes:
        return raw

    verdict = asyncio.run(judge(read_header_block(raw), ask, whole, whole, DOMAIN))
    [mail] = verdict.mails
    return mail


def test_a_users_forward_is_credited_to_the_original_sender() -> None:
    judgement = judged()
    assert isinstance(judgement.decision, Attach)
    [match] = judgement.decision.matches
    assert (match.person_id, match.role, match.source) == ("c1", "from", Source.FORWARDED_BODY)
    assert judgement.decision.direction is Direction.INBOUND
    forwarded = judgement.forwarded
    assert forwarded is not None
    assert (forwarded.sender.name, forwarded.sender.address) == (
        "The Candidate",
        "cand@mail.example",
    )
    assert forwarded.subject == "My application"
    assert forwarded.date is not None
    assert forwarded.date.isoformat() == "2026-01-15T09:30:00+00:00"
    assert [named.address for named in forwarded.to] == ["somebody@x.example"]


def test_what_a_user_wrote_and_forwards_is_outbound() -> None:
    block = BLOCK.replace("cand@mail.example", "two@team.example", 1)
    judgement = judged(block.replace("somebody@x.example", "cand@mail.example"))
    assert isinstance(judgement.decision, Attach)
    assert judgement.decision.direction is Direction.OUTBOUND


@pytest.mark.parametrize(
    "case",
    [
        {"sender": "stranger@x.example"},
        {"sender": "user@team.example, stranger@x.example"},
        # A recovered sender is no literal one.
        {
            "sender": "'User' via List <list@x.example>",
            "headers": "X-Original-From: user@team.example\r\n",
        },
        {"to": f"anna.key@{DOMAIN}, friend@x.example"},
        {"headers": "Cc: friend@x.example\r\n"},
    ],
    ids=["stranger", "two writers", "recovered sender", "to others", "cc to others"],
)
def test_otherwise_the_body_is_ignored(case: dict[str, Any]) -> None:
    judgement = judged(**case)
    assert isinstance(judgement.decision, Dismiss)
    assert judgement.forwarded is None
    assert {p.source for p in judgement.participants} <= {Source.HEADER}


def test_nor_does_it_count_when_a_profile_matched_by_header() -> None:
    other = person("k1", "contact", "contact@x.example")
    judgement = judged(headers="Reply-To: contact@x.example\r\n", people=[*PEOPLE, other])
    assert isinstance(judgement.decision, Attach)
    assert [match.person_id for match in judgement.decision.matches] == ["k1"]


def test_a_user_whose_own_profile_is_blocked_can_forward() -> None:
    own = person("c9", "candidate", "user@team.example")
    judgement = judged(people=[*PEOPLE, own])
    assert isinstance(judgement.decision, Attach)
    assert [match.person_id for match in judgement.decision.matches] == ["c1"]


def test_a_forward_of_a_colleagues_mail_about_nobody_is_forgotten() -> None:
    block = BLOCK.replace("cand@mail.example", "two@team.example")
    judgement = judged(block.replace("somebody@x.example", ""))
    assert judgement.decision == Dismiss(DismissalReason.INTERNAL)


def test_the_rule_of_users_holds_for_a_forwarded_profile_too() -> None:
    blocked = person("c1", "candidate", "cand@mail.example", "two@team.example")
    judgement = judged(people=[USER, PEOPLE[2], blocked])
    assert judgement.decision == Dismiss(DismissalReason.BLOCKED)


@pytest.mark.parametrize(
    "separator",
    [
        "---------- Forwarded message ---------",
        "-----Original Message-----",
        "Begin forwarded message:\n",
        "________________________________",
        "",
    ],
)
@pytest.mark.parametrize("quote", ["", "> "])
def test_the_common_english_forms(separator: str, quote: str) -> None:
    block = (
        f"My own words.\n\n{separator}\n"
        "*From:* The Candidate [mailto:cand@mail.example]\n"
        "Sent: Thursday, January 15, 2026 9:30 AM\n"
        "To: a@x.example;\n b@x.example\n"
        "Subject: Hello\n\nThe text."
    )
    found = forwarded_in("\n".join(quote + line for line in block.split("\n")))
    assert found is not None
    assert found.shown.sender.address == "cand@mail.example"
    assert [named.address for named in found.shown.to] == ["a@x.example", "b@x.example"]
    assert found.shown.subject == "Hello"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "From: a@x.example",
        "From: here to there\nDate: soon\nSubject: x",
        "I am from: a@x.example\nTo: b@x.example",
        "Subject: x\nFrom: a@x.example\n\nTo: b@x.example",
    ],
)
def test_what_is_no_block_is_none(text: str) -> None:
    assert forwarded_in(text) is None


class TestForwardOfAForward:
    INNER = BLOCK.replace("Subject: My", "Subject: Re: My").replace("two@", "three@")
    OUTER = f"""
Begin forwarded message:

From: Two <two@team.example>
Date: 16 January 2026 at 08:00:00 UTC
Subject: Fwd: My application
To: user@team.example, Boss <boss@x.example>

See below.
{INNER}
> ---------- Forwarded message ----------
> From: old@x.example
> Date: Wed, 14 Jan 2026 10:00:00 +0000
> Subject: My application
> To: cand@mail.example
"""

    def test_the_original_is_what_the_first_in_the_row_wrote(self) -> None:
        judgement = judged(self.OUTER)
        assert judgement.forwarded is not None
        assert judgement.forwarded.sender.address == "cand@mail.example"
        assert judgement.forwarded.subject == "Re: My application"
        assert isinstance(judgement.decision, Attach)
        assert judgement.decision.direction is Direction.INBOUND

    def test_everybody_in_it_takes_part_and_one_wrote_it(self) -> None:
        quoted = [
            (p.address, p.role.value)
            for p in judged(self.OUTER).participants
            if p.source is Source.FORWARDED_BODY
        ]
        assert quoted == [
            ("cand@mail.example", "from"),
            ("somebody@x.example", "to"),
            ("three@team.example", "cc"),
            ("two@team.example", "sender"),
            ("user@team.example", "to"),
            ("boss@x.example", "to"),
            ("old@x.example", "sender"),
        ]

    def test_a_profile_that_only_the_innermost_names_is_credited(self) -> None:
        judgement = judged(self.OUTER.replace("cand@", "other@").replace("old@x", "cand@mail"))
        assert isinstance(judgement.decision, Attach)
        [match] = judgement.decision.matches
        assert (match.person_id, match.role, match.source) == (
            "c1",
            "sender",
            Source.FORWARDED_BODY,
        )

    def test_without_a_subject_that_says_forward_the_outermost_is_shown(self) -> None:
        judgement = judged(self.OUTER.replace("Subject: Fwd: My", "Subject: My"))
        assert judgement.forwarded is not None
        assert judgement.forwarded.sender.address == "two@team.example"

    def test_levels_and_people_are_bounded(self) -> None:
        many = "".join(BLOCK.replace("cand@", f"c{n}@") for n in range(1000))
        found = forwarded_in(many)
        assert found is not None
        assert len(found.others) == MAX_LEVELS - 1
        crowd = ", ".join(f"p{n}@x.example" for n in range(1000))
        found = forwarded_in(20 * BLOCK.replace("two@team.example", crowd))
        assert found is not None
        assert len(found.shown.cc) == MAX_ADDRESSES
        assert len(forwarded_participants(found, DOMAIN)) <= MAX_PEOPLE


def test_a_forward_needs_no_prefix_and_may_have_tags_before_it() -> None:
    for subject in ("x", "[Jobs] Fwd: x", "Re: x"):
        assert isinstance(judged(headers=f"Subject: {subject}\r\n").decision, Attach)


def test_an_answer_to_the_capture_address_alone_is_no_forward() -> None:
    answer = "Yes.\n\nOn Thu, Jan 15, 2026 at 9:30 AM Cand <cand@mail.example> wrote:\n> Well?"
    assert forwarded_in(answer, "Re: x") is None
    assert forwarded_in(answer, "x") is None


@pytest.mark.cost
@pytest.mark.parametrize(
    "piece",
    [
        *("From: ", "From: a@x.example\n", "-", "> ", ">", "\n", " ", "On ", "To: a@x.example\n"),
        *(
            "_" * 10 + "\n",
            "---- Forwarded message ----\n",
            "---- a ----- From: x\n",
            "| a | b |\n",
        ),
        "---- a ---- From: a@x.example To: " + "b@x.example, " * 300 + "\n",
        "From: a@x.example\nDate: 1 May 2026\nSubject: Fwd: x\nTo: " + "b@x.example," * 60 + "\n",
        "To: a@x,\nFrom: b,\nDate: c,\nSubject: d\nCc: e,\n",
        *("From: " + "<mailto:a@x.example>" * 1000 + "\n", "[mailto:", "<", "<a ", "<a href=\"x'"),
        *("<!--", "<style>", "</", "&#", "&amp;", "<p>", "<a href=mailto:a@x.example>", "<br>"),
        *(
            "On 1.2.2026 10:00, a <a@x.example> wrote:\n",
            "Fwd: ",
            "[a] ",
            "\u200f",
            "12:30 ",
            ":\n",
        ),
        *("(", 'From: "', "A: 1\n", "a\u0301", "@", "a@x.example ", "2026 ", "From:\n\n"),
    ],
)
def test_crafted_text_takes_linear_time(piece: str) -> None:
    def text(size: int) -> str:
        return (piece * (size // len(piece) + 1))[:size]

    ways: list[Callable[[str], str]] = [
        str,
        lambda text: f"From: {text}\nDate: 1 May 2026\nTo: {text}\nSubject: {text}",
        lambda text: f"---------- Forwarded message ---------\n{text}",
        text_of_html,
    ]

    def looking(size: int) -> Callable[[], object]:
        mails = [(way(text(size)), f"Fwd: {text(size)}") for way in ways]
        return lambda: [forwarded_in(*mail) for mail in mails]

    assert growth(looking, 1 << 11) < LINEAR
    assert growth(lambda size: partial(text_of_html, text(size)), 1 << 13) < LINEAR


def test_no_label_says_two_things() -> None:
    labels = [label for names in LABELS.values() for label in names]
    assert [
        label for field, names in LABELS.items() for label in names if field_of(label) != field
    ] == []
    assert len({label.casefold() for label in labels}) == len(labels)


@pytest.mark.skipif(not CORPUS.exists(), reason="no FORWARD_CORPUS")
def test_the_corpus_is_credited_rightly() -> None:
    right, wrong = 0, []
    cases = json.loads(CORPUS.read_text())
    for case in cases:
        said = {name: value for name, value in case["asserts"] if isinstance(name, str)}
        found = forwarded_in(case["body"], case["subject"] or "")
        if not said["forwarded"]:
            assert found is None, case["body_file"]
            right += 1
            continue
        assert found is not None, case["body_file"]
        shown = found.shown
        assert shown.sender.address == said["email.from.address"], case["body_file"]
        assert shown.date is not None, case["body_file"]
        read = {
            "email.from.name": shown.sender.name or None,
            "email.subject": shown.subject,
            "email.cc.length": len(shown.cc),
        }
        for kind, people in (("to", shown.to), ("cc", shown.cc)):
            for number, named in enumerate(people):
                read[f"email.{kind}.{number}.address"] = named.address
                read[f"email.{kind}.{number}.name"] = named.name or None
        expected = {n: v for n, v in said.items() if n in read or n.startswith("email.")}
        for other in ("email.body", "email.from.address"):
            expected.pop(other, None)
        differs = {name for name, value in expected.items() if read.get(name, "") != value}
        right += not differs
        wrong += [(case["body_file"], differs)] if differs else []
    assert right == len(cases), wrong
