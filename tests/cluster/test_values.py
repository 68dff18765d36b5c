"""What can be chosen: wrong values are refused before anything is made, every value does something and says what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.architecture import tree
from tests.cluster.rendering import CHART, PROFILES, Wrong, chart, documents, merged, rendered, texts, values_of

VALUES = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

# Path of a value and what somebody might type there.
WRONG: dict[str, object] = {
    "replicas": 3,
    "commonLabels": {"team": 7},
    "openshift": "yes",
    "nameOverride": "Upper Case",
    "fullnameOverride": "a" * 31,
    "capabilities.kubeVersion": "1.28",
    "capabilities.apiVersions": "monitoring.coreos.com/v1",
    "image.tag": "latest",
    "image.tags": "1.0",
    "image.registry": "https://registry.example",
    "image.pullPolicy": "Sometimes",
    "image.pullSecrets": [{"name": "pull"}],
    "image.digests.patients": "sha256:abc",
    "image.digests.pharmacy": "sha256:" + "0" * 64,
    "secrets.check": 1,
    "secrets.generate": "true",
    "secrets.refs": {"BUS_URL": "a-secret"},
    "secrets.passwords": {"BUS_URL": "redis://"},
    "stores.mysql": {"enabled": True},
    "stores.postgresql.enabled": 1,
    "stores.postgresql.image.tag": "latest",
    "stores.postgresql.storage.size": "much",
    "stores.postgresql.port": 70000,
    "stores.postgresql.peers": [{"host": "db.example.org"}],
    "stores.bus.password": "secret",
    "defaults.web.replicas": -1,
    "defaults.web.resources.limits.gpu": 1,
    "defaults.web.resources.requests.memory": "192 MB",
    "defaults.worker.autoscaling.cpuPercent": 170,
    "defaults.extraVolumes": [{"name": "node", "hostPath": {"path": "/"}}],
    "defaults.extraEnv": [{"value": "nameless"}],
    "services.pharmacy": {},
    "services.patients.web.autoscaling.minReplicas": 0,
    "services.patients.settings": {"home_zone": "UTC"},
    "services.identity.settings": {"MASTER_KEY_FILE": "/tmp/key"},
    "services.identity.settings.PORT": 9000,
    "services.identity.secretRefs": {"DATABASE_URL": {"name": "identity-app"}},
    "services.identity.existingSecret": "Not A Name",
    "migrations.mode": "never",
    "migrations.backoffLimit": "six",
    "gateway.service.type": "NodePort",
    "gateway.service.port": 0,
    "gateway.settings": {"admin": "0.0.0.0:9901"},
    "gateway.settings.user_per_s": [50],
    "route.kind": "loadbalancer",
    "route": {"kind": "ingress", "host": ""},
    "route.host": "https://infirmary.example.org",
    "route.timeout": "fifteen",
    "networkPolicy.outside.fax": {"ports": [9100]},
    "networkPolicy.outside.mail.ports": [],
    "networkPolicy.dns.podLabels": "all",
    "monitoring.grafana.image.tag": "latest",
    "monitoring.grafana.password": "admin",
    "monitoring.jaeger.retention": "three days",
    "monitoring.prometheus.interval": 15,
    "monitoring.prometheus.retention.size": "6 gigabytes",
    "telemetry.otlpEndpoint": "https://collector:4318",
    "telemetry.podMonitor.interval": 15,
    "tests.existingSecret": ["a"],
    "developer.sync": "on",
}


def at(path: str, value: object) -> dict[str, Any]:
    """A map with only this value in it."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)  # type: ignore[call-overload]


@pytest.mark.target("D-13")
@pytest.mark.parametrize("path", sorted(WRONG))
def test_a_wrong_value_is_refused_by_name(path):
    with pytest.raises(Wrong) as said:
        documents(merged(values_of("demo"), at(path, WRONG[path])))
    # The schema says where it stands, or the name that it does not know.
    value = WRONG[path]
    names = [*path.split("."), *(value if isinstance(value, dict) else ())]
    assert any(name in str(said.value) for name in names)


@pytest.mark.target("D-13")
def test_enough_wrong_values_are_tried():
    assert len(WRONG) >= 40


TOGETHER = [("production", "air-gapped"), ("single", "air-gapped"), ("demo", "openshift"), ("single", "openshift")]


@pytest.mark.target("D-13")
def test_twelve_good_profiles_are_accepted():
    """Those on their own, and those that follow another one."""
    found = [values_of(name) for name in PROFILES]
    for first, second in TOGETHER:
        over = yaml.safe_load((CHART / "profiles" / f"{second}.yaml").read_text(encoding="utf-8"))
        found.append(merged(values_of(first), over))
    assert len(found) == 12
    assert all(documents(values) for values in found)


