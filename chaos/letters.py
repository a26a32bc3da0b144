"""The mails of a fault run, without end; the same ones for the same seed.

To be attached or dismissed, small or for the claim check, to one capture address of an account or
several, on their own or in answer to an earlier one; and some come again, by another session, for
this account or another.
"""

import itertools
import random
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dev.ledger import Letter
from shared.storage.blob_keys import CLAIM_CHECK_BYTES

ATTACHED_SHARE, LARGE_SHARE, SEVERAL_SHARE, REPLY_SHARE, AGAIN_SHARE = 0.6, 0.03, 0.1, 0.15, 0.05
_LINE = "All work and no play makes a dull mail.\r\n"
_REMEMBERED = 50


def letters(
    seed: int, *, sender: str, candidates: Sequence[str], addresses: Sequence[Sequence[str]]
) -> Iterator[Letter]:
    """Yield letters from the sender to candidates or to an address that no profile has.

    `addresses` are the capture addresses of each account.
    """
    earlier: deque[Letter] = deque(maxlen=_REMEMBERED)
    for number in itertools.count():
        chance = random.Random(f"letter {seed} {number}")
        several = chance.random() < SEVERAL_SHARE
        of_account = chance.choice(addresses)
        recipients = tuple(chance.sample(of_account, min(2 if several else 1, len(of_account))))
        if earlier and chance.random() < AGAIN_SHARE:
            yield replace(chance.choice(earlier), recipients=recipients)
            continue
        attach = chance.random() < ATTACHED_SHARE
        large = chance.random() < LARGE_SHARE
        size = CLAIM_CHECK_BYTES + 1 if large else chance.randint(20, 8000)
        to = chance.choice(candidates) if attach else "nobody@elsewhere.example"
        answers = chance.choice(earlier) if earlier and chance.random() < REPLY_SHARE else None
        in_reply_to = f"In-Reply-To: <{answers.message_id}>\r\n" if answers else ""
        message_id = f"fault-{seed}-{number}@agency.example"
        raw = (
            f"From: {sender}\r\n"
            f"To: {to}\r\n"
            f"Date: Thu, 15 Jan 2026 {number // 3600 % 24:02}:{number // 60 % 60:02}:"
            f"{number % 60:02} +0000\r\n"
            f"Message-ID: <{message_id}>\r\n"
            f"{in_reply_to}"
            f"Subject: Letter {number}\r\n"
            "\r\n"
            f"{_LINE * (size // len(_LINE) + 1)}"
        )
        letter = Letter(number, message_id, raw.encode(), attach, recipients)
        earlier.append(letter)
        yield letter
