"""Merges and what hides mail, together and in any order: what a rebuild from scratch shows.

In the rebuild the matches were those of the profiles that survive from the beginning, hidden ones
were never made, and those that a mail was removed from are of people that no test asks for.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.query.hiding import Hidden, Standing, hidden_of
from services.timeline.query.merges import merged_profiles
from services.timeline.query.viewer import Viewer
from services.timeline.write.audiences import View, as_ruled, profile_dates, views
from services.timeline.write.people import person_document
from services.timeline.write.records import Capture, Mail, MatchRecord
from services.timeline.write.stored import from_document
from shared.contracts.events import Kind
from tests.holders_of_ids import ACCOUNT, Id, Told, is_seen, survivor
from tests.record_parts import capture_record, match_record

PROFILES, USERS = ("c0", "c1", "c2", "c3"), ("u1", "u2")
ADDRESSES = [f"{name}@mail.example" for name in "abcde"]
KINDS = (Kind.CANDIDATE, Kind.CANDIDATE, Kind.CONTACT, Kind.USER, Kind.GUEST)
VIEWERS = [
    *(Viewer(ACCOUNT, owner, own_only) for owner in USERS for own_only in (False, True)),
    Viewer(ACCOUNT, "u9"),
]


@dataclass
class World:
    """The directory, what it told in any order, and the mails that were captured."""

    ids: dict[str, Id] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    def group(self, person_id: str) -> set[str]:
        shows = survivor(person_id, self.ids)
        return {one for one in self.ids if survivor(one, self.ids) == shows}

    @property
    def known(self) -> Hidden:
        newest: dict[str, Told] = {}
        for event in self.told:
            if event.person_id not in newest or newest[event.person_id].version < event.version:
                newest[event.person_id] = event
        documents = map(person_document, newest.values())
        people = [from_document(Standing, document) for document in documents]
        users = {key for one in people if one.kind == Kind.USER for key in one.keys or ()}
        return hidden_of(ACCOUNT, people, users)


def change(chance: random.Random, world: World, one: Id) -> None:
    """Change somebody of the directory, in any way."""
    who, other = one.person_id, world.ids[chance.choice(PROFILES)]
    match chance.choice(("put", "put", "delete", "merge", "merge", "undo")):
        case "put":
            kind = Kind.USER if who in USERS else chance.choice(KINDS)
            one.put(kind, chance.sample(ADDRESSES, chance.randrange(3)))
        case "delete":
            one.delete()
        case "merge":
            both = [one.living, other.living]
            are_profiles = all(person is not None and person.kind.is_profile for person in both)
            if are_profiles and one.merged_into is None and who not in world.group(other.person_id):
                one.merge(other.person_id)
        case "undo":
            if one.merged_into is not None:
                one.merge(None)


def capture(chance: random.Random, world: World, number: int) -> None:
    """Capture a mail, or one more content of the latest."""
    owner = chance.choice(USERS)
    matches = [
        replace(match_record(0, chance.choice((None, owner)), person_id=who), address=address)
        for who in PROFILES
        for address in sorted({key for life in world.ids[who].lives for key in life})
        if chance.random() < 0.4
    ]
    if not matches:
        return
    new = capture_record(number, owner, f"k{chance.randrange(2)}", number, matches)
    if world.mails and chance.random() < 0.4:
        mail = world.mails.pop()
        world.mails.append(replace(mail, captures=(*mail.captures, new)))
        return
    mail = Mail(id="m", account=ACCOUNT, message_id="1@x", token="t", captures=(new,))
    world.mails.append(mail)


def detach(chance: random.Random, world: World) -> None:
    """Remove the latest mail from a profile, with all that are merged into it, or put it back."""
    if world.mails:
        mail, group = world.mails.pop(), world.group(chance.choice(PROFILES))
        others = {*mail.detached} - group
        detached = others if chance.random() < 0.3 else others | group
        world.mails.append(replace(mail, detached=tuple(sorted(detached))))


def written(seed: int) -> World:
    """Let all this happen in any order; what is told comes in another, some of it twice or never:
    what changed before it could be told."""
    chance, world = random.Random(seed), World({who: Id(who) for who in PROFILES})
    for one in world.ids.values():
        one.put(Kind.CANDIDATE, chance.sample(ADDRESSES, 2))
    for number in range(chance.randrange(6, 30)):
        if (dice := chance.random()) < 0.65:
            who = chance.choice((*PROFILES, *PROFILES, *USERS))
            one = world.ids.setdefault(who, Id(who))
            for _ in range(chance.randrange(1, 5)):
                change(chance, world, one)
            if one.version and chance.random() < 0.7:
                world.told.append(one.told)
        elif dice < 0.9:
            capture(chance, world, number)
        elif dice < 0.96:
            detach(chance, world)
        elif world.mails:
            world.mails.append(replace(world.mails.pop(), private=(chance.choice(USERS),)))
    world.told += [one.told for one in world.ids.values() if one.version]
    world.told += chance.sample(world.told, len(world.told) // 3)
    chance.shuffle(world.told)
    return world


def rebuilt(mail: Mail, world: World) -> Mail:
    """Return the mail as if its matches had been the survivors', and hidden ones never made."""
    captures: list[Capture] = []
    for capture in mail.captures:
        on = [m for m in capture.matches if m.person_id not in mail.detached]
        seen = [m for m in on if is_seen(m.person_id, m.address, world.ids.values())]
        if on and not seen:
            continue
        kept = [
            replace(m, person_id=survivor(m.person_id, world.ids))
            if m in seen
            else replace(m, person_id=f"gone-{survivor(m.person_id, world.ids)}")
            for m in capture.matches
            if m in seen or m not in on
        ]
        captures.append(replace(capture, matches=tuple(kept)))
    return replace(mail, captures=tuple(captures), detached=())