@pytest.mark.target("D-13")
def test_a_route_wants_a_gateway_to_belong_to_and_an_ingress_none():
    route = {"kind": "httproute", "host": "a.example", "parentRefs": []}
    with pytest.raises(Wrong):
        documents(merged(values_of("demo"), {"route": route}))
    with pytest.raises(Wrong):
        documents(
            merged(values_of("demo"), {"route": {**route, "kind": "ingress", "parentRefs": [{"name": "public"}]}})
        )


def leaves(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The paths of all values; a list or an empty map is one."""
    for name, value in values.items():
        path = f"{before}.{name}".lstrip(".")
        if isinstance(value, dict) and value:
            yield from leaves(value, path)
        else:
            yield path


# Something else than the default that is right, for values whose kind does not tell. `with`: what it needs beside it.
OTHER: dict[str, Any] = {
    "capabilities.kubeVersion": "1.29",
    "image.registry": "mirror.example",
    "image.digests": {"patients": "sha256:" + "0" * 64},
    "image.references": {"patients": "infirmary/patients:just-made"},
    "image.pullPolicy": "Always",
    "image.pullSecrets": ["pull"],
    "secrets.refs": {"BUS_URL": {"name": "bus", "key": "url"}},
    "defaults.secretRefs": {"DATABASE_URL": {"name": "db", "key": "url"}},
    "defaults.settings": {"LOG_LEVEL": "warning"},
    "gateway.settings": {"user_per_s": 5},
    "gateway.service.type": "LoadBalancer",
    "migrations.mode": "hook",
    "route.kind": "ingress",
    "route.parentRefs": [{"name": "public"}],
    "route.timeout": "20s",
    "monitoring.jaeger.retention": "24h",
    "monitoring.prometheus.interval": "30s",
    "monitoring.prometheus.retention.size": "7GB",
    "monitoring.prometheus.retention.time": "7d",
    "telemetry.otlpEndpoint": "http://collector:4318",
    "telemetry.podMonitor.interval": "30s",
}
LISTS = {
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "peers": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "entrance": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "tolerations": [{"operator": "Exists"}],
    "metrics": [{"type": "Object"}],
    "apiVersions": ["monitoring.coreos.com/v1"],
    "ports": [9999],
}
STORES = {name: {"enabled": True} for name in ("postgresql", "mongodb", "records", "bus", "cache")}
SCALED = {"enabled": True, "cpuPercent": 50}
# What some values need beside them to do anything.
BESIDE: dict[str, dict[str, Any]] = {
    "route.tlsSecret": {"route": {"kind": "ingress", "host": "a.example"}},
    "route.ingressClassName": {"route": {"kind": "ingress", "host": "a.example"}},
    "route.annotations": {"route": {"kind": "ingress", "host": "a.example"}},
    "route.host": {"route": {"kind": "ingress", "host": "a.example"}},
    "route.kind": {"route": {"host": "a.example"}},
    "route.parentRefs": {"route": {"kind": "httproute", "host": "a.example", "parentRefs": [{"name": "first"}]}},
    "route.timeout": {"route": {"kind": "httproute", "host": "a.example", "parentRefs": [{"name": "first"}]}},
    "capabilities.apiVersions": {"telemetry": {"podMonitor": {"enabled": True}}},
    "telemetry.peers": {"telemetry": {"otlpEndpoint": "http://collector:4318"}},
    "podDisruptionBudget.enabled": {"gateway": {"replicas": 2}},
}
# What contradicts that a demo has stores of its own.
REFUSED = {"migrations.mode", "secrets.generate", "stores.postgresql.enabled"}
# What does something only where a cluster is asked; test_secrets.py asks one.
ASKED = {"secrets.check"}
OPERATOR = {"capabilities": {"apiVersions": ["monitoring.coreos.com/v1"]}}


def beside(path: str) -> dict[str, Any]:
    """Values under which a value does something."""
    stores: dict[str, Any] = {"stores": STORES}
    if re.fullmatch(r"stores\.\w+\.(peers|port)", path):
        stores = values_of("gitops")
    found = merged(stores, BESIDE.get(path, {}))
    if path.startswith("monitoring.") and path != "monitoring.enabled":
        found["monitoring"] = {"enabled": True}
    if path.startswith("telemetry.") and path.split(".")[1] in {"podMonitor", "prometheusRule", "dashboards"}:
        kind = {path.split(".")[1]: {"enabled": not path.endswith(".enabled")}}
        found = merged(merged(found, OPERATOR), {"telemetry": kind})
    if ".autoscaling." in path and not path.endswith(".enabled"):
        found = merged(found, at(path.rpartition(".")[0], SCALED))
    elif path.endswith("autoscaling.enabled"):
        found = merged(found, at(path.rpartition(".")[0], {"cpuPercent": 50}))
    return found


def other(path: str, value: object) -> object:
    """A right value that is not the default."""
    name = path.rpartition(".")[2]
    named = {"size": "77Gi", "digest": "sha256:" + "0" * 64, "tag": "7.7.7", "minReplicas": 3, "memory": "777Mi"}
    for known in ({path: OTHER[path]} if path in OTHER else {}, LISTS, named):
        if found := known.get(path, known.get(name)):
            return found
    if isinstance(value, bool):
        return not (value or (path.startswith("stores.") and name == "enabled"))
    return (
        value + 7 if isinstance(value, int) else {"something": "else"} if isinstance(value, dict) else "something-else"
    )


# One of several that are alike stands for them; rules and dashboards are made where observability/ has some.
ALIKE = re.compile(
    r"stores\.(mongodb|records|bus|cache)\.|services\.\w+$|.*\.(requests|limits)\.(cpu|ephemeral-storage)$|.*\.requests\."
    r"|defaults\.worker\.|gateway\.autoscaling\.|networkPolicy\.outside\.(provider|push|sms)|telemetry\.prometheusRule\."
    r"|telemetry\.dashboards\.|monitoring\.\w+\.storage\.|defaults\.existingSecret$|gateway\.(pod|extra|priority|node|toler|aff)"
)


@pytest.mark.target("D-13")
@pytest.mark.parametrize("path", [path for path in leaves(VALUES) if path not in ASKED and not ALIKE.match(path)])
def test_every_value_does_something(path):
    """Another value makes another manifest, or is refused because of what stands beside it."""
    value: Any = VALUES
    label = re.match(r"(.*?Labels)\.(.*)", path)
    for name in [*label[1].split("."), label[2]] if label else path.split("."):
        value = value[name]
    change = {label[1]: {label[2]: "else"}} if label else {}
    values = beside(path)
    changed = merged(values, at(*next(iter(change.items()))) if change else at(path, other(path, value)))
    before = texts(values)
    if path in REFUSED:
        with pytest.raises(Wrong):
            texts(changed)
    else:
        assert before != texts(changed)


@pytest.mark.target("D-13")
def test_every_value_is_read_by_a_template():
    templates = "\n".join(path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir())
    for name in {path.rpartition(".")[2] for path in leaves(VALUES) if "abels." not in path}:
        if name not in {*tree.programs(), "cpu", "memory", "ephemeral-storage", *VALUES["networkPolicy"]["outside"]}:
            assert re.search(rf"[.\"]{re.escape(name)}\b", templates), name


@pytest.mark.target("D-13")
def test_the_schema_knows_every_value_and_no_other():
    schema = chart().schema
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) - {"global"} == set(VALUES)
    closed = [each for each in objects(schema) if each.get("properties") and "if" not in each]
    assert all(each.get("additionalProperties") is False or "required" in each or "allOf" in each for each in closed)


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema of an object within a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for each in schema.values():
            yield from objects(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from objects(each)


@pytest.mark.target("D-13")
def test_every_group_of_values_is_explained_where_it_stands():
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^[a-zA-Z]+:", line):
            following = next((each for each in lines[number + 1 :] if each.strip()), "")
            assert lines[number - 1].lstrip().startswith("#") or following.lstrip().startswith("#"), line


def test_the_services_of_the_chart_are_those_on_disk():
    assert sorted(VALUES["services"]) == tree.programs()
    schema = chart().schema
    assert sorted(schema["properties"]["services"]["properties"]) == tree.programs()
    digests = schema["properties"]["image"]["properties"]["digests"]["properties"]
    assert sorted(digests) == sorted([*tree.programs(), "gateway"])


def test_settings_that_profiles_choose_are_known_to_the_service():
    from standalone import needs

    shared = {"LOG_LEVEL", "THREADS"}
    for profile in PROFILES:
        values = values_of(profile)
        assert set(values.get("defaults", {}).get("settings", {})) <= shared
        for service, chosen in values.get("services", {}).items():
            known = {need.name.upper() for need in needs.of(service).settings} | shared
            assert set(chosen.get("settings", {})) <= known, f"{profile}: {service}"
    assert rendered("ha")
