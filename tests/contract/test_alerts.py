"""Alerts fire when they should and not when they should not, as promtool says."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.install import Unavailable, ensure_prometheus
from dev.prometheus import rules
from tests.alert_cases import alerts, cases, complaint
from tests.monitored import panels


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        return ensure_prometheus().with_name("promtool")
    except Unavailable as missing:
        pytest.skip(f"alerts are not tried: {missing}")


def checked(promtool: Path, folder: Path, texts: dict[str, str]) -> str:
    """Return what promtool says against rule files."""
    for name, text in texts.items():
        (folder / name).write_text(text)
    files = [folder / name for name in texts]
    ran = subprocess.run(
        [promtool, "check", "rules", *files], capture_output=True, text=True, check=False
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def questions(texts: dict[str, list[str]]) -> str:
    """Return expressions as rules, for promtool reads no others."""
    made = [
        {"record": f"panel:{number}:{place}", "expr": expression}
        for number, expressions in enumerate(texts.values())
        for place, expression in enumerate(expressions)
    ]
    return yaml.safe_dump({"groups": [{"name": "panels", "rules": made}]})


def test_prometheus_takes_every_rule_and_every_panel(promtool: Path, tmp_path: Path) -> None:
    assert not checked(promtool, tmp_path, {**rules(), "panels.yaml": questions(panels())})


def test_every_alert_is_tried_firing_and_quiet() -> None:
    assert cases().keys() == alerts().keys()
    for alert, sides in cases().items():
        assert sides["fires"], alert
        assert sides["quiet"], alert


def test_alerts_fire_when_they_should_and_say_why(promtool: Path, tmp_path: Path) -> None:
    said = complaint(tmp_path, promtool, cases())
    assert not said, said


@pytest.mark.parametrize(
    ("alert", "right", "wrong"),
    [
        ("MailWaits", "> 60", "> 600"),
        ("MailWaits", "> 60", "> 1"),
        ("NobodyConsumes", "== 0", "== 1"),
        ("DeadLettersMade", "sum", "max"),
        ("NoMail", "offset 1w", "offset 1d"),
        ("PromiseBurnsFast", ">= 5", ">= 1"),
        ("BrokerAlarm", "free_disk_space", "free_disc_space"),
    ],
)
def test_a_wrong_expression_is_found(
    alert: str, right: str, wrong: str, promtool: Path, tmp_path: Path
) -> None:
    rule: dict[str, Any] = alerts()[alert]
    assert right in rule["expr"]
    changed = {**rule, "expr": rule["expr"].replace(right, wrong)}
    assert complaint(tmp_path, promtool, {alert: cases()[alert]}, {alert: changed})


def test_a_wrong_question_of_a_panel_is_found(promtool: Path, tmp_path: Path) -> None:
    texts = {"panels.yaml": questions({"one": ["sum(rate(up[5m])"]})}
    assert "unclosed" in checked(promtool, tmp_path, texts)
