"""Erasing a person from one mail: what goes, what stays, and what comes later."""

from datetime import timedelta

import pytest

from services.timeline.write.listed_records import MailRow, SummaryRow
from services.timeline.write.records import ERASED, Content, Mail, NamedAddress, Outcome, Verdict
from services.timeline.write.redacting import Redaction, redacted_capture
from services.timeline.write.side_records import Bounce, Held
from shared.contracts.events import Forwarded, Named, Role
from shared.contracts.known_addresses import ERASED_ADDRESS, ERASED_NAME
from tests.erasing_parts import LATER, erase_all, erased_person, listed
from tests.memory_timeline import Memory, the_mail
from tests.record_parts import capture_record, match_record
from tests.write_parts import ACCOUNT, FAILED, NOW, attach, bounce, detach, hide, mail, match

JANE = "Jane Roe <jane@mail.example>"
PERSON = erased_person("c1", "jane@mail.example", "j.roe@other.example", name="Jane Roe")
AS_JANE = match("c1", address="jane@mail.example")
AS_OTHER = match("c2", address="max@mail.example")


def everything(memory: Memory) -> str:
    documents = {name: own for name, own in memory.documents.items() if name != "erased_people"}
    return str(documents) + str(memory.raws())


def test_a_mail_that_concerns_nobody_else_is_deleted() -> None:
    memory = Memory()
    request = attach(mail(to=JANE, subject="Offer", text="Secret."), AS_JANE)
    memory.write(request)
    job = erase_all(memory, PERSON)
    assert (job.deleted, job.redacted) == (1, 0)
    [left] = memory.all(Mail)
    assert (left.captures, left.forgotten) == ((), (ERASED,))
    assert memory.all(Content) == []
    assert memory.all(MailRow) == []
    assert memory.all(SummaryRow) == []
    assert [outcome.mails for outcome in memory.all(Outcome)] == [()]
    for word in ("jane", "Jane", "Offer", "Secret"):
        assert word not in everything(memory)


def test_a_mail_that_concerns_others_stays_without_the_person() -> None:
    memory = Memory()
    raw = mail(to=f"{JANE}, Max <max@mail.example>", headers=f"Cc: {JANE}", text="Dear both.")
    memory.write(attach(raw, AS_JANE, AS_OTHER))
    job = erase_all(memory, PERSON)
    assert (job.deleted, job.redacted) == (0, 1)
    [content] = memory.all(Content)
    assert [entry.address for entry in content.to] == [ERASED_ADDRESS, "max@mail.example"]
    assert [entry.name for entry in content.cc] == [ERASED_NAME]
    [left] = memory.all(Mail)
    assert [m.person_id for capture in left.captures for m in capture.matches] == ["c2"]
    row = memory.row("*", left.id)
    assert row is not None
    assert "jane@mail.example" not in row.terms
    assert "max" in " ".join(row.terms)
    assert "Dear both." in everything(memory)
    for word in ("jane", "Jane"):
        assert word not in everything(memory)


def test_a_mail_in_which_the_person_only_takes_part_is_left_without_them() -> None:
    memory = Memory()
    memory.write(attach(mail(to=f"Max <max@mail.example>, {JANE}"), AS_OTHER))
    assert erase_all(memory, PERSON).redacted == 1
    assert "jane" not in everything(memory)
    assert erase_all(memory, PERSON, suffix="again").redacted == 0


def test_a_namesake_in_another_mail_keeps_the_name() -> None:
    memory = Memory()
    memory.write(attach(mail(to="Jane Roe <roe@company.example>"), match("c2")))
    assert erase_all(memory, PERSON).redacted == 0
    assert "Jane Roe" in everything(memory)


def test_the_name_goes_beside_an_address_that_the_directory_does_not_know() -> None:
    memory = Memory()
    raw = mail(to=f'{JANE}, "Roe, Jane" <private@mail.example>, Max <max@mail.example>')
    memory.write(attach(raw, AS_JANE, AS_OTHER))
    erase_all(memory, PERSON)
    [content] = memory.all(Content)
    assert [(entry.name, entry.address) for entry in content.to] == [
        (ERASED_NAME, ERASED_ADDRESS),
        (ERASED_NAME, "private@mail.example"),
        ("Max", "max@mail.example"),
    ]


