"""One grep for a capture's id shows its whole way, and one trace holds it together."""

import json
import re
import smtplib
import time
from typing import Any

import pytest

from dev.stack import Stack
from shared.storage.blob_keys import CLAIM_CHECK_BYTES
from tests.collector import Collector, SpanSeen
from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.test_dead_letters import Lost

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
Line = dict[str, Any]
Way = dict[str, list[str]]
SHOWN: Way = {"ingest": ["received"], "matcher": ["decided"], "timeline": ["projected"]}


def grep(stack: Stack, capture_id: str) -> list[Line]:
    found = [
        json.loads(line)
        for log in (stack.folder / "logs").glob("*.log")
        for line in log.read_text().splitlines()
        if capture_id in line
    ]
    assert all(line["capture_id"] == capture_id for line in found)
    return sorted(found, key=lambda line: str(line["timestamp"]))


def way(lines: list[Line]) -> Way:
    """Return what each service says, in its order; those of different services may cross."""
    services = ("ingest", "matcher", "timeline")
    return {s: [line["event"] for line in lines if line["service"] == s] for s in services}


def await_way(stack: Stack, capture_id: str, expected: Way) -> list[Line]:
    deadline = time.monotonic() + DEADLINE
    while way(lines := grep(stack, capture_id)) != expected:
        assert time.monotonic() < deadline, way(lines)
        time.sleep(0.05)
    assert len({line["trace_id"] for line in lines}) == 1
    return lines


def raw(account: Account, to: str, body: str = "The text.") -> bytes:
    account.sent += 1
    return (
        f"From: user@team.example\r\nTo: {to}\r\n"
        f"Message-ID: <{account.name}-way{account.sent}@x>\r\n"
        f"Date: Thu, 15 Jan 2026 09:00:00 +0000\r\nSubject: Way\r\n\r\n{body}\r\n"
    ).encode()


def upload(account: Account, mail: bytes, *headers: tuple[str, str], to: str | None = None) -> str:
    answer = account.client.request(
        "POST",
        "ingest",
        "/v1/mail",
        params={"recipient": to or account.capture},
        headers=[("Content-Type", "message/rfc822"), *headers],
        content=mail,
    )
    return str(answer.raise_for_status().json()["capture_id"])


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack)


def test_a_small_mail_by_smtp_is_three_lines_with_all_that_is_asked_next(account: Account) -> None:
    port = account.stack.endpoints.smtp_port
    with smtplib.SMTP("127.0.0.1", port) as session:
        session.ehlo()
        session.mail("e@x.example")
        session.rcpt(account.capture)
        answer = session.data(raw(account, "cand@mail.example"))[1].decode()
    received, *_, projected = await_way(account.stack, answer.split()[-1], SHOWN)
    assert received["door"] == "smtp"
    mail = account.client.timeline("c1")[0]
    assert projected["mail_id"] == mail["id"]
    assert projected["conversation_id"] == mail["conversation_id"]
    assert isinstance(projected["seconds"], float)


def test_a_large_mail_has_its_claim_besides(account: Account) -> None:
    body = "All the same line.\r\n" * (CLAIM_CHECK_BYTES // 15)
    capture = upload(account, raw(account, "cand@mail.example", body))
    expected = {
        "ingest": ["claim written", "received"],
        "matcher": ["decided"],
        "timeline": ["claim removed", "projected"],
    }
    await_way(account.stack, capture, expected)


def test_of_a_dismissed_mail_no_id_is_logged(account: Account) -> None:
    capture = upload(account, raw(account, "nobody@x.example"))
    decided, projected = await_way(account.stack, capture, SHOWN)[-2:]
    said = {**decided, **projected}
    assert (said["decision"], said["outcome"], said["profiles"]) == ("no_match", "dismissed", 0)
    assert (said["mail_id"], said["conversation_id"]) == (None, None)


def test_a_dead_letter_and_its_replay_are_the_same_way_and_trace(stack: Stack) -> None:
    lost = Lost(stack)
    mail = raw(lost.account, "cand@mail.example")
    parent = ("traceparent", f"00-{TRACE[::-1]}-{SPAN}-01")
    capture = upload(lost.account, mail, parent, ("tracestate", "a=1"), to=lost.address)
    dead = {
        "ingest": ["received"],
        "matcher": ["dead letter"],
        "timeline": ["dead letter stored"],
    }
    stored = await_way(stack, capture, dead)[-1]
    lost.restore()
    lost.replay(stored["dead_letter"])
    replayed = {
        "ingest": ["received"],
        "matcher": ["dead letter", "decided"],
        "timeline": ["dead letter stored", "dead letter replayed", "projected"],
    }
    lines = await_way(stack, capture, replayed)
    assert lines[0]["trace_id"] == TRACE[::-1]


@pytest.mark.parametrize(
    "headers",
    [
        [("traceparent", "garbage")],
        [("traceparent", f"ff-{TRACE}-{SPAN}-01")],
        [("traceparent", f"00-{'0' * 32}-{SPAN}-01")],
        [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("traceparent", f"00-{TRACE}-{SPAN}-01")],
        [("traceparent", f"00-{TRACE}-{SPAN}-01-" + "x" * 8_000)],
    ],
)
def test_what_is_no_trace_is_ignored_and_the_mail_goes_its_way(
    account: Account, headers: list[tuple[str, str]]
) -> None:
    capture = upload(account, raw(account, "cand@mail.example"), *headers)
    lines = await_way(account.stack, capture, SHOWN)
    assert re.fullmatch("[0-9a-f]{32}", lines[0]["trace_id"])
    assert lines[0]["trace_id"] != TRACE


def test_one_mail_is_one_trace_over_the_three_services(
    account: Account, collector: Collector
) -> None:
    headers = [("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "vendor=x")]
    capture = upload(account, raw(account, "cand@mail.example"), *headers)
    lines = await_way(account.stack, capture, SHOWN)
    assert lines[0]["trace_id"] == TRACE
    spans = {span.name: span for span in collector.await_spans(TRACE, 5)}
    chain = [
        ("satchel-ingest", "receive mail"),
        ("satchel-ingest", "send mail.received.v1"),
        ("satchel-matcher", "process matcher.received.v1"),
        ("satchel-matcher", "send mail.attached.v1"),
        ("satchel-timeline", "process timeline.outcomes.v1"),
    ]
    assert spans.keys() == {name for _, name in chain}
    parent_id = SPAN
    for service, name in chain:
        assert (spans[name].service, spans[name].parent_id) == (service, parent_id)
        parent_id = spans[name].span_id
    assert spans["process timeline.outcomes.v1"].facts["satchel.capture_id"] == capture
    assert spans["process timeline.outcomes.v1"].facts["satchel.outcome"] == "attached"


def test_no_span_holds_anything_of_a_mail(collector: Collector, account: Account) -> None:
    upload(account, raw(account, "cand@mail.example"))
    account.outcome()
    told = {
        "door",
        "size",
        "satchel.capture_id",
        "satchel.decision",
        "satchel.outcome",
        "satchel.settled",
    }
    spans: list[SpanSeen] = collector.spans()
    assert {name for span in spans for name in span.facts} <= told
    assert all("@" not in value for span in spans for value in [span.name, *span.facts.values()])
    assert {(span.events, span.status) for span in spans} == {(0, "")}
    assert collector.strays == []
