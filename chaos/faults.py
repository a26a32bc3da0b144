"""How each kind of fault is done, and undone. A fault returns once it is mended.

Faults of the broker and of mongod from within are in `servers.py`.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence

from chaos import servers
from chaos.mounts import BLOB_FOLDER_BYTES, resize
from chaos.proxy import Mode, Wire
from chaos.scene import Scene
from chaos.schedule import FULL_BLOBS, PAIRS, SERVICES, Fault

_HANDS_FULL_SECONDS = 0.8
_STOP_SECONDS = 20.0
_HANDS_FULL: dict[str, tuple[str, Mode]] = {
    "ingest": ("broker", "half_open"),  # what is only stalled would arrive after its death
    "matcher": ("mongod", "stall"),
    "timeline": ("mongod", "stall"),
}
"""What a service is made to wait for, until its hands are full."""

Strike = Callable[[Scene, Fault], None]


def strikes() -> dict[str, Strike]:
    """Return what to do for each kind."""
    table: dict[str, Strike] = {FULL_BLOBS: _fill_blob_folder, **servers.STRIKES}
    for service in SERVICES:
        table[f"kill {service}"] = _killer(service)
        table[f"freeze {service}"] = _freezer(service)
        table[f"restart {service}"] = _restarter(service)
    for pair, (service, peer) in PAIRS.items():
        table[f"cut {pair}"] = _wire_fault(service, peer, "cut")
        table[f"slow {pair}"] = _wire_fault(service, peer, "slow")
        table[f"half-open {pair}"] = _wire_fault(service, peer, "half_open")
    return table


@contextlib.contextmanager
def _mode(wires: Sequence[Wire], mode: Mode) -> Iterator[None]:
    for wire in wires:
        wire.become(mode)
    try:
        yield
    finally:
        for wire in wires:
            wire.become("flow")


def _killer(service: str) -> Strike:
    """Kill a service; every other time when it has all in flight that it may have."""

    def strike(scene: Scene, fault: Fault) -> None:
        replicas = scene.replicas(service, fault.victims)
        if fault.variant % 2 == 0:
            peer, mode = _HANDS_FULL[service]
            with _mode(scene.wires_of(service, peer, fault.victims), mode):
                time.sleep(_HANDS_FULL_SECONDS)
                for replica in replicas:
                    replica.kill()
        for replica in replicas:
            replica.kill()
        time.sleep(fault.seconds / 4)  # starting takes the rest
        for replica in replicas:
            replica.start()
        for replica in replicas:
            replica.await_ready()

    return strike


def _freezer(service: str) -> Strike:
    def strike(scene: Scene, fault: Fault) -> None:
        replicas = scene.replicas(service, fault.victims)
        try:
            for replica in replicas:
                replica.process.freeze()
            time.sleep(fault.seconds)
        finally:
            for replica in replicas:
                replica.process.thaw()

    return strike


def _restarter(service: str) -> Strike:
    """Restart all replicas of a service, one after the other, as an update does."""

    def strike(scene: Scene, _: Fault) -> None:
        for replica in scene.stack.of(service):
            began = time.monotonic()
            code = replica.process.stop(_STOP_SECONDS)
            scene.slowest_stop = max(scene.slowest_stop, time.monotonic() - began)
            if code != 0:
                scene.complaints.append(f"{replica.name} ended with {code}")
            replica.start()
            replica.await_ready()

    return strike


def _wire_fault(service: str, peer: str, mode: Mode) -> Strike:
    def strike(scene: Scene, fault: Fault) -> None:
        with _mode(scene.wires_of(service, peer, fault.victims), mode):
            time.sleep(fault.seconds)

    return strike


def _fill_blob_folder(scene: Scene, fault: Fault) -> None:
    """Let the file system be no larger than what is in it, again and again."""
    assert scene.blob_folder is not None
    until = time.monotonic() + fault.seconds
    try:
        while time.monotonic() < until:
            state = os.statvfs(scene.blob_folder)
            resize(scene.blob_folder, (state.f_blocks - state.f_bfree) * state.f_frsize)
            time.sleep(0.05)
    finally:
        resize(scene.blob_folder, BLOB_FOLDER_BYTES)
