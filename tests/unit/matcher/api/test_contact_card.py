"""The contact card of a capture address, whatever the names in it hold."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matcher.api.contact_card import contact_card

ADDRESS = "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example"
HOSTILE = [
    "Line\r\nEMAIL:evil@x.example\r\nEND:VCARD\r\nBEGIN:VCARD",
    "bare\rreturn and\nfeed",
    "separators \u2028EMAIL:evil@x.example\u2029 \x0b\x0c\x1c\x1d\x1e\x85end",
    "semi;colon,comma\\n and \\; backslash\\",
    "BEGIN:VCARD",
    "x" * 500,
    "漢字" * 200,
    "👩‍👩‍👧‍👦" * 40,
    "right\u202eleft \u2066isolated",
    "nul\x00 bell\x07 tab\t",
    '"quoted" <b>&amp;',
    " ",
    "",
]


def card(name: str = "Satchel", owner: str = "Recruiter One", **changed: str) -> bytes:
    return contact_card(
        name=name,
        address=changed.get("address", ADDRESS),
        owner=owner,
        owner_id=changed.get("owner_id", "u1"),
        account=changed.get("account", "acme"),
        made_at=datetime(2026, 1, 15, 9, 30, tzinfo=UTC),
    )


def properties(raw: bytes) -> list[tuple[str, str]]:
    """Read a card as RFC 2426 says: unfold, then cut names from values."""
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "a line ends with CRLF"
    for line in raw.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is cut in two
    lines = re.sub("\r\n ", "", raw.decode()).split("\r\n")[:-1]
    assert [line for line in lines if len(line.splitlines()) > 1] == [], "for no reader"
    return [(name, value) for name, _, value in (line.partition(":") for line in lines)]


def text_of(value: str) -> str:
    """Undo the escapes of a text."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def test_a_card_is_what_the_standard_says() -> None:
    assert properties(card("Satchel (my capture address)")) == [
        ("BEGIN", "VCARD"),
        ("VERSION", "3.0"),
        ("PRODID", "-//Satchel//Satchel//EN"),
        ("UID", "urn:uuid:9a69a667-8f91-5365-b94c-15dbcd904712"),
        ("FN", "Satchel (my capture address)"),
        ("N", ";Satchel (my capture address);;;"),
        ("EMAIL;TYPE=INTERNET", ADDRESS),
        (
            "NOTE",
            "Capture address of Recruiter One. Put it into Bcc of mail that is to be filed in "
            "Satchel. It is private: do not pass it on.",
        ),
        ("REV", "2026-01-15T09:30:00Z"),
        ("END", "VCARD"),
    ]


NAMES = [name for name, _ in properties(card())]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_adds_a_line_or_a_field(hostile: str) -> None:
    for raw in (card(name=hostile), card(owner=hostile), card(hostile, hostile)):
        found = properties(raw)
        assert [name for name, _ in found] == NAMES
        assert dict(found)["EMAIL;TYPE=INTERNET"] == ADDRESS
        fields = re.split(r"(?<!\\)(?:\\\\)*;", dict(found)["N"])
        assert len(fields) == 5
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09]", raw.decode())


@given(st.text())
def test_any_name_comes_back_as_it_was_but_for_controls(name: str) -> None:
    found = dict(properties(card(name, name)))
    plain = "".join(c for c in name if c.isprintable() and not c.isspace())
    shown = "".join(c for c in text_of(found["FN"]) if c.isprintable() and not c.isspace())
    assert shown == plain
    assert found["EMAIL;TYPE=INTERNET"] == ADDRESS


def test_a_users_next_address_is_the_same_contact_and_a_colleagues_is_not() -> None:
    def uid(**changed: str) -> str:
        return dict(properties(card(**changed)))["UID"]

    assert uid(address="recruiter-one.next@in.satchel.example") == uid()
    assert uid(owner_id="u2") != uid()
    assert uid(account="other") != uid()


def test_without_a_name_the_note_has_the_id() -> None:
    assert "address of u1." in dict(properties(card(owner="")))["NOTE"]
