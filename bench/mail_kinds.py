"""The kinds of mail that the bench of capacity sends. Pure: the same number is the same mail."""

import random
from base64 import encodebytes
from dataclasses import dataclass

from bench.prose import text

PROFILES = 200
"""Candidates that the mails are about: `c0@mail.example` and so on."""
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mail. `text` is in words, `attached` in bytes; `owners` capture it."""

    name: str
    text: int
    attached: int = 0
    owners: int = 1
    matches: bool = True
    share: float = 1.0
    """Of the mails that are asked for: large ones take long."""


KINDS = (
    Kind("short", 120),
    Kind("typical", 300, attached=52 * _KIB),
    Kind("large", 300, attached=740 * _KIB, share=0.25),
    Kind("short, two users", 120, owners=2),
    Kind("short, dismissed", 120, matches=False),
)


def mail(kind: Kind, number: int) -> bytes:
    """Return a mail: every third begins a conversation, two more answer it."""
    chance = random.Random(f"{kind.name}/{number}")
    slug = kind.name.replace(", ", "-").replace(" ", "-")
    first = number - number % 3
    to = f"c{chance.randrange(PROFILES)}" if kind.matches else f"nobody{number}"
    head = [
        "From: Recruiter <u0@agency.example>",
        f"To: Somebody <{to}@mail.example>",
        f"Subject: {text(random.Random(first), 5).strip()}",
        f"Message-ID: <{slug}.{number}@agency.example>",
        "Date: Thu, 01 Oct 2026 10:00:00 +0000",
        "MIME-Version: 1.0",
    ]
    if number != first:
        head.append(f"References: <{slug}.{first}@agency.example>")
    plain = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text(chance, kind.text)}"
    if not kind.attached:
        return ("\r\n".join(head) + "\r\n" + plain).encode()
    file = encodebytes(chance.randbytes(kind.attached)).decode().replace("\n", "\r\n")
    parts = (
        plain,
        f"Content-Type: text/html\r\n\r\n<p>{text(chance, kind.text)}</p>\r\n",
        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="cv.pdf"\r\n\r\n{file}',
    )
    body = "".join(f"--part\r\n{part}\r\n" for part in parts) + "--part--\r\n"
    head.append('Content-Type: multipart/mixed; boundary="part"')
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()
