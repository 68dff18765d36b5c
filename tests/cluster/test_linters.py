"""What kube-score and kube-linter would say and no other file of this suite does; rules.yaml has all of theirs."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.cluster.rendering import (
    CHART,
    PROFILES,
    Wrong,
    documents,
    merged,
    named,
    of_kind,
    pods,
    rendered,
    selects,
    values_of,
)

FOLDER = Path(__file__).parent
RULES = yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))
EACH = [(program, rule) for program, rules in RULES.items() for rule in rules]
ONE_ADDRESS = {"collector", "jaeger"}  # that say in one place only how they are


def test_names_of_rules_lead_to_tests_that_exist():
    there = {
        f"{path.name}::{node.name}"
        for path in FOLDER.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    for program, rule in EACH:
        said = RULES[program][rule]
        assert set(said) <= {"stated", "left"}, rule
        assert said.get("stated", next(iter(there))) in there, rule
        assert len(said.get("left", "a reason of its own")) > 15, rule


def test_every_service_leads_to_one_kind_of_pod_at_a_port_that_it_has(manifests):
    services = of_kind(manifests, "Service")
    for service in services:
        (pod,) = [
            each for each in pods(manifests) if selects({"matchLabels": service["spec"]["selector"]}, each.labels)
        ]
        ports = {port["name"] for each in pod.spec["containers"] for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, named(service)
    there = {(each["metadata"]["name"], port["port"]) for each in services for port in each["spec"]["ports"]}
    for route in of_kind(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            assert {(each["name"], each["port"]) for each in rule["backendRefs"]} <= there
    for ingress in of_kind(manifests, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            backends = [path["backend"]["service"] for path in rule["http"]["paths"]]
            assert {(each["name"], each["port"]["number"]) for each in backends} <= there


def test_a_selector_selects_the_pods_of_its_own_workload_and_of_no_other(manifests):
    for pod in pods(manifests):
        if pod.owner["kind"] in {"Deployment", "StatefulSet"}:
            chosen = [each.name for each in pods(manifests) if selects(pod.owner["spec"]["selector"], each.labels)]
            assert chosen == [pod.name]


def test_a_stateful_set_has_its_headless_service(manifests):
    services = {each["metadata"]["name"]: each["spec"] for each in of_kind(manifests, "Service")}
    for each in of_kind(manifests, "StatefulSet"):
        spec = services[each["spec"]["serviceName"]]
        assert spec["clusterIP"] == "None", named(each)
        assert selects({"matchLabels": spec["selector"]}, each["spec"]["template"]["metadata"]["labels"]), named(each)


def test_every_policy_and_every_budget_is_about_some_pod(manifests):
    for each in of_kind(manifests, "NetworkPolicy"):
        assert any(selects(each["spec"]["podSelector"], pod.labels) for pod in pods(manifests)), named(each)
    for each in of_kind(manifests, "PodDisruptionBudget"):
        assert any(selects(each["spec"]["selector"], pod.labels) for pod in pods(manifests)), named(each)


def test_ports_of_a_pod_have_names_and_numbers_of_their_own(manifests):
    for pod in pods(manifests):
        ports = [port for each in pod.spec["containers"] for port in each.get("ports", [])]
        assert max(Counter(port["name"] for port in ports).values(), default=1) == 1, pod.name
        assert max(Counter(port["containerPort"] for port in ports).values(), default=1) == 1, pod.name
        assert all(len(port["name"]) <= 15 and port["containerPort"] > 1024 for port in ports), pod.name


def test_probes_ask_ports_that_the_container_has(manifests):
    for pod in pods(manifests):
        for container in pod.spec["containers"]:
            ports = {port["name"] for port in container.get("ports", [])}
            probes = [container[name] for name in container if name.endswith("Probe")]
            asked = {(each.get("httpGet") or each.get("tcpSocket"))["port"] for each in probes if "exec" not in each}
            assert asked <= ports, pod.name


def test_to_be_ready_is_asked_elsewhere_than_to_live(manifests):
    for pod in pods(manifests):
        for container in pod.spec["containers"]:
            if "livenessProbe" in container and pod.component not in ONE_ADDRESS:
                kinds = ("httpGet", "tcpSocket", "exec")
                living, ready = (
                    {kind: container[p].get(kind) for kind in kinds} for p in ("livenessProbe", "readinessProbe")
                )
                assert living != ready, pod.name


def test_no_variable_is_given_twice_and_none_holds_a_secret(manifests):
    """Secrets are files; what is called by the name of one is the name of its file, or says that there is none."""
    for pod in pods(manifests):
        for container in pod.containers:
            given = container.get("env", [])
            assert max(Counter(each["name"] for each in given).values(), default=1) == 1, pod.name
            for each in given:
                if re.search(r"(?i)secret|password|token|_key\b|credential", each["name"]):
                    assert each["name"].endswith("_FILE"), f"{pod.name}: {each['name']}"
                    assert each["value"].startswith("/run/secrets/"), f"{pod.name}: {each['name']}"


def test_labels_can_be_read_by_kubernetes(manifests):
    value = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
    for document in manifests:
        template = document.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
        for labels in (document["metadata"]["labels"], template):
            assert [each for each in labels.values() if not value.fullmatch(each)] == [], named(document)


def test_what_is_scaled_has_two_at_least(manifests):
    for each in of_kind(manifests, "HorizontalPodAutoscaler"):
        assert each["spec"]["minReplicas"] >= 2, named(each)


def test_no_field_is_used_that_is_on_its_way_out(manifests):
    for pod in pods(manifests):
        assert not {"serviceAccount", "hostAliases"} & set(pod.spec), pod.name
        assert "seccomp.security.alpha.kubernetes.io/pod" not in pod.owner["metadata"].get("annotations", {})


def test_no_pod_reaches_into_the_kernel_of_its_node(manifests):
    for pod in pods(manifests):
        assert "sysctls" not in pod.spec["securityContext"], pod.name
        assert not [each for each in pod.containers if "procMount" in each["securityContext"]], pod.name


# ---- profiles --------------------------------------------------------------------------------------------------------


@pytest.mark.target("D-26")
def test_every_profile_on_disk_is_one_that_everything_is_checked_for():
    """Those that are promised are among them; openshift forces no uid, whatever it follows."""
    assert {"dev", "single", "production", "ha", "air-gapped", "openshift"} <= set(PROFILES)
    on_disk = {path.stem for path in (CHART / "profiles").glob("*.yaml")}
    assert {name for names in PROFILES.values() for name in names} == on_disk
    assert all(rendered(profile) for profile in PROFILES)
    over = yaml.safe_load((CHART / "profiles" / "openshift.yaml").read_text(encoding="utf-8"))
    for first in ("demo", "single", "production", "ha"):
        for pod in pods(documents(merged(values_of(first), over))):
            assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(pod.spec["securityContext"]), pod.name
            assert pod.spec["securityContext"]["runAsNonRoot"] is True
    with pytest.raises(Wrong):
        documents(merged(values_of("demo"), {"openshift": "yes"}))
