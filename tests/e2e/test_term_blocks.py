"""What is searched goes into blocks while services run, and is found throughout."""

import re

from dev.stack import Stack
from tests.deadline import eventually
from tests.e2e.account import Account

MAILS = 150


def blocks_made(account: Account) -> int:
    """Return how many blocks both timelines have made."""
    metrics = [
        account.client_for("u1", replica=number).request("GET", "timeline", "/metrics").text
        for number in range(2)
    ]
    found = [re.search(r"^satchel_term_blocks_total (\S+)", text, re.MULTILINE) for text in metrics]
    return sum(int(float(match[1])) for match in found if match)


def test_mails_are_found_whether_their_terms_are_in_blocks_or_not(stack: Stack) -> None:
    account = Account(stack)
    before = blocks_made(account)
    for number in range(MAILS):
        raw = (
            f"From: user@team.example\r\nTo: cand@mail.example\r\nMessage-ID: <{number}@blocks>\r\n"
            f"Date: Thu, 15 Jan 2026 09:{number // 60:02}:{number % 60:02} +0000\r\n"
            f"Subject: Block {number}\r\n\r\nword{number} everywhere\r\n"
        )
        account.client.upload(account.capture, raw.encode())
    assert account.outcome(MAILS) == {"attached": MAILS}
    assert len(account.client.inbox(q="everywhere")) == MAILS
    assert eventually(lambda: blocks_made(account) - before >= 4), "the team's and the owner's"
    for owner in ({}, {"owner": "me"}):
        assert len(account.client.inbox(q='"everywhere"', **owner)) == MAILS
        for number in (0, 70, MAILS - 1):
            [found] = account.client.inbox(q=f'"word{number}"', **owner)
            assert found["subject"] == f"Block {number}"
