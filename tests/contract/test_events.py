"""The contracts between the services, as committed in `shared/contracts/schemas`."""

import json
from pathlib import Path

import jsonschema
import pytest

from dev.generate import ROOT, pages
from shared.contracts.event_examples import examples
from shared.contracts.events import (
    EVENTS,
    MAX_EVENT_BYTES,
    CaptureEvent,
    InvalidEvent,
    Kind,
    MailAttached,
    MailDismissed,
    Match,
    Role,
    decode_event,
)
from shared.contracts.topology import QUEUES

GENERATED = pages()


@pytest.mark.parametrize("path", GENERATED, ids=str)
def test_the_committed_page_is_what_the_code_says(path: Path) -> None:
    assert (ROOT / path).read_text() == GENERATED[path], "run `make schemas` and look at the diff"


@pytest.mark.parametrize("tag", EVENTS)
def test_the_committed_example_fits_its_schema_and_is_read(tag: str) -> None:
    schema = json.loads((ROOT / f"shared/contracts/schemas/{tag}.json").read_text())
    example = (ROOT / f"shared/contracts/schemas/{tag}.example.json").read_text()
    jsonschema.validate(json.loads(example), schema, cls=jsonschema.Draft202012Validator)
    assert decode_event(tag, example) == examples()[tag]


@pytest.mark.parametrize("key", [key for event in EVENTS.values() for key in event.routing_keys()])
def test_each_event_is_routed_to_exactly_one_queue(key: str) -> None:
    assert len([queue for queue in QUEUES if key in queue.keys]) == 1


def test_every_queue_says_all_its_arguments() -> None:
    needed = {"x-queue-type", "x-delivery-limit", "x-max-length-bytes", "x-overflow"}
    for queue in QUEUES:
        assert needed <= queue.arguments.keys()
        assert queue.arguments["x-overflow"] == "reject-publish"
        if queue.name != "dead.v1":
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"


def test_a_consumer_ignores_a_field_it_does_not_know() -> None:
    example = json.loads(examples()[MailAttached.tag].encode())
    example["later"] = 1
    example["matches"][0]["later"] = 2
    assert decode_event(MailAttached.tag, json.dumps(example)) == examples()[MailAttached.tag]


@pytest.mark.parametrize("tag", [tag for tag, e in EVENTS.items() if issubclass(e, CaptureEvent)])
def test_of_old_mail_an_event_says_so_and_of_live_mail_nothing(tag: str) -> None:
    example = examples()[tag]
    assert "backfill" not in example.encode()
    assert example.routing_key == tag
    old = example.model_copy(update={"backfill": True})
    assert decode_event(tag, old.encode()) == old
    assert old.routing_key == f"{tag}.backfill"


def test_a_producer_cannot_invent_a_field() -> None:
    example = examples()[MailDismissed.tag].model_dump()
    with pytest.raises(ValueError, match="later"):
        MailDismissed(**example | {"later": 1})


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (None, "{}"),
        ("mail.received.v9", "{}"),
        ("mail.received.v1", None),
        ("mail.received.v1", b"{}"),
        ("mail.received.v1", "no json"),
        ("mail.received.v1", "{}"),
        ("mail.received.v1", '{"capture_id": "secret@person.example"}'),
    ],
)
def test_what_is_no_event_is_refused_without_quoting_it(tag: str | None, text: object) -> None:
    with pytest.raises(InvalidEvent) as refused:
        decode_event(tag, text)
    assert "secret" not in str(refused.value)


def test_an_event_that_cannot_travel_is_refused_by_its_producer() -> None:
    match = Match(person_id="c1", kind=Kind.CANDIDATE, address="a@b.example", role=Role.TO)
    example = examples()[MailAttached.tag]
    assert isinstance(example, MailAttached)
    too_large = example.model_copy(update={"matches": (match,) * (MAX_EVENT_BYTES // 100)})
    with pytest.raises(InvalidEvent, match=r"is over 65536"):
        too_large.encode()
