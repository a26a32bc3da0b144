"""The dashboard and the rules ask for what is there, and every alert says what to do."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from dev.generate import ROOT, SETTINGS
from dev.metrics_page import declared
from dev.prometheus import MONITORING, NAMESPACE
from dev.promql import Matcher, Selector, asked
from services.ingest.receipts import MOST_WAITING
from services.timeline.metrics import VISIBLE_SECONDS
from shared.contracts.topology import OUTCOMES, RECEIVED
from tests.alert_cases import alerts
from tests.contract.test_manifest_pods import bytes_of
from tests.manifests import OVERLAYS, of_kind, render
from tests.monitored import dashboard, mistakes, panels, recorded_and_alerts

RUNBOOK = ROOT / "docs" / "runbook.md"
GENERAL = {"first", "whom-to-call"}
"""Sections of the runbook that belong to no alert."""
_SCHEMA = yaml.safe_load(Path(__file__).parents[1].joinpath("grafana_dashboard.yaml").read_text())


@pytest.mark.parametrize("title", panels())
def test_every_panel_asks_for_what_is_there(title: str) -> None:
    for expression in panels()[title]:
        assert asked(expression).selectors
        assert not [*mistakes(expression)], expression


def test_every_rule_asks_for_what_is_there() -> None:
    wrong = {name: [*mistakes(expression)] for name, expression in recorded_and_alerts().items()}
    assert not {name: found for name, found in wrong.items() if found}


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("satchel_oldest_seconds", "satchel_oldest_second", "nobody has the metric"),
        ('queue=~"matcher.received.v1', 'queue=~"matcher.received.v2', "has no queue"),
        ("queue=~", "queu=~", "has no label queu"),
        ("(namespace, queue)", "(namespace, queues)", "has the label queues"),
    ],
)
def test_a_mistake_in_an_expression_is_found(right: str, wrong: str, says: str) -> None:
    expression = recorded_and_alerts()["MailWaits"]
    assert right in expression
    assert not [*mistakes(expression)]
    assert says in " ".join(mistakes(expression.replace(right, wrong)))


def test_a_wrong_value_of_a_label_is_found() -> None:
    assert [*mistakes('satchel_received_total{answer="acepted"}')]
    assert not [*mistakes('satchel_received_total{answer="accepted"}')]
    assert not [*mistakes('satchel_received_total{answer=~"acc.*|not_accepted"}')]


def test_an_expression_is_understood() -> None:
    question = asked(
        'sum by (job) (rate(a_total{x="1", y=~"b|c}"}[5m] offset 1w)) / on (job) group_left ()'
        " max by (job) (b:c) > 14.4 * 0.001 and absent(up) == 0 unless time() - d{} >= 1e3"
    )
    x, y = Matcher("x", "=", "1"), Matcher("y", "=~", "b|c}")
    assert question.selectors == (
        Selector("a_total", (x, y)),
        *(Selector(name) for name in ("b:c", "up", "d")),
    )
    assert question.grouped == {"job"}
    assert str(question.selectors[0]) == 'a_total{x="1", y=~"b|c}"}'
    for unknown in ('{a="b"}', "a @ b", "a{b}"):
        with pytest.raises(ValueError, match=r"^(a selector without|not understood|no matcher)"):
            asked(unknown)


def test_grafana_knows_every_field_and_no_panel_lies_over_another() -> None:
    made = dashboard()
    errors = Draft202012Validator(_SCHEMA).iter_errors(made)
    assert not [f"{one.json_path}: {one.message}" for one in errors]
    (asks,) = (
        one["query"]["query"] for one in made["templating"]["list"] if one["type"] == "query"
    )
    series, label = re.findall(r"[a-z_]+", asks.removeprefix("label_values"))
    assert not [*mistakes(f"count by ({label}) ({series})")], asks
    ids = [panel["id"] for panel in made["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        where = panel["gridPos"]
        cells = {
            (where["x"] + x, where["y"] + y) for x in range(where["w"]) for y in range(where["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("path", [("fieldConfig", "defaults", "unti"), ("titel",)])
def test_a_field_that_grafana_does_not_know_is_found(path: tuple[str, ...]) -> None:
    made = dashboard()
    inner = made["panels"][1]
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "x"
    assert [*Draft202012Validator(_SCHEMA).iter_errors(made)]


def test_grafana_finds_the_dashboard() -> None:
    config = of_kind(render(OVERLAYS / "production"), "ConfigMap")["satchel-dashboard"]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config["data"]["satchel.json"]) == dashboard()


def anchors() -> set[str]:
    """The sections of the runbook, as links name them."""
    titles = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_every_alert_has_a_section_in_the_runbook_and_no_section_is_left_over() -> None:
    links = {alert: rule["annotations"]["runbook_url"] for alert, rule in alerts().items()}
    assert links == {alert: f"runbook.md#{alert.lower()}" for alert in alerts()}
    assert anchors() == {alert.lower() for alert in alerts()} | GENERAL


def test_the_runbook_speaks_of_what_there_is() -> None:
    """Objects of the cluster, settings, metrics: by their names."""
    text = RUNBOOK.read_text()
    objects = render(OVERLAYS / "production")
    kinds = {"deployment/": "Deployment", "job/": "Job", "get networkpolicy ": "NetworkPolicy"}
    for kind, name in re.findall(rf"\b({'|'.join(kinds)})([a-z][a-z-]+)", text):
        assert name in of_kind(objects, kinds[kind]), name
    for name in re.findall(r"NetworkPolicy\s+`([\w-]+)`", text):
        assert name in of_kind(objects, "NetworkPolicy"), name
    settings = {field.upper() for model in SETTINGS.values() for field in model.model_fields}
    for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", text):
        assert name in settings, name
    metrics = {one for room in declared().values() for metric in room for one in metric.series}
    assert set(re.findall(r"satchel_\w+", text)) <= metrics


def test_in_a_cluster_every_link_is_whole() -> None:
    (rules,) = [
        one["spec"]["groups"]
        for name, one in of_kind(render(OVERLAYS / "production"), "PrometheusRule").items()
        if name == "satchel-alerts"
    ]
    links = [rule["annotations"]["runbook_url"] for group in rules for rule in group["rules"]]
    assert len(links) == len(alerts())
    for link in links:
        page, _, anchor = link.partition("#")
        assert re.fullmatch(r"https://[\w.-]+/[\w./-]+/docs/runbook\.md", page)
        assert anchor in anchors()


def test_every_alert_says_what_it_is_and_whom_it_wakes() -> None:
    for alert, rule in alerts().items():
        assert rule["labels"].keys() == {"severity"}, alert
        assert rule["labels"]["severity"] in {"page", "ticket"}, alert
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, alert
        assert "{{" not in rule["annotations"]["summary"], alert
        assert "{{" in rule["annotations"]["description"], alert


def test_old_mail_wakes_nobody() -> None:
    """Every page that looks at queues names those of live mail."""
    for alert, rule in alerts().items():
        for selector in asked(rule["expr"]).selectors:
            queues = [one for one in selector.matchers if one.label == "queue"]
            if rule["labels"]["severity"] == "page" and "queue" in asked(rule["expr"]).grouped:
                (only,) = queues
                live = Matcher("queue", "=~", f"{RECEIVED.name}|{OUTCOMES.name}")
                assert only == live, alert


def test_limits_in_the_rules_are_those_of_the_cluster() -> None:
    objects = render(OVERLAYS / "production")
    memory = re.findall(r'job="(\w+)"} > 0.9 \* (\d+) \* 1024', alerts()["MemoryNearLimit"]["expr"])
    deployed = {
        name: bytes_of(
            one["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
        )
        for name, one in of_kind(objects, "Deployment").items()
    }
    assert {job: int(size) * 1024**2 for job, size in memory} == deployed
    (broker,) = of_kind(objects, "RabbitmqCluster").values()
    nodes = broker["spec"]["replicas"]
    assert f"< {nodes}\n" in alerts()["BrokerNodeDown"]["expr"]
    assert f"< {nodes // 2 + 1}\n" in alerts()["BrokerWithoutMajority"]["expr"]
    half = RECEIVED.arguments["x-max-length-bytes"] // (2 * 1024**3)  # type: ignore[operator] # int
    assert f"> {half} * 1024 ^ 3" in alerts()["QueueFillsUp"]["expr"]
    assert f"> {MOST_WAITING // 10}\n" in alerts()["ReceiptsWait"]["expr"]
    assert 60.0 in VISIBLE_SECONDS._upper_bounds


def test_jobs_and_namespace_are_those_of_the_cluster() -> None:
    objects = render(OVERLAYS / "production")
    assert {one["metadata"].get("namespace") for one in objects} - {None} == {NAMESPACE}
    jobs = {*SETTINGS, "broker", "broker-queues"}
    for monitor in yaml.safe_load_all((MONITORING / "scraping.yaml").read_text()):
        for endpoint in monitor["spec"]["endpoints"]:
            for change in endpoint.get("relabelings", []):
                assert (change["targetLabel"], change["replacement"]) == ("job", "broker-queues")
    expressions = [*recorded_and_alerts().values(), *(e for p in panels().values() for e in p)]
    for selector in (one for expression in expressions for one in asked(expression).selectors):
        for matcher in selector.matchers:
            if matcher.label == "job":
                assert set(matcher.value.split("|")) <= jobs, selector
            if matcher.label == "namespace":
                assert matcher.value == NAMESPACE, selector
