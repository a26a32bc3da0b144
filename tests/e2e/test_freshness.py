"""What the directory's API has acknowledged decides the very next mail, in every replica."""

import re
from collections import Counter

from dev.stack import Stack
from tests.e2e.account import Account

ADDED, ADDED_QUICKLY = 1000, 30


def lookups(account: Account) -> Counter[str]:
    """Return the decisions' look-ups so far, by where the answer was, of both matchers."""
    found: Counter[str] = Counter()
    for replica in range(2):
        metrics = account.client_for("u1", replica=replica).request("GET", "matcher", "/metrics")
        line = r'satchel_directory_lookups_total\{from="(\w+)"\} (\S+)'
        for where, count in re.findall(line, metrics.text):
            found[where] += int(float(count))
    return found


def test_a_person_who_was_added_is_matched_by_the_next_mail(
    stack: Stack, measured: list[str], share: float
) -> None:
    people = ADDED if share == 1 else ADDED_QUICKLY
    account = Account(stack)
    replicas = [account.client_for("u1", replica=number) for number in range(2)]
    before = lookups(account)
    for number in range(people):
        address = f"new{number}@mail.example"
        replicas[number % 2].put_person(f"n{number}", "contact", "N", [address])
        for copy in range(3):
            mail = f"From: {address}\r\nTo: user@team.example\r\nMessage-ID: <{number}.{copy}>"
            answer = replicas[copy % 2].upload(account.capture, f"{mail}\r\n\r\nHi".encode())
            assert answer.status_code == 202
    assert account.outcome(3 * people) == {"attached": 3 * people}
    asked = lookups(account) - before
    remembered = asked["cache"] / asked.total()
    measured.append(
        f"{people} people added, each matched by the very next mail; 2 matchers, 3 mails a person: "
        f"{remembered:.0%} of {asked.total()} look-ups from the cache"
    )
    assert asked["cache"] > 0
