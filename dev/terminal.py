"""What the commands of a person at a terminal have in common.

Progress goes to standard error, results to standard output. An ordinary mistake is one line that
says what to do, never a stack trace. Ctrl-C and SIGTERM stop what was started.
"""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from dev.install import Unavailable
from shared.runtime.mistake import Mistake


def say(line: str) -> None:
    """Show progress."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def command(name: str, body: Callable[[], int]) -> int:
    """Run a command's body; return the exit code. 130 after Ctrl-C, 1 after a mistake."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore SIGINT
        signal.signal(number, stop)
    try:
        return body()
    except KeyboardInterrupt:
        say("stopped")
        return 130
    except (Mistake, Unavailable, TimeoutError) as error:
        say(f"{name}: {error}")
        return 1
