"""Secrets stay in the environment: no line of a log and no complaint about a setting tells one.

Of the stack that all tests share, every log is looked through at its end (`tests/conftest.py`).
"""

import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.generate import ROOT
from dev.ports import free_port
from dev.process import Process
from dev.stack import SERVICES, Stack
from tests.deadline import DEADLINE
from tests.marks import in_full
from tests.told_secrets import told_secrets

PASSWORD = "pw" + secrets.token_hex(12)


def test_what_is_looked_for_is_found(tmp_path: Path) -> None:
    environment = {"TOKEN_SECRET": "t" * 32, "CAPTURE_KEYS": "k1:" + "c" * 32, "X": "a://u:p@h"}
    told = ["c" * 32, "t" * 32, "a://u:p@h", "Bearer eyJhbGciOiJI.eyJhY2NvdW50.x"]
    (tmp_path / "a.log").write_text("\n".join(["good", *told]))
    assert told_secrets(tmp_path, environment) == [f"a.log: {line}" for line in told]


def test_services_that_are_let_in_nowhere_tell_no_password(stack: Stack, tmp_path: Path) -> None:
    """The wrong password for what answers, and any for what does not; with everything logged."""
    nowhere = f"127.0.0.1:{free_port()}"
    there = {name: stack.environment[name].split("@")[-1] for name in ("AMQP_URL", "MONGODB_URL")}
    mongodb = there["MONGODB_URL"].removeprefix("mongodb://")
    cases = {
        "refused": (there["AMQP_URL"], mongodb),
        "away": (f"{nowhere}/", f"{nowhere}/?replicaSet=rs0"),
        "wrong": ("127.0.0.1:none/", "127.0.0.1:none/"),
    }
    processes = []
    for case, (amqp, database) in cases.items():
        for service in SERVICES:
            ports = {f"{s.upper()}_HTTP_PORT": str(free_port()) for s in SERVICES}
            environment = {
                **stack.environment,
                **ports,
                "INGEST_SMTP_PORT": str(free_port()),
                "LOG_LEVEL": "DEBUG",
                "AMQP_URL": f"amqp://satchel:{PASSWORD}@{amqp}",
                "MONGODB_URL": f"mongodb://satchel:{PASSWORD}@{database}",
                "BLOB_URL": "s3://bucket/x",
                "AWS_ENDPOINT": f"http://{nowhere}",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": PASSWORD,
            }
            log = tmp_path / f"{service}-{case}.log"
            command = [sys.executable, "-m", f"services.{service}"]
            processes.append(Process(command, log=log, environment=environment, folder=ROOT))
            processes[-1].start()
    deadline = time.monotonic() + DEADLINE
    while not all(process.log.read_text() for process in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    for process in processes:
        process.kill()
    assert all(process.log.read_text() for process in processes), "they logged nothing"
    assert told_secrets(tmp_path, {**environment, "X": f"x://x:{PASSWORD}@x"}) == []


@pytest.mark.parametrize("service", [SERVICES[0], *in_full(*SERVICES[1:])])
def test_a_complaint_about_a_setting_does_not_tell_it(stack: Stack, service: str) -> None:
    wrong = {"TOKEN_SECRET": "shortsecret", "CAPTURE_KEYS": f"k:{PASSWORD[:9]},{PASSWORD}"}
    port = {f"{service.upper()}_HTTP_PORT": PASSWORD}
    for changed in ({name: value} for name, value in {**wrong, **port}.items()):
        if service == "timeline" and "CAPTURE_KEYS" in changed:
            continue
        ran = subprocess.run(
            [sys.executable, "-m", f"services.{service}"],
            env={**stack.environment, **changed},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        told = ran.stdout + ran.stderr
        assert ran.returncode == 2, told
        assert not any(value in told for value in (*changed.values(), PASSWORD[:9])), told
