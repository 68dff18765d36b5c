"""Who may speak to whom, as the network policies say it, and as the graph of the chart does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tests.cluster.rendering import CHART, Document, Pod, of_kind, pods, selects

GRAPH: Mapping[str, Any] = yaml.safe_load((CHART / "service-graph.yaml").read_text(encoding="utf-8"))
WEB, WORKER = 8080, 8081


def policies(found: Sequence[Document], pod: Pod) -> list[Mapping[str, Any]]:
    """Those that select a pod."""
    chosen = [each["spec"] for each in of_kind(found, "NetworkPolicy")]
    return [each for each in chosen if selects(each["podSelector"], pod.labels)]


def may(found: Sequence[Document], caller: Pod, callee: Pod, port: int) -> bool:
    """Whether one pod may speak to another at a port: it must be let out, and let in."""
    out = any(_allows(rule, "to", callee, port) for each in policies(found, caller) for rule in each.get("egress", []))
    rules = [rule for each in policies(found, callee) for rule in each.get("ingress", [])]
    into = any(_allows(rule, "from", caller, port) for rule in rules)
    return out and into


def _allows(rule: Mapping[str, Any], side: str, other: Pod, port: int) -> bool:
    if port not in {each["port"] for each in rule.get("ports", [])}:
        return False
    if side not in rule:
        return True
    inside = [peer for peer in rule[side] if "namespaceSelector" not in peer]
    return any(selects(peer.get("podSelector", {}), other.labels) for peer in inside)


def wrong(found: Sequence[Document]) -> list[str]:
    """Callers that reach other services than the graph says: the gateway and Prometheus reach all of them."""
    running = [pod for pod in pods(found) if pod.owner["kind"] != "Job"]
    webs = {pod.component: pod for pod in running if pod.component in GRAPH["services"]}
    said = []
    for caller in running:
        service = caller.labels.get("infirmary/service", "")
        wanted = GRAPH["services"].get(service, {}).get("calls", [])
        expected = set(webs) if caller.component in {"gateway", "prometheus"} else set(wanted)
        reached = {name for name, web in webs.items() if may(found, caller, web, WEB)} - {service}
        if reached != expected:
            said.append(f"{caller.name} reaches {sorted(reached)}, not {sorted(expected)}")
    return said
