"""Logs at DEBUG and exported traces tell nothing of a mail: not of one that is shown, dismissed,
refused, explained or looked for; and no token and no capture address."""

import smtplib
import time
from collections.abc import Callable, Iterator

import pytest

from dev.stack import Stack
from tests.collector import Collector
from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.test_forgotten import Secret

MAIL = {"Content-Type": "message/rfc822"}


def written(stack: Stack, collector: Collector) -> Iterator[tuple[str, bytes]]:
    """Yield what was logged and exported, with its place."""
    for log in sorted((stack.folder / "logs").glob("*.log")):
        yield log.name, log.read_bytes().lower()
    for body in [*collector.bodies]:
        yield "a trace", body.lower()


def found(stack: Stack, collector: Collector, words: list[str]) -> list[tuple[str, str]]:
    """Return which words stand where."""
    return [
        (word, place)
        for place, text in written(stack, collector)
        for word in words
        if word.lower().encode() in text
    ]


def until(what: str, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.mark.parametrize("large", [False, True], ids=["small", "claim"])
def test_of_mails_of_every_fate_nothing_is_logged_or_exported(
    account: Account, collector: Collector, large: bool
) -> None:
    stack, client = account.stack, account.client
    shown, dismissed, explained, dead = (Secret(large=large) for _ in range(4))
    address = f"{shown.words[0]}@mail.example"
    client.put_person("c2", "candidate", shown.words[1], [address])
    raw = shown.raw.replace(b"To: ", f"To: <{address}>, ".encode(), 1)
    client.send(shown.sender, [account.capture], raw)
    client.upload(account.capture, dismissed.raw).raise_for_status()
    until("shown", lambda: bool(client.timeline("c2")))
    client.request("POST", "matcher", "/v1/explain", content=explained.raw, headers=MAIL)
    refused = [f"x{account.capture}", f"{dead.words[0]}@in.satchel.test"]
    for recipient in refused:
        with pytest.raises(smtplib.SMTPException):
            client.send(dead.sender, [recipient], dead.raw)
        client.upload(recipient, dead.raw)
    looked_for = Secret(large=False).words[:8]
    [mail] = client.timeline("c2")
    for service, path, params in (
        ("timeline", "/v1/inbox", {"q": looked_for[0]}),
        ("timeline", f"/v1/mails/{looked_for[1]}", {}),
        ("timeline", f"/v1/mails/{mail['id']}/raw", {}),
        ("timeline", f"/v1/mails/{mail['id']}/images", {"url": f"https://{looked_for[2]}.test/"}),
        ("timeline", f"/v1/captures/{looked_for[3]}", {}),
        ("matcher", "/v1/people", {"address": f"{looked_for[4]}@mail.example"}),
        ("matcher", f"/v1/{looked_for[5]}", {}),
    ):
        client.request("GET", service, path, params=params)
    client.request(
        "GET", "timeline", "/v1/inbox", headers={"Authorization": f"Bearer {looked_for[6]}"}
    )
    client.request("PUT", "matcher", "/v1/people/c3", json={"name": looked_for[7]})

    trace = "4bf92f3577b34da6a3ce929d0e0e9999"
    last = client.request(
        "POST",
        "ingest",
        "/v1/mail",
        params={"recipient": account.capture},
        headers={**MAIL, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
        content=dismissed.raw,
    ).raise_for_status()
    collector.await_spans(trace, 5)  # what was exported before this has come as well
    capture_id = str(last.json()["capture_id"])
    assert found(stack, collector, [capture_id]), "what is looked through is what is written"

    secret = [word for one in (shown, dismissed, explained, dead) for word in one.words]
    told = [*secret, address, *looked_for, account.capture, *refused]
    token = client.request("GET", "timeline", "/v1/inbox").request.headers["Authorization"]
    told.append(token.removeprefix("Bearer "))
    assert found(stack, collector, told) == []
