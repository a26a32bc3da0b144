"""What is the text of a mail, and what stays an attachment: mails in `tests/mail/bodies`."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from services.timeline.reader import attached_parts, read

MAILS = Path(__file__).parents[2] / "mail" / "bodies"
CASES = sorted(path.stem for path in MAILS.glob("*.eml"))


@pytest.mark.parametrize("case", CASES)
def test_a_body_is_read_as_expected(case: str) -> None:
    expected = json.loads((MAILS / f"{case}.json").read_text("utf-8"))
    mail = asdict(read((MAILS / f"{case}.eml").read_bytes()))
    for attachment in mail["attachments"]:
        del attachment["digest"]
    mail["attachments"] = [*mail["attachments"]]
    assert {name: mail[name] for name in expected} == expected


def test_every_case_has_expectations() -> None:
    assert sorted(path.stem for path in MAILS.glob("*.json")) == CASES
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES)
def test_what_is_listed_is_what_can_be_downloaded(case: str) -> None:
    raw = (MAILS / f"{case}.eml").read_bytes()
    listed = [(a.content_type, a.size) for a in read(raw).attachments]
    assert [(part.content_type, len(part.data)) for part in attached_parts(raw)] == listed
