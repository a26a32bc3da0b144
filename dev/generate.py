"""Writes the committed pages that are made from code: schemas, API, errors, settings, metrics,
dashboard.

A contract test calls `pages` too and fails when a committed page differs.
"""

import json
import re
import sys
from pathlib import Path

from dev.dashboard import dashboard
from dev.dashboard_parts import BROKER, PODS, STORES
from dev.dashboard_way import FIRST, WAY
from dev.errors_page import errors_page
from dev.metrics_page import metrics_page
from dev.openapi import document, merged
from dev.settings_page import settings_page
from services.ingest.settings import IngestSettings
from services.matcher.settings import MatcherSettings
from services.timeline.settings import TimelineSettings
from shared import VERSION
from shared.contracts.event_examples import examples
from shared.contracts.events import EVENTS
from shared.runtime.settings import Settings

ROOT = Path(__file__).parent.parent
SETTINGS: dict[str, type[Settings]] = {
    "ingest": IngestSettings,
    "matcher": MatcherSettings,
    "timeline": TimelineSettings,
}


_VERSION_IN = {
    "pyproject.toml": r'(?<=^version = ")[^"]+',
    "uv.lock": r'(?<=^name = "satchel"\nversion = ")[^"]+',
    "deploy/k8s/overlays/production/kustomization.yaml": r"(?<=newTag: )[\w.-]+",
}
"""Where the version stands besides, in files that are written by hand."""


def pages() -> dict[Path, str]:
    """Return every generated page's text, by its path in the project."""
    made = {Path(path): _with_version(path, place) for path, place in _VERSION_IN.items()}
    made |= {
        Path("docs/settings.md"): settings_page(SETTINGS),
        Path("docs/metrics.md"): metrics_page(),
        Path("docs/errors.md"): errors_page(),
        Path("deploy/k8s/monitoring/dashboard.json"): _json(
            dashboard([FIRST, WAY, BROKER, STORES, PODS])
        ),
    }
    for service in SETTINGS:
        made[Path(f"docs/openapi/{service}.json")] = _json(document(service))
    made[Path("docs/openapi/satchel.json")] = _json(merged())
    for tag, model in EVENTS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": tag}
        schema |= {k: v for k, v in model.model_json_schema().items() if k != "title"}
        made[Path(f"shared/contracts/schemas/{tag}.json")] = _json(schema)
        example = json.loads(examples()[tag].encode())
        made[Path(f"shared/contracts/schemas/{tag}.example.json")] = _json(example)
    return made


def _with_version(path: str, place: str) -> str:
    """Return a file with the version at its places."""
    return re.sub(place, VERSION, (ROOT / path).read_text(), flags=re.MULTILINE)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the pages that differ."""
    for path, text in pages().items():
        target = ROOT / path
        if not target.exists() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            sys.stderr.write(f"wrote {path}\n")


if __name__ == "__main__":
    main()
