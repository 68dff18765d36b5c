"""Who may speak to whom: one graph, the settings of the code, and the policies say the same."""

from __future__ import annotations

import pytest

from standalone import needs
from tests.architecture import tree
from tests.cluster import edges
from tests.cluster.edges import GRAPH, WORKER, may, policies
from tests.cluster.rendering import documents, merged, of_kind, pods, rendered, selects, texts, values_of

OUTSIDE = {"smtp_host": "mail", "smtp_url": "mail", "oidc_issuer": "provider", "sms_url": "sms", "push_hosts": "push"}
PROVIDED = {"database_url", "records_url", "bus_url"}


# ---- the graph and the code -----------------------------------------------------------------------------------------


def test_the_graph_knows_every_service_and_what_stands_beside_them():
    assert sorted(GRAPH["services"]) == tree.programs()
    assert [name for name, each in GRAPH["services"].items() if each.get("beside")] == ["frontend"]


@pytest.mark.target("D-10")
@pytest.mark.parametrize("service", tree.programs())
def test_a_service_calls_those_whose_address_its_settings_ask_for(service):
    """And every service calls identity, which it has the keys for tokens from."""
    asked = needs.of(service)
    wanted = {need.name.removesuffix("_url") for need in asked.settings if need.name.endswith("_url")}
    peers = wanted & set(tree.services()) | ({"identity"} - {service} if asked.is_service else set())
    assert GRAPH["services"][service]["calls"] == sorted(peers)


@pytest.mark.parametrize("service", tree.programs())
def test_a_service_has_the_stores_that_its_settings_ask_for(service):
    wanted = {"bus", needs.of(service).store} - {""}
    wanted |= {"records"} if "records_url" in needs.of(service) else set()
    assert GRAPH["services"][service]["stores"] == sorted(wanted)


@pytest.mark.parametrize("service", tree.programs())
def test_a_service_reaches_out_for_what_its_settings_name(service):
    found = {way for name, way in OUTSIDE.items() if name in needs.of(service)}
    assert GRAPH["services"][service]["outside"] == sorted(found)


@pytest.mark.target("D-12")
@pytest.mark.parametrize("service", tree.programs())
def test_the_secrets_of_a_service_are_those_that_it_cannot_do_without(service):
    wanted = {
        need.name.upper()
        for need in needs.of(service).settings
        if need.is_secret and need.is_required and need.name not in PROVIDED
    }
    assert set(GRAPH["services"][service]["secrets"]) == wanted


# ---- the graph and the policies -------------------------------------------------------------------------------------


@pytest.mark.target("D-10")
def test_services_are_reached_by_the_gateway_and_by_those_of_the_graph_only():
    assert not edges.wrong(rendered("demo"))


@pytest.mark.target("D-10")
def test_stores_are_reached_by_those_who_keep_something_there_only():
    found = rendered("demo")
    stores = {pod.component.removeprefix("redis-"): pod for pod in pods(found) if pod.is_store}
    for caller in pods(found):
        service = caller.labels.get("infirmary/service", "")
        reached = {name for name, pod in stores.items() if may(found, caller, pod, GRAPH["stores"][name]["port"])}
        assert reached == set(GRAPH["services"].get(service, {}).get("stores", [])), caller.name


@pytest.mark.target("D-10")
def test_every_pod_is_denied_everything_first_and_may_resolve_names(manifests):
    (nobody,) = [each for each in of_kind(manifests, "NetworkPolicy") if each["metadata"]["name"].endswith("-nobody")]
    assert nobody["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in nobody["spec"]
    (dns,) = nobody["spec"]["egress"]
    assert {(each["protocol"], each["port"]) for each in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    for pod in pods(manifests):
        assert selects(nobody["spec"]["podSelector"], pod.labels), pod.name


@pytest.mark.target("D-10")
def test_metrics_are_read_from_the_namespace_of_monitoring_and_by_the_own_prometheus_only(manifests):
    own = [pod for pod in pods(manifests) if pod.component == "prometheus"]
    for pod in pods(manifests):
        if pod.owner["kind"] != "Deployment":
            continue
        rules = [rule for each in policies(manifests, pod) for rule in each.get("ingress", [])]
        for rule in rules:
            if WORKER in {each["port"] for each in rule["ports"]}:
                namespace, *inside = rule["from"]
                assert list(namespace) == ["namespaceSelector"], pod.name
                assert namespace["namespaceSelector"]["matchLabels"], pod.name
                assert len(inside) == len(own), pod.name
                for peer, prometheus in zip(inside, own, strict=True):
                    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == prometheus.component


def test_ways_out_lead_where_the_values_say():
    found = rendered("air-gapped")
    for pod in pods(found):
        out = [rule for each in policies(found, pod) for rule in each.get("egress", [])]
        blocks = [peer["ipBlock"]["cidr"] for rule in out for peer in rule.get("to", []) if "ipBlock" in peer]
        assert set(blocks) <= {"10.0.0.0/8"}
        assert all("to" in rule for rule in out), f"{pod.name}: somewhere it may go anywhere"


def test_stores_outside_and_the_collector_are_reached_where_the_values_say():
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    more = {
        "stores": {name: {"peers": peers, "port": 7000} for name in ("postgresql", "mongodb", "records", "bus")},
        "telemetry": {"otlpEndpoint": "http://collector.watching:4317", "peers": peers},
    }
    found = tuple(documents(merged(values_of("production"), more)))
    for pod in pods(found):
        if service := pod.labels.get("infirmary/service"):
            out = [rule for each in policies(found, pod) for rule in each["egress"] if rule.get("to") == peers]
            ports = [port["port"] for rule in out for port in rule["ports"]]
            assert ports == [7000] * len(GRAPH["services"][service]["stores"]) + [4317], pod.name


def test_who_may_ask_the_gateway_can_be_narrowed():
    entrance = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    found = documents(merged(values_of("production"), {"networkPolicy": {"entrance": entrance}}))
    (policy,) = [each for each in of_kind(found, "NetworkPolicy") if each["metadata"]["name"].endswith("-gateway")]
    first = policy["spec"]["ingress"][0]["from"]
    assert first[0] == entrance[0]
    assert first[1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "tests"


def test_policies_can_be_left_to_somebody_else_and_the_notes_say_what_that_means():
    values = merged(values_of("demo"), {"networkPolicy": {"enabled": False}})
    assert not of_kind(documents(values), "NetworkPolicy")
    assert "WARNING: network policies are off" in texts(values)["infirmary/templates/NOTES.txt"]
