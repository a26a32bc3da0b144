"""What today's reader makes of a mail, in the place of what an older one made."""

from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.content.reader import read
from services.timeline.write.audiences import TEAM
from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.projection import Projection, event_of, project
from services.timeline.write.read_marks import mark_id
from services.timeline.write.records import Content, Conversation, Mail
from services.timeline.write.requests import Attach, Replace
from services.timeline.write.side_records import Bounce, ReadMark
from services.timeline.write.state import Draft, State
from shared.contracts.events import Role
from tests.memory_timeline import Memory, kept, mails_by_conversation, profiles_of
from tests.write_parts import ACCOUNT, NOW, attach, bounce, mail, match

Change = Callable[[bytes], bytes]


def as_it_was(raw: bytes) -> bytes:
    return raw


def read_again(memory: Memory, content: Content, change: Change = as_it_was) -> Replace:
    """Return the request that a run over all contents makes: `change` stands for another reader."""
    one = memory.one(Mail, content.mail_id, content.account)
    assert one is not None
    raw = memory.raws()[content.raw_key]
    made: list[Projection] = []
    for capture in one.captures:
        if capture.content == content.key:
            projection = project(event_of(content.account, capture), read(change(raw)), raw)
            held = {"raw_key": content.raw_key, "raw_of": content.raw_of, "size": content.size}
            made.append(replace(projection, content=replace(projection.content, **held)))
    return Replace(mail_id=one.id, content=content, projections=tuple(made))


def run(memory: Memory, change: Change = as_it_was) -> list[str]:
    """Read all contents anew; return what became of each."""
    contents = memory.all(Content)
    return [memory.write(read_again(memory, one, change))[0].outcome for one in contents]


def written(requests: Iterable[Attach], *, is_asked_ahead: bool = True) -> Memory:
    memory = Memory(is_asked_ahead=is_asked_ahead)
    for request in requests:
        memory.write(request)
    return memory


def read_by_u1(memory: Memory, conversation: str) -> None:
    draft = Draft(State())
    through = memory.summary(TEAM, conversation).arrived
    draft.put(
        ReadMark(
            id=mark_id(ACCOUNT, "u1", conversation),
            account=ACCOUNT,
            user="u1",
            conversation=conversation,
            through=through,
            unread=False,
        )
    )
    memory.commit(draft, upsert=True)


@st.composite
def captures(draw: st.DrawFn) -> list[Attach]:
    made = []
    for at in range(draw(st.integers(1, 6))):
        number, owner = draw(st.integers(0, 2)), draw(st.sampled_from(["u1", "u2"]))
        references = [f"{draw(st.integers(0, 3))}@x"]
        role = draw(st.sampled_from([Role.TO, Role.BCC]))
        bcc = draw(st.sampled_from(["", f"hidden{owner}@mail.example"]))
        text = draw(st.sampled_from(["The text.", "Another text."]))
        raw = mail(f"{number}@x", references=references if number else (), text=text, bcc=bcc)
        if draw(st.sampled_from([True, False, False])):
            raw = bounce("0@x", f"b{number}@x")
        person = match(f"c{draw(st.integers(0, 2))}", role)
        made.append(attach(raw, person, owner=owner, minutes=at, sent_by_owner=at % 2 == 0))
    return made


@given(captures(), st.booleans())
def test_what_the_same_reader_makes_changes_nothing(
    requests: list[Attach], is_asked_ahead: bool
) -> None:
    memory = written(requests, is_asked_ahead=is_asked_ahead)
    before, tallies, hints = kept(memory), memory.tallies(), len(memory.hints)
    arrived = {row.id: row.arrived for row in memory.all(SummaryRow)}
    outcomes = run(memory)
    # Rows whose content was read anew are compared by what they show: no row differs.
    assert {*outcomes} == {"unchanged"}
    after = kept(memory)
    for name in before:
        assert after[name] == before[name], name
    assert memory.tallies() == tallies
    assert len(memory.hints) == hints
    assert {row.id: row.arrived for row in memory.all(SummaryRow)} == arrived


def test_nobody_gains_the_bcc_of_the_bytes_that_are_kept() -> None:
    bcc = "secret@mail.example"
    memory = written([attach(mail(bcc=bcc), owner="u1"), attach(mail(), owner="u2", minutes=1)])
    [one] = memory.all(Mail)
    assert len({capture.content for capture in one.captures}) == 1
    assert run(memory) == ["unchanged"]
    [one] = memory.all(Mail)
    known = {c.owner: [entry.address for entry in c.bcc] for c in one.captures}
    assert known == {"u1": [bcc], "u2": []}


