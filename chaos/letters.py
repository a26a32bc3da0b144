"""The mails of a fault run: to be attached or dismissed, small or for the claim check."""

import random

from dev.ledger import Letter
from shared.blobs import CLAIM_CHECK_BYTES

ATTACHED_SHARE, LARGE_SHARE = 0.6, 0.04


def letters(count: int, seed: int, *, candidate: str, sender: str) -> list[Letter]:
    """Return so many letters to the candidate or to nobody, the same ones for the same seed."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        attach = chance.random() < ATTACHED_SHARE
        size = CLAIM_CHECK_BYTES + 1 if chance.random() < LARGE_SHARE else chance.randint(20, 8000)
        message_id = f"fault-{seed}-{number}@agency.example"
        line = "All work and no play makes a dull mail.\r\n"
        body = line * (size // len(line) + 1)
        raw = (
            f"From: {sender}\r\n"
            f"To: {candidate if attach else 'nobody@elsewhere.example'}\r\n"
            f"Date: Thu, 15 Jan 2026 {number // 3600 % 24:02}:{number // 60 % 60:02}:"
            f"{number % 60:02} +0000\r\n"
            f"Message-ID: <{message_id}>\r\n"
            f"Subject: Letter {number}\r\n"
            "\r\n"
            f"{body}"
        )
        made.append(Letter(number, message_id, raw.encode(), attach))
    return made
