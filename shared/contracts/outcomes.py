"""How a handler ends: one of three words, and nothing of AMQP.

    Done            it is finished, for good; the delivery is acknowledged
    Retry(why)      a dependency is unavailable; the delivery waits, and nothing is lost
    Reject(reason)  it will never work; the delivery becomes a dead letter with this reason

Permanent or transient is thus part of every handler's interface. Only `shared.broker` turns these
words into AMQP.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Done:
    """Handled for good."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A dependency is unavailable. `why` is logged, so it never contains anything of a mail."""

    why: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A dead letter. `reason` is one of a few words, since it is a metric's label."""

    reason: str
    detail: str = ""
    """For the operator who reads the dead letter; never a label, never logged."""


Outcome = Done | Retry | Reject
