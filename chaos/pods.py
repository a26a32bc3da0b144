"""A pod as its manifest says, and what a cluster does to it: probes, endpoints, preStop, grace.

* The kubelet's part: `/healthz` until it has started, then `/healthz` and `/readyz`, each as often,
  as patiently and with as many failures as the manifest says. It restarts nothing: what would have
  made it do so is a complaint.
* The proxy's part (`Pod.in_service`): a pod gets new connections while it is ready, and for a
  moment after it was told to leave, since proxies hear of that late. Connections that it has stay.
* A pod that leaves: preStop, SIGTERM, and what is left of its grace period. Kubernetes stops asking
  for startup and liveness then; here liveness is asked until SIGTERM.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from dev.generate import ROOT
from dev.local_http import get
from dev.stack import Replica

FORGET_SECONDS = 1.0
"""How long proxies go on sending connections to a pod that leaves."""
_LOOK_SECONDS = 0.05
_IN_FLIGHT = "satchel_deliveries_in_flight"


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of a manifest; times in seconds."""

    path: str
    period: float
    timeout: float
    failures: int
    """So many in a row, and it has failed."""

    @classmethod
    def of(cls, written: Any) -> Self:
        """Read it."""
        return cls(
            written["httpGet"]["path"],
            float(written["periodSeconds"]),
            float(written["timeoutSeconds"]),
            int(written["failureThreshold"]),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a service's Deployment says about the life of its pods; times in seconds."""

    startup: Probe
    liveness: Probe
    readiness: Probe
    pre_stop: float
    to_end: float
    """From SIGTERM to SIGKILL: the grace period, without preStop, which is part of it."""

    def hasty(self, pre_stop: float, period: float) -> Self:
        """Return it with a shorter preStop and probes that are more frequent, nothing else."""
        return replace(
            self,
            startup=replace(self.startup, period=min(self.startup.period, period)),
            liveness=replace(self.liveness, period=min(self.liveness.period, period)),
            readiness=replace(self.readiness, period=min(self.readiness.period, period)),
            pre_stop=min(self.pre_stop, pre_stop),
        )


def manifest(service: str) -> Manifest:
    """Return what `deploy/k8s/base` says; no overlay changes it."""
    text = (ROOT / "deploy" / "k8s" / "base" / f"{service}.yaml").read_text()
    [pod] = [
        one["spec"]["template"]["spec"]
        for one in yaml.safe_load_all(text)
        if one["kind"] == "Deployment"
    ]
    [container] = pod["containers"]
    pre_stop = float(container["lifecycle"]["preStop"]["sleep"]["seconds"])
    return Manifest(
        startup=Probe.of(container["startupProbe"]),
        liveness=Probe.of(container["livenessProbe"]),
        readiness=Probe.of(container["readinessProbe"]),
        pre_stop=pre_stop,
        to_end=float(pod["terminationGracePeriodSeconds"]) - pre_stop,
    )


class _Asked:
    """A probe of one pod, and how it went."""

    def __init__(self, probe: Probe, url: str) -> None:
        self._probe, self._url, self._due = probe, f"{url}{probe.path}", 0.0
        self.failures = 0
        """In a row."""

    def due(self) -> bool:
        return time.monotonic() >= self._due

    def ask(self) -> bool:
        """Return whether it passed."""
        self._due = time.monotonic() + self._probe.period
        try:
            answer = get(self._url, timeout=self._probe.timeout)
            passed = answer.status_code == 200
        except httpx.HTTPError:
            passed = False
        self.failures = 0 if passed else self.failures + 1
        return passed

    @property
    def failed(self) -> bool:
        return self.failures >= self._probe.failures


class Pod:
    """A replica, looked after from `start` until it has ended."""

    def __init__(
        self, replica: Replica, manifest: Manifest, tell: Callable[[str, str], None]
    ) -> None:
        """`tell` hears what happens to the pod: its name, and what."""
        self.replica, self.manifest, self._tell = replica, manifest, tell
        self.url = f"http://127.0.0.1:{replica.http_port}"
        self.started = self.ready = False
        self.liveness_failures = 0
        self.complaints: list[str] = []
        self._leaves_at: float | None = None
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._look_after, daemon=True)

    @property
    def in_service(self) -> bool:
        """Whether it gets new connections."""
        left = self._leaves_at is not None and time.monotonic() > self._leaves_at
        return self.ready and not left

    def status(self, path: str) -> int:
        """Return the status that it answers with."""
        return self._get(path).status_code

    def missing(self) -> set[str]:
        """Return what it says that its readiness misses."""
        checks = self._get("/readyz").json()["checks"]
        return {name for name, there in checks.items() if not there}

    def in_flight(self) -> int:
        """Return how many deliveries it has taken and not settled."""
        return sum(
            int(sample.value)
            for family in text_string_to_metric_families(self._get("/metrics").text)
            if family.name == _IN_FLIGHT
            for sample in family.samples
        )

    def start(self) -> None:
        """Start its process and look after it."""
        self.replica.start()
        self._watching.set()
        self._thread.start()

    def leave(self) -> None:
        """Take it out of service, as deleting it does, and wait for its preStop."""
        self._leaves_at = time.monotonic() + FORGET_SECONDS
        self._tell(self.replica.name, f"is told to leave: preStop, {self.manifest.pre_stop:.0f} s")
        time.sleep(self.manifest.pre_stop)

    def terminate(self) -> None:
        """Send SIGTERM, wait for its end and note how that was; SIGKILL when grace is over."""
        self.watch_no_more()
        began = time.monotonic()
        code = self.replica.process.stop(self.manifest.to_end)
        seconds = time.monotonic() - began
        how = "was killed when its grace was over" if code is None else f"ended with {code}"
        self._tell(self.replica.name, f"{how}, {seconds:.1f} s after SIGTERM")
        if code != 0:
            self.complaints.append(f"{self.replica.name} {how}")

    def watch_no_more(self) -> None:
        """Ask it nothing any more."""
        self._watching.clear()
        if self._thread.is_alive():
            self._thread.join()

    def _get(self, path: str) -> httpx.Response:
        return get(self.url + path)

    def _look_after(self) -> None:
        startup, liveness, readiness = (
            _Asked(probe, self.url)
            for probe in (
                self.manifest.startup,
                self.manifest.liveness,
                self.manifest.readiness,
            )
        )
        while self._watching.is_set():
            time.sleep(_LOOK_SECONDS)
            if not self.started:
                if startup.due():
                    self.started = startup.ask()
                    self._said(startup, "has started", "took too long to start")
                continue
            if liveness.due() and not liveness.ask() and self._watching.is_set():
                self.liveness_failures += 1
                self._said(liveness, "", "would have been restarted: liveness failed")
            if readiness.due():
                passed = readiness.ask()
                if passed != self.ready and (passed or readiness.failed):
                    self.ready = passed
                    self._tell(self.replica.name, "is ready" if passed else "is unready")

    def _said(self, asked: _Asked, passed: str, failed: str) -> None:
        if asked.failures == 0:
            self._tell(self.replica.name, passed)
        elif asked.failed:
            self._tell(self.replica.name, failed)
            self.complaints.append(f"{self.replica.name} {failed}")
