"""What the dashboard and the rules ask, and which names and labels there are to ask for."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dev.generate import pages
from dev.metrics_page import declared
from dev.prometheus import rules
from dev.promql import asked
from shared.contracts.topology import QUEUES

DASHBOARD = Path("deploy/k8s/monitoring/dashboard.json")
OF_THE_TARGET = frozenset({"namespace", "job", "pod", "instance"})
"""Labels that Prometheus adds to everything that it scrapes."""
_IN_GRAFANA = {"$namespace": "satchel", "$__rate_interval": "30s"}
_OTHERS = Path(__file__).with_name("metrics_of_others.yaml")


def dashboard() -> dict[str, Any]:
    """Return the dashboard as it is generated now."""
    made: dict[str, Any] = json.loads(_text())
    return made


@functools.cache
def _text() -> str:
    return pages()[DASHBOARD]


@functools.cache
def panels() -> dict[str, list[str]]:
    """Return the expressions of every panel, with Grafana's variables filled in, by its title."""
    found: dict[str, list[str]] = {}
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            found.setdefault(panel["title"], []).append(filled_in(target["expr"]))
    return found


def filled_in(expression: str) -> str:
    """Return an expression as Grafana sends it."""
    for variable, value in _IN_GRAFANA.items():
        expression = expression.replace(variable, value)
    return expression


@functools.cache
def recorded_and_alerts() -> dict[str, str]:
    """Return the expression of every rule, by the name of the alert or of what it records."""
    groups = [group for text in rules().values() for group in yaml.safe_load(text)["groups"]]
    return {
        rule.get("alert") or rule["record"]: rule["expr"]
        for group in groups
        for rule in group["rules"]
    }


def mistakes(expression: str) -> Iterator[str]:
    """Yield the names, labels and values in an expression that nobody has."""
    question = asked(expression)
    labels: set[str] = set(OF_THE_TARGET)
    for selector in question.selectors:
        known = known_series().get(selector.name)
        if known is None:
            yield f"nobody has the metric {selector.name}"
            continue
        own = {**known, **dict.fromkeys(OF_THE_TARGET)}
        labels |= own.keys()
        for matcher in selector.matchers:
            if matcher.label not in own:
                yield f"{selector.name} has no label {matcher.label}"
                continue
            values = own[matcher.label]
            if values is None or not matcher.value:
                continue
            wanted = matcher.value.split("|") if "~" in matcher.operator else [matcher.value]
            for one in wanted:
                same = re.compile(one if "~" in matcher.operator else re.escape(one)).fullmatch
                if not any(same(value) for value in values):
                    yield f"{selector.name} has no {matcher.label} {one}"
    for label in question.grouped - labels:
        yield f"nothing that is asked for has the label {label}"


@functools.cache
def known_series() -> dict[str, dict[str, list[str] | None]]:
    """Return all series, with their labels and the values of these, where those are known."""
    known: dict[str, dict[str, list[str] | None]] = {}
    for metric in (metric for room in declared().values() for metric in room):
        labels: dict[str, list[str] | None] = {
            label: metric.values[label] or None for label in metric.labels
        }
        for series in metric.series:
            known[series] = dict(labels)
            if series.endswith("_bucket"):
                known[series]["le"] = None
    for name, others in yaml.safe_load(_OTHERS.read_text()).items():
        known[name] = dict.fromkeys(others)
    for labels in known.values():
        if "queue" in labels:
            labels["queue"] = [queue.name for queue in QUEUES]
    for name in recorded_and_alerts():
        if ":" in name:
            known[name] = {}
    return known
