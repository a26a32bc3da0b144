"""Waiting until nothing is under way any more, and then the reckoning."""

import asyncio
import time
from collections.abc import Mapping

from chaos.reconcile import Owner, Reckoning, dead_captures, drained, reconcile
from chaos.scene import Scene

_DRAIN_SECONDS = 180


def reckoning_of(scene: Scene, owners: Mapping[str, Owner], quiet: float) -> Reckoning:
    """Return the reckoning once it is clean, or once nothing went on for `quiet` seconds.

    The broker's counts may be some seconds old: what looks lost at first may be in somebody's hand.
    What is lost stays lost.
    """
    most, since = -1, time.monotonic()
    while True:
        dead = asyncio.run(dead_captures(scene.broker.url, scene.stack))
        reckoning = reconcile(scene.stack, scene.ledger, dead, owners)
        is_drained = drained(scene.broker)
        if reckoning.found != most:
            most, since = reckoning.found, time.monotonic()
            scene.say(f"{most:>6} of {reckoning.accepted} found")
        patience = quiet if is_drained else _DRAIN_SECONDS
        if (reckoning.clean and is_drained) or time.monotonic() - since > patience:
            return reckoning
        time.sleep(0.5)
