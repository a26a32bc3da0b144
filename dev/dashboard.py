"""The Grafana dashboard: what Grafana needs around the queries of the modules beside this one.

* `dashboard_way` and `dashboard_parts` have the queries. `dashboard` returns the JSON that Grafana
  loads, in its classic model. `dev.generate` writes it to `deploy/k8s/monitoring`. Do not edit it
  there.
* A row has columns of panels. A panel is a title and the expressions that answer it. In these, `IN`
  stands for the chosen namespace and `RATE` for the interval that fits the zoom.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH = 24
_BAD, _WARN, _GOOD = "red", "orange", "green"


@dataclass(frozen=True)
class Panel:
    """One picture: expressions by the legend of what they give.

    `steps` are the values from which on it is orange and red; falling ones mean that less is worse.
    `number` shows the last value alone, large.
    """

    title: str
    asks: dict[str, str]
    unit: str = "short"
    says: str = ""
    steps: Sequence[float] = ()
    number: bool = False
    highest: float | None = None


@dataclass(frozen=True)
class Row:
    """A title, and columns beside each other, by their widths; they fill the page's 24."""

    title: str
    columns: Sequence[tuple[int, Sequence[Panel]]]
    height: int = 7


def dashboard(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the dashboard. Raises ValueError where the columns of a row do not fill its width."""
    return {
        "uid": "satchel",
        "title": "Satchel: mail flow",
        "tags": ["satchel"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [_datasource(), _namespace()]},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_placed(rows)),
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _namespace() -> dict[str, Any]:
    asked = "label_values(satchel_published_total, namespace)"
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": asked, "refId": "namespaces"},
        "refresh": 2,
        "sort": 1,
    }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for row in rows:
        if sum(width for width, _ in row.columns) != _WIDTH:
            raise ValueError(f"{row.title}: its columns are not {_WIDTH} wide")
        number += 1
        where = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
        title = {"id": number, "type": "row", "title": row.title, "gridPos": where}
        yield {**title, "collapsed": False, "panels": []}
        left = 0
        for width, panels in row.columns:
            for place, panel in enumerate(panels):
                number += 1
                below = top + 1 + place * row.height
                where = {"x": left, "y": below, "w": width, "h": row.height}
                yield _panel(number, panel, where)
            left += width
        top += 1 + row.height * max(len(panels) for _, panels in row.columns)


def _panel(number: int, panel: Panel, where: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.highest is not None:
        defaults["max"] = panel.highest
    if panel.steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": _steps(panel.steps)}
    if panel.number:
        defaults["color"] = {"mode": "thresholds"}
        options: dict[str, Any] = {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "background",
            "textMode": "auto",
        }
    else:
        defaults["custom"] = {
            "fillOpacity": 10,
            "showPoints": "never",
            "thresholdsStyle": {"mode": "line" if panel.steps else "off"},
        }
        options = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {
        "id": number,
        "type": "stat" if panel.number else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _DATASOURCE,
        "gridPos": where,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": _DATASOURCE,
                "expr": _expression(expression),
                "legendFormat": legend,
                "range": True,
            }
            for place, (legend, expression) in enumerate(panel.asks.items())
        ],
    }


def _expression(short: str) -> str:
    return short.replace("{IN", '{namespace="$namespace"').replace("[RATE]", "[$__rate_interval]")


def _steps(steps: Sequence[float]) -> list[dict[str, Any]]:
    """Return Grafana's steps, which rise: the first has no value and holds from below."""
    if list(steps) == sorted(steps):
        colours = (_GOOD, _WARN, _BAD) if len(steps) == 2 else (_GOOD, _BAD)
    else:
        colours = (_BAD, _WARN, _GOOD) if len(steps) == 2 else (_BAD, _GOOD)
    values = [None, *sorted(steps)]
    return [{"color": c, "value": v} for c, v in zip(colours, values, strict=True)]
