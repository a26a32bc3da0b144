"""Live updates: over real HTTP, from whichever replica, resumed and ended as a client needs it."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

import httpx
import pytest

from dev.stack import Stack
from shared.http.auth import sign
from tests.deadline import DEADLINE
from tests.e2e.account import Account
from tests.e2e.listening import Event, Listening


class Stream:
    """A streaming fetch of /v1/events, read by a thread."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._events: Queue[Event | None] = Queue()
        self._url, self._headers = url, headers
        self.last_id = ""
        threading.Thread(target=self._read, daemon=True).start()
        ready = self.next()
        assert ready is not None
        assert ready.kind == "ready"

    def next(self) -> Event | None:
        """Return the next event, None at the end of the stream."""
        return self._events.get(timeout=DEADLINE)

    def silent(self, seconds: float = 1.5) -> bool:
        """Return whether nothing comes for a while."""
        try:
            return self._events.get(timeout=seconds) is None
        except Empty:
            return True

    def _read(self) -> None:
        try:
            with httpx.stream("GET", self._url, headers=self._headers, timeout=3600) as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                listening = Listening(response)
                while True:
                    event = listening.next()
                    self.last_id = listening.last_id
                    self._events.put(event)
        except (httpx.HTTPError, EOFError):
            self._events.put(None)


@contextmanager
def listening(
    account: Account,
    person: str = "u1",
    *,
    replica: int = 0,
    last_id: str | None = None,
    seconds: int = 600,
) -> Iterator[Stream]:
    token = sign(
        account.stack.token_secret,
        issuer=account.stack.environment.get("TOKEN_ISSUER", "satchel"),
        account=account.name,
        person_id=person,
        scope="timeline:read",
        expires_at=int(time.time()) + seconds,
    )
    port = account.stack.endpoints_of(replica).timeline_port
    headers = {"Authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    yield Stream(f"http://127.0.0.1:{port}/v1/events", headers)


def next_conversation(stream: Stream) -> str:
    event = stream.next()
    while event is not None and event.kind == "refetch":
        event = stream.next()
    assert event is not None
    assert event.kind == "changed"
    assert event.conversation_id is not None
    return event.conversation_id


@pytest.mark.parametrize("replica", [0, 1])
def test_whoever_listens_hears_of_a_new_mail_from_either_replica(
    account: Account, replica: int
) -> None:
    with listening(account, replica=replica) as stream:
        for _ in range(4):
            account.send("cand@mail.example")
        heard = {next_conversation(stream) for _ in range(4)}
        shown = account.client.json("GET", "timeline", "/v1/inbox")["items"]
        assert heard == {conversation["id"] for conversation in shown}


def test_what_was_missed_is_told_on_reconnecting(account: Account) -> None:
    with listening(account) as stream:
        account.send("cand@mail.example")
        first = next_conversation(stream)
        last_id = stream.last_id
    account.send("cand@mail.example")
    account.outcome()
    with listening(account, replica=1, last_id=last_id) as stream:
        heard = next_conversation(stream)
        while heard == first:  # some are told twice
            heard = next_conversation(stream)


def test_an_id_that_is_too_old_or_none_of_ours_means_fetch_everything(account: Account) -> None:
    for last_id in ("nonsense", "0" * 24):
        with listening(account, last_id=last_id) as stream:
            event = stream.next()
            assert event is not None
            assert event.kind == "refetch"


def test_others_hear_nothing(account: Account, stack: Stack) -> None:
    other = Account(stack)
    with listening(other) as stream:
        account.send("cand@mail.example")
        account.outcome()
        assert stream.silent()


def test_it_ends_when_the_token_expires(account: Account) -> None:
    with listening(account, seconds=5) as stream:
        assert stream.next() is None


def test_it_ends_at_once_when_the_service_stops(account: Account) -> None:
    replica = account.stack.of("timeline")[1]
    with listening(account, replica=1) as stream:
        os.kill(replica.process.pid, signal.SIGTERM)
        try:
            assert stream.next() is None
            assert replica.process.wait(DEADLINE) == 0
        finally:
            replica.start()
            replica.await_ready()
