"""Participants, from real-looking header blocks."""

import pytest

from services.matcher.reading.participants import participants
from shared.mail.headers import read_header_block

DOMAIN = "in.satchel.test"


def taking_part(*lines: str | bytes) -> list[tuple[str, str]]:
    raw = b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    header = read_header_block(raw + b"\r\n\r\nFrom: text@body.example\r\n")
    return [(p.role.value, p.address) for p in participants(header, DOMAIN)]


def test_every_header_and_every_repeat_of_it_counts() -> None:
    fields = ("From", "Sender", "Reply-To", "To", "Cc", "Bcc")
    resent = ("Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc", "Resent-Bcc")
    lines = [f"{name}: {name}{n}@x.example" for n in (1, 2) for name in (*fields, *resent)]
    found = taking_part(*lines)
    assert {address for _, address in found} == {
        f"{name.lower()}{n}@x.example" for n in (1, 2) for name in (*fields, *resent)
    }
    assert ("sender", "resent-from1@x.example") in found, "who resent it did not write it"
    assert found[0] == ("from", "from1@x.example"), "in order of weight"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("To: Team: A <a@x.example>, b@x.example;, c@x.example", ["a", "b", "c"]),
        ("To: undisclosed-recipients:;", []),
        ("To: a@x.example (comment (nested) b@x.example)", ["a"]),
        ("To: =?utf-8?q?b=40x.example=2C?= <a@x.example>", ["a"]),
        ('To: "b@x.example" <a@x.example>', ["a"]),
        ("To: A@X.EXAMPLE, a@x.example", ["a"]),
        ("To: a+tag@x.example, a.b@x.example", ["a+tag", "a.b"]),
        (b"To: M\xfcller <a@x.example>", ["a"]),
    ],
)
def test_however_it_is_written(line: str | bytes, found: list[str]) -> None:
    assert [address for _, address in taking_part(line)] == [f"{n}@x.example" for n in found]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"),
        ("a@bu\u0308cher.example", "a@xn--bcher-kva.example"),
        ("Jose\u0301@x.example", "josé@x.example"),
        ("用户@例え.example", "用户@xn--r8jz45g.example"),
    ],
)
def test_international_addresses_have_one_form(written: str, form: str) -> None:
    assert taking_part(f"To: {written}") == [("to", form)]


def test_free_text_never_counts() -> None:
    assert taking_part("Subject: a@x.example", "X-To: b@x.example", "Comments: c@x.example") == []


def test_capture_addresses_are_no_participants() -> None:
    assert taking_part(f"To: anna.key@{DOMAIN}", f"Cc: <X@{DOMAIN.upper()}>") == []
    assert taking_part(f"To: a@not{DOMAIN}", f"Cc: a@sub.{DOMAIN}") != []


class TestRewrittenSenders:
    LIST = "From: 'The Author' via List <list@groups.example>"

    @pytest.mark.parametrize(
        "original",
        [
            ("X-Original-From: The Author <author@x.example>", "To: List@groups.example"),
            ("X-Original-Sender: author@x.example", "Cc: a@x.example, list@groups.example"),
            ("X-Original-From: The Author <author@x.example>", "List-Id: <list.groups.example>"),
            ("Reply-To: author@x.example", "List-Id: <list.groups.example>"),
            (
                "Reply-To: The Author <author@x.example>, list@groups.example",
                "List-Post: <mailto:list@groups.example>",
            ),
        ],
    )
    def test_the_author_takes_part_in_the_place_of_the_list(self, original: list[str]) -> None:
        found = taking_part(self.LIST, *original)
        assert ("from", "author@x.example") in found
        assert ("from", "list@groups.example") not in found

    @pytest.mark.parametrize(
        "lines",
        [
            (LIST,),
            (LIST, "Reply-To: somebody@x.example"),  # anybody can write that
            (LIST, "X-Original-From: boss@agency.example", "To: recruiter@agency.example"),
            (LIST, "X-Original-Sender: boss@agency.example"),
            (LIST, "X-Original-From: boss@agency.example", "List-Unsubscribe: <mailto:u@x>"),
            (LIST, "List-Id: <l>", "Reply-To: a@x.example, b@x.example"),
            ("From: Author <list@groups.example>", "X-Original-From: other@x.example"),
        ],
    )
    def test_what_does_not_say_so_is_taken_as_it_stands(self, lines: list[str]) -> None:
        assert taking_part(*lines)[0] == ("from", "list@groups.example")

    @pytest.mark.parametrize("field", ["List-Id", "List-Post", "Mailing-List", "X-Google-Group-Id"])
    def test_any_field_of_a_list_lets_reply_to_count(self, field: str) -> None:
        found = taking_part(self.LIST, "Reply-To: author@x.example", f"{field}: <l>")
        assert found[0] == ("from", "author@x.example")

    def test_the_original_from_counts_before_reply_to(self) -> None:
        lines = ("Reply-To: desk@x.example", "List-Id: <l>", "X-Original-Sender: author@x.example")
        assert taking_part(self.LIST, *lines)[0] == ("from", "author@x.example")

    def test_of_several_senders_the_rewritten_one_alone_gives_way(self) -> None:
        lines = (
            f"{self.LIST}, Second <second@x.example>",
            "X-Original-From: author@x.example",
            "List-Id: <l>",
        )
        found = [address for role, address in taking_part(*lines) if role == "from"]
        assert found == ["author@x.example", "second@x.example"]

    @pytest.mark.parametrize("lists", ["list@groups.example", "LIST@Groups.Example"])
    def test_a_list_is_no_author_however_it_is_written(self, lists: str) -> None:
        rewritten = f"From: 'A' via List <{lists}>"
        lines = ("Reply-To: List@groups.example, author@x.example", "List-Id: <l>")
        assert taking_part(rewritten, *lines)[0] == ("from", "author@x.example")
