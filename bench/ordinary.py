"""An ordinary mail in plain text, of any size: what crafted ones are compared with. Pure.

It is what people write to each other (`bench/prose.py`): paragraphs with addresses, links and
quoted lines, and a signature. The same size is the same mail.
"""

import functools
import random

from bench.prose import paragraphs

_HEAD = (
    "From: Anna Lind <anna.lind@mail.example>\r\n"
    "To: Otto Wolf <otto.wolf@agency.example>, one@in.satchel.test\r\n"
    "Subject: Interview on Thursday\r\n"
    "Message-ID: <1.2026@mail.example>\r\n"
    "In-Reply-To: <0.2026@agency.example>\r\n"
    "Date: Thu, 15 Jan 2026 10:00:00 +0100\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n"
)
_SIGNATURE = "-- \r\nAnna Lind\r\nhttps://lind.example/anna\r\n"


@functools.lru_cache(maxsize=8)
def ordinary_mail(size: int) -> bytes:
    """Return a mail of so many bytes, or of the fewest that an ordinary one takes."""
    room = size - len(_HEAD) - len(_SIGNATURE)
    return (_HEAD + paragraphs(random.Random(1), room) + _SIGNATURE).encode()
