"""The decision's truth table. Each case names the sentence of the rules that it shows."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from services.matcher.decision.decide import (
    NEVER,
    Attach,
    Decision,
    Dismiss,
    Person,
    decide,
    verdicts,
)
from services.matcher.decision.never_capture import never_capture_of
from services.matcher.reading.participants import Participant
from shared.contracts.events import Direction, DismissalReason, Kind, Role, Source
from tests.cost import LINEAR, growth


def person(person_id: str, kind: str, *addresses: str) -> Person:
    return Person(person_id, Kind(kind), person_id, addresses, frozenset(addresses))


def mail(*addresses: str, sender: str = "stranger@x.example") -> list[Participant]:
    return [Participant(sender, Role.FROM), *(Participant(a, Role.TO) for a in addresses)]


USER = person("u1", "user", "user@team.example", "user@home.example")
CANDIDATE = person("c1", "candidate", "cand@mail.example", "cand@work.example")
CONTACT = person("k1", "contact", "contact@client.example")
TWIN = person("c2", "candidate", "cand@mail.example")
COLLEAGUE = person("c3", "candidate", "user@home.example", "only@c3.example")
GUEST = person("g1", "guest", "guest@x.example", "cand@mail.example")
VENDOR = person("v1", "vendor", "vendor@x.example", "cand@mail.example")
LISTED = never_capture_of(["counsel@law.example"], ["clinic.example"])
EVERYONE = [USER, CANDIDATE, CONTACT, TWIN, COLLEAGUE, GUEST, VENDOR]


def knowledge(participants: Sequence[Participant], people: Sequence[Person]) -> list[Person]:
    """What the directory looks up: holders of the addresses, and users who share with profiles."""
    asked = {p.address for p in participants}
    holders = [p for p in people if p.keys & asked]
    profile_keys = {key for p in holders if p.kind.is_profile for key in p.keys}
    return [p for p in people if p in holders or (p.kind is Kind.USER and p.keys & profile_keys)]


def decided(participants: list[Participant], people: Sequence[Person] = EVERYONE) -> Decision:
    return decide(participants, knowledge(participants, people))


@pytest.mark.parametrize(
    ("participants", "people", "attached"),
    [
        (mail("cand@mail.example"), [USER, CANDIDATE], ["c1"]),
        (mail("cand@work.example"), [USER, CANDIDATE], ["c1"]),  # a second address
        (mail(sender="contact@client.example"), [USER, CONTACT], ["k1"]),
        (mail("cand@work.example", "contact@client.example"), [CANDIDATE, CONTACT], ["c1", "k1"]),
        (mail("cand@mail.example"), [CANDIDATE, TWIN], ["c1", "c2"]),
        # Guests and vendors block nothing and never match.
        (mail("cand@mail.example"), [CANDIDATE, GUEST, VENDOR], ["c1"]),
        # A blocked profile beside a clean one.
        (mail("only@c3.example", "cand@work.example"), [USER, CANDIDATE, COLLEAGUE], ["c1"]),
        # A person who is user and candidate under two ids blocks only what shares their address.
        (mail("contact@client.example", sender="user@team.example"), [USER, CONTACT], ["k1"]),
    ],
)
def test_attached_to_every_unblocked_profile(
    participants: list[Participant], people: list[Person], attached: list[str]
) -> None:
    decision = decided(participants, people)
    assert isinstance(decision, Attach)
    assert sorted({match.person_id for match in decision.matches}) == attached


@pytest.mark.parametrize(
    ("participants", "people", "reason"),
    [
        (mail("nobody@x.example"), EVERYONE, "no_match"),
        ([], EVERYONE, "no_match"),
        (mail("guest@x.example"), [GUEST], "no_match"),
        (mail("vendor@x.example"), [VENDOR], "no_match"),
        (mail("user@home.example", sender="user@team.example"), [USER], "internal"),
        (mail("nobody@x.example", sender="user@team.example"), [USER], "no_match"),
        # The profile shares an address with a user, through the mail's address or through another.
        (mail("user@home.example"), [USER, COLLEAGUE], "blocked"),
        (mail("only@c3.example"), [USER, COLLEAGUE], "blocked"),
        # `blocked` comes before `internal`.
        (mail("user@home.example", sender="user@team.example"), [USER, COLLEAGUE], "blocked"),
    ],
)
def test_dismissed_with_the_first_reason_that_holds(
    participants: list[Participant], people: list[Person], reason: str
) -> None:
    assert decided(participants, people) == Dismiss(DismissalReason(reason))


@pytest.mark.parametrize("kind", ["guest", "vendor", "contact", "candidate"])
def test_only_a_user_blocks(kind: str) -> None:
    other = person("o1", kind, "cand@work.example", "o1@x.example")
    decision = decided(mail("cand@mail.example"), [CANDIDATE, other])
    assert isinstance(decision, Attach)
    assert "c1" in {match.person_id for match in decision.matches}


def test_profiles_that_share_an_address_are_flagged() -> None:
    decision = decided(mail("cand@mail.example", "contact@client.example"))
    assert isinstance(decision, Attach)
    flags = {(m.person_id, m.shared_address) for m in decision.matches}
    assert flags == {("c1", True), ("c2", True), ("k1", False)}


def test_a_profile_is_blocked_where_one_that_is_merged_with_it_shares_an_address() -> None:
    merged = replace(CONTACT, merged_into="c3", merged_keys=COLLEAGUE.keys)
    sent = mail("contact@client.example")
    assert decide(sent, [merged, USER]) == Dismiss(DismissalReason.BLOCKED)
    assert verdicts(sent, [merged, USER])["contact@client.example"] == "blocked"
    decision = decide(sent, [merged, GUEST])
    assert isinstance(decision, Attach)
    assert [match.person_id for match in decision.matches] == ["k1"], "whose address it is"
    # It matches by its own addresses; the others match whose they are.
    assert decide(mail("only@c3.example"), [merged]) == Dismiss(DismissalReason.NO_MATCH)


def test_a_blocked_profile_does_not_make_an_address_shared() -> None:
    blocked = person("c4", "candidate", "cand@mail.example", "user@team.example")
    decision = decided(mail("cand@mail.example"), [USER, CANDIDATE, blocked])
    assert isinstance(decision, Attach)
    assert [(m.person_id, m.shared_address) for m in decision.matches] == [("c1", False)]


def test_a_match_names_the_weightiest_role_of_each_address() -> None:
    participants = [
        Participant("cand@mail.example", Role.FROM),
        Participant("cand@mail.example", Role.REPLY_TO),
        Participant("cand@work.example", Role.CC),
    ]
    decision = decided(participants, [CANDIDATE])
    assert isinstance(decision, Attach)
    assert [(m.address, m.role) for m in decision.matches] == [
        ("cand@mail.example", Role.FROM),
        ("cand@work.example", Role.CC),
    ]


@pytest.mark.cost
def test_thousands_of_profiles_in_one_mail_take_linear_time() -> None:
    def deciding(size: int) -> Callable[[], object]:
        people = [person(f"c{n:05}", "candidate", f"c{n}@x.example") for n in range(size)]
        participants = mail(*(f"c{n}@x.example" for n in range(size)))
        decision = decide(participants, people)
        assert isinstance(decision, Attach)
        assert len(decision.matches) == size
        return lambda: (decide(participants, people), verdicts(participants, people))

    assert growth(deciding, 1_500) < LINEAR


@pytest.mark.parametrize(
    ("sender", "direction"),
    [("user@home.example", "outbound"), ("cand@mail.example", "inbound")],
)
def test_outbound_is_what_a_user_sent(sender: str, direction: str) -> None:
    decision = decided(mail("contact@client.example", sender=sender), [USER, CONTACT, CANDIDATE])
    assert isinstance(decision, Attach)
    assert decision.direction is Direction(direction)


def test_a_profile_that_takes_no_part_is_not_attached_though_it_was_looked_up() -> None:
    """The look-up brings those who share another address with a match: they are no match."""
    twin = person("c2", "candidate", "cand@work.example")
    decision = decide(mail("cand@mail.example"), [CANDIDATE, twin])
    assert isinstance(decision, Attach)
    assert [match.person_id for match in decision.matches] == ["c1"]
    assert decide(mail("nobody@x.example"), [CANDIDATE]) == Dismiss(DismissalReason.NO_MATCH)


def test_matches_are_in_the_order_of_the_mail_then_of_the_ids() -> None:
    decision = decide(
        mail("contact@client.example", "cand@mail.example"), [TWIN, CANDIDATE, CONTACT]
    )
    assert isinstance(decision, Attach)
    assert [match.person_id for match in decision.matches] == ["k1", "c1", "c2"]


def test_a_match_says_where_its_address_was_found() -> None:
    found = Participant("cand@mail.example", Role.TO, Source.FORWARDED_BODY)
    decision = decide([found], [CANDIDATE])
    assert isinstance(decision, Attach)
    [match] = decision.matches
    assert match.source is Source.FORWARDED_BODY
    assert (match.kind, match.role) == (Kind.CANDIDATE, Role.TO)


@pytest.mark.parametrize(
    ("original", "direction"),
    [("user@home.example", "outbound"), ("cand@mail.example", "inbound")],
)
def test_of_a_forwarded_mail_the_original_sender_tells_the_direction(
    original: str, direction: str
) -> None:
    participants = [
        Participant("user@team.example", Role.FROM),
        Participant(original, Role.FROM, Source.FORWARDED_BODY),
        Participant("contact@client.example", Role.TO, Source.FORWARDED_BODY),
    ]
    decision = decide(participants, [USER, CANDIDATE, CONTACT])
    assert isinstance(decision, Attach)
    assert decision.direction is Direction(direction)


def test_a_user_among_the_recipients_makes_nothing_outbound() -> None:
    decision = decide(mail("user@team.example", sender="cand@mail.example"), [USER, CANDIDATE])
    assert isinstance(decision, Attach)
    assert decision.direction is Direction.INBOUND


@pytest.mark.parametrize(
    ("address", "people", "verdict"),
    [
        ("nobody@x.example", EVERYONE, "unknown"),
        ("contact@client.example", EVERYONE, "match"),
        ("user@team.example", EVERYONE, "user"),
        ("guest@x.example", EVERYONE, "guest"),
        ("vendor@x.example", EVERYONE, "vendor"),
        # Blocked through this address, or through another one of the profile's.
        ("user@home.example", EVERYONE, "blocked"),
        ("only@c3.example", EVERYONE, "blocked"),
        # One unblocked profile of several is a match.
        (
            "cand@mail.example",
            [*EVERYONE, person("c0", "candidate", "cand@mail.example", *USER.keys)],
            "match",
        ),
        ("cand@mail.example", [GUEST, CANDIDATE], "match"),
        # Of several kinds the user counts, whatever comes first.
        (
            "both@x.example",
            [person("g2", "guest", "both@x.example"), person("u9", "user", "both@x.example")],
            "user",
        ),
        (
            "both@x.example",
            [person("u9", "user", "both@x.example"), person("v2", "vendor", "both@x.example")],
            "user",
        ),
        ("cand@mail.example", [GUEST], "guest"),
        *(
            ("cand@mail.example", [*others, person("u9", "user", "cand@mail.example")], "user")
            for others in ([GUEST], [VENDOR], [GUEST, VENDOR])
        ),
    ],
)
def test_what_an_address_meant_is_told(address: str, people: list[Person], verdict: str) -> None:
    """What `/v1/explain` shows for each address."""
    others = [Participant("other@x.example", Role.CC)]
    told = verdicts([Participant(address, Role.TO), *others], iter(people))
    assert told == {address: verdict, "other@x.example": "unknown"}


@pytest.mark.parametrize(
    "participants",
    [
        mail("cand@mail.example", "counsel@law.example"),
        mail("cand@mail.example", sender="counsel@law.example"),
        mail("cand@mail.example", "a@mail.clinic.example"),
        mail("counsel@law.example"),
        mail("user@home.example", "counsel@law.example"),  # rule 3a comes before 5
        mail("user@team.example", "counsel@law.example", sender="user@home.example"),  # and 7
    ],
)
def test_a_list_keeps_a_mail_out_before_any_other_rule(participants: list[Participant]) -> None:
    people = knowledge(participants, EVERYONE)
    assert decide(participants, people) != NEVER
    assert decide(participants, people, LISTED) == Dismiss(DismissalReason.NEVER_CAPTURE)


def test_users_are_never_kept_out_and_profiles_are() -> None:
    participants = mail("cand@mail.example", sender="user@team.example")
    people = knowledge(participants, EVERYONE)
    users = never_capture_of(["user@team.example"], ["home.example"])
    assert decide(participants, people, users) == decide(participants, people)
    told = verdicts(participants, people, users)
    assert told == {"user@team.example": "user", "cand@mail.example": "match"}
    everybody = never_capture_of([], ["mail.example", "team.example"])
    assert decide(participants, people, everybody) == NEVER
    told = verdicts(participants, people, everybody)
    assert told == {"user@team.example": "user", "cand@mail.example": "never_capture"}


@pytest.mark.cost
def test_long_lists_and_many_participants_take_linear_time() -> None:
    def deciding(size: int) -> Callable[[], object]:
        participants = mail(*(f"a{n}@{'x.' * 20}mail{n}.example" for n in range(size)))
        never = never_capture_of(
            [f"b{n}@x.example" for n in range(size)], [f"no{n}.example" for n in range(size)]
        )
        return lambda: decide(participants, [], never)

    assert growth(deciding, 300) < LINEAR
