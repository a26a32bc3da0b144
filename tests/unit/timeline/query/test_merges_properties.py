"""Captures, merges, undoings and rulings in any order: what a rebuild from scratch shows.

In the rebuild the matches were those of the profiles that survive from the beginning, and those
that a mail was removed from are of people that no test asks for.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.timeline.content.reader import read
from services.timeline.query.hiding import Hidden
from services.timeline.query.merges import merged_profiles, survivor_of
from services.timeline.query.viewer import Viewer
from services.timeline.write.listed_records import ProfileRow, SummaryRow
from services.timeline.write.projection import project
from services.timeline.write.records import Mail
from services.timeline.write.requests import Attach
from tests.capture_cases import OWNERS, Case, cases
from tests.memory_timeline import Memory, canonical_names
from tests.write_parts import ACCOUNT, detach, hide

PEOPLE = ("c0", "c1", "c2")
VIEWERS = [
    *(Viewer(ACCOUNT, owner, own_only) for owner in OWNERS for own_only in (False, True)),
    Viewer(ACCOUNT, "u9"),
]


@dataclass
class Model:
    """What was captured and ruled of each mail, and the merges that stand."""

    captured: list[Attach] = field(default_factory=list)
    detached: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    private: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    edges: dict[str, str] = field(default_factory=dict)

    def group(self, person: str) -> tuple[str, ...]:
        survivor = survivor_of(self.edges, person)
        others = [one for one in PEOPLE if survivor_of(self.edges, one) == survivor]
        return survivor, *(one for one in others if one != survivor)

    def survivors(self) -> dict[str, str]:
        found = {one: survivor_of(self.edges, one) for one in PEOPLE}
        return {one: survivor for one, survivor in found.items() if one != survivor}

    def of_mail(self, id_: str) -> list[Attach]:
        return [one for one in self.captured if one.projection.mail_id == id_]


def step(chance: random.Random, model: Model, memory: Memory, mails: list[str]) -> None:
    """Merge, undo a merge, or rule about a mail."""
    kind, mail_id = (
        chance.choice(("merge", "merge", "undo", "detach", "hide")),
        chance.choice(mails),
    )
    person, other = chance.sample(PEOPLE, 2)
    undo, of_mail = chance.random() < 0.3, model.of_mail(mail_id)
    match kind:
        case "merge":
            if person not in model.edges and survivor_of(model.edges, other) != person:
                model.edges[person] = other
        case "undo":
            model.edges.pop(person, None)
        case "detach":
            survivor, *merged = model.group(person)
            request = replace(detach(mail_id, survivor, undo=undo), merged=tuple(merged))
            named = {m.person_id for one in of_mail for m in one.event.matches}
            if named & {survivor, *merged}:
                change = set.difference_update if undo else set.update
                change(model.detached[mail_id], {survivor, *merged})
            memory.write(request)
        case "hide":
            who = chance.choice(OWNERS)
            if who in {one.event.owner for one in of_mail}:
                change = set.difference_update if undo else set.update
                change(model.private[mail_id], {who})
            memory.write(hide(mail_id, who=who, undo=undo))


def written(case: Case, seed: int) -> tuple[Memory, Model]:
    """Write a case, and merges and rulings among it."""
    chance, model = random.Random(seed), Model()
    requests = [
        request for letter in case.letters if not letter.waits for request in letter.requests
    ]
    requests += chance.sample(requests, len(requests) // 3)
    chance.shuffle(requests)
    memory = Memory(seed=chance.randrange(1000))
    mails = sorted({letter.mail_id for letter in case.letters})
    for request in requests:
        memory.write(request)
        model.captured.append(request)
        while chance.random() < 0.6:
            step(chance, model, memory, mails)
    return memory, model


def rebuilt(model: Model) -> Memory:
    """Return what is kept where all matches were made for who survives."""
    memory, survivors = Memory(), model.survivors()
    for request in model.captured:
        gone = model.detached[request.projection.mail_id]
        event = request.event.model_copy(
            update={
                "matches": tuple(
                    m.model_copy(
                        update={
                            "person_id": f"gone-{m.person_id}"
                            if m.person_id in gone
                            else survivors.get(m.person_id, m.person_id)
                        }
                    )
                    for m in request.event.matches
                )
            }
        )
        projection = project(event, read(request.raw), request.raw)
        memory.write(replace(request, event=event, projection=projection))
    for mail_id, owners in model.private.items():
        for owner in owners:
            memory.write(hide(mail_id, who=owner))
    return memory


def timeline(memory: Memory, viewer: Viewer, people: tuple[str, ...]) -> list[ProfileRow]:
    rows = [
        row
        for row in memory.all(ProfileRow)
        if row.audience in viewer.audiences and row.person_id in people
    ]
    return sorted(rows, key=lambda row: (row.date, row.mail_id), reverse=True)


def inbox(memory: Memory, survivors: dict[str, str]) -> dict[tuple[str, str], set[str]]:
    names = canonical_names(memory)
    return {
        (row.audience, names[row.account, row.conversation]): {
            person.person_id
            for person in merged_profiles(row.persons, survivors)
            if not person.person_id.startswith("gone-")
        }
        for row in memory.all(SummaryRow)
    }


def is_there(person: str) -> bool:
    return not person.startswith("gone-")


def shown(viewer: Viewer, mail: Mail) -> Iterator[object]:
    """Yield what a viewer sees of a mail, by its contents."""
    for content in {capture.content for capture in viewer.captures(mail)}:
        captures = [c for c in viewer.contents(mail) if c.content == content]
        matches = viewer.matches(captures)
        yield content, sorted({(m.person_id, m.address) for m in matches if is_there(m.person_id)})


@given(cases(accounts=(ACCOUNT,), max_mails=3, max_captures=8, extras=False), st.integers(0, 2**32))
def test_any_order_shows_what_a_rebuild_from_scratch_shows(case: Case, seed: int) -> None:
    memory, model = written(case, seed)
    again, survivors = rebuilt(model), model.survivors()
    mails = {one.id: one for one in memory.all(Mail)}
    of_rebuild = {one.id: one for one in again.all(Mail)}
    assert mails.keys() == of_rebuild.keys()
    assert inbox(memory, survivors) == inbox(again, {})
    for unknowing in VIEWERS:
        viewer = unknowing.knowing(Hidden(ACCOUNT, survivors=survivors))
        for profile in {*PEOPLE} - survivors.keys():
            group = model.group(profile)
            rows = timeline(memory, viewer, group)
            counted = [
                (row.date, row.mail_id)
                for row in rows
                if row.date == viewer.place_of(mails[row.mail_id], profile, group)
            ]
            expected = timeline(again, unknowing, (profile,))
            assert [*dict.fromkeys(counted)] == [(row.date, row.mail_id) for row in expected]
            for row in expected:
                one, other = mails[row.mail_id], of_rebuild[row.mail_id]
                assert viewer.contents(one, profile)[0].content == (
                    unknowing.contents(other, profile)[0].content
                )
        for id_, one in mails.items():
            other = of_rebuild[id_]
            assert sorted(shown(viewer, one)) == sorted(shown(unknowing, other))  # type: ignore[type-var]  # tuples
            named = {m.person_id for m in unknowing.matches(unknowing.captures(other))}
            removed = {name.removeprefix("gone-") for name in named if not is_there(name)}
            expected_removed = {survivors.get(name, name) for name in removed} - named
            assert {*viewer.detached(viewer.captures(one))} == expected_removed


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=8))
def test_every_member_of_a_group_has_one_survivor(pairs: list[tuple[str, str]]) -> None:
    edges = {one: into for one, into in pairs if one != into}  # cycles, too
    for one, into in edges.items():
        survivor = survivor_of(edges, one)
        assert survivor_of(edges, into) == survivor
        assert survivor_of(edges, survivor) == survivor
