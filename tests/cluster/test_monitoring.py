"""What watches a demo: its files, read by the programs of them that can be had; who reaches whom; what is kept.

The collector, Jaeger and Grafana cannot be had as packages: their files are held against what they lead to.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from observability.boards import TRACES
from standalone.servers.ports import free
from tests import needs
from tests.architecture import tree
from tests.cluster.edges import GRAPH, WEB, WORKER, may
from tests.cluster.rendering import (
    ROOT,
    WATCHERS,
    Document,
    Pod,
    documents,
    merged,
    named,
    of_kind,
    pods,
    rendered,
    selects,
    texts,
    values_of,
)
from tests.cluster.test_secrets import generated
from tests.waiting import wait_for

OBSERVABILITY = ROOT / "observability"
HOUSE = {*tree.programs(), *(f"{name}-worker" for name in tree.services()), "gateway"}


def files() -> dict[str, str]:
    """What is mounted into the watchers."""
    (one,) = [each for each in of_kind(rendered("demo"), "ConfigMap") if named(each).endswith("-monitoring")]
    return dict(one["data"])


def watcher(name: str, found: Any = None) -> Pod:
    (one,) = [pod for pod in pods(found or rendered("demo")) if pod.component == name]
    return one


def laid(folder: Path) -> Path:
    """The configuration of Prometheus and its rules, where the pod finds them; names are resolved by nobody."""
    (folder / "rules").mkdir()
    for name, text in files().items():
        if name.startswith("rules-"):
            (folder / "rules" / name.removeprefix("rules-")).write_text(text, encoding="utf-8")
    path = folder / "prometheus.yaml"
    path.write_text(files()["prometheus.yaml"].replace("/etc/infirmary", str(folder)), encoding="utf-8")
    return path


# ---- Prometheus ------------------------------------------------------------------------------------------------------


def test_promtool_takes_the_configuration_and_every_rule_of_it(tmp_path: Path):
    command = [needs.find("promtool"), "check", "config", "--lint=all", "--lint-fatal", laid(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") > len(list((OBSERVABILITY / "rules").glob("*.yaml")))


def test_prometheus_starts_with_it_and_knows_every_job_and_rule(tmp_path: Path):
    """With the options of the pod; only places and the port are those of this machine."""
    port, path = free(), laid(tmp_path)
    (container,) = watcher("prometheus").spec["containers"]
    options = [each for each in container["args"] if "config.file" not in each and "storage.tsdb.path" not in each]
    command = [needs.find("prometheus"), f"--config.file={path}", f"--storage.tsdb.path={tmp_path / 'data'}", *options]
    command += [f"--web.listen-address=127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for(lambda: status(port, "/-/ready") == 200, within_s=60, what="Prometheus is ready")
            assert status(port, "/-/healthy") == 200
            rules = asked(port, "rules")["groups"]
            known = yaml.safe_load(asked(port, "status/config")["yaml"])["scrape_configs"]
        finally:
            process.terminate()
    assert sum(len(group["rules"]) for group in rules) > 100
    assert [rule["name"] for group in rules for rule in group["rules"] if rule["health"] == "err"] == []
    assert {each["job_name"] for each in known} == {*tree.programs(), "gateway", "prometheus"}


def status(port: int, path: str) -> int:
    try:
        return urllib3.request("GET", f"http://127.0.0.1:{port}{path}", timeout=5, retries=False).status
    except urllib3.exceptions.HTTPError:
        return 0


def asked(port: int, path: str) -> Any:
    said = urllib3.request("GET", f"http://127.0.0.1:{port}/api/v1/{path}", timeout=10, retries=False)
    return json.loads(said.data)["data"]


def test_every_process_of_the_house_is_asked_at_its_own_address_under_the_name_of_its_service():
    """A record of a headless Service for each kind of pod: the name leads to it, and to no other pod."""
    found = rendered("demo")
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(found, "Service")}
    configs = yaml.safe_load(files()["prometheus.yaml"])["scrape_configs"]
    seen: dict[str, str] = {}
    for config in configs:
        for place in config.get("dns_sd_configs", []):
            (name,) = place["names"]
            spec = services[name]
            assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True), name
            (pod,) = [each for each in pods(found) if selects({"matchLabels": spec["selector"]}, each.labels)]
            (container,) = pod.spec["containers"]
            served = {each["containerPort"] for each in container["ports"] if each["name"] == "http"}
            assert {place["port"]} == served, pod.name
            assert place["type"] == "A"
            seen[pod.component] = config["job_name"]
    assert seen == {name: name.removesuffix("-worker") for name in HOUSE}


def test_a_worker_is_told_from_a_web_process_by_the_name_it_was_found_under():
    configs = yaml.safe_load(files()["prometheus.yaml"])["scrape_configs"]
    for config in configs:
        found = {}
        for place in config.get("dns_sd_configs", []):
            for step in config["relabel_configs"]:
                if re.fullmatch(step.get("regex", ".*"), place["names"][0]):
                    found[place["names"][0]] = step["replacement"]
        if config["job_name"] in tree.services():
            assert sorted(found.values()) == ["web", "worker"]
            assert all((process == "worker") == ("-worker-" in name) for name, process in found.items())


@pytest.mark.target("D-17")
def test_an_operator_is_told_the_same_job_for_every_pod():
    more = {"capabilities": {"apiVersions": ["monitoring.coreos.com/v1"]}}
    found = documents(merged(values_of("production"), more))
    (monitor,) = of_kind(found, "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (step,) = endpoint["relabelings"]
    for pod in pods(found):
        if pod.owner["kind"] == "Deployment":
            job = re.fullmatch(step["regex"], pod.component)
            assert job is not None
            assert job[1] == pod.labels.get("infirmary/service", "gateway")
    assert step["targetLabel"] == "job"


def test_rules_collector_and_dashboards_are_those_of_the_one_place():
    held = files()
    for path in (OBSERVABILITY / "rules").glob("*.yaml"):
        assert held.pop(f"rules-{path.name}") == path.read_text(encoding="utf-8")
    assert held.pop("collector.yaml") == (OBSERVABILITY / "collector.yaml").read_text(encoding="utf-8")
    assert set(held) == {"jaeger.yaml", "prometheus.yaml", "provider.yaml", "sources.yaml"}
    boards = {name: text for each in of_kind(rendered("demo"), "ConfigMap") for name, text in each["data"].items()}
    for path in (OBSERVABILITY / "dashboards").glob("*.json"):
        assert json.loads(boards[path.name]) == json.loads(path.read_text(encoding="utf-8"))


# ---- traces ----------------------------------------------------------------------------------------------------------


def listening(text: str) -> set[int]:
    """The ports that a configuration of a collector opens to others."""
    return {int(port) for port in re.findall(r'endpoint: "0\.0\.0\.0:(\d+)"', text)}


@pytest.mark.parametrize("name", ["collector", "jaeger"])
def test_what_receives_traces_listens_where_its_service_leads(name):
    (container,) = watcher(name).spec["containers"]
    assert {each["containerPort"] for each in container["ports"]} <= listening(files()[f"{name}.yaml"])
    assert {each["name"]: each["containerPort"] for each in container["ports"]} == GRAPH["watchers"][name]
    assert container["args"] == [f"--config=/etc/infirmary/{name}.yaml"]


@pytest.mark.parametrize("name", ["collector", "jaeger"])
def test_every_variable_of_a_configuration_is_given(name):
    (container,) = watcher(name).spec["containers"]
    wanted = set(re.findall(r"\$\{env:(\w+)\}", files()[f"{name}.yaml"]))
    assert wanted == {each["name"] for each in container["env"]}


def test_jaeger_uses_every_part_that_it_defines_and_keeps_traces_on_its_volume():
    said = yaml.safe_load(files()["jaeger.yaml"])
    (pipeline,) = said["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(said[kind])
    assert set(said["service"]["extensions"]) == set(said["extensions"])
    store = said["extensions"]["jaeger_query"]["storage"]["traces"]
    assert said["exporters"]["jaeger_storage_exporter"]["trace_storage"] == store
    badger = said["extensions"]["jaeger_storage"]["backends"][store]["badger"]
    assert badger["ephemeral"] is False
    (container,) = watcher("jaeger").spec["containers"]
    (data,) = [each["mountPath"] for each in container["volumeMounts"] if each["name"] == "data"]
    assert all(place.startswith(f"{data}/") for place in badger["directories"].values())


def test_every_process_sends_its_spans_to_the_collector_of_the_release():
    address = "http://house-infirmary-collector:4318"
    for pod in pods(rendered("demo")):
        if "infirmary/service" in pod.labels:
            for container in pod.containers:
                if container["name"] != "provide":
                    assert {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": address} in container["env"], pod.name
        if pod.component == "gateway":
            assert f"otlp_endpoint={address}" in pod.spec["initContainers"][0]["args"]


# ---- Grafana ---------------------------------------------------------------------------------------------------------


def test_the_sources_of_grafana_are_there_under_the_ids_that_dashboards_use():
    sources = {each["uid"]: each for each in yaml.safe_load(files()["sources.yaml"])["datasources"]}
    assert {uid: each["type"] for uid, each in sources.items()} == {"prometheus": "prometheus", "jaeger": "jaeger"}
    for uid, source in sources.items():
        assert source["url"] == f"http://house-infirmary-{uid}:{GRAPH['watchers'][uid]['web']}"
        assert source["editable"] is False
    assert sources["prometheus"]["isDefault"] is True
    (link,) = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert link == {"name": "trace_id", "datasourceUid": "jaeger"}
    assert "%22jaeger%22" in TRACES


def test_grafana_finds_every_dashboard_and_opens_with_one_of_them():
    pod = watcher("grafana")
    (provider,) = yaml.safe_load(files()["provider.yaml"])["providers"]
    (container,) = pod.spec["containers"]
    places = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert places["boards"] == provider["options"]["path"]
    (volume,) = [each for each in pod.spec["volumes"] if each["name"] == "boards"]
    names = {each["configMap"]["name"] for each in volume["projected"]["sources"]}
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(rendered("demo"), "ConfigMap")}
    mounted = {file for name in names for file in maps[name]}
    assert mounted == {path.name for path in (OBSERVABILITY / "dashboards").glob("*.json")}
    environ = {each["name"]: each["value"] for each in container["env"]}
    assert environ["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].rpartition("/")[2] in mounted
    assert places["sources"].endswith("provisioning/datasources")
    assert places["provider"].endswith("provisioning/dashboards")


@pytest.mark.target("D-12")
def test_the_first_password_of_grafana_is_made_once_or_given():
    made = generated(rendered("demo"))
    assert made["grafana.password"] != made["grafana.key"]
    assert secret_of(watcher("grafana")) == ("house-infirmary-generated", {"grafana.password", "grafana.key"})
    values = merged(values_of("demo"), {"monitoring": {"grafana": {"existingSecret": "mine"}}})
    assert secret_of(watcher("grafana", documents(values))) == ("mine", {"password", "key"})
    assert not {name for name in generated(documents(values)) if name.startswith("grafana.")}
    assert "get secret mine" in texts(values)["infirmary/templates/NOTES.txt"]


def secret_of(pod: Pod) -> tuple[str, set[str]]:
    (volume,) = [each["secret"] for each in pod.spec["volumes"] if "secret" in each]
    return volume["secretName"], {each["key"] for each in volume["items"]}


@pytest.mark.target("D-15")
def test_the_notes_tell_where_the_dashboards_are_and_that_nobody_is_told_of_alerts():
    notes = texts(values_of("demo"))["infirmary/templates/NOTES.txt"]
    assert "port-forward service/house-infirmary-grafana 3000" in notes
    assert "grafana.password" in notes
    assert "nobody is told" in notes
    assert "grafana" not in texts(values_of("production"))["infirmary/templates/NOTES.txt"]


# ---- who reaches whom ------------------------------------------------------------------------------------------------


@pytest.mark.target("D-10")
def test_watchers_are_reached_by_those_of_the_graph_only():
    found = rendered("demo")
    edges = {(each["from"], each["to"], each["port"]) for each in GRAPH["watching"]}
    for caller in pods(found):
        end = "house" if caller.component in HOUSE or "infirmary/service" in caller.labels else caller.component
        for name in WATCHERS:
            for port, number in GRAPH["watchers"][name].items():
                reached = may(found, caller, watcher(name), number)
                assert reached == ((end, name, port) in edges), f"{caller.name} {name} {port}"


@pytest.mark.target("D-10")
def test_metrics_are_read_by_prometheus_and_by_no_other_pod_of_the_release():
    found = rendered("demo")
    for callee in pods(found):
        if callee.component in HOUSE:
            port = WEB if callee.component in tree.programs() else WORKER
            for name in WATCHERS:
                assert may(found, watcher(name), callee, port) == (name == "prometheus"), f"{name} {callee.name}"


@pytest.mark.target("D-19")
def test_what_watchers_keep_lies_on_volumes():
    kept: dict[str, Document] = {name: watcher(name).owner["spec"] for name in WATCHERS}
    assert {name for name, spec in kept.items() if "volumeClaimTemplates" in spec} == {*WATCHERS} - {"collector"}
    values = {"monitoring": {"grafana": {"storage": {"size": "3Gi", "storageClass": "fast", "retain": True}}}}
    spec = watcher("grafana", documents(merged(values_of("demo"), values))).owner["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "3Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