def test_an_address_that_another_profile_shares_stays_theirs() -> None:
    memory = Memory()
    memory.write(attach(mail(to=JANE), AS_JANE, match("c2", address="Jane@mail.example")))
    erase_all(memory, PERSON)
    [content] = memory.all(Content)
    assert [(e.name, e.address) for e in content.to] == [(ERASED_NAME, "jane@mail.example")]


def test_of_two_captures_the_one_that_names_nobody_else_goes() -> None:
    memory = Memory()
    one = attach(mail(to=JANE, text="One."), AS_JANE, owner="u1")
    other = attach(mail(to="Max <max@mail.example>", text="Other."), AS_OTHER, owner="u2")
    memory.write(one, other)
    memory.write(hide(the_mail(memory), who="u1"), detach(the_mail(memory), "c1"))
    job = erase_all(memory, PERSON)
    assert (job.deleted, job.redacted) == (0, 1)
    [left] = memory.all(Mail)
    assert [capture.owner for capture in left.captures] == ["u2"]
    assert (left.private, left.detached) == ((), ())
    assert "One." not in everything(memory)
    assert memory.row("u1", left.id) is None


def test_bytes_that_only_an_owner_who_leaves_knew_are_stripped() -> None:
    memory = Memory()
    by_bcc = match("c1", Role.BCC, address="jane@mail.example")
    raw = mail(to="Max <max@mail.example>", bcc="Hidden <hidden@mail.example>")
    memory.write(attach(raw, by_bcc, owner="u1"))
    memory.write(attach(mail(to="Max <max@mail.example>"), AS_OTHER, owner="u2", minutes=1))
    erase_all(memory, PERSON)
    [content] = memory.all(Content)
    assert content.raw_of == ""
    assert b"hidden" not in memory.raws()[content.raw_key]


def test_the_original_of_a_forward_is_left_without_the_person() -> None:
    memory = Memory()
    forwarded = Forwarded(
        sender=Named(name="Jane Roe", address="jane@mail.example"),
        to=(Named(name="Max", address="max@mail.example"),),
    )
    memory.write(attach(mail(), AS_OTHER, forwarded=forwarded))
    erase_all(memory, PERSON)
    assert "jane" not in everything(memory)
    [left] = memory.all(Mail)
    assert left.captures[0].forwarded is not None
    assert left.captures[0].forwarded.sender.name == ERASED_NAME


def test_the_domain_of_an_erased_sender_is_told_no_more() -> None:
    verdict = Verdict(verdict="verified", method="dkim", domain="mail.example", reason=None)
    others = match_record(0, person_id="c2")
    capture = capture_record(matches=(others,), authentication=verdict)
    redaction = Redaction(ACCOUNT, [PERSON])
    jane = NamedAddress(name="", address="jane@mail.example")
    for sender, domain in ((jane, None), (None, "mail.example")):
        left = redacted_capture(capture, redaction, sender)
        assert left is not None
        assert left.authentication is not None
        assert (left.authentication.verdict, left.authentication.domain) == ("verified", domain)


def test_whom_a_bounce_did_not_reach_is_told_no_more() -> None:
    memory = Memory()
    raw = bounce("1@x", recipients=("jane@mail.example", "max@mail.example"))
    memory.write(attach(raw, AS_JANE, AS_OTHER, owner="u1"))
    erase_all(memory, PERSON)
    [left] = memory.all(Bounce)
    assert left.recipients == (ERASED_ADDRESS, "max@mail.example")


@pytest.mark.parametrize("others", [(), (AS_OTHER,)])
def test_what_waits_for_a_yes_goes_or_waits_without_the_person(others: tuple[object, ...]) -> None:
    memory = Memory()
    matches = (AS_JANE, AS_OTHER) if others else (AS_JANE,)
    request = attach(
        mail(to=f"{JANE}, Max <max@mail.example>"),
        *matches,
        verdict=FAILED,
        may_wait=True,
        forwarded=Forwarded(
            sender=Named(name="Max", address="max@mail.example"),
            to=(Named(name="Jane Roe", address="jane@mail.example"),),
        ),
    )
    memory.write(request)
    job = erase_all(memory, PERSON)
    assert job.held == 1
    waiting = memory.all(Held)
    assert len(waiting) == len(others)
    assert "jane" not in str(memory.documents["quarantine"])
    decision = ("quarantined", None) if others else ("dismissed", "forgotten")
    assert memory.decision(request.event.capture_id) == decision


