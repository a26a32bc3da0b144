import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dev import audit

LOCK = """
[[package]]
name = "good"
version = "1.0"
source = { registry = "x" }
[[package]]
name = "bad"
version = "2.0"
source = { registry = "x" }
[[package]]
name = "satchel"
version = "0.1"
source = { virtual = "." }
"""
KNOWN = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fixed_in": ["2.1"], "withdrawn": None}
GONE = {**KNOWN, "id": "PYSEC-2", "withdrawn": "2026-01-01T00:00:00Z"}


class Registry(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = 200
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.end_headers()
        known = [KNOWN, GONE] if "/bad/" in self.path else []
        self.wfile.write(json.dumps({"vulnerabilities": known}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/simple"
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "uv.lock").write_text(LOCK)
    return tmp_path


def test_a_known_vulnerability_fails_and_says_what_mends_it(
    registry: Registry, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.main(project) == 1
    assert capsys.readouterr().out == "bad 2.0: CVE-1, PYSEC-1; fixed in 2.1\n"
    assert sorted(registry.asked) == ["/pypi/bad/2.0/json", "/pypi/good/1.0/json"]


def test_the_registry_is_asked_once_for_a_lock_file(registry: Registry, project: Path) -> None:
    for _ in range(2):
        assert audit.main(project) == 1
    assert len(registry.asked) == 2
    (project / "uv.lock").write_text(LOCK.replace("2.0", "2.1"))
    audit.main(project)
    assert len(registry.asked) == 4


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_registry_without_an_answer_fails_nothing(
    registry: Registry, project: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    registry.status = status
    assert audit.main(project) == 0
    assert (
        capsys.readouterr().out == f"audit skipped: the registry answers {status} about bad 2.0\n"
    )
    assert len(registry.asked) == 1


def test_a_registry_that_is_away_fails_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple")
    assert audit.main(project) == 0
    assert capsys.readouterr().out.startswith("audit skipped: the registry does not answer (")


@pytest.mark.parametrize(("until", "code"), [("9999-01-01", 0), ("2026-01-01", 1)])
def test_what_is_ignored_has_a_reason_and_an_end(
    registry: Registry, project: Path, until: str, code: int
) -> None:
    entry = f'[[ignored]]\nid = "CVE-1"\nreason = "not used"\nuntil = {until}\n'
    (project / "audit.toml").write_text(entry)
    assert audit.main(project) == code


def test_without_a_reason_nothing_is_ignored() -> None:
    finding = {"package": "p", "version": "1", "id": "X", "aliases": [], "fixed_in": []}
    entry = {"id": "X", "reason": "", "until": date(9999, 1, 1)}
    assert audit.not_ignored([finding], [entry], date(2026, 1, 1)) == [
        "p 1: X; fixed in no version yet; was ignored until 9999-01-01"
    ]
