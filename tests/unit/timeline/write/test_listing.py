"""What is listed of a mail."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.timeline.write.audiences import TEAM
from services.timeline.write.listed_records import (
    MailRow,
    ProfileRef,
    ProfileRow,
    SummaryRow,
    TermBlock,
)
from services.timeline.write.mail_rows import MAX_PARTICIPANTS
from services.timeline.write.records import Content, NamedAddress
from services.timeline.write.stored import to_document
from services.timeline.write.term_blocks import block_id
from shared.contracts.events import Forwarded, Kind, Named, Role
from tests.mails import enclosing
from tests.memory_timeline import Memory, profiles_of
from tests.write_parts import ACCOUNT, NOW, attach, mail, match

HEADERS = "Cc: Ccy <cc@x.example>\r\nReply-To: Reply <reply@x.example>"


def test_a_row_has_what_lists_show_and_what_the_mail_is_found_by() -> None:
    memory = Memory()
    headers, body = enclosing(["Subject: inner\r\n\r\ninner"])
    raw = mail(
        subject="The subject",
        to="Cand <cand@mail.example>, c@in.satchel.test",
        headers=f"{HEADERS}\r\n{headers}".strip(),
        text=body,
    )
    request = attach(raw, match("c1", kind=Kind.CONTACT))
    memory.write(request)
    row = memory.row(TEAM, request.projection.mail_id)
    assert row is not None
    assert row.id == f"{ACCOUNT}/*/{request.projection.mail_id}"
    assert (row.subject, row.snippet) == ("The subject", "See below.")
    assert row.has_attachments
    assert row.content == request.projection.content.key
    assert row.date == request.projection.capture.sort_date == NOW - timedelta(hours=3)
    assert row.participants == (
        NamedAddress(name="", address="user@team.example"),
        NamedAddress(name="Cand", address="cand@mail.example"),
        NamedAddress(name="Ccy", address="cc@x.example"),
    )
    assert row.persons == (ProfileRef(person_id="c1", kind="contact"),)
    terms = {*row.terms}
    assert {"subject", "below", ":has:attachment", "0.eml"} & terms >= {"subject", "below"}
    assert ":has:attachment" in terms
    assert {":from:user@team.example", ":to:cand@mail.example", ":to:cc@x.example"} <= terms
    assert ":partial" not in terms
    assert not {":from:cand@mail.example", ":to:user@team.example", ":to:reply@x.example"} & terms
    other = memory.row("u1", request.projection.mail_id)
    assert other is not None
    assert other.terms == row.terms


def test_a_forwarded_mail_is_found_by_its_author_and_by_who_forwarded_it() -> None:
    memory = Memory()
    author = Named(name="", address="author@mail.example")
    memory.write(attach(forwarded=Forwarded(sender=author)))
    [row] = memory.all(MailRow, audience=TEAM)
    assert {":from:author@mail.example", ":from:user@team.example"} <= {*row.terms}


def test_a_participant_is_listed_once_with_the_first_name() -> None:
    memory = Memory()
    memory.write(attach(mail(to="One <C1@mail.example>, Two <c1@mail.example>")))
    [row] = memory.all(MailRow, audience=TEAM)
    assert row.participants[1:] == (NamedAddress(name="One", address="C1@mail.example"),)
    many = ", ".join(f"p{number}@x.example" for number in range(MAX_PARTICIPANTS + 5))
    memory.write(attach(mail("2@x", to=many)))
    assert max(len(row.participants) for row in memory.all(MailRow)) == MAX_PARTICIPANTS


def test_a_mail_that_could_not_be_read_whole_says_so() -> None:
    memory = Memory()
    memory.write(attach(mail(subject="x" * 2000)))
    [row] = memory.all(MailRow, audience=TEAM)
    assert ":partial" in row.terms
    assert not row.has_attachments


def test_each_profile_has_a_row() -> None:
    memory = Memory()
    request = attach(None, match("c1"), match("c2"), match("c3", Role.BCC))
    memory.write(request)
    id_ = request.projection.mail_id
    assert profiles_of(memory, TEAM) == {("c1", id_), ("c2", id_)}
    assert profiles_of(memory, "u1") == {("c1", id_), ("c2", id_), ("c3", id_)}
    assert profiles_of(memory, "!u1") == {("c3", id_)}
    [row] = memory.all(ProfileRow, audience="!u1")
    assert row == ProfileRow(
        id=f"{ACCOUNT}/!u1/c3/{id_}",
        account=ACCOUNT,
        audience="!u1",
        person_id="c3",
        mail_id=id_,
        date=NOW - timedelta(hours=3),
    )


def test_what_becomes_open_is_no_longer_private() -> None:
    memory = Memory()
    memory.write(attach(None, match("c1", Role.BCC), owner="u1"))
    assert {row.audience for row in memory.all(MailRow)} == {"u1", "!u1"}
    arrived = memory.summary("!u1").arrived
    memory.write(attach(None, match("c1"), owner="u2"))
    rows: list[MailRow | ProfileRow | SummaryRow] = [*memory.all(MailRow)]
    rows += [*memory.all(ProfileRow), *memory.all(SummaryRow)]
    assert {row.audience for row in rows} == {"u1", "u2", "*"}
    assert memory.summary(TEAM).arrived == arrived + 1000
    assert {hint.audience for hint in memory.hints[-3:]} == {"!u1", "u2", "*"}


def in_blocks(memory: Memory) -> Memory:
    """Three mails, those of each audience in a block."""
    for number in range(3):
        memory.write(attach(mail(f"{number}@x", text=f"Words of {number}.", day=10 + number)))
    for row in memory.all(MailRow):
        place = row.audience.encode()
        block = TermBlock(
            id=block_id(ACCOUNT, row.audience, place),
            account=ACCOUNT,
            audience=row.audience,
            place=place,
            terms=(),
        )
        for record in (block, replace(row, block=place)):
            key = ACCOUNT, record.id
            memory.documents[record.collection][key] = to_document(record)
    assert [block.audience for block in memory.all(TermBlock)] == ["*", "u1"]
    return memory


@pytest.mark.parametrize("seed", range(4))
def test_a_row_with_other_terms_dissolves_its_block(seed: int) -> None:
    memory = in_blocks(Memory(seed=seed))
    memory.write(
        attach(mail("1@x", text="Early.", day=11), owner="u2", minutes=-5),
        # changes its row for the team too, but not what it is found by
        attach(mail("2@x", text="Words of 2.", day=12), match("c2"), owner="u2"),
    )
    rows = memory.all(MailRow, audience=TEAM)
    assert sorted(len(row.persons) for row in rows) == [1, 1, 2]
    assert [row.block for row in rows] == [None, None, None]
    assert [row.block for row in memory.all(MailRow, audience="u1")] == [b"u1"] * 3
    assert [block.audience for block in memory.all(TermBlock)] == ["u1"]


def test_a_row_that_is_found_as_before_stays_in_its_block() -> None:
    memory = in_blocks(Memory())
    memory.write(attach(mail("2@x", text="Words of 2.", day=12), match("c2"), owner="u2"))
    rows = memory.all(MailRow, audience=TEAM)
    assert sorted(len(row.persons) for row in rows) == [1, 1, 2]
    assert [row.block for row in rows] == [b"*"] * 3
    assert len(memory.all(TermBlock)) == 2
    assert [row.block for row in memory.all(MailRow, audience="u2")] == [None]


def test_an_earlier_copy_that_differs_takes_the_place_of_a_later_one() -> None:
    memory = Memory()
    memory.write(attach(mail("0@x", day=1)))
    late = attach(mail("1@x", text="Late words.", day=16, references=["0@x"]), minutes=9)
    memory.write(late)
    before = memory.summary(TEAM)
    memory.write(attach(mail("1@x", text="Early.", day=16), owner="u2", minutes=5))
    after = memory.summary(TEAM)
    assert (before.last.snippet, after.last.snippet) == ("Late words.", "Early.")
    assert before.last_mail_at - after.last_mail_at == timedelta(minutes=4)
    assert after.mail_count == 2
    assert memory.summary("u1").last.snippet == "Late words."
    rows = {row.audience: row for row in memory.all(MailRow) if row.snippet != "The text."}
    assert "early" in rows["*"].terms
    assert "late" in rows["u1"].terms
    assert "early" not in rows["u1"].terms
    assert len(memory.all(Content)) == 3


def test_a_mail_that_a_colleague_captures_too_is_written_for_them_alone() -> None:
    memory = Memory()
    memory.write(attach(owner="u1"))
    memory.writes.clear()
    memory.write(attach(owner="u2", minutes=1))
    assert memory.writes["mail_rows"] == memory.writes["profile_mails"] == 1
    assert memory.writes["conversations"] == 1


def test_a_profile_that_is_found_later_is_added_everywhere() -> None:
    memory = Memory()
    memory.write(attach(None, match("c1"), owner="u1"))
    memory.write(attach(None, match("c2"), owner="u2", minutes=1))
    assert [ref.person_id for ref in memory.summary(TEAM).persons] == ["c1", "c2"]
    assert [ref.person_id for ref in memory.summary("u1").persons] == ["c1"]
    assert memory.summary(TEAM).mail_count == 1


# Where something is lost ---------------------------------------------------------------------


def test_a_mail_whose_content_is_lost_stays_as_it_is_listed() -> None:
    memory = Memory()
    memory.write(attach())
    memory.documents[Content.collection].clear()
    memory.write(attach(mail(text="Another text."), match("c2"), owner="u2", minutes=1))
    snippets = {row.audience: row.snippet for row in memory.all(MailRow)}
    assert snippets == {"*": "The text.", "u1": "The text.", "u2": "Another text."}


def test_a_summary_that_is_lost_is_made_anew() -> None:
    memory = Memory()
    memory.write(attach(mail("0@x")), attach(mail("1@x", references=["0@x"])))
    memory.documents[SummaryRow.collection].clear()
    memory.write(attach(mail("1@x", references=["0@x"]), match("c2"), owner="u2"))
    assert memory.summary(TEAM).mail_count == 2


def test_a_row_that_is_lost_is_no_news_when_the_mail_is_taken_away() -> None:
    memory = Memory()
    lost = attach(mail("1@x", references=["0@x"]), match(role=Role.BCC))
    memory.write(attach(mail("0@x"), match(role=Role.BCC)), lost)
    arrived = memory.summary("!u1").arrived
    del memory.documents[MailRow.collection][ACCOUNT, f"{ACCOUNT}/!u1/{lost.projection.mail_id}"]
    memory.write(attach(lost.raw, owner="u2"))
    after = memory.summary("!u1")
    assert (after.mail_count, after.arrived) == (1, arrived)
