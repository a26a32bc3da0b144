"""Mails to judge, and how they are judged in tests of verdicts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from services.matcher.authentication.verdict import Question, authenticate
from services.matcher.resolver import NoAnswer
from shared.mail.headers import read_header_block
from tests.signed import SELECTOR, letter, signed

Zone = Mapping[str, Sequence[str]]
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
REJECT, NONE = "p=reject", "p=none"
DEMAND = "v=DMARC1; p=reject"
LIST = "List-Id: <list.lists.test>\r\n"
BORDER = "Authentication-Results: mx.border.test; "


async def verdict(raw: bytes, names: Zone, **options: Any) -> tuple[str, str | None]:
    """Return the verdict about a mail, and its method or its reason. A name without records that
    is in the zone is not answered."""

    async def ask(name: str) -> list[str]:
        if name in names and not names[name]:
            raise NoAnswer(name)
        return list(names.get(name, ()))

    header = read_header_block(raw)
    found = await authenticate(Question(raw, header, NOW, ask, **options))
    return found.verdict.value, found.reason or found.method


def altered(raw: bytes) -> bytes:
    return raw.replace(b"Hello.", b"Hullo.")


def added(raw: bytes, field: str = "Subject: Another") -> bytes:
    return field.encode() + b"\r\n" + raw


PASSES = "dkim=pass header.d=mail.test; dmarc=pass (p=reject) header.from=mail.test"
VOUCHED = {"trusted_sealers": {"forward.test"}}
BELIEVED = {"authserv_id": "mx.border.test"}
SIGNED = signed(letter())
UNANSWERED: dict[str, list[str]] = {f"{SELECTOR}._domainkey.mail.test": []}
