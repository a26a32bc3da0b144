"""What lets each alert fire and what does not, as promtool's own unit tests.

A file of `tests/alerts` has, by alert, `fires` and `quiet`: lists of cases. A case has `series` in
promtool's notation (zeros are `0+0x5`: `0x5` is five, in hexadecimal), one value every `interval`,
or a minute; `namespace="satchel"` is added to each. It has `at`, the moment of looking, and, where
it fires, `labels` (besides `namespace` and what the rule adds) and what the alert's description
`says`, with its values filled in.
"""

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml

from dev.prometheus import MONITORING, rules

Case = dict[str, Any]
_CASES = Path(__file__).parent / "alerts"


@functools.cache
def alerts() -> dict[str, dict[str, Any]]:
    """Return every alert's rule by its name."""
    groups = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def cases() -> dict[str, dict[str, Any]]:
    """Return all cases, by alert. Raises ValueError for an alert that stands in two files."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(_CASES.glob("*.yaml")):
        new = yaml.safe_load(file.read_text())
        if found.keys() & new.keys():
            raise ValueError(f"{file.name}: {found.keys() & new.keys()} have cases already")
        found |= new
    return found


def complaint(
    folder: Path,
    promtool: Path,
    chosen: dict[str, dict[str, Any]],
    changed: dict[str, dict[str, Any]] | None = None,
) -> str:
    """Return what promtool says of these cases; nothing when all is as expected.

    `changed` are rules that take the place of those of the same name. Each alert is tried alone,
    with what is recorded if it asks for that: all rules at every step would take half a minute.
    """
    (folder / "recorded.yaml").write_text(rules()["recorded.yaml"])
    recorded = [group["name"] for group in yaml.safe_load(rules()["recorded.yaml"])["groups"]]
    files = []
    for alert, sides in chosen.items():
        rule = {**alerts(), **(changed or {})}[alert]
        own = {"groups": [{"name": alert, "rules": [rule]}]}
        (folder / f"{alert}.yaml").write_text(yaml.safe_dump(own))
        interval = sides.get("interval", "1m")
        tests = [_test(alert, case, fires=True) for case in sides["fires"]]
        tests += [_test(alert, case, fires=False) for case in sides["quiet"]]
        needed, groups = [], []
        if "satchel:" in rule["expr"]:
            needed, groups = ["recorded.yaml"], recorded
        content = {
            "rule_files": [*needed, f"{alert}.yaml"],
            "group_eval_order": [*groups, alert],  # else by chance, and an alert would see nothing
            "evaluation_interval": interval,
            "tests": [{"interval": interval, **test} for test in tests],
        }
        files.append(folder / f"{alert}-cases.yaml")
        files[-1].write_text(yaml.safe_dump(content))
    ran = subprocess.run(
        [promtool, "test", "rules", *files], capture_output=True, text=True, check=False
    )
    said = ran.stdout + ran.stderr
    return "" if ran.returncode == 0 else said or f"status {ran.returncode}"


def _test(alert: str, case: Case, *, fires: bool) -> Case:
    rule = alerts()[alert]
    expected = []
    if fires:
        annotations = {**rule["annotations"], "description": case["says"]}
        labels = {"namespace": "satchel", **rule["labels"], **case.get("labels", {})}
        expected = [{"exp_labels": labels, "exp_annotations": annotations}]
    return {
        "input_series": [
            {"series": _in_namespace(series), "values": str(values)}
            for series, values in case["series"].items()
        ],
        "alert_rule_test": [{"eval_time": case["at"], "alertname": alert, "exp_alerts": expected}],
    }


def _in_namespace(series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{namespace="satchel"{", " if labels else ""}{labels or "}"}'