def is_there(person_id: str) -> bool:
    return not person_id.startswith("gone-")


def without_gone(found: dict[str, View]) -> dict[str, tuple[object, ...]]:
    return {
        audience: (one.content, one.date, [p for p in one.persons if is_there(p.person_id)])
        for audience, one in found.items()
    }


def pairs(matches: Iterable[MatchRecord]) -> list[tuple[str, str]]:
    return sorted((m.person_id, m.address) for m in matches if is_there(m.person_id))


def in_short(captures: Sequence[Capture]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        (one.owner, one.content, sorted({*pairs(m for m in one.matches if not m.detached)}))
        for one in captures
    ]


@given(st.integers(0, 2**32))
def test_any_order_of_all_changes_shows_what_a_rebuild_from_scratch_shows(seed: int) -> None:
    world = written(seed)
    known = world.known
    for mail in world.mails:
        again = rebuilt(mail, world)
        shown, expected = Viewer(ACCOUNT, "u1").knowing(known).shown(mail), as_ruled(again)
        assert without_gone(views(shown)) == without_gone(views(expected))
        dates = {key: date for key, date in profile_dates(expected).items() if is_there(key[1])}
        assert profile_dates(shown) == dates
        for unknowing in VIEWERS:
            viewer = unknowing.knowing(known)
            seen, of_rebuild = viewer.captures(mail), unknowing.captures(again)
            assert in_short(seen) == in_short(of_rebuild)
            assert pairs(viewer.matches(seen)) == pairs(unknowing.matches(of_rebuild))
            named = {m.person_id for m in unknowing.matches(of_rebuild)}
            removed = {one.removeprefix("gone-") for one in named if not is_there(one)}
            assert {*viewer.detached(seen)} == removed - named
            for profile in {survivor(one, world.ids) for one in PROFILES}:
                contents = [c.content for c in viewer.contents(mail, profile)]
                assert contents == [c.content for c in unknowing.contents(again, profile)]
                place = viewer.place_of(mail, profile, world.group(profile))
                assert not contents or place is not None


@given(st.integers(0, 2**32))
def test_what_rows_tell_without_a_look_at_the_mail_is_what_the_mail_tells(seed: int) -> None:
    world = written(seed)
    known = world.known
    for mail in world.mails:
        stored = views(as_ruled(mail))
        seen = views(known.merged(known.without(as_ruled(mail))))
        for audience, view in stored.items():
            if known.hides_all_of(view.persons) and not mail.detached:
                assert audience not in seen
            if not known.concerns(view.persons) and view.persons and not mail.detached:
                shown = merged_profiles(view.persons, known.survivors)
                assert shown == merged_profiles(seen[audience].persons, {})
                assert (seen[audience].content, seen[audience].date) == (view.content, view.date)


@given(st.integers(0, 2**32))
def test_all_that_are_shown_as_one_are_hidden_as_one(seed: int) -> None:
    world = written(seed)
    known = world.known
    for one in world.ids:
        shows = survivor(one, world.ids)
        assert known.survivors.get(one, one) == shows
        assert known.reasons.get(one) == known.reasons.get(shows)
