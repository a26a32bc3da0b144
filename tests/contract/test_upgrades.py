"""What earlier versions wrote is read; what may never change in place has not."""

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.generate import ROOT
from dev.record_release import record
from shared.contracts.events import EVENTS, decode_event
from shared.contracts.topology import QUEUES
from tests.old_recordings import OLD, OldEvent, old_events, old_schemas, old_topologies
from tests.schema_changes import Schema, changes

EVENTS_THEN = list(old_events())
SCHEMAS_THEN = list(old_schemas())
BEFORE_THE_FIRST = {"2026-11-24T1128", "2026-11-24T1253"}
"""Declared before anything was deployed, with another delivery limit: nobody has such queues."""


def schema_of(tag: str) -> Schema:
    schema: Schema = json.loads((ROOT / f"shared/contracts/schemas/{tag}.json").read_text())
    return schema


def test_every_event_has_been_recorded() -> None:
    assert {event.tag for event in EVENTS_THEN} == EVENTS.keys()
    assert {tag for tag, _ in SCHEMAS_THEN} == EVENTS.keys()


@pytest.mark.parametrize("old", EVENTS_THEN, ids=str)
def test_an_event_of_an_earlier_version_is_read_and_says_the_same(old: OldEvent) -> None:
    said, written = json.loads(old.text), json.loads(decode_event(old.tag, old.text).encode())
    assert kept(said, written) == said


def kept(said: Any, written: Any) -> Any:
    """Return of what is written now what was said then: defaults may have come."""
    if isinstance(said, dict):
        return {name: kept(value, written.get(name)) for name, value in said.items()}
    if isinstance(said, list):
        return [kept(*pair) for pair in zip(said, written, strict=True)]
    return written


@pytest.mark.parametrize("old", EVENTS_THEN, ids=str)
def test_what_a_later_version_adds_is_ignored(old: OldEvent) -> None:
    later = json.loads(old.text)
    for place in (later, *later.get("matches", []), later.get("authentication", {})):
        place["later"] = {"a": [1]}
    assert decode_event(old.tag, json.dumps(later)) == decode_event(old.tag, old.text)


@pytest.mark.parametrize(("tag", "then"), SCHEMAS_THEN)
def test_a_field_is_only_ever_added_as_optional(tag: str, then: Schema) -> None:
    assert changes(then, schema_of(tag)) == []


def _gone(s: Schema) -> None:
    del s["properties"]["owner"]


def _renamed(s: Schema) -> None:
    s["properties"]["received"] = s["properties"].pop("received_at")


def _added_as_required(s: Schema) -> None:
    s["properties"]["tenant"] = {"type": "string"}
    s["required"].append("tenant")


def _made_required(s: Schema) -> None:
    s["required"].append("part")


def _another_type(s: Schema) -> None:
    s["properties"]["size"]["type"] = "string"


def _fewer_words(s: Schema) -> None:
    s["$defs"]["Role"]["enum"].remove("sender")


def _null_no_more(s: Schema) -> None:
    s["properties"]["blob_key"] = {"type": "string", "default": None}


def _a_limit(s: Schema) -> None:
    s["properties"]["matches"]["maxItems"] = 10


def _a_higher_minimum(s: Schema) -> None:
    s["properties"]["size"]["minimum"] = 1


def _a_pattern(s: Schema) -> None:
    s["properties"]["capture_address"]["pattern"] = "^[a-z]+$"


def _another_default(s: Schema) -> None:
    s["properties"]["parts"]["default"] = 2


def _inside(s: Schema) -> None:
    del s["$defs"]["Match"]["properties"]["source"]


@pytest.mark.parametrize(
    "breaks",
    [
        _gone,
        _renamed,
        _added_as_required,
        _made_required,
        _another_type,
        _fewer_words,
        _null_no_more,
        _a_limit,
        _a_higher_minimum,
        _a_pattern,
        _another_default,
        _inside,
    ],
    ids=lambda breaks: str(breaks.__name__).strip("_"),
)
def test_a_change_in_place_is_seen(breaks: Callable[[Schema], None]) -> None:
    now = schema_of("mail.attached.v1")
    broken = copy.deepcopy(now)
    breaks(broken)
    assert changes(now, now) == []
    assert changes(now, broken) != []


def test_an_optional_field_and_a_new_word_are_no_change() -> None:
    now = schema_of("mail.attached.v1")
    later = copy.deepcopy(now)
    later["properties"]["later"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    later["$defs"]["Role"]["enum"].append("list")
    assert changes(now, later) == []


@pytest.mark.parametrize("date", sorted(old_topologies().keys() - BEFORE_THE_FIRST))
def test_a_queue_never_gets_other_arguments_under_its_name(date: str) -> None:
    today = {queue.name: queue for queue in QUEUES}
    for queue in old_topologies()[date]["queues"]:
        assert queue["name"] in today, "a queue that is used no more is named in docs/upgrades.md"
        assert queue["arguments"] == today[queue["name"]].arguments, queue["name"]


def test_a_release_is_recorded_once_and_nothing_that_was_recorded_is_touched(
    tmp_path: Path,
) -> None:
    shutil.copytree(OLD, tmp_path / "old")
    then = {path: path.read_bytes() for path in (tmp_path / "old").rglob("*.json")}
    record(tmp_path / "old", "2099-01-01T0000")
    assert record(tmp_path / "old", "2099-01-02T0000") == []
    assert {path: path.read_bytes() for path in then} == then
    anew = record(tmp_path / "empty", "2099-01-01T0000")
    assert {path.parent.name for path in anew} == {"topologies", *EVENTS}