def test_nobody_loses_a_bcc_that_the_bytes_that_are_kept_do_not_have() -> None:
    bcc = "secret@mail.example"
    memory = written([attach(mail(), owner="u1"), attach(mail(bcc=bcc), owner="u2", minutes=1)])
    run(memory)
    [one] = memory.all(Mail)
    assert {c.owner: len(c.bcc) for c in one.captures} == {"u1": 0, "u2": 1}
    # Neither is one that moves to another mail.
    assert run(memory, moved) == ["moved"]
    [one] = memory.all(Mail)
    assert {c.owner: len(c.bcc) for c in one.captures} == {"u1": 0, "u2": 1}


def test_a_bcc_that_is_found_now_is_known_to_the_owner_of_the_bytes_alone() -> None:
    memory = written([attach(owner="u1"), attach(owner="u2", minutes=1)])
    run(memory, lambda raw: raw.replace(b"Subject", b"Bcc: found@mail.example\r\nSubject"))
    [one] = memory.all(Mail)
    assert {c.owner: len(c.bcc) for c in one.captures} == {"u1": 1, "u2": 0}


def better(raw: bytes) -> bytes:
    return raw.replace(b"Subject: Hello", b"Subject: Read better")


def moved(raw: bytes) -> bytes:
    return raw.replace(b"Message-ID: <2@x>", b"Message-ID: <moved@x>").replace(
        b"Message-ID: <1@x>", b"Message-ID: <first@x>"
    )


def test_what_is_read_otherwise_takes_the_place_of_what_was() -> None:
    memory = written([attach(mail("1@x")), attach(mail("2@x", references=["1@x"]))])
    summary, hints = memory.summary(TEAM), len(memory.hints)
    old = {one.id for one in memory.all(Content)}
    assert run(memory, better) == ["changed", "changed"]
    assert {row.subject for row in memory.all(MailRow)} == {"Read better"}
    assert all("better" in row.terms for row in memory.all(MailRow))
    after = memory.summary(TEAM)
    assert after.first.subject == "Read better"
    assert replace(after, first=summary.first) == summary
    contents = memory.all(Content)
    assert len(contents) == 2
    assert not old & {one.id for one in contents}
    assert {one.raw_key for one in contents} <= memory.raws().keys()
    assert len(memory.hints) == hints + 4  # it has changed for the team and for u1


def test_a_mail_names_the_content_that_was_made_anew() -> None:
    memory = written([attach(mail("1@x")), attach(mail("1@x"), owner="u2", minutes=1)])
    [before] = memory.all(Conversation)
    run(memory, better)
    [content], [one] = memory.all(Content), memory.all(Mail)
    assert [capture.content for capture in one.captures] == [content.key] * 2
    [after] = memory.all(Conversation)  # so that who joins it at this moment meets this
    assert (after.mails, after.joined) == (before.mails, before.joined + 1)


def test_what_is_found_otherwise_in_the_same_content_is_listed() -> None:
    memory = written([attach()])
    [content] = memory.all(Content)
    request = read_again(memory, content)
    [projection] = request.projections
    partly = replace(projection, content=replace(projection.content, incomplete=True))
    [answer] = memory.write(replace(request, projections=(partly,)))
    assert answer.outcome == "changed"
    assert [one.incomplete for one in memory.all(Content)] == [True]
    assert all(":partial" in row.terms for row in memory.all(MailRow))


def test_only_one_of_a_mails_contents_is_replaced() -> None:
    memory = written([attach(), attach(mail(text="Other."), owner="u2", minutes=1)])
    [first] = [one for one in memory.all(Content) if one.text.startswith("The")]
    memory.write(read_again(memory, first, better))
    assert sorted(one.subject for one in memory.all(Content)) == ["Hello", "Read better"]
    assert {row.audience: row.subject for row in memory.all(MailRow)} == {
        "*": "Read better",
        "u1": "Read better",
        "u2": "Hello",
    }


def test_references_that_are_found_now_join() -> None:
    memory = written([attach(mail("1@x")), attach(mail("2@x"))])
    assert len(mails_by_conversation(memory)) == 2
    [second] = [
        one for one in memory.all(Content) if one.mail_id == attach(mail("2@x")).projection.mail_id
    ]
    request = read_again(
        memory, second, lambda raw: raw.replace(b"Subject", b"References: <1@x>\r\nSubject")
    )
    memory.write(request)
    [group] = mails_by_conversation(memory)
    assert len(group) == 2
    assert memory.summary(TEAM).mail_count == 2


def test_another_identity_moves_the_mail_and_keeps_the_conversation_and_what_was_read() -> None:
    memory = written([attach(mail("1@x")), attach(mail("2@x", references=["1@x"]), minutes=1)])
    [conversation] = {row.conversation for row in memory.all(SummaryRow)}
    read_by_u1(memory, conversation)
    before = memory.summary(TEAM)
    ids = {one.message_id: one.id for one in memory.all(Mail)}
    [second] = [one for one in memory.all(Content) if one.mail_id == ids["2@x"]]
    hints = len(memory.hints)
    assert memory.write(read_again(memory, second, moved))[0].outcome == "moved"
    assert {one.message_id for one in memory.all(Mail)} == {"1@x", "moved@x"}
    [group] = mails_by_conversation(memory)
    assert len(group) == 2
    after = memory.summary(TEAM)
    assert after.conversation == conversation
    assert after.arrived == before.arrived
    assert after.mail_count == 2
    assert len(memory.all(MailRow)) == 4
    assert len(profiles_of(memory, TEAM)) == 2
    assert len(memory.all(Content)) == 2
    assert len(memory.hints) == hints + 2
    assert memory.conversation_of(attach(mail("2@x")).projection.token) == conversation


