"""Recording rules of the objectives: the share of what went wrong, over every window that an alert asks about."""

from __future__ import annotations

from typing import Any

import yaml

from observability.places import HERE, MADE

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# The short window of each alert: below twenty requests in it, nothing is concluded.
GUARDS = ("5m", "30m", "2h", "6h")


def objectives() -> list[dict[str, Any]]:
    """All objectives, as observability/slos.yaml has them."""
    found: list[dict[str, Any]] = yaml.safe_load((HERE / "slos.yaml").read_text(encoding="utf-8"))
    return found


def rules() -> str:
    """The file rules/slos.yaml."""
    groups = [{"name": f"slo-{each['name']}", "rules": _rules(each)} for each in objectives()]
    return MADE + yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000)


def _rules(objective: dict[str, Any]) -> list[dict[str, Any]]:
    labels = {"slo": objective["name"], "service": objective["service"]}
    found = [{"record": "slo:objective:ratio", "expr": f"vector({objective['objective']})", "labels": labels}]
    for window in WINDOWS:
        good, every = (objective[name].replace("RANGE", window) for name in ("good", "all"))
        # Where nothing was good there is no series of it, and all of it was bad.
        share = f"1 - ({good} or 0 * {every}) / {every}"
        found.append({"record": f"slo:error_ratio:rate{window}", "expr": share, "labels": labels})
    for window in GUARDS:
        count = objective["all"].replace("RANGE", window).replace("rate(", "increase(")
        found.append({"record": f"slo:requests:increase{window}", "expr": count, "labels": labels})
    return found