def test_a_redelivery_of_what_was_erased_brings_nothing_back() -> None:
    memory = Memory()
    alone = attach(mail("1@x", to=JANE), AS_JANE)
    shared = attach(mail("2@x", to=f"{JANE}, Max <max@mail.example>"), AS_JANE, AS_OTHER)
    memory.write(alone, shared)
    erase_all(memory, PERSON)
    before = everything(memory)
    [one, other] = memory.write(alone, shared)
    assert (one.outcome, other.outcome) == ("dismissed", "attached")
    assert "jane" not in everything(memory)
    assert len(memory.all(Content)) == before.count("'reader_version'")


def test_a_late_copy_of_what_concerns_others_is_written_without_the_person() -> None:
    memory = Memory()
    listed(memory, PERSON)
    raw = mail(to=f"{JANE}, Max <max@mail.example>", text="x" * 70_000)
    [answer] = memory.write(attach(raw, AS_JANE, AS_OTHER))
    assert answer.outcome == "attached"
    assert "jane" not in everything(memory)
    [content] = memory.all(Content)
    assert content.redacted


def test_what_is_received_later_is_filed_as_ever() -> None:
    memory = Memory()
    request = attach(mail(to=JANE), AS_JANE)
    memory.write(request)
    erase_all(memory, PERSON)
    minutes = int((LATER + timedelta(minutes=1) - request.event.received_at).total_seconds() // 60)
    [answer] = memory.write(attach(mail(to=JANE), AS_JANE, minutes=minutes))
    assert answer.outcome == "attached"
    assert "jane@mail.example" in everything(memory)
    [again] = memory.all(Mail)
    assert [m.person_id for capture in again.captures for m in capture.matches] == ["c1"]


AFTERWARDS = (LATER - NOW) // timedelta(minutes=1) + 1
"""Minutes after which mail belongs to the current holder of the id."""


def test_mail_of_who_has_the_id_again_stays_however_long_erasing_takes() -> None:
    memory = Memory()
    memory.write(attach(mail("1@x", to=JANE, text="Before."), AS_JANE))
    after = mail("2@x", to=f"{JANE}, Max <max@mail.example>", text="After.")
    memory.write(attach(after, AS_JANE, AS_OTHER, minutes=AFTERWARDS))
    waiting = mail("3@x", to=JANE, text="Waits.")
    memory.write(attach(waiting, AS_JANE, minutes=AFTERWARDS, verdict=FAILED, may_wait=True))
    job = erase_all(memory, PERSON)
    assert (job.deleted, job.redacted, job.held) == (1, 0, 0)
    [left] = [one for one in memory.all(Mail) if one.captures]
    assert {m.person_id for capture in left.captures for m in capture.matches} == {"c1", "c2"}
    [content] = memory.all(Content)
    assert [entry.address for entry in content.to] == ["jane@mail.example", "max@mail.example"]
    assert memory.raws()[content.raw_key] == after
    assert [len(held.mails) for held in memory.all(Held)] == [1]


def test_of_a_mail_that_came_before_and_after_the_later_capture_stays() -> None:
    memory = Memory()
    raw = mail(to=f"{JANE}, Max <max@mail.example>")
    memory.write(attach(raw, AS_JANE, owner="u1"))
    memory.write(attach(raw, AS_JANE, AS_OTHER, owner="u2"))
    memory.write(attach(raw, AS_JANE, owner="u3", minutes=AFTERWARDS))
    memory.write(detach(the_mail(memory), "c1"))
    job = erase_all(memory, PERSON)
    assert (job.deleted, job.redacted) == (0, 1)
    [left] = memory.all(Mail)
    matched = {capture.owner: {m.person_id for m in capture.matches} for capture in left.captures}
    assert matched == {"u2": {"c2"}, "u3": {"c1"}}
    assert left.detached == ("c1",)
    [content] = memory.all(Content)
    assert "jane@mail.example" in {entry.address for entry in content.to}
    assert erase_all(memory, PERSON, suffix="again").redacted == 0


def test_another_accounts_mail_stays_as_it_is() -> None:
    memory = Memory()
    memory.write(attach(mail(to=JANE), AS_JANE, account="other"))
    erase_all(memory, PERSON, ACCOUNT)
    assert "jane@mail.example" in everything(memory)
