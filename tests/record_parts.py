"""Records that the timeline keeps, in a few words: captures and their matches."""

from collections.abc import Iterable
from datetime import timedelta

from services.timeline.write.records import Capture, MatchRecord, NamedAddress, Verdict
from tests.write_parts import NOW


def match_record(
    number: int = 0,
    owner: str | None = None,
    *,
    role: str = "to",
    kind: str = "candidate",
    source: str = "header",
    shared_address: bool = False,
    person_id: str = "",
) -> MatchRecord:
    """Return a match: from the Bcc of the owner, where one is given. A profile has two numbers."""
    return MatchRecord(
        person_id=person_id or f"c{number // 2}",
        kind=kind,
        address=f"a{number}@x.example",
        role="bcc" if owner else role,
        source=source,
        shared_address=shared_address,
        bcc_owners=(owner,) if owner else (),
    )


def capture_record(
    number: int = 0,
    owner: str = "u1",
    content: str = "k0",
    minute: int = 0,
    matches: Iterable[MatchRecord] | None = None,
    bcc: Iterable[NamedAddress] = (),
    authentication: Verdict | None = None,
) -> Capture:
    """Return a capture that arrived in this minute."""
    at = NOW + timedelta(minutes=minute)
    return Capture(
        owner=owner,
        at=at,
        capture_id=f"{number:03}",
        place="",
        capture_address="a@in.satchel.test",
        door="smtp",
        direction="inbound",
        forwarded=None,
        content=content,
        said="",
        date=at,
        sort_date=at,
        matches=(match_record(),) if matches is None else tuple(matches),
        bcc=tuple(bcc),
        authentication=authentication,
    )
