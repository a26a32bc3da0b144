"""Whatever lies in the dead-letter queue can be stored, told from others, and sent again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.admin.dead_letters.letter import (
    Settled,
    StoredLetter,
    letter_of,
    moment_in,
    stored_letter,
)
from services.timeline.admin.dead_letters.records import letter_in
from services.timeline.write.stored import to_document
from shared.broker import DeadLetter
from shared.broker.dead import read_dead_letter
from shared.contracts.capture_address import account_tag
from shared.contracts.event_examples import examples
from shared.contracts.events import MAX_EVENT_BYTES, MailAttached, MailReceived

AT, KEPT = datetime(2026, 1, 15, tzinfo=UTC), timedelta(days=14)
OURS = [f"x-satchel-{name}" for name in ("reason", "detail", "queue", "key", "replays")]
OURS += ["event", "x-death", "x-first-death-queue", "x-first-death-reason"]

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
said = plain | st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain, max_size=2)
values = said | st.binary(max_size=20)
events = st.builds(
    json.dumps,
    st.dictionaries(
        st.sampled_from(["account", "account_tag", "capture_id", "blob_key", "size", "x"]),
        said,
    ),
)
headers = st.dictionaries(st.sampled_from(OURS) | st.text(max_size=3), values | events, max_size=6)


def through_the_database(letter: StoredLetter) -> StoredLetter:
    options = CodecOptions[dict[str, Any]](tz_aware=True)
    return letter_in(bson.decode(bson.encode(to_document(letter)), options))


@given(tag=values, key=values, headers=headers, body=st.binary())
def test_whatever_it_is_it_can_be_stored_and_sent_again(
    tag: object, key: object, headers: dict[str, object], body: bytes
) -> None:
    letter = read_dead_letter(tag, key, headers, body)
    stored = stored_letter(letter, AT, KEPT)
    assert through_the_database(stored) == stored
    again = letter_of(through_the_database(stored), body)
    assert again == letter
    assert stored_letter(again, AT, KEPT) == stored
    sent = again.headers_again()
    assert sent["x-satchel-replays"] == letter.replays + 1
    died_again = read_dead_letter(letter.tag, letter.key, {**headers, **sent}, body)
    assert stored_letter(died_again, AT, KEPT).id != stored.id


@pytest.mark.parametrize("replays", [0, 10**6, 2**31 - 1, 2**31, 2**70, -1, True, "7", None])
def test_one_that_dies_again_is_never_taken_for_the_one_before(replays: object) -> None:
    first = read_dead_letter("t", "k", {"x-satchel-replays": replays}, b"")
    again = read_dead_letter("t", "k", first.headers_again(), b"")
    kept = stored_letter(first, AT, KEPT)
    assert through_the_database(kept) == kept
    assert stored_letter(again, AT, KEPT).id != kept.id


@given(replays=st.integers(0, 9), body=st.binary(max_size=99), event=st.none() | st.text())
def test_what_is_written_is_read_as_it_was(replays: int, body: bytes, event: str | None) -> None:
    fields: dict[str, Any] = {"key": "k", "queue": "q", "reason": "r", "detail": "d"}
    letter = DeadLetter(tag="t", event=event, body=body, replays=replays, **fields)
    assert read_dead_letter("t", "t", letter.headers(), body) == letter


def test_what_the_broker_gave_up_on_says_so_itself() -> None:
    event = examples()[MailReceived.tag]
    death = {"reason": "delivery_limit", "queue": "q", "count": 1, "routing-keys": [event.tag]}
    given_up = {
        "event": event.encode(),
        "x-death": [death],
        "x-first-death-queue": "matcher.received.v1",
        "x-first-death-reason": "delivery_limit",
        "x-satchel-replays": 2,
    }
    letter = read_dead_letter(event.tag, event.tag, given_up, b"")
    assert (letter.reason, letter.queue) == ("delivery_limit", "matcher.received.v1")
    assert (letter.key, letter.event, letter.replays) == (event.tag, event.encode(), 2)


def stored(event: str, body: bytes = b"") -> StoredLetter:
    return stored_letter(read_dead_letter("t", "k", {"event": event}, body), AT, KEPT)


def test_an_event_says_whose_it_is() -> None:
    received, attached = (examples()[tag] for tag in (MailReceived.tag, MailAttached.tag))
    assert isinstance(received, MailReceived)
    assert isinstance(attached, MailAttached)
    by_tag, by_name = stored(received.encode()), stored(attached.encode())
    assert (by_tag.account, by_tag.account_tag) == (None, received.account_tag)
    assert (by_name.account, by_name.account_tag) == (
        attached.account,
        account_tag(attached.account),
    )
    assert by_tag.capture_id == str(received.capture_id)


def test_so_does_one_of_a_version_that_is_not_known_yet() -> None:
    text = '{"capture_id": "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f", "account": "acme", "new": {}}'
    told = stored(text)
    assert told.account == "acme"
    assert told.capture_id == "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f"


@pytest.mark.parametrize(
    "key",
    ["mails/acme/x", "claims/../mails/acme/x", "claims/", "claims/" + "a" * 36 + "/x", 5, None],
)
def test_no_event_names_a_blob_that_is_no_claim(key: object) -> None:
    assert stored(json.dumps({"blob_key": key, "size": 5}), b"xx").claim is None


def test_a_claimed_mail_has_the_size_that_the_event_says() -> None:
    claim = "claims/019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f.1.2"
    told = stored(json.dumps({"blob_key": claim, "size": 300_000}))
    assert (told.claim, told.size, told.body_key) == (claim, 300_000, None)


@pytest.mark.parametrize("size", [True, -1, 2**53, 2.5, "5"])
def test_a_size_that_is_none_is_not_believed(size: object) -> None:
    claim = "claims/019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f"
    told = through_the_database(stored(json.dumps({"blob_key": claim, "size": size}), b"four"))
    assert told.size == (1 if size is True else 4)


def test_a_timeline_of_the_version_before_finds_every_field_that_it_expects() -> None:
    nothing = to_document(stored_letter(read_dead_letter("", "", {}, b""), AT, KEPT))
    assert nothing.keys() - {"trace"} == {
        *("_id", "account_tag", "account", "capture_id", "tag", "event", "key", "queue"),
        *("reason", "detail", "replays", "size", "at", "expires_at", "state", "body_key", "claim"),
    }


def test_one_that_the_version_before_has_settled_is_read() -> None:
    document = to_document(stored("{}", b"body")) | {
        **{"state": "dropped", "by": "op", "why": "spam", "settled_at": AT},
        "trace": {},
    }
    for gone in ("event", "detail", "body_key", "claim"):
        del document[gone]
    letter = letter_in(document)
    assert letter.settled == Settled("op", AT, "spam")
    assert (letter.event, letter.detail, letter.body_key, letter.claim) == (None, "", None, None)
    assert stored("{}").settled is None


def test_an_event_that_is_too_large_to_travel_is_cut() -> None:
    letter = read_dead_letter("t", "k", {"event": "\u00fc" * MAX_EVENT_BYTES}, b"")
    assert len(str(letter.headers()["event"]).encode()) == MAX_EVENT_BYTES


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ({"received_at": "2026-01-15T00:00:00Z"}, AT),
        ({"told_at": "2026-01-15T00:00:00+00:00"}, AT),
        ({"received_at": "2026-01-15T00:00:00"}, None),
        ({"received_at": "never"}, None),
        ({"received_at": 12}, None),
        ({"received_at": ["x"]}, None),
        ({}, None),
        (["x"], None),
    ],
)
def test_when_a_message_was_received_is_read_if_it_says_so(
    said: object, moment: datetime | None
) -> None:
    letter = DeadLetter("x", json.dumps(said), b"", "x", "q", "why", "", 0)
    assert moment_in(letter) == moment
