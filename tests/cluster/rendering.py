"""The chart, rendered as Helm does it, without a cluster; and what is looked at in it."""

from __future__ import annotations

import copy
import functools
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "infirmary"
OLDEST, NEWEST = "1.29", "1.37"

# Each profile with the files that it is made of, in order.
PROFILES: dict[str, tuple[str, ...]] = {
    "demo": ("demo",),
    "dev": ("dev",),
    "single": ("single",),
    "production": ("production",),
    "ha": ("production", "ha"),
    "air-gapped": ("demo", "air-gapped"),
    "openshift": ("production", "openshift"),
    "gitops": ("gitops",),
}
MANY = ("production", "ha", "openshift")  # those that must bear the loss of a pod
GENERATED = "house-infirmary-generated"
WATCHERS = ("collector", "grafana", "jaeger", "prometheus")

Document = dict[str, Any]


class Wrong(Exception):
    """Helm refuses the values, or a check of the chart does; the text is what a person would read."""


def values_of(profile: str) -> dict[str, Any]:
    """The values of a profile, put together as `helm -f … -f …` does."""
    found: dict[str, Any] = {}
    for name in PROFILES[profile]:
        found = merged(found, yaml.safe_load((CHART / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")))
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are merged, everything else is replaced."""
    found = copy.deepcopy(dict(base))
    for name, value in over.items():
        both = isinstance(found.get(name), dict) and isinstance(value, dict)
        found[name] = merged(found[name], value) if both else copy.deepcopy(value)
    return found


@functools.cache
def chart() -> helm_python.Chart:
    """The chart, read once."""
    return helm_python.Chart.load(CHART)


def texts(values: Mapping[str, Any], **more: Any) -> Mapping[str, str]:
    """What Helm makes of values, by template; made once for the same values.

    Raises:  Wrong.
    """
    return _texts(json.dumps([values, {"name": "house", "namespace": "care", **more}], sort_keys=True))


@functools.cache
def _texts(asked: str) -> Mapping[str, str]:
    values, more = json.loads(asked)
    try:
        chart().validate_schema(values)
        return chart().render(values, **more)
    except helm_python.HelmError as error:
        raise Wrong(str(error)) from error


def documents(values: Mapping[str, Any], **more: Any) -> list[Document]:
    """The manifests that Helm makes of values."""
    found: list[Document] = []
    for name, text in sorted(texts(values, **more).items()):
        if not name.endswith(".txt"):
            found += pickle.loads(_parsed(text))
    return found


@functools.cache
def _parsed(text: str) -> bytes:
    """The documents of a template, ready to be copied: most are the same whatever the values are."""
    return pickle.dumps([each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each])


@functools.cache
def rendered(profile: str) -> tuple[Document, ...]:
    """The manifests of a profile; nobody changes them."""
    return tuple(documents(values_of(profile)))


def of_kind(found: Sequence[Document], *kinds: str) -> list[Document]:
    """Those of some kinds."""
    return [each for each in found if each["kind"] in kinds]


def named(document: Document) -> str:
    """Kind and name, for a message."""
    return f"{document['kind']}/{document['metadata']['name']}"


@dataclass(frozen=True)
class Pod:
    """The pod of a workload, with what it belongs to."""

    owner: Document
    labels: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        return named(self.owner)

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]

    @property
    def is_store(self) -> bool:
        return self.owner["kind"] == "StatefulSet" and self.component not in WATCHERS

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """All, those that run first too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def pods(found: Sequence[Document]) -> list[Pod]:
    """The pods of every workload."""
    return list(_pods(found))


def _pods(found: Sequence[Document]) -> Iterator[Pod]:
    for each in found:
        if each["kind"] == "Pod":
            yield Pod(each, each["metadata"]["labels"], each["spec"])
        elif each["kind"] in {"Deployment", "StatefulSet", "Job", "CronJob", "DaemonSet"}:
            template = each["spec"]["template"]
            yield Pod(each, template["metadata"]["labels"], template["spec"])


def deployments(found: Sequence[Document]) -> list[Pod]:
    """Pods that serve or work all the time, without stores and watchers."""
    return [pod for pod in pods(found) if pod.owner["kind"] == "Deployment"]


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of the simple kind selects these labels."""
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def bytes_of(quantity: str) -> float:
    """A quantity of memory or disk as a number."""
    units = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    text = str(quantity)
    return float(text[:-2]) * units[text[-2:]] if text[-2:] in units else float(text)
