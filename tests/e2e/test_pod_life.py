"""A pod's whole life, in a hurry; the real one waits as long as the manifests say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PRIVATE = ("AMQP_URL", "MONGODB_URL", "BLOB_URL")
SECONDS = 1800
"""A deadline, of what takes about a minute on an idle machine."""


@pytest.mark.full
def test_pods_start_serve_and_leave_and_nothing_is_lost(
    tmp_path: Path, measured: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chaos.pod_life", "--short", "--json", tmp_path / "report.json"],
        env={name: value for name, value in os.environ.items() if name not in PRIVATE},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["clean"]
    assert all(report["promises"].values())
    assert len(report["promises"]) == 10
    assert report["accepted"] == report["found"] >= 100
    measured += [
        f"pod life: {m['who']} {m['what']}" for m in report["story"] if "SIGTERM" in m["what"]
    ]