def test_a_conversation_of_a_mail_that_moves_alone_keeps_its_id_and_what_was_read() -> None:
    memory = written([attach(mail("1@x"))])
    conversation = memory.summary(TEAM).conversation
    read_by_u1(memory, conversation)
    arrived = memory.summary(TEAM).arrived
    assert run(memory, moved) == ["moved"]
    after = memory.summary(TEAM)
    assert (after.conversation, after.arrived, after.mail_count) == (conversation, arrived, 1)
    assert [one.conversation for one in memory.all(ReadMark)] == [conversation]
    assert len(memory.all(Conversation)) == 1


def test_a_mail_that_was_there_by_a_wrong_id_alone_leaves_the_others() -> None:
    """It is news, in a conversation of its own."""
    memory = written([attach(mail("1@x")), attach(mail("2@x", references=["1@x"]), minutes=1)])
    conversation = memory.summary(TEAM).conversation
    ids = {one.message_id: one.id for one in memory.all(Mail)}
    [first] = [one for one in memory.all(Content) if one.mail_id == ids["1@x"]]
    memory.write(read_again(memory, first, moved))
    assert len(mails_by_conversation(memory)) == 2
    rows = memory.all(SummaryRow, audience=TEAM)
    [stayed] = [row for row in rows if row.conversation == conversation]
    [left] = [row for row in rows if row.conversation != conversation]
    assert (stayed.mail_count, left.mail_count) == (1, 1)
    assert left.arrived > stayed.arrived


def test_of_a_mail_with_two_contents_one_moves() -> None:
    memory = written(
        [attach(mail("1@x")), attach(mail("1@x", text="Other."), owner="u2", minutes=1)]
    )
    [first] = [one for one in memory.all(Content) if one.text.startswith("The")]
    memory.write(read_again(memory, first, moved))
    found = {one.message_id: [c.owner for c in one.captures] for one in memory.all(Mail)}
    assert found == {"first@x": ["u1"], "1@x": ["u2"]}
    assert {(row.audience, row.content[:0]) for row in memory.all(MailRow)} == {
        ("*", ""),
        ("u1", ""),
        ("u2", ""),
    }
    assert len(memory.all(MailRow, audience=TEAM)) == 2
    [group] = mails_by_conversation(memory)  # nobody else is in it, so it stays one
    assert memory.summary(TEAM).mail_count == len(group) == 2


def test_a_mail_that_is_gone_is_not_replaced() -> None:
    memory = written([attach()])
    [content] = memory.all(Content)
    request = read_again(memory, content)
    gone = Memory()
    assert gone.write(request)[0].outcome == "unchanged"
    assert kept(gone) == kept(Memory())


def test_a_bounce_that_is_none_any_more_is_forgotten_unless_another_content_says_it() -> None:
    raw = bounce("1@x")
    memory = written([attach(raw, owner="u1"), attach(raw, owner="u2", minutes=1)])
    assert len(memory.all(Bounce)) == 2
    other = raw.replace(b"It could not", b"Really, it could not")
    memory.write(attach(other, owner="u2", minutes=2))
    [content] = [one for one in memory.all(Content) if one.text.startswith("It")]
    no_bounce = read_again(
        memory, content, lambda raw: raw.replace(b"Action: failed", b"Action: delivered")
    )
    memory.write(no_bounce)
    assert [one.owner for one in memory.all(Bounce)] == ["u2"]


def test_what_a_bounce_says_is_read_again() -> None:
    memory = written([attach(bounce("1@x", recipients=["a@x.y"]))])
    run(memory, lambda raw: raw.replace(b"a@x.y", b"z@x.y"))
    [found] = memory.all(Bounce)
    assert found.recipients == ("z@x.y",)
    assert found.at == NOW


def test_what_a_bounce_says_is_read_again_though_the_owner_has_another_content() -> None:
    first, later = bounce("1@x", recipients=["a@x.y"]), bounce("1@x", recipients=["b@x.y"])
    memory = written([attach(first), attach(later, minutes=1)])
    [content] = [one for one in memory.all(Content) if memory.raws()[one.raw_key] == first]
    memory.write(read_again(memory, content, lambda raw: raw.replace(b"a@x.y", b"z@x.y")))
    [found] = memory.all(Bounce)
    assert found.recipients == ("z@x.y",)
