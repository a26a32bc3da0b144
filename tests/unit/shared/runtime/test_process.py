"""Logs: what went wrong, and never what a mail said."""

import subprocess
import sys

from tests.deadline import DEADLINE

PROGRAM = """
import asyncio, gc, logging, structlog
from shared.runtime.process import configure_logging, run

async def main(stopping):
    async def fails():
        raise ValueError("the secret text of a mail")
    task = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    del task
    gc.collect()
    try:
        await fails()
    except ValueError:
        structlog.get_logger().exception("handled")
    logging.getLogger("aio_pika").debug("Publishing the secret")
    logging.getLogger("mail.log").error("sender the secret")
    raise RuntimeError("the secret at the end")

configure_logging("test", "DEBUG")
run(main)
"""


def test_no_log_line_holds_the_text_of_an_exception() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ran.returncode != 0
    assert "secret" not in ran.stdout + ran.stderr
    for event in ("task failed", "handled", "service failed"):
        assert event in ran.stdout
    assert '"error": "ValueError"' in ran.stdout
    assert '"error": "RuntimeError"' in ran.stdout


STUCK = """
import asyncio, os, signal
from shared.runtime import process as runtime

async def keeps_on():
    await asyncio.Event().wait()

async def main(stopping):
    os.kill(os.getpid(), signal.SIGTERM)
    await stopping.wait()
    await asyncio.create_task(keeps_on())

runtime.STOP_SECONDS = 0.2
runtime.configure_logging("test", "INFO")
runtime.run(main)
"""


def test_what_does_not_end_is_left_and_named() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=DEADLINE
    )
    assert ran.returncode == 1
    assert "stopped with work in flight" in ran.stdout
    assert "keeps_on" in ran.stdout
