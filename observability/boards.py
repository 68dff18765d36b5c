"""Dashboards: boards/*.yaml say what is asked and why; here it becomes the JSON that Grafana loads.

`$at` in a query stands for the job and the instance that were chosen. `zero` names the fault in which a panel that must
show nothing shows something; tests/observability brings it about. `elsewhere` says why a board shows nothing in a house
on one machine; what it asks for is held against kubernetes.yaml.

Every panel has a title, a sentence, a unit and its queries; job, instance and data source are variables of every board,
and every rate is over `$__rate_interval`, so that a board is right at any scrape interval.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from observability.places import HERE

PREFIX: Final = "infirmary"
COLUMNS, WIDTH, HEIGHT = 24, 8, 8
AT: Final = 'job=~"$job", instance=~"$instance"'
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
# What each board leads to: the runbooks, and the traces of the service that is looked at.
RUNBOOKS: Final = "docs/runbooks/index.md"
TRACES: Final = "/explore?left=%5B%22now-1h%22,%22now%22,%22jaeger%22,%7B%22service%22:%22${job}%22%7D%5D"


def boards() -> dict[str, dict[str, Any]]:
    """All boards as they are written, by name."""
    files = sorted((HERE / "boards").glob("*.yaml"))
    return {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}


def dashboards() -> Mapping[str, str]:
    """All dashboards as JSON, by name."""
    return {name: json.dumps(_dashboard(name, board), indent=1) + "\n" for name, board in boards().items()}


def _dashboard(name: str, board: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "uid": f"{PREFIX}-{name}",
        "title": board["title"],
        "description": board["says"],
        "tags": [PREFIX],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 38,
        "version": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [
            {"title": "Runbooks", "type": "link", "url": RUNBOOKS, "targetBlank": True},
            {"title": "Traces", "type": "link", "url": TRACES, "targetBlank": True},
            {"title": "Boards", "type": "dashboards", "tags": [PREFIX], "asDropdown": True},
        ],
        "annotations": {"list": []},
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board["panels"])),
    }


def _variables(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Data source, job and instance, and those that a board has of its own."""
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}
    up = board["jobs"]
    within = f"{up[:-1]}, " if up.endswith("}") else f"{up}{{"
    yield _asked("job", label="Job", query=f"label_values({up}, job)")
    yield _asked("instance", label="Instance", query=f'label_values({within}job=~"$job"}}, instance)')
    for name, more in board.get("variables", {}).items():
        yield _asked(name, label=more["label"], query=more["query"])


def _asked(name: str, *, label: str, query: str) -> dict[str, Any]:
    """A variable whose values Prometheus knows; all of them are chosen at first."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
    }


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Panels from left to right and down, three in a row."""
    for number, panel in enumerate(panels):
        row, column = divmod(number, COLUMNS // WIDTH)
        yield _panel(number + 1, panel, place={"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT})


def _panel(number: int, panel: Mapping[str, Any], *, place: Mapping[str, int]) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}]
    steps += [{"color": color, "value": panel[color]} for color in ("orange", "red") if color in panel]
    defaults = {
        "unit": panel["unit"],
        "min": 0,
        "noValue": panel.get("without", "Nothing was counted."),
        "thresholds": {"mode": "absolute", "steps": steps},
        "custom": {"fillOpacity": 10, "thresholdsStyle": {"mode": "line" if len(steps) > 1 else "off"}},
    }
    return {
        "id": number,
        "type": "timeseries",
        "title": panel["title"],
        "description": panel["says"],
        "datasource": SOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}},
        "targets": [
            {
                "refId": chr(ord("A") + nth),
                "datasource": SOURCE,
                "expr": query["query"].replace("$at", AT),
                "legendFormat": query.get("legend", "__auto"),
                "exemplar": "_bucket" in query["query"],
                "range": True,
            }
            for nth, query in enumerate(panel["queries"])
        ],
    }
