"""The registry of metrics and events of logs, and the page that is made from it."""

from __future__ import annotations

from typing import Any

import yaml

from observability.places import HERE

_HEAD = """# Metrics and events

Made by `make observability` from `observability/telemetry.yaml`.

Every process of a service serves these at `/metrics` (a worker on its own port), as far as it has them, beside those
of Python and the process. The gateway serves those of Envoy at `/metrics` on a port of its own. Labels are few and
bounded; none holds an id of a person. Rules and dashboards want the name of the service as `job`, its address as
`instance`.

| name | kind | labels | what it says | made in |
| --- | --- | --- | --- | --- |
"""
_EVENTS = """
## Events of logs

Every line is JSON with `time`, `level`, `event` and `service`; within a request `request_id`, within a trace `trace_id`
and `span_id`. With an exception its type and its place, never its text.

| event | level | fields | what it says |
| --- | --- | --- | --- |
"""


def registry() -> dict[str, Any]:
    """The registry as it is written."""
    found: dict[str, Any] = yaml.safe_load((HERE / "telemetry.yaml").read_text(encoding="utf-8"))
    return found


def page() -> str:
    """docs/metrics.md."""
    known = registry()
    metrics = [
        f"| `{name}` | {each['type']} | {_listed(each['labels'])} | {each['says']} | `{each['made_in']}` |"
        for name, each in known["metrics"].items()
    ]
    events = [
        f"| `{name}` | {_listed(each['level'], quote='')} | {_listed(each['fields'])} | {each['says']} |"
        for name, each in known["events"].items()
    ]
    return _HEAD + "\n".join(metrics) + "\n" + _EVENTS + "\n".join(events) + "\n"


def _listed(names: list[str] | str, *, quote: str = "`") -> str:
    return "any" if names == "*" else ", ".join(f"{quote}{name}{quote}" for name in names)
