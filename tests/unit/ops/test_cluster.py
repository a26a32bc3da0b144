"""A backup in a cluster pauses matcher and timeline, and gives them back, whatever happens."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import ops.cluster
from ops.cluster import Cluster
from ops.command import carry_out
from shared.runtime.mistake import Mistake

PAUSED = "autoscaling.keda.sh/paused-replicas"


class ApiServer(ThreadingHTTPServer):
    """Keeps annotations, and shows pods that end one by one once both are paused."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.annotations: dict[str, str | None] = {}
        self.pods = 2
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        items: list[dict[str, str]] = [{}] * self.server.pods
        if list(self.server.annotations.values()) == ["0", "0"]:
            self.server.pods = max(0, self.server.pods - 1)
        self._answer({"items": items})

    def do_PATCH(self) -> None:
        assert self.headers["Authorization"] == "Bearer secret"
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.rpartition("/")[2]
        assert self.path == f"/apis/keda.sh/v1alpha1/namespaces/satchel/scaledobjects/{name}"
        self.server.annotations[name] = body["metadata"]["annotations"][PAUSED]
        self._answer({})

    def _answer(self, body: Any) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as started:
        thread = threading.Thread(target=started.serve_forever)
        thread.start()
        yield started
        started.shutdown()
        thread.join()


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setattr(ops.cluster, "_EVERY_SECONDS", 0)
    (tmp_path / "token").write_text("secret")
    (tmp_path / "namespace").write_text("satchel")
    return Cluster(f"http://127.0.0.1:{server.server_port}", tmp_path)


async def test_both_are_paused_until_they_have_ended(server: ApiServer, cluster: Cluster) -> None:
    with cluster.paused():
        assert server.annotations == {"matcher": "0", "timeline": "0"}
        await cluster.gone()
        assert server.pods == 0
        assert "in%20(matcher,timeline)" in server.asked[0]
    assert server.annotations == {"matcher": None, "timeline": None}


def test_they_come_back_when_the_backup_fails(server: ApiServer, cluster: Cluster) -> None:
    with pytest.raises(Mistake), cluster.paused():
        raise Mistake("full")
    assert server.annotations == {"matcher": None, "timeline": None}


async def test_one_that_does_not_end_is_a_mistake(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.cluster, "_PATIENCE_SECONDS", -1)
    with pytest.raises(Mistake, match="2 pods of matcher and timeline do not end"):
        await cluster.gone()


def test_they_come_back_when_the_pod_is_told_to_stop(server: ApiServer, cluster: Cluster) -> None:
    async def work() -> None:
        with cluster.paused():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(3600)

    assert carry_out("backup", work) == 1
    assert server.annotations == {"matcher": None, "timeline": None}


def test_outside_of_a_pod_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="is this a pod"):
        Cluster(account=tmp_path)
