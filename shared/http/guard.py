"""Limits on idle and slow HTTP connections.

uvicorn waits for a request's head and body without a limit. Here

* a head has to be complete HEAD_SECONDS after its first byte, or after the connection was made;
* a body has to arrive at MIN_RATE bytes a second, averaged over BODY_SECONDS;
* above MAX_CONNECTIONS a new connection is closed.

None of this applies once the request is complete, so an event stream is never cut off.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.http.codes import Code
from shared.http.problems import Problem, problem_response
from shared.http.request_id import HEADER, answering, request_id_of

HEAD_SECONDS, BODY_SECONDS = 20.0, 60.0
MIN_RATE = 1000.0
"""Bytes a second."""
MAX_CONNECTIONS = 10_000


class GuardedProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._patience: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the minimum rate of a body is missed unless more arrives, by the loop's clock."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server does
        """Begin to wait for a head, if there is a place."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        self._wait(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes, and wait for the rest of what they belong to."""
        before = self.conn.their_state
        super().data_received(data)
        if self.transport.is_closing():
            return
        now, state = self.loop.time(), self.conn.their_state
        if state is h11.SEND_BODY:
            if before is not h11.SEND_BODY:
                self._due = now + BODY_SECONDS
            self._due = min(max(self._due, now) + len(data) / MIN_RATE, now + BODY_SECONDS)
            self._wait(self._due - now)
        elif state is h11.IDLE:  # a head has begun; its later bytes give it no more time
            if before is not h11.IDLE or self._patience is None:
                self._wait(HEAD_SECONDS)
        else:
            self._wait(None)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every other error is answered."""
        with answering(id_ := request_id_of([])):
            problem = Problem(Code.BAD_REQUEST, "the request is not valid HTTP/1.1")
            answer = problem_response(problem, {"Connection": "close", HEADER: id_})
        head = h11.Response(status_code=400, headers=answer.raw_headers, reason=b"Bad Request")
        for event in (head, h11.Data(data=bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _wait(self, seconds: float | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = None
        if seconds is not None:
            self._patience = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        if self.conn.their_state is h11.SEND_BODY and self.flow.read_paused:
            self._wait(BODY_SECONDS)  # it is the service that does not read
            return
        self.transport.abort()
