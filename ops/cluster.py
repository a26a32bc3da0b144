"""`--pause-in-cluster`: stops matcher and timeline while a backup copies mail in transit.

In a pod whose service account may change ScaledObjects and list pods. KEDA removes the replicas
and restores them, also when the backup fails or is told to stop. A pod that is killed meanwhile
leaves them paused: the alert NobodyConsumes fires, and the runbook says what to do.
"""

import asyncio
import json
import ssl
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ops.command import say
from shared.runtime.mistake import Mistake

SERVICES = ("matcher", "timeline")
_PAUSED = "autoscaling.keda.sh/paused-replicas"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PODS = (
    "labelSelector=app.kubernetes.io/component%3Dservice"
    ",app.kubernetes.io/name%20in%20(matcher,timeline)"
)
_EVERY_SECONDS = 2.0
_PATIENCE_SECONDS = 300.0


class Cluster:
    """The API server, as far as a backup needs it."""

    def __init__(
        self, url: str = "https://kubernetes.default.svc", account: Path = _ACCOUNT
    ) -> None:
        """Speak to the server at the URL as the service account whose files are in the folder."""
        try:
            self._token = (account / "token").read_text()
            self._namespace = (account / "namespace").read_text()
            ca = account / "ca.crt"
            self._context = ssl.create_default_context(cafile=ca) if ca.exists() else None
        except OSError as error:
            raise Mistake(f"no service account is in {account}: is this a pod?") from error
        self._url = url

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Ask for no replicas of matcher and timeline meanwhile."""
        try:
            for name in SERVICES:
                self._annotate(name, "0")
            yield
        finally:
            self.resume()

    def resume(self) -> None:
        """Let them run again. Safe to repeat."""
        for name in SERVICES:
            self._annotate(name, None)

    async def gone(self) -> None:
        """Return when no pod of either is left. Raises Mistake when that takes too long."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        path = f"/api/v1/namespaces/{self._namespace}/pods?{_PODS}"
        while pods := (await asyncio.to_thread(self._ask, "GET", path))["items"]:
            if time.monotonic() > deadline:
                raise Mistake(f"{len(pods)} pods of matcher and timeline do not end")
            await asyncio.sleep(_EVERY_SECONDS)
        say("matcher and timeline have ended")

    def _annotate(self, name: str, replicas: str | None) -> None:
        path = f"/apis/keda.sh/v1alpha1/namespaces/{self._namespace}/scaledobjects/{name}"
        self._ask("PATCH", path, {"metadata": {"annotations": {_PAUSED: replicas}}})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the URL is the cluster's own
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/merge-patch+json",
            },
        )
        with urllib.request.urlopen(request, timeout=10, context=self._context) as answer:  # noqa: S310 - as above
            return json.load(answer)
