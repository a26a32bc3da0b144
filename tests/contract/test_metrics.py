"""Every metric is declared where the page looks, and no label can hold what people write."""

import re
import subprocess
import sys

from dev.generate import ROOT
from dev.metrics_page import declared
from shared.runtime.metrics import LABELS, VALUES

METRICS = [metric for room in declared().values() for metric in room]
_REGISTERED = """
import importlib, sys
from prometheus_client import REGISTRY
for service in sys.argv[1:]:
    importlib.import_module(f"services.{service}.__main__")
print(*(family.name for family in REGISTRY.collect() if family.name.startswith("satchel")))
"""


def test_every_metric_that_a_service_serves_is_on_the_page_once() -> None:
    names = [metric.name.removesuffix("_total") for metric in METRICS]
    assert sorted(names) == sorted(set(names))
    done = subprocess.run(
        [sys.executable, "-c", _REGISTERED, "ingest", "matcher", "timeline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == set(names)


def test_every_metric_says_what_it_means() -> None:
    for metric in METRICS:
        assert metric.help[:1].isupper(), metric.name
        assert metric.name.startswith("satchel_")


def test_every_label_is_known_and_none_can_hold_what_people_write() -> None:
    used = {label for metric in METRICS for label in metric.labels}
    assert used == set(LABELS), "each label has its meaning in LABELS of shared/runtime/metrics.py"
    assert not used & {"account", "person", "address", "recipient", "sender", "owner", "user", "id"}


def test_every_reason_to_refuse_is_counted_from_zero() -> None:
    code = "".join(path.read_text() for path in (ROOT / "services/ingest").rglob("*.py"))
    given = set(re.findall(r'(?:SMTP_REFUSED\.labels|Leave)\(\s*"(\w+)"', code))
    assert given == set(VALUES["satchel_smtp_refused"]["reason"])


def test_every_end_of_a_publish_is_counted_from_zero() -> None:
    code = (ROOT / "shared/broker/publish.py").read_text()
    given = set(re.findall(r'(?:result = |PublishFailed\(|Large\(|tag, )"(\w+)"', code))
    assert given | {"unroutable"} == set(VALUES["satchel_published"]["result"])
