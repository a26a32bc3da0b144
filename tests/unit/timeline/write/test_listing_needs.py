"""What it takes to list a mail: what is asked for, at once and no more, and what is made once."""

from collections.abc import Collection

import pytest

from services.timeline.write import listing
from services.timeline.write.audiences import TEAM, add_capture
from services.timeline.write.listed_records import MailRow, ProfileRow, SummaryRow
from services.timeline.write.listing import Change, News, list_mail
from services.timeline.write.records import Capture, Content, Mail
from services.timeline.write.requests import Attach
from services.timeline.write.side_records import ReadBefore, ReadMark
from services.timeline.write.state import ById, Draft, NotLoaded, State
from shared.contracts.events import Role
from tests.memory_timeline import Memory
from tests.write_parts import ACCOUNT, attach, mail, match


def captured(*requests: Attach) -> Mail:
    """Return the mail that these are captures of."""
    first = requests[0].projection
    captures: tuple[Capture, ...] = ()
    for request in requests:
        captures = add_capture(captures, request.projection.capture)
    return Mail(
        id=first.mail_id,
        account=ACCOUNT,
        message_id=first.message_id,
        token=first.token,
        captures=captures,
    )


def change_by(new: Attach, *former: Attach, anew: Collection[str] = ()) -> Change:
    """Return how a capture changes a mail of which there are others."""
    before = captured(*former).captures if former else ()
    return Change.of(captured(*former, new), before, new.projection.token, anew)


OPEN, PRIVATE = attach(owner="u1"), attach(None, match(role=Role.BCC), owner="u1")
COLLEAGUES = attach(owner="u2", minutes=1)
GAINING = attach(None, match("c2"), owner="u2", minutes=1)
EARLIER = attach(mail(text="Another text."), match("c2"), owner="u2", minutes=-999)
SENT = attach(None, match(role=Role.BCC), owner="u1", sent_by_owner=True)
SENT_TOO = attach(owner="u3", minutes=2, sent_by_owner=True)


def test_only_audiences_that_have_it_otherwise_differ() -> None:
    assert change_by(OPEN).differing == ("*", "u1")
    assert change_by(COLLEAGUES, OPEN).differing == ("u2",)
    assert change_by(EARLIER, OPEN).differing == ("*", "u2")
    assert change_by(OPEN, PRIVATE).differing == ("*",)
    assert change_by(COLLEAGUES, PRIVATE).gone == ("!u1",)
    read_anew = {OPEN.projection.content.key}
    assert change_by(OPEN, OPEN, COLLEAGUES, anew=read_anew).differing == ("*", "u1", "u2")


def of_content(request: Attach) -> ById:
    return ById(Content, ACCOUNT, request.projection.content.id)


def of_summaries(*audiences: str) -> set[ById]:
    conversation = OPEN.projection.token
    return {ById(SummaryRow, ACCOUNT, f"{ACCOUNT}/{a}/{conversation}") for a in audiences}


def of_rows(*audiences: str) -> set[ById]:
    mail_id = OPEN.projection.mail_id
    return {ById(MailRow, ACCOUNT, f"{ACCOUNT}/{a}/{mail_id}") for a in audiences}


def of_profile(audience: str, person_id: str) -> ById:
    return ById(ProfileRow, ACCOUNT, f"{ACCOUNT}/{audience}/{person_id}/{OPEN.projection.mail_id}")


def of_reader(user: str) -> set[ById]:
    mark = f"{ACCOUNT}/{user}/{OPEN.projection.token}"
    read = {ById(ReadMark, ACCOUNT, mark), ById(ReadBefore, ACCOUNT, f"{ACCOUNT}/{user}")}
    return read | of_summaries(f"!{user}")


@pytest.mark.parametrize(
    ("new", "former", "needed"),
    [
        pytest.param(OPEN, [], {of_content(OPEN), *of_summaries("*", "u1")}, id="a new mail"),
        pytest.param(
            COLLEAGUES,
            [OPEN],
            {of_content(OPEN), *of_summaries("u2")},
            id="a second capture",
        ),
        pytest.param(
            EARLIER,
            [OPEN],
            {of_content(EARLIER), *of_summaries("*", "u2"), *of_rows("*")},
            id="an earlier one that differs",
        ),
        pytest.param(
            COLLEAGUES,
            [PRIVATE],
            {
                *(of_content(OPEN), *of_summaries("*", "u2", "!u1"), *of_rows("!u1")),
                of_profile("!u1", "c1"),
            },
            id="one that opens it",
        ),
        pytest.param(
            SENT,
            [],
            {of_content(SENT), *of_summaries("u1", "!u1"), *of_reader("u1")},
            id="a private one that was sent",
        ),
        pytest.param(
            COLLEAGUES,
            [SENT],
            {
                *(of_content(OPEN), *of_summaries("*", "u2"), *of_rows("!u1")),
                *(of_profile("!u1", "c1"), *of_reader("u1")),
            },
            id="one that opens what was sent",
        ),
        pytest.param(
            SENT_TOO,
            [OPEN],
            {of_content(OPEN), *of_summaries("u3"), *of_reader("u3")},
            id="one of another sender",
        ),
        pytest.param(
            COLLEAGUES,
            [OPEN, SENT_TOO],
            {of_content(OPEN), *of_summaries("u2")},
            id="one more of what a sender has read",
        ),
    ],
)
def test_what_listing_needs_is_asked_for_at_once(
    new: Attach, former: list[Attach], needed: set[ById]
) -> None:
    change = change_by(new, *former)
    assert {*change.needed} == needed
    with pytest.raises(NotLoaded) as raised:
        list_mail(Draft(State()), change, News(now=1))
    assert {*raised.value.queries} == needed


@pytest.mark.parametrize(
    ("new", "former"), [(OPEN, []), (COLLEAGUES, [OPEN]), (SENT, []), (GAINING, [OPEN])]
)
def test_nothing_more_is_needed_to_list_what_is_added(new: Attach, former: list[Attach]) -> None:
    memory, state = Memory(), State()
    memory.write(attach(mail("0@x")), *former)
    change = change_by(new, *former)
    draft = Draft(state)
    draft.put(new.projection.content)
    memory.load(state, change.needed)
    list_mail(draft, change, News(now=1))


def test_a_mail_is_summarised_without_a_look_at_the_others() -> None:
    memory = Memory()
    memory.write(attach(mail("0@x")))
    memory.write(attach(mail("1@x", references=["0@x"])))
    assert memory.loads == 0
    assert memory.summary(TEAM).mail_count == 2
    memory.write(attach(mail("1@x", references=["0@x"]), match("c2"), owner="u2"))
    assert memory.loads == 0
    assert [ref.person_id for ref in memory.summary(TEAM).persons] == ["c1", "c2"]


def test_terms_are_made_once_for_all_audiences_and_while_more_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Content] = []

    def terms_of_content(content: Content) -> tuple[str, ...]:
        made.append(content)
        return ("term",)

    monkeypatch.setattr(listing, "terms_of_content", terms_of_content)
    memory = Memory(is_asked_ahead=False)
    memory.write(OPEN, attach(mail("2@x", references=["1@x"])))
    assert len(made) == 2
    assert {row.terms for row in memory.all(MailRow)} == {("term",)}
