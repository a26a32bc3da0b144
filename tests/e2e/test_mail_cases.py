"""Real mail that was once read wrong, sent through a whole stack over SMTP and over HTTP.

A case is a folder of `tests/mail/cases`: mails, sent in the order of their names to the capture
address of the user u1 (rita@agency.example), and what is right, in `case.json`:

* `people`: `{person_id: [kind, address, ...]}` beside u1 and the candidate c1 (cara@mail.example)
* `timeline`: `{person_id: [mail, ...]}`, oldest first, then by Message-ID; of each
  mail the fields that are named
* `inbox`: `[conversation, ...]`, newest first; again the fields that are named
* `search`: `{query: how many conversations it finds}`
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from dev.client import Client
from dev.stack import Stack

CASES = Path(__file__).parents[1] / "mail" / "cases"
Transport = Literal["smtp", "http"]
_USER, _CANDIDATE = "rita@agency.example", "cara@mail.example"
_accounts = itertools.count(1)


class Run:
    """One case in an account of its own."""

    def __init__(self, stack: Stack, folder: Path, transport: Transport) -> None:
        self.case = json.loads((folder / "case.json").read_text("utf-8"))
        self.mails = sorted(folder.glob("*.eml"))
        self.client = Client(
            stack.endpoints, stack.token_secret, account=f"case{next(_accounts)}", person="u1"
        )
        people = {"c1": ["candidate", _CANDIDATE], **self.case.get("people", {})}
        self.client.put_person("u1", "user", "Rita", [_USER])
        for person, (kind, *addresses) in people.items():
            self.client.put_person(person, kind, person, addresses)
        capture = self.client.mint("u1")
        for mail in self.mails:
            raw = mail.read_bytes().replace(b"{CAPTURE_U1}", capture.encode())
            if transport == "smtp":
                self.client.send("bounce@sender.example", [capture], raw)
            else:
                self.client.upload(capture, raw).raise_for_status()

    def timeline(self, person: str) -> list[dict[str, Any]]:
        by_date = self.client.timeline(person)
        mails = sorted(by_date, key=lambda mail: (mail["date"], mail["message_id"]))
        return [self.client.mail(mail["id"]) for mail in mails]


@pytest.fixture
def run(stack: Stack, name: str, transport: Transport) -> Iterator[Run]:
    run = Run(stack, CASES / name, transport)
    yield run
    run.client.close()


def of(said: Any, expected: Any) -> Any:
    """Return of what is said what is expected: of objects the fields that are named there."""
    if isinstance(expected, dict) and isinstance(said, dict):
        return {name: of(said.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(said, list) and len(said) == len(expected):
        return [of(*pair) for pair in zip(said, expected, strict=True)]
    return said


@pytest.mark.parametrize("transport", ["smtp", "http"])
@pytest.mark.parametrize("name", sorted(path.parent.name for path in CASES.glob("*/case.json")))
def test_a_mail_that_was_read_wrong_is_read_right(run: Run) -> None:
    run.client.await_captures(len(run.mails))
    for person, expected in run.case.get("timeline", {}).items():
        assert of(run.timeline(person), expected) == expected
    if "inbox" in run.case:
        assert of(run.client.inbox(), run.case["inbox"]) == run.case["inbox"]
    for query, count in run.case.get("search", {}).items():
        assert len(run.client.inbox(q=query)) == count, query
