"""A change that is not made yet gives what the directory gives once it is made."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from services.matcher.decision.decide import Person, decide
from services.matcher.decision.pending import PendingChange, with_change
from services.matcher.reading.participants import Participant
from shared.contracts.events import Kind, Role

IDS, ADDRESSES = [f"p{n}" for n in range(5)], [f"a{n}@x.example" for n in range(6)]


@dataclass(frozen=True)
class Stored:
    """A person as the directory stores them."""

    kind: Kind
    keys: frozenset[str]
    merged_into: str | None = None
    is_deleted: bool = False


Directory = dict[str, Stored]


def survivor(people: Directory, who: str) -> str:
    seen = {who}
    while (into := people[who].merged_into) is not None and into in people and into not in seen:
        seen.add(into)
        who = into
    return who


def group_of(people: Directory, who: str) -> list[str]:
    if who not in people:
        return []
    members = [one for one in people if survivor(people, one) == survivor(people, who)]
    return members if len(members) > 1 else []


def looked_up(people: Directory, keys: frozenset[str]) -> tuple[Person, ...]:
    """Return what a decision about addresses considers, as `Knowledge` reads it."""

    def holders(of: frozenset[str]) -> list[Person]:
        found = []
        for who, one in people.items():
            top = survivor(people, who)
            if not one.keys & of or (one.is_deleted and people[top].is_deleted):
                continue
            group = [k for k in people if survivor(people, k) == top]
            all_keys = frozenset().union(*(people[k].keys for k in group))
            addresses = () if one.is_deleted else tuple(sorted(one.keys))
            into = top if top != who else None
            rest = all_keys - one.keys if len(group) > 1 else frozenset[str]()
            found.append(Person(who, one.kind, who, addresses, one.keys, into, rest))
        return found

    people_found = holders(keys)
    profile_keys = frozenset().union(*(p.profile_keys for p in people_found if p.kind.is_profile))
    people_found += holders(profile_keys - keys)
    return tuple({person.person_id: person for person in people_found}.values())


def changed(people: Directory, change: PendingChange) -> Directory:
    """Make the change, as the directory does."""
    after, old = dict(people), people.get(change.person_id)
    if change.person is not None:
        into = old.merged_into if old else None
        after[change.person_id] = Stored(change.person.kind, change.person.keys, into)
    elif old is not None:
        keeps = old.merged_into is not None and old.kind.is_profile
        after[change.person_id] = replace(
            old, keys=old.keys if keeps else frozenset(), is_deleted=True
        )
    return after


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    people: Directory = {}
    for n, who in enumerate(IDS):
        if draw(st.booleans()):
            continue
        keys = frozenset(draw(st.lists(st.sampled_from(ADDRESSES), max_size=3)))
        before = [id_ for id_ in IDS[:n] if id_ in people]
        into = draw(st.sampled_from([None, None, *before]))
        kind = Kind.CANDIDATE if into else draw(st.sampled_from([Kind.CANDIDATE, Kind.USER]))
        is_deleted = into is not None and bool(keys) and draw(st.booleans())
        people[who] = Stored(kind, keys, into, is_deleted)
    return people


@st.composite
def changes(draw: st.DrawFn, people: Directory) -> PendingChange:
    who = draw(st.sampled_from([k for k in IDS if k not in people or not people[k].is_deleted]))
    if draw(st.booleans()):
        return PendingChange(who, None)
    keys = frozenset(draw(st.lists(st.sampled_from(ADDRESSES), max_size=3)))
    kind = draw(st.sampled_from([Kind.CANDIDATE, Kind.USER, Kind.GUEST]))
    return PendingChange(who, Person(who, kind, who, tuple(sorted(keys)), keys))


@given(st.data())
def test_a_pending_change_gives_what_the_directory_gives_once_it_is_made(
    data: st.DataObject,
) -> None:
    people = data.draw(directories())
    change = data.draw(changes(people))
    named = data.draw(st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=3, unique=True))
    taking_part = [Participant(address, Role.TO) for address in named]
    old = people.get(change.person_id)
    keys = frozenset(named) | (old.keys if old else frozenset())
    keys |= change.person.keys if change.person else frozenset()
    members = group_of(people, change.person_id)
    keys = keys.union(*(people[who].keys for who in members))
    top = survivor(people, change.person_id) if members else None
    foreseen = decide(taking_part, with_change(looked_up(people, keys), change, top))
    after = looked_up(changed(people, change), frozenset(named))
    assert foreseen == decide(taking_part, after)
