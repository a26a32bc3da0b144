"""A private Prometheus that scrapes a stack as the one of a cluster would.

* Jobs, namespace and pods are named as Prometheus' operator names them, so that the dashboard's and
  the alerts' expressions mean the same here. Every second, not every quarter of a minute.
* Its rules are those of `deploy/k8s/monitoring`, taken out of the operator's resources.
* A broker that was given (AMQP_URL), or that was started without its plugin, is not scraped.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from dev.generate import ROOT
from dev.install import ensure_prometheus
from dev.local_http import NO_TLS, get
from dev.server import PrivateServer
from dev.stack import Stack

NAMESPACE = "satchel"
MONITORING = ROOT / "deploy" / "k8s" / "monitoring"
_RESOURCES = ("recorded.yaml", "alerts.yaml")
_EVERY = "1s"


@dataclass(frozen=True)
class Target:
    """One thing to scrape, with the labels that a cluster would give it."""

    job: str
    pod: str
    port: int
    path: str = "/metrics"
    params: dict[str, list[str]] = field(default_factory=dict)


def rules() -> dict[str, str]:
    """Return the rules as Prometheus' own rule files, by the files' names."""
    specs = {name: yaml.safe_load((MONITORING / name).read_text())["spec"] for name in _RESOURCES}
    return {name: yaml.safe_dump(spec, sort_keys=False) for name, spec in specs.items()}


def targets(stack: Stack) -> list[Target]:
    """Return what there is to scrape in a running stack."""
    found = [Target(one.service, one.name, one.http_port) for one in stack.replicas]
    if stack.broker is not None and (port := stack.broker.metrics_port) is not None:
        monitors = yaml.safe_load_all((MONITORING / "scraping.yaml").read_text())
        (broker,) = (one for one in monitors if one["metadata"]["name"] == "broker")
        for endpoint in broker["spec"]["endpoints"]:
            job = "broker"
            for change in endpoint.get("relabelings", []):
                job = change["replacement"] if change["targetLabel"] == "job" else job
            params = endpoint.get("params", {})
            found.append(Target(job, "broker-server-0", port, endpoint["path"], params))
    return found


class PrivatePrometheus(PrivateServer):
    """One Prometheus; it forgets nothing while it runs, and is small."""

    def __init__(self, folder: Path, watched: list[Target], *, port: int | None = None) -> None:
        super().__init__(folder)
        self._port = self._folder.port("prometheus.port", port)
        self._watched = watched
        self._client: httpx.Client | None = None

    @property
    def url(self) -> str:
        """Where its pages and its API are."""
        return f"http://127.0.0.1:{self._port}"

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API. Raises HTTPStatusError, with what it says."""
        if self._client is None:  # making one takes longer than an answer
            self._client = httpx.Client(
                base_url=self.url, timeout=30, trust_env=False, verify=NO_TLS
            )
        answer = self._client.get(f"/api/v1/{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression at this moment."""
        data = self.ask("query", query=expression)
        result: list[dict[str, Any]] = data["result"]
        return result

    def stop(self) -> None:
        """Stop the server in good order and leave its folder."""
        if self._client is not None:
            self._client.close()
            self._client = None
        super().stop()

    def _launch(self) -> None:
        program = ensure_prometheus()
        configuration = {
            "global": {"scrape_interval": _EVERY, "evaluation_interval": _EVERY},
            "rule_files": [*rules()],
            "scrape_configs": [self._scrape(number) for number in range(len(self._watched))],
        }
        for name, text in rules().items():
            self._folder.keep(name, text)
        self._folder.keep("prometheus.yml", yaml.safe_dump(configuration))
        data = self._folder.subfolder("data")
        self._run(
            "prometheus",
            [
                program,
                f"--config.file={self._folder.path / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ],
        )
        self._await("Prometheus is ready", self._ready)
        # It takes five seconds to begin. What is counted before is no increase for it.
        self._await("everything was scraped once", self._scraped)

    def _scraped(self) -> bool:
        active = self.ask("targets", state="active")["activeTargets"]
        return len(active) == len(self._watched) and all(
            one["health"] != "unknown" for one in active
        )

    def _scrape(self, number: int) -> dict[str, Any]:
        target = self._watched[number]
        labels = {"job": target.job, "namespace": NAMESPACE, "pod": target.pod}
        return {
            "job_name": f"{target.job}-{number}",
            "metrics_path": target.path,
            "params": target.params,
            "static_configs": [{"targets": [f"127.0.0.1:{target.port}"], "labels": labels}],
        }

    def _ready(self) -> bool:
        try:
            return get(f"{self.url}/-/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False
