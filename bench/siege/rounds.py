"""One attack after the other on one stack, and what each did to those whom it was not meant for."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import ProcessMeter
from bench.siege.bystander import Bystander, Fared
from dev.dns_server import DnsServer
from dev.siege.attacker import Attacker
from dev.siege.attacks import Attack
from dev.siege.ground import SILENT, Ground, Scale, furnished, ground
from dev.siege.smtp_attacks import Told
from dev.stack import SERVICES, Stack

_LEAD_SECONDS = 1.5
"""An attack goes on for so long before anybody else comes."""
_PROBES = 10
_CALM_MILLISECONDS = 100
"""Of processor time that the services use in a second when nothing is under way."""
_CALM_SECONDS = 120.0


@dataclass
class Round:
    """One attack, or none."""

    name: str
    fared: Fared
    """The bystander."""
    of_target: int
    """Mails of the account that is aimed at, from another network, that were taken at once."""
    places: int
    """Of ten new SMTP sessions from a new network, those whose recipient was accepted."""
    before: dict[str, float]
    most: dict[str, float]
    """MiB of each process."""
    processor: dict[str, float]
    """Milliseconds in a second, of each process."""
    told: dict[str, int] = field(default_factory=dict)


class Siege:
    """Attacks a stack."""

    def __init__(self, stack: Stack, dns: DnsServer, scale: Scale) -> None:
        self._stack, self._scale = stack, scale
        dns.ignored_end = SILENT
        self._endpoints = [stack.endpoints_of(n) for n in range(len(stack.of("ingest")))]
        self._meter = ProcessMeter(stack)
        client = furnished(self._endpoints[0], stack.token_secret, "bystander")
        self._bystander = Bystander(client, self._endpoints[0].smtp_port, "bystander", "127.30.0.1")

    def rounds(self, attacks: Sequence[Attack]) -> Iterator[Round]:
        """Yield how it is without an attack, then with each."""
        self._bystander.fare(2, self._scale.patience)  # what the first mail waits for is no attack
        yield asyncio.run(self._round(None))
        for attack in attacks:
            yield asyncio.run(self._round(attack))

    async def _round(self, attack: Attack | None) -> Round:
        scale = self._scale
        await asyncio.to_thread(self._await_calm)
        scene = await asyncio.to_thread(
            ground, self._endpoints, self._stack.token_secret, scale, self._stack.token_issuer
        )
        target = scene.targets[0]
        other = Bystander(
            furnished(self._endpoints[0], self._stack.token_secret, target.name),
            self._endpoints[0].smtp_port,
            target.name,
            "127.31.0.1",
        )
        self._forget_peaks()
        before, told = self._meter.memory("VmRSS"), Told()
        used, began = self._meter.cpu(), time.monotonic()
        async with _under_way(attack, scene, told):
            try:
                fared, of_target = await asyncio.gather(
                    asyncio.to_thread(self._bystander.fare, scale.mails, scale.patience),
                    asyncio.to_thread(other.try_once, scale.mails),
                )
            except asyncio.CancelledError:
                self._bystander.stop()  # else its thread goes on
                raise
            places = await self._free_places()
            seconds = time.monotonic() - began
            most, using = self._meter.memory("VmHWM"), self._meter.cpu()
        return Round(
            name=attack.name if attack else "none",
            fared=fared,
            of_target=of_target,
            places=places,
            before=before,
            most=most,
            processor={name: (using[name] - used[name]) / seconds for name in used},
            told=dict(told),
        )

    async def _free_places(self) -> int:
        """Return how many of ten new sessions from a new network may name the bystander."""
        port, found = self._endpoints[0].smtp_port, 0
        async with contextlib.AsyncExitStack() as stack:
            for number in range(_PROBES):
                source = f"127.32.0.{number + 1}"
                attacker = await stack.enter_async_context(Attacker(port, source))
                code = await attacker.answer()
                if code == "220":
                    await attacker.ask("EHLO x")
                    await attacker.ask("MAIL FROM:<>")
                    found += await attacker.ask(f"RCPT TO:<{self._bystander.capture}>") == "250"
        return found

    def _await_calm(self) -> None:
        """Return when what an earlier attack left behind is done with."""
        until = time.monotonic() + _CALM_SECONDS
        while time.monotonic() < until:
            used = self._used()
            time.sleep(0.5)
            if self._used() - used < _CALM_MILLISECONDS / 2:
                return

    def _used(self) -> float:
        return sum(used for name, used in self._meter.cpu().items() if name in SERVICES)

    def _forget_peaks(self) -> None:
        """Reset VmHWM: proc(5), clear_refs."""
        for service in SERVICES:
            for replica in self._stack.of(service):
                Path(f"/proc/{replica.process.pid}/clear_refs").write_text("5")


@contextlib.asynccontextmanager
async def _under_way(attack: Attack | None, scene: Ground, told: Told) -> AsyncIterator[None]:
    """Attack until the block ends."""
    if attack is None:
        yield
        return
    attacking = asyncio.ensure_future(attack.run(scene, told))
    try:
        await asyncio.wait([attacking], timeout=_LEAD_SECONDS)
        yield
        if attacking.done():
            attacking.result()
    finally:
        attacking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await attacking
