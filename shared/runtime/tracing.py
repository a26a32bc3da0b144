"""Traces: the steps that belong together on a mail's way through the services.

* A trace begins where a mail comes in, or continues the caller's (W3C Trace Context,
  https://www.w3.org/TR/trace-context/). It travels in the headers `traceparent` and `tracestate` of
  every message on the mail's way, beside the event and never in it, dead letters and their replays
  included. It is carried whether or not it is recorded.
* Log lines within a step have the `trace_id`.
* The headers are read here, not by opentelemetry-api, because OpenTelemetry is imported only if a
  collector is configured, and traces are always carried (decision 28).
* Headers come from strangers: an invalid one is ignored, and a new trace begins.
* Steps are recorded only if `trace_export.py` has a collector to send them to. A step may contain a
  capture's id, a queue, a size, but never anything of a mail.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import structlog

PARENT, STATE = "traceparent", "tracestate"
"""The headers, in HTTP and AMQP alike."""
_MAX_STATE = 512
"""Characters. Section 3.3.1.5: at least so many should be propagated."""
_MAX_MEMBERS = 32
_IDS = "([0-9a-f]{32})-([0-9a-f]{16})"
_VALID_PARENT = re.compile(f"([0-9a-f]{{2}})-{_IDS}-([0-9a-f]{{2}})(-.{{0,200}})?", re.DOTALL)
_VALID_MEMBER = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}")

Kind = Literal["server", "producer", "consumer"]
Note = Callable[[str, str], None]
"""Adds what is known of a step at its end: a name and a value."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a trace: what the next step has as its parent."""

    parent: str
    """As `traceparent` has it, in version 00."""
    state: str = ""
    """As `tracestate` has it; other systems' own affair."""

    @property
    def trace_id(self) -> str:
        """The trace's id: 32 hexadecimal digits."""
        return self.parent[3:35]

    def headers(self) -> dict[str, str]:
        """Return the headers that carry the trace."""
        return {PARENT: self.parent, **({STATE: self.state} if self.state else {})}


Recorder = Callable[
    [str, Kind, Trace | None, Mapping[str, str | int]],
    AbstractContextManager[tuple[Trace, Note]],
]
"""Records a step with its name, kind, parent and what is known of it; gives the step's place."""

_current: ContextVar[tuple[Trace, Note] | None] = ContextVar("step", default=None)
_recorder: Recorder | None = None


def record_with(recorder: Recorder | None) -> None:
    """Let a recorder record every step from now on; None to stop it."""
    global _recorder
    _recorder = recorder


def read(parent: object, state: object = "") -> Trace | None:
    """Return the trace that headers name; None if none is valid.

    Sections 3.2 and 4.3: a newer version is read as far as 00 goes.
    """
    found = _VALID_PARENT.fullmatch(parent) if isinstance(parent, str) else None
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not int(trace, 16) or not int(span, 16):
        return None
    return Trace(f"00-{trace}-{span}-{flags}", _valid_state(state))


def current() -> Trace | None:
    """Return the place of the current step, if there is one."""
    step = _current.get()
    return step[0] if step else None


def carried() -> dict[str, str]:
    """Return the headers that carry the current trace; none outside of one."""
    trace = current()
    return trace.headers() if trace else {}


def note(name: str, value: str) -> None:
    """Add facts to the current step, if there is one."""
    if step := _current.get():
        step[1](name, value)


@contextmanager
def step(name: str, kind: Kind, parent: Trace | None = None, **about: str | int) -> Iterator[None]:
    """Run the block as a step of the parent's trace, of the current one, or of a new one."""
    parent = parent or current()
    recorded = _recorder(name, kind, parent, about) if _recorder else _unrecorded(parent)
    with recorded as (trace, take_note):
        token = _current.set((trace, take_note))
        try:
            with structlog.contextvars.bound_contextvars(trace_id=trace.trace_id):
                yield
        finally:
            _current.reset(token)


@contextmanager
def _unrecorded(parent: Trace | None) -> Iterator[tuple[Trace, Note]]:
    """Pass on the parent unchanged, since nothing is recorded; or begin a trace, not sampled."""
    if parent is None:
        parent = Trace(f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-00")
    yield parent, lambda _, __: None


def _valid_state(state: object) -> str:
    if not isinstance(state, str) or len(state) > _MAX_STATE:
        return ""
    members = [member.strip(" \t") for member in state.split(",")]
    members = [member for member in members if member]
    if len(members) > _MAX_MEMBERS or not all(map(_VALID_MEMBER.fullmatch, members)):
        return ""
    return ",".join(members)
