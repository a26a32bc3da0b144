"""Faults of the broker and of mongod: killed, frozen, and broken from within."""

import asyncio
import time
from collections.abc import Callable

import aio_pika
import pymongo
from pymongo.errors import PyMongoError

from chaos.reconcile import settled_captures
from chaos.scene import Document, Scene
from chaos.schedule import Fault
from shared.contracts.topology import OUTCOMES, RECEIVED, Queue

_MEMORY_SHARE = "0.4"
_DISK_LIMIT = "50MB"
"""As `dev/rabbitmq.py` sets it, and as RabbitMQ sets the memory's share."""
_EMPTY_SECONDS, _BACK_SECONDS = 180, 40
_WRITE_ERRORS = (14031, 91, 112, 262)
"""OutOfDiskSpace, ShutdownInProgress, WriteConflict, ExceededTimeLimit."""
_OPERATIONS = ("find", "aggregate", "insert", "update", "delete", "findAndModify")


class NotPossible(Exception):
    """A fault could not be done as it must be; it is left out, and said."""


def _kill_broker(scene: Scene, _: Fault) -> None:
    scene.broker.kill()
    scene.broker.start()


def _kill_mongod(scene: Scene, _: Fault) -> None:
    scene.mongod.kill()
    scene.mongod.start()


def _freeze_broker(scene: Scene, fault: Fault) -> None:
    scene.broker.freeze()
    try:
        time.sleep(fault.seconds)
    finally:
        scene.broker.thaw()


def _freeze_mongod(scene: Scene, fault: Fault) -> None:
    scene.mongod.freeze()
    try:
        time.sleep(fault.seconds)
    finally:
        scene.mongod.thaw()


def _alarm_memory(scene: Scene, fault: Fault) -> None:
    scene.broker.ctl("set_vm_memory_high_watermark", "0.00001")
    try:
        time.sleep(fault.seconds)
    finally:
        scene.broker.ctl("set_vm_memory_high_watermark", _MEMORY_SHARE)


def _alarm_disk(scene: Scene, fault: Fault) -> None:
    scene.broker.ctl("set_disk_free_limit", str(10**15))
    try:
        time.sleep(fault.seconds)
    finally:
        scene.broker.ctl("set_disk_free_limit", _DISK_LIMIT)


def _remove_binding(scene: Scene, fault: Fault) -> None:
    """Remove a queue's bindings over and over: the services bind it again when they notice."""
    queue = _queue(fault)

    async def remove() -> None:
        until = time.monotonic() + fault.seconds
        async with await aio_pika.connect(scene.broker.url) as connection:
            channel = await connection.channel()
            there = await channel.get_queue(queue.name, ensure=False)
            while time.monotonic() < until:
                for key in queue.keys:
                    await there.unbind(queue.exchange, key)
                await asyncio.sleep(0.2)

    asyncio.run(remove())


def _remove_queue(scene: Scene, fault: Fault) -> None:
    """Remove an empty queue: what is in one that an operator removes is the operator's to lose.

    So the senders pause until every capture that was promised has its outcome; then the queue
    goes, and the senders go on. They are told 451 until somebody has declared it again. Its
    consumers notice when they have heard nothing for a while (RabbitMQ 3.10 does not tell them).
    """
    for source, _ in scene.sources:
        source.pause()
    try:
        deadline = time.monotonic() + _EMPTY_SECONDS
        while not all(
            source.idle and settled_captures(scene.stack, ledger)
            for source, ledger in scene.sources
        ):
            if time.monotonic() > deadline:
                raise NotPossible("its mail did not all get through in time")
            time.sleep(0.1)
        asyncio.run(_delete(scene.broker.url, _queue(fault)))
    finally:
        for source, _ in scene.sources:
            source.resume()
    promised = len(scene.ledger.receipts)
    time.sleep(fault.seconds)
    deadline = time.monotonic() + _BACK_SECONDS
    while not settled_captures(scene.stack, scene.ledger, first=promised + 1):
        if time.monotonic() > deadline:
            return  # the reckoning will tell
        time.sleep(0.2)


async def _delete(url: str, queue: Queue) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.queue_delete(queue.name)


def _queue(fault: Fault) -> Queue:
    return (RECEIVED, OUTCOMES)[fault.variant % 2]


def _step_down(scene: Scene, fault: Fault) -> None:
    """Let the primary be none for a while; it elects itself again."""
    with scene.database() as client:
        seconds = max(1, round(fault.seconds))
        client.admin.command("replSetStepDown", seconds, secondaryCatchUpPeriodSecs=0, force=True)
        time.sleep(seconds)
        deadline = time.monotonic() + 20
        while not client.admin.command("hello")["isWritablePrimary"]:
            if time.monotonic() > deadline:
                raise TimeoutError("mongod did not become primary again")
            time.sleep(0.1)


def _failing(data: Callable[[Fault], Document]) -> Callable[[Scene, Fault], None]:
    """Let commands of one service fail, as `data` says (failCommand)."""

    def strike(scene: Scene, fault: Fault) -> None:
        point = {"configureFailPoint": "failCommand"}
        with scene.database() as client:
            client.admin.command({**point, "mode": "alwaysOn", "data": data(fault)})
            try:
                time.sleep(fault.seconds)
            finally:
                _switch_off(client, point)

    return strike


def _switch_off(client: pymongo.MongoClient[Document], point: Document) -> None:
    for _ in range(10):
        try:
            client.admin.command({**point, "mode": "off"})
        except PyMongoError:
            time.sleep(0.2)
        else:
            return


def _write_errors(fault: Fault) -> Document:
    code = _WRITE_ERRORS[fault.variant % len(_WRITE_ERRORS)]
    return {"failCommands": list(_OPERATIONS[2:]), "errorCode": code, "appName": _victim(fault)}


def _closed(fault: Fault) -> Document:
    return {"failCommands": list(_OPERATIONS), "closeConnection": True, "appName": _victim(fault)}


def _commits(fault: Fault) -> Document:
    """A commit that may have happened or not: the connection goes, or the server does."""
    how: Document = {"closeConnection": True} if fault.variant % 2 == 0 else {"errorCode": 91}
    return {"failCommands": ["commitTransaction"], "appName": "timeline", **how}


def _victim(fault: Fault) -> str:
    return ("timeline", "matcher")[fault.variant % 2]


STRIKES: dict[str, Callable[[Scene, Fault], None]] = {
    "kill broker": _kill_broker,
    "kill mongod": _kill_mongod,
    "freeze broker": _freeze_broker,
    "freeze mongod": _freeze_mongod,
    "memory alarm": _alarm_memory,
    "disk alarm": _alarm_disk,
    "removed binding": _remove_binding,
    "removed queue": _remove_queue,
    "step-down": _step_down,
    "failing writes": _failing(_write_errors),
    "closed connections": _failing(_closed),
    "failing commits": _failing(_commits),
}
